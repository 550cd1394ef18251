"""What is said of a run besides its findings: what fixing did or would do, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .printing import use_color, write

if TYPE_CHECKING:
    from ..api import Fixed, Result
    from ..diagnostics import Diagnostic
    from ..settings import Settings
    from .options import Options


def show_diff(fixed: Fixed, color: str, quiet: bool, standard_input: bool, unsafe: bool) -> None:
    """Prints what fixing would change."""
    from ..output import Report, diff_summary
    from ..output.style import Style

    style = Style(use_color(color))
    report = Report(())
    out: list[str] = []
    for change in fixed.changes:
        for line in change.diff(report.shown(change.name)):
            text = line[:-1]
            out.append(style.added(text) if line[0] == "+" else style.removed(text) if line[0] == "-" else text)
            out.append("\n")
        out.append("\n")
    write("".join(out))
    if quiet:
        return
    closing = diff_summary(fixed.fixed, fixed.result.diagnostics, unsafe)
    if closing:
        click.echo(closing, err=standard_input)
    say_what_was_left(fixed)


def say_what_was_fixed(fixed: Fixed | None, options: Options, settings: Settings) -> None:
    """How much was fixed, and on demand what: all that ``--fix-only`` says."""
    from ..output import Report, closing

    if fixed is None or not fixed.fixed:
        return
    report = Report((), fixed=fixed.fixed, show_fixes=settings.show_fixes, summary=False)
    lines = [closing(report), ""] if settings.show_fixes else []
    if not options.quiet:
        lines.append(f"Fixed {len(fixed.fixed)} error{'' if len(fixed.fixed) == 1 else 's'}.")
    if lines:
        click.echo("\n".join(lines), err="-" in options.paths)


def place_of(found: Diagnostic) -> str:
    """``path:row:column`` of a finding in a file as it is now, with the cell of a notebook."""
    from ..output import in_cell
    from ..output.words import within
    from ..sources import Sources

    return f"{found.span.filename}:{within(in_cell(found, Sources().lines))}"


def say_what_was_left(fixed: Fixed) -> None:
    """Which fixes were not made and why, and what else to know of the files that were written, on standard error."""
    for it in fixed.not_fixed:
        place = place_of(it.found)
        click.echo(f"not fixed: {place}: {it.found.code}: {it.reason}", err=True)
    for note in fixed.written.notes:
        click.echo(f"note: {note}", err=True)
    if fixed.capped:
        click.echo("note: there is more to fix; run again", err=True)


def say_failures(result: Result, fixed: Fixed | None, verbose: bool) -> bool:
    """Says on standard error what went wrong with files, if anything did."""
    for failure in result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
        if verbose:
            click.echo(failure.trace, err=True)
    unwritten = fixed.written.failures if fixed else {}
    for name, reason in unwritten.items():
        click.echo(f"cannot write {name}: {reason}; it is as it was", err=True)
    return bool(result.failures or unwritten)
