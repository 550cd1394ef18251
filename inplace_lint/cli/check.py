"""The command ``check``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from .adopting import add_noqa, stale_baseline, tell_baseline, write_baseline
from .listing import show
from .options import Options, WithReason, options
from .printing import FILE_WIDTH, make_report, use_color, write
from .progress import Progress
from .standard_input import check_standard_input, fix_standard_input, pass_by
from .status import FOUND, WRONG_USE
from .targets import Target, targets, write_files
from .telling import say_failures, say_what_was_fixed, say_what_was_left, show_diff
from .watch import tell_count, watch

if TYPE_CHECKING:
    from ..api import Fixed, Result
    from ..settings import Settings


@click.command(cls=WithReason)
@click.argument("paths", nargs=-1)
@options
def check(**values: Any) -> int:
    """Lint files and folders (the current one by default); `-` reads standard input.

    Exit status: 0 nothing found, 1 findings, 2 wrong use or an internal failure.
    """
    from ..settings import SettingsError

    try:
        return _run(Options(**values))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _run(options: Options, *, again: bool = False) -> int:
    """Checks, prints, and says with which status to leave; ``again`` where it is one of the runs of ``--watch``."""
    from .. import api
    from .overrides import resolver

    if options.show_files and options.show_settings:
        raise click.UsageError("--show-files cannot be used with --show-settings")
    settings = resolver(options)
    chosen = settings.run
    if chosen.fix_only:
        chosen = replace(chosen, fix=True)
    fix = chosen.fix or options.diff
    started = time.perf_counter()
    paths = options.paths or (".",)
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` (standard input) cannot be combined with other paths")
    if options.show_files or options.show_settings:
        return show(paths, options, settings)
    if options.watch and not again:
        return watch(paths, options, settings, lambda: _run(options, again=True))
    formats = options.output_format or [(chosen.output_format, None)]
    written = [] if options.diff else targets(formats, options.output_file, options.statistics)
    processes = options.jobs or os.cpu_count() or 1
    if options.add_noqa is not None:
        return add_noqa(paths, options, settings, processes)
    if options.write_baseline is not None:
        return write_baseline(paths, options, settings, processes)
    if (options.prune_baseline or options.error_on_stale_baseline) and chosen.baseline is None:
        raise click.UsageError("there is no baseline: name one with --baseline FILE")
    cache = None if options.no_cache else chosen.cache_dir
    standard_input: tuple[str, str] | None = None
    fixed: Fixed | None = None
    if "-" in paths:
        name = options.stdin_filename or "-"
        data = sys.stdin.buffer.read()
        if options.stdin_filename and api.is_excluded(name, settings):
            result = pass_by(data, fix and not options.diff)
        elif fix:
            fixed, result, standard_input = fix_standard_input(data, name, settings, chosen.unsafe_fixes, options.diff)
        else:
            result, standard_input = check_standard_input(data, name, settings)
    elif fix:
        with Progress.on_terminal(options.quiet) as step:
            fixed = api.fix_paths(
                paths,
                settings,
                processes,
                unsafe=chosen.unsafe_fixes,
                dry=options.diff,
                progress=step,
                cache_dir=cache,
            )
        result = fixed.result
    else:
        with Progress.on_terminal(options.quiet) as step:
            result = api.check_paths(paths, settings, processes, progress=step, cache_dir=cache)
    if options.verbose:
        click.echo(f"checked {result.checked} files in {time.perf_counter() - started:.2f} s", err=True)
        if result.trouble:
            click.echo(f"the cache is of no use: {result.trouble}", err=True)
    if options.diff:
        if fixed:
            show_diff(fixed, options.color, options.quiet, "-" in paths, chosen.unsafe_fixes)
        if say_failures(result, fixed, options.verbose):
            return WRONG_USE
        return FOUND if fixed and fixed.changes and not options.exit_zero else 0

    if chosen.fix_only:
        say_what_was_fixed(fixed, options, chosen)
    else:
        _print(result, fixed, options, chosen, written, standard_input)
    if fixed and not options.quiet:
        say_what_was_left(fixed)
    if result.hidden and not options.quiet:
        click.echo(f"{result.hidden} more below the severity that is shown (`--severity info` shows all)", err=True)
    stale = stale_baseline(result, options)
    tell_baseline(result, options, stale)
    if say_failures(result, fixed, options.verbose):
        return WRONG_USE
    if options.exit_zero:
        return 0
    if stale and options.error_on_stale_baseline:
        return FOUND
    remains = result.fails(settings) and not chosen.fix_only
    return FOUND if remains or (options.exit_non_zero_on_fix and fixed and fixed.fixed) else 0


def _print(
    result: Result,
    fixed: Fixed | None,
    options: Options,
    settings: Settings,
    written: Sequence[Target],
    standard_input: tuple[str, str] | None,
) -> None:
    """The findings in every format that is asked for, each where it belongs."""
    from ..output import render, render_statistics

    # Standard output is for the fixed text.
    stream = sys.stderr if "-" in options.paths and settings.fix else sys.stdout
    report = replace(
        make_report(result, "never", not (options.quiet or options.watch), standard_input),
        fixed=fixed.fixed if fixed else [] if settings.fix else None,
        show_fixes=settings.show_fixes,
        unsafe_fixes=settings.unsafe_fixes,
        baselined=result.baselined,
    )
    if options.watch:
        tell_count(len(report.diagnostics))
    files: list[tuple[str, str]] = []
    for target in written:
        if target.path is None:
            shown = replace(report, color=use_color(options.color, stream))
        else:
            shown = replace(report, width=FILE_WIDTH)
        text = (render_statistics if options.statistics else render)(target.format, shown)
        if target.path is not None:
            files.append((target.path, text))
        elif stream is sys.stderr:
            click.echo(text, nl=False, err=True, color=True)
        else:
            write(text)
    write_files(files)
