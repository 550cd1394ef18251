"""The command line. Everything heavy is imported by the command that needs it, so that ``--version`` is quick."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from . import __version__
from .explain.command import explain_error

if TYPE_CHECKING:
    from .api import Fixed, Result
    from .output import Report
    from .settings import Settings

CACHE_DIRECTORY = ".inplace_lint_cache"
SEVERITIES = ("error", "warning", "info")
FOUND, WRONG_USE = 1, 2


def main() -> NoReturn:
    """The entry point: runs a command and leaves with its exit status."""
    try:
        status = cli.main(standalone_mode=False, prog_name="inplace-lint")
        sys.stdout.flush()
        sys.stderr.flush()
    except click.ClickException as error:
        error.show()
        status = WRONG_USE
    except (click.Abort, KeyboardInterrupt) as error:
        # click's own exception stands before the one that tells how far it got.
        told = str(error.__cause__ or error)
        click.echo(f"interrupted: {told}" if told else "interrupted", err=True)
        status = WRONG_USE
    sys.exit(status if isinstance(status, int) else 0)


def _words(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that takes several, separated by commas, and may be given several times."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _codes(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Rules, each of which must exist."""
    from .rules import UnknownRule, select

    words = _words(ctx, param, values)
    try:
        select(words)
    except UnknownRule as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return words


def _formats(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> list[tuple[str, str | None]]:
    """Names of output formats, each with the path to write to where one follows after a colon."""
    from .output import formats

    chosen: list[tuple[str, str | None]] = []
    for value in values:
        name, colon, path = value.partition(":")
        if name not in formats():
            raise click.BadParameter(f"there is no format `{name}`; choose from {', '.join(formats())}", ctx, param)
        if colon and not path:
            raise click.BadParameter("the path after the colon is missing", ctx, param)
        chosen.append((name, path or None))
    return chosen


_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="inplace-lint %(version)s")
def cli() -> None:
    """Finds the in-place writes that PyTorch's autograd rejects, or silently turns into wrong gradients."""


cli.add_command(explain_error)


@cli.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--select",
    callback=_codes,
    multiple=True,
    metavar="RULES",
    help="Rules to enable: codes, prefixes (IPL2), names, or ALL.",
)
@click.option("--ignore", callback=_codes, multiple=True, metavar="RULES", help="Rules to disable.")
@click.option(
    "--extend-select",
    callback=_codes,
    multiple=True,
    metavar="RULES",
    help="Rules to enable on top of the selected ones.",
)
@click.option("--fix", is_flag=True, help="Apply fixes to resolve findings.")
@click.option("--unsafe-fixes", is_flag=True, help="Include fixes that may not retain the original intent of the code.")
@click.option("--show-fixes", is_flag=True, help="Show an enumeration of all fixed findings.")
@click.option(
    "--diff",
    is_flag=True,
    help="Write no fixed files; print a diff for each that would change, and exit with 0 if there is none.",
)
@click.option("--severity", type=click.Choice(SEVERITIES), help="The least severity to show.  [default: warning]")
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="The least severity that makes the exit status 1.  [default: warning]",
)
@click.option(
    "--exclude",
    callback=_words,
    multiple=True,
    metavar="PATTERNS",
    help="Patterns of files and folders to leave out of a walk.",
)
@click.option(
    "--extend-exclude",
    callback=_words,
    multiple=True,
    metavar="PATTERNS",
    help="Patterns to leave out on top of the default.",
)
@click.option(
    "--output-format",
    callback=_formats,
    multiple=True,
    metavar="FORMAT[:PATH]",
    help="full (the default), concise or json, with :PATH to write to a file. May be given several times.",
)
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the output to this file.")
@click.option("--stdin-filename", help="The name that a file read from standard input goes by.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
@click.option("-n", "--no-cache", is_flag=True, help="Do not use the cache.")
@click.option("--cache-dir", type=click.Path(file_okay=False), help="Where the cache lies.")
@click.option("-e", "--exit-zero", is_flag=True, help="Exit with status 0 even if something was found.")
@click.option(
    "--exit-non-zero-on-fix",
    is_flag=True,
    help="Exit with status 1 if any file was changed by a fix, even if no findings remain.",
)
@click.option("--statistics", is_flag=True, help="Show how often each rule was hit instead of the findings.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colour.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Number of processes.  [default: one per processor]")
@click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else.")
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is done.")
def check(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_select: tuple[str, ...],
    fix: bool,
    unsafe_fixes: bool,
    show_fixes: bool,
    diff: bool,
    severity: str | None,
    fail_on: str | None,
    exclude: tuple[str, ...],
    extend_exclude: tuple[str, ...],
    output_format: list[tuple[str, str | None]],
    output_file: str | None,
    stdin_filename: str | None,
    isolated: bool,
    no_cache: bool,
    cache_dir: str | None,
    exit_zero: bool,
    exit_non_zero_on_fix: bool,
    statistics: bool,
    color: str,
    jobs: int | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Lint files and folders (the current one by default); `-` reads standard input.

    Exit status: 0 nothing found, 1 findings, 2 wrong use or an internal failure.
    """
    from . import api
    from .diagnostics import Severity
    from .settings import Settings

    defaults = Settings()
    settings = Settings(
        select=select or defaults.select,
        extend_select=extend_select,
        ignore=ignore,
        exclude=exclude or defaults.exclude,
        extend_exclude=extend_exclude,
        severity=Severity.parse(severity) if severity else defaults.severity,
        fail_on=Severity.parse(fail_on) if fail_on else defaults.fail_on,
    )
    started = time.perf_counter()
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` (standard input) cannot be combined with other paths")
    processes = jobs or os.cpu_count() or 1
    standard_input: tuple[str, str] | None = None
    fixed: Fixed | None = None
    if "-" in paths:
        name = stdin_filename or "-"
        data = sys.stdin.buffer.read()
        if fix or diff:
            fixed, result, standard_input = _fix_standard_input(data, name, settings, unsafe_fixes, diff)
        else:
            result, standard_input = _check_standard_input(data, name, settings)
    elif fix or diff:
        fixed = api.fix_paths(paths or (".",), settings, processes, unsafe=unsafe_fixes, dry=diff)
        result = fixed.result
    else:
        result = api.check_paths(paths or (".",), settings, processes)
    if verbose:
        click.echo(f"checked {result.checked} files in {time.perf_counter() - started:.2f} s", err=True)
    to_stderr = "-" in paths and fix
    if diff:
        if fixed:
            _show_diff(fixed, color, quiet, "-" in paths, unsafe_fixes)
        if _say_failures(result, fixed, verbose):
            return WRONG_USE
        return FOUND if fixed and fixed.changes and not exit_zero else 0

    targets = output_format or [(defaults.output_format, None)]
    for name, path in targets:
        painted = color if not (path or output_file) else "never"
        report = replace(
            make_report(result, painted, not quiet, standard_input),
            fixed=fixed.fixed if fixed else [] if fix else None,
            show_fixes=show_fixes,
            unsafe_fixes=unsafe_fixes,
        )
        text = _statistics(report) if statistics and name != "json" else _rendered(name, report)
        if to_stderr and not (path or output_file):
            # Standard output is for the fixed text.
            click.echo(text, nl=False, err=True)
        else:
            write(text, path or output_file)
    if fixed and not quiet:
        _say_what_was_left(fixed)
    if result.hidden and not quiet:
        click.echo(f"{result.hidden} more below the severity that is shown (`--severity info` shows all)", err=True)
    if _say_failures(result, fixed, verbose):
        return WRONG_USE
    if exit_zero:
        return 0
    return FOUND if result.fails(settings) or (exit_non_zero_on_fix and fixed and fixed.fixed) else 0


@cli.command()
@click.argument("rule", required=False)
@click.option("--all", "all_", is_flag=True, help="Every rule.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def rule(rule: str | None, all_: bool, output_format: str) -> None:
    """Print the documentation of RULE (a code or a name), or of all rules."""
    from . import rules

    if all_ == (rule is not None):
        raise click.UsageError("name one rule, or give --all")
    try:
        chosen = [rules.find_rule(rule)] if rule is not None else list(rules.all_rules())
    except rules.UnknownRule as error:
        raise click.UsageError(str(error)) from error
    if output_format == "text":
        write("\n".join(rules.page(it) for it in chosen))
        return
    import json

    objects = [
        {
            "code": it.code,
            "name": it.name,
            "severity": str(it.severity),
            "summary": rules.documentation(it).summary,
            "explanation": rules.documentation(it).text,
            "url": it.url,
        }
        for it in chosen
    ]
    write(json.dumps(objects if all_ else objects[0], indent=2, ensure_ascii=False) + "\n")


@cli.command()
def config() -> None:
    """List the settings, each with its default."""
    from .settings import describe

    write(describe())


@cli.command()
def clean() -> None:
    """Drop the cache of the current directory."""
    cache = Path(CACHE_DIRECTORY)
    if cache.is_dir() and not cache.is_symlink():
        try:
            shutil.rmtree(cache)
        except OSError as error:
            raise click.ClickException(f"cannot remove {cache}: {error.strerror or error}") from error
        click.echo(f"Removed {cache}")


def _check_standard_input(data: bytes, name: str, settings: Settings) -> tuple[Result, tuple[str, str] | None]:
    """The result for standard input, and its name and text where it is text at all."""
    from . import api, rules
    from .source import text

    try:
        source = text.decode(data, name)
    except text.SourceError as error:
        return api.Result([rules.unreadable(name, error.message, error.row, error.column)], checked=1), None
    return api.check_text(source, name, settings), (name, source)


def _fix_standard_input(
    data: bytes, name: str, settings: Settings, unsafe: bool, dry: bool
) -> tuple[Fixed | None, Result, tuple[str, str] | None]:
    """As ``_check_standard_input``, with what was fixed. The fixed text goes to standard output unless ``dry``."""
    from . import api
    from .fixing.documents import Unfixable

    try:
        fixed = api.fix_text(data, name, settings, unsafe=unsafe)
    except Unfixable:
        if not dry:
            _write_bytes(data)
        return None, *_check_standard_input(data, name, settings)
    changed = {change.name: change for change in fixed.changes}
    after = changed[name].data if name in changed else data
    if dry:
        return fixed, fixed.result, None
    _write_bytes(after)
    from .source import text

    return fixed, fixed.result, (name, text.decode(after, name))


def _show_diff(fixed: Fixed, color: str, quiet: bool, standard_input: bool, unsafe: bool) -> None:
    """Prints what fixing would change."""
    from .output import Report, diff_summary
    from .output.style import Style

    style = Style(_use_color(color))
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
    _say_what_was_left(fixed)


def _say_what_was_left(fixed: Fixed) -> None:
    """Which fixes were not made and why, and what else to know of the files that were written, on standard error."""
    for it in fixed.not_fixed:
        start = it.found.span.start
        place = f"{it.found.span.filename}:{start.row}:{start.column}"
        click.echo(f"not fixed: {place}: {it.found.code}: {it.reason}", err=True)
    for note in fixed.written.notes:
        click.echo(f"note: {note}", err=True)
    if fixed.capped:
        click.echo("note: there is more to fix; run again", err=True)


def _say_failures(result: Result, fixed: Fixed | None, verbose: bool) -> bool:
    """Says on standard error what went wrong with files, if anything did."""
    for failure in result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
        if verbose:
            click.echo(failure.trace, err=True)
    unwritten = fixed.written.failures if fixed else {}
    for name, reason in unwritten.items():
        click.echo(f"cannot write {name}: {reason}; it is as it was", err=True)
    return bool(result.failures or unwritten)


def make_report(result: Result, color: str, summary: bool, standard_input: tuple[str, str] | None) -> Report:
    """What is printed of a result, on this terminal; ``standard_input`` is the name and text of what was read there."""
    from .output import Report

    files = {} if standard_input is None else {standard_input[0]: _split(standard_input[1])}

    def lines(filename: str) -> Sequence[str]:
        if filename not in files:
            from .source import text

            try:
                files[filename] = _split(text.read(Path(filename)))
            except text.SourceError:
                files[filename] = []
        return files[filename]

    width = shutil.get_terminal_size((100, 40)).columns if sys.stdout.isatty() else 100
    failed = len(result.failures)
    return Report(result.diagnostics, lines, result.checked, failed, _use_color(color), max(width, 60), summary)


def _split(source: str) -> list[str]:
    # Not str.splitlines, which splits at more than Python does.
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _use_color(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _rendered(name: str, report: Report) -> str:
    from .output import render

    return render(name, report)


def _statistics(report: Report) -> str:
    """How often each rule was hit, the most frequent first."""
    counts = Counter((found.code, found.name) for found in report.diagnostics)
    width = len(str(max(counts.values(), default=0)))
    rows = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return "".join(f"{count:>{width}}\t{code}\t{name}\n" for (code, name), count in rows)


def write(text: str, path: str | None = None) -> None:
    """Writes UTF-8, to the file or to standard output. That the reader of a pipe has seen enough is no error."""
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from error
        return
    _write_bytes(text.encode("utf-8", errors="replace"))


def _write_bytes(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What is still buffered must go nowhere, or Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
