"""``check --add-noqa``: an old code base starts at zero by comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .status import WRONG_USE

if TYPE_CHECKING:
    from ..settings import Resolver
    from .options import Options


def add_noqa(paths: Sequence[str], options: Options, settings: Resolver, jobs: int) -> int:
    """Adds the comments, says how many, and with which status to leave."""
    from .. import api

    reason = options.add_noqa or ""
    if "-" in paths:
        raise click.UsageError("--add-noqa cannot be used with standard input")
    if options.fix or options.diff:
        raise click.UsageError(f"--add-noqa cannot be used with {'--fix' if options.fix else '--diff'}")
    if any(character in reason for character in "\r\n"):
        raise click.UsageError("--add-noqa: the reason cannot contain line breaks")
    done = api.add_noqa(paths, settings, jobs, reason.strip())
    for it in done.left:
        start = it.found.span.start
        click.echo(
            f"no comment: {it.found.span.filename}:{start.row}:{start.column}: {it.found.code}: {it.reason}", err=True
        )
    for note in done.written.notes:
        click.echo(f"note: {note}", err=True)
    for name, why in done.written.failures.items():
        click.echo(f"cannot write {name}: {why}; it is as it was", err=True)
    for failure in done.result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
    if done.lines and not options.quiet:
        click.echo(f"Added {done.lines} noqa directive{'' if done.lines == 1 else 's'}.", err=True)
    return WRONG_USE if done.written.failures or done.result.failures else 0
