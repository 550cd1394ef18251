"""The command line. Everything heavy is imported by the command that needs it, so that ``--version`` is quick."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from . import __version__

if TYPE_CHECKING:
    from .api import Result
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
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
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
    standard_input: tuple[str, str] | None = None
    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("`-` (standard input) cannot be combined with other paths")
        name = stdin_filename or "-"
        result, standard_input = _check_standard_input(name, settings)
    else:
        result = api.check_paths(paths or (".",), settings, jobs or os.cpu_count() or 1)
    if verbose:
        click.echo(f"checked {result.checked} files in {time.perf_counter() - started:.2f} s", err=True)

    targets = output_format or [(defaults.output_format, None)]
    for name, path in targets:
        report = _report(result, color if not (path or output_file) else "never", not quiet, standard_input)
        _write(_statistics(report) if statistics and name != "json" else _rendered(name, report), path or output_file)
    if result.hidden and not quiet:
        click.echo(f"{result.hidden} more below the severity that is shown (`--severity info` shows all)", err=True)
    for failure in result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
        if verbose:
            click.echo(failure.trace, err=True)
    if result.failures:
        return WRONG_USE
    return FOUND if result.fails(settings) and not exit_zero else 0


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
        _write("\n".join(rules.page(it) for it in chosen))
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
    _write(json.dumps(objects if all_ else objects[0], indent=2, ensure_ascii=False) + "\n")


@cli.command()
def config() -> None:
    """List the settings, each with its default."""
    from .settings import describe

    _write(describe())


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


def _check_standard_input(name: str, settings: Settings) -> tuple[Result, tuple[str, str] | None]:
    """The result for standard input, and its name and text where it is text at all."""
    from . import api, rules
    from .source import text

    try:
        source = text.decode(sys.stdin.buffer.read(), name)
    except text.SourceError as error:
        return api.Result([rules.unreadable(name, error.message, error.row, error.column)], checked=1), None
    return api.check_text(source, name, settings), (name, source)


def _report(result: Result, color: str, summary: bool, standard_input: tuple[str, str] | None) -> Report:
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


def _write(text: str, path: str | None = None) -> None:
    """Writes UTF-8, to the file or to standard output. That the reader of a pipe has seen enough is no error."""
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from error
        return
    try:
        sys.stdout.buffer.write(text.encode("utf-8", errors="replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What is still buffered must go nowhere, or Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
