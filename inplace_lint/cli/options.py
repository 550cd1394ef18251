"""The options of ``check``, as click reads them and as the command uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Options:
    """What stands on the command line of ``check``; each field is an option, or the paths."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    extend_select: tuple[str, ...]
    per_file_ignores: dict[str, list[str]]
    extend_per_file_ignores: dict[str, list[str]]
    fixable: tuple[str, ...]
    unfixable: tuple[str, ...]
    extend_fixable: tuple[str, ...]
    fix: bool | None
    fix_only: bool | None
    unsafe_fixes: bool | None
    show_fixes: bool | None
    diff: bool
    watch: bool
    severity: str | None
    fail_on: str | None
    exclude: tuple[str, ...]
    extend_exclude: tuple[str, ...]
    markdown: bool | None
    respect_gitignore: bool | None
    force_exclude: bool | None
    output_format: list[tuple[str, str | None]]
    add_noqa: str | None
    baseline: str | None
    write_baseline: str | None
    prune_baseline: bool
    error_on_stale_baseline: bool
    output_file: str | None
    stdin_filename: str | None
    config: tuple[str, ...]
    isolated: bool
    show_files: bool
    show_settings: bool
    no_cache: bool
    cache_dir: str | None
    exit_zero: bool
    exit_non_zero_on_fix: bool
    statistics: bool
    color: str
    jobs: int | None
    quiet: bool
    verbose: bool


class WithReason(click.Command):
    """A command whose ``--add-noqa`` takes a value only after an equals sign, as Ruff's does: what follows is a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Makes the value explicit."""
        end = args.index("--") if "--" in args else len(args)
        bare = ["--add-noqa=" if arg == "--add-noqa" else arg for arg in args[:end]]
        return super().parse_args(ctx, bare + args[end:])


def _words(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that takes several, separated by commas, and may be given several times."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _codes(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Rules, each of which must exist."""
    words = _words(ctx, param, values)
    if not words:
        return ()
    from ..rules import UnknownRule, select

    try:
        select(words)
    except UnknownRule as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return words


def _ignores(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, list[str]]:
    """Pairs of a pattern and a rule, joined by a colon, as a table."""
    if not values:
        return {}
    from ..rules import UnknownRule, select

    table: dict[str, list[str]] = {}
    for word in _words(ctx, param, values):
        pattern, colon, rule = word.rpartition(":")
        if not colon or not pattern or not rule:
            raise click.BadParameter(f"{word!r} is no `pattern:rule`", ctx, param)
        try:
            select([rule.strip()])
        except UnknownRule as error:
            raise click.BadParameter(str(error), ctx, param) from error
        table.setdefault(pattern.strip(), []).append(rule.strip())
    return table


def _formats(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> list[tuple[str, str | None]]:
    """Names of output formats, each with the path to write to where one follows after a colon."""
    from ..output import formats

    chosen: list[tuple[str, str | None]] = []
    for value in values:
        name, colon, path = value.partition(":")
        if name not in formats():
            raise click.BadParameter(f"there is no format `{name}`; choose from {', '.join(formats())}", ctx, param)
        if colon and not path:
            raise click.BadParameter("the path after the colon is missing", ctx, param)
        chosen.append((name, path or None))
    return chosen


_OPTIONS = (
    click.option(
        "--select",
        callback=_codes,
        multiple=True,
        metavar="RULES",
        help="Rules to enable: codes, prefixes (IPL2), names, or ALL.",
    ),
    click.option("--ignore", callback=_codes, multiple=True, metavar="RULES", help="Rules to disable."),
    click.option(
        "--extend-select",
        callback=_codes,
        multiple=True,
        metavar="RULES",
        help="Rules to enable on top of the selected ones.",
    ),
    click.option(
        "--per-file-ignores",
        callback=_ignores,
        multiple=True,
        metavar="PATTERN:RULE",
        help="Rules to disable in the files that a pattern matches.",
    ),
    click.option(
        "--extend-per-file-ignores",
        callback=_ignores,
        multiple=True,
        metavar="PATTERN:RULE",
        help="More of the same, on top of the settings.",
    ),
    click.option("--fixable", callback=_codes, multiple=True, metavar="RULES", help="Rules that may be fixed."),
    click.option("--unfixable", callback=_codes, multiple=True, metavar="RULES", help="Rules that may not be fixed."),
    click.option(
        "--extend-fixable",
        callback=_codes,
        multiple=True,
        metavar="RULES",
        help="Rules that may be fixed on top of `--fixable`.",
    ),
    click.option("--fix/--no-fix", default=None, help="Apply fixes to resolve findings."),
    click.option(
        "--fix-only/--no-fix-only",
        default=None,
        help="Apply fixes, but do not report on, or fail for, what remains. Implies --fix.",
    ),
    click.option(
        "--unsafe-fixes/--no-unsafe-fixes",
        default=None,
        help="Include fixes that may not retain the original intent of the code.",
    ),
    click.option("--show-fixes/--no-show-fixes", default=None, help="Show an enumeration of all fixed findings."),
    click.option(
        "--diff",
        is_flag=True,
        help="Write no fixed files; print a diff for each that would change, and exit with 0 if there is none.",
    ),
    click.option("-w", "--watch", is_flag=True, help="Lint again whenever a file changes, until interrupted."),
    click.option("--severity", type=click.Choice(SEVERITIES), help="The least severity to show.  [default: warning]"),
    click.option(
        "--fail-on",
        type=click.Choice(SEVERITIES),
        help="The least severity that makes the exit status 1.  [default: warning]",
    ),
    click.option(
        "--exclude",
        callback=_words,
        multiple=True,
        metavar="PATTERNS",
        help="Patterns of files and folders to leave out of a walk.",
    ),
    click.option(
        "--extend-exclude",
        callback=_words,
        multiple=True,
        metavar="PATTERNS",
        help="Patterns to leave out on top of the default.",
    ),
    click.option(
        "--output-format",
        callback=_formats,
        multiple=True,
        metavar="FORMAT[:PATH]",
        help="full (the default), concise, json, json-lines, sarif, github, gitlab, junit, pylint or rdjson; with :PATH to "
        "write to a file. May be given several times.",
    ),
    click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the output to this file."),
    click.option("--stdin-filename", help="The name that a file read from standard input goes by."),
    click.option(
        "--markdown/--no-markdown", default=None, help="Look into the Python blocks of Markdown files as well."
    ),
    click.option(
        "--respect-gitignore/--no-respect-gitignore",
        default=None,
        help="Leave out what .gitignore and other standard ignore files name.  [default: respect]",
    ),
    click.option(
        "--force-exclude/--no-force-exclude",
        default=None,
        help="Leave out excluded files even where they are named.",
    ),
    click.option(
        "--add-noqa",
        metavar="[=REASON]",
        help="Add noqa comments to the lines of all findings; a reason, after an equals sign, goes behind them.",
    ),
    click.option(
        "--baseline", metavar="FILE", help="A file of findings that are known: they are not shown, and fail nothing."
    ),
    click.option("--write-baseline", metavar="FILE", help="Write all findings there are to a baseline, or add them."),
    click.option("--prune-baseline", is_flag=True, help="Take out of the baseline what is found no more."),
    click.option(
        "--error-on-stale-baseline",
        is_flag=True,
        help="Exit with status 1 if the baseline has entries for what is found no more.",
    ),
    click.option("--show-files", is_flag=True, help="List the files that would be checked, and stop."),
    click.option("--show-settings", is_flag=True, help="Show the settings that hold for a file, and stop."),
    click.option(
        "--config",
        multiple=True,
        metavar="FILE|'KEY = VALUE'",
        help="A settings file to use instead of those found, or one setting as TOML. May be given several times.",
    ),
    click.option("--isolated", is_flag=True, help="Ignore all configuration files."),
    click.option("-n", "--no-cache", is_flag=True, help="Do not use the cache."),
    click.option("--cache-dir", type=click.Path(file_okay=False), help="Where the cache lies."),
    click.option("-e", "--exit-zero", is_flag=True, help="Exit with status 0 even if something was found."),
    click.option(
        "--exit-non-zero-on-fix",
        is_flag=True,
        help="Exit with status 1 if any file was changed by a fix, even if no findings remain.",
    ),
    click.option("--statistics", is_flag=True, help="Show how often each rule was hit instead of the findings."),
    click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colour."),
    click.option("-j", "--jobs", type=click.IntRange(min=1), help="Number of processes.  [default: one per processor]"),
    click.option("-q", "--quiet", is_flag=True, help="Print findings and nothing else."),
    click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is done."),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options, in the order in which its help lists them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
