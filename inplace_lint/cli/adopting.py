"""An old code base starts at zero: by comments (``check --add-noqa``), or by a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .status import WRONG_USE
from .telling import place_of

if TYPE_CHECKING:
    from ..api import Result
    from ..baseline import Entry
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
        click.echo(f"no comment: {place_of(it.found)}: {it.found.code}: {it.reason}", err=True)
    for note in done.written.notes:
        click.echo(f"note: {note}", err=True)
    for name, why in done.written.failures.items():
        click.echo(f"cannot write {name}: {why}; it is as it was", err=True)
    for failure in done.result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
    if done.lines and not options.quiet:
        click.echo(f"Added {done.lines} noqa directive{'' if done.lines == 1 else 's'}.", err=True)
    return WRONG_USE if done.written.failures or done.result.failures else 0


def write_baseline(paths: Sequence[str], options: Options, settings: Resolver, jobs: int) -> int:
    """Writes what is found to a baseline, says how much, and with which status to leave.

    What the file holds already keeps its reasons, and stays where the run cannot tell whether it is still there.
    """
    from .. import api
    from ..baseline import Baseline

    assert options.write_baseline is not None
    if "-" in paths:
        raise click.UsageError("--write-baseline cannot be used with standard input")
    for name, given in (("--fix", options.fix), ("--diff", options.diff), ("--prune-baseline", options.prune_baseline)):
        if given:
            raise click.UsageError(f"--write-baseline cannot be used with {name}")
    result = api.check_paths(paths, settings, jobs, Baseline.read_or_new(options.write_baseline))
    assert result.compared is not None
    made = result.compared.with_new(result.diagnostics)
    made.save()
    for failure in result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
    if not options.quiet:
        before, after = result.compared.baseline.size, made.size
        gone = sum(entry.count for entry in result.compared.stale)
        changed = f" ({after - before + gone} new, {gone} gone)" if before else ""
        click.echo(f"Wrote {_count(after, 'finding')} to {options.write_baseline}{changed}.", err=True)
    return WRONG_USE if result.failures else 0


def stale_baseline(result: Result, options: Options) -> list[Entry]:
    """The entries of the baseline that match nothing any more; none once they are pruned."""
    if result.compared is None:
        return []
    if options.prune_baseline:
        pruned = result.compared.pruned()
        if pruned.text() != result.compared.baseline.text():
            pruned.save()
        gone = sum(entry.count for entry in result.compared.stale)
        if gone and not options.quiet:
            click.echo(f"Took {_count(gone, 'stale finding')} out of {pruned.path}.", err=True)
        return []
    return result.compared.stale


def tell_baseline(result: Result, options: Options, stale: Sequence[Entry]) -> None:
    """Says what the baseline hides, and what in it is stale."""
    if result.compared is None:
        return
    if options.error_on_stale_baseline:
        for entry in stale:
            click.echo(f"stale: {entry.words()}", err=True)
    if options.quiet:
        return
    if result.baselined:
        click.echo(f"{_count(len(result.baselined), 'known finding')} hidden by the baseline.", err=True)
    if stale:
        number = sum(entry.count for entry in stale)
        click.echo(
            f"{_count(number, 'finding')} of the baseline no longer found (`--prune-baseline` drops them).", err=True
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
