"""``check --watch``: lints again whenever something changes, until it is interrupted."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from .printing import write

if TYPE_CHECKING:
    from ..settings import Resolver
    from .options import Options

CODE = (".py", ".ipynb", ".md", ".markdown")
"""Files whose change may change what is found."""

_FIRST = 250
"""Milliseconds after which watching has begun for sure, and between two looks at whether it should end."""


def watch(paths: Sequence[str], options: Options, settings: Resolver, run: Callable[[], object]) -> int:
    """Runs at once, and again after each change of code or settings. Ends with status 0 when it is interrupted.

    Raises ``click.ClickException`` where watchfiles is missing, ``click.UsageError`` for options that do not go with it.
    """
    for given, option in (
        ("-" in paths, "standard input"),
        (options.diff, "--diff"),
        (options.add_noqa is not None, "--add-noqa"),
        (options.write_baseline is not None, "--write-baseline"),
        (options.prune_baseline, "--prune-baseline"),
    ):
        if given:
            raise click.UsageError(f"--watch cannot be used with {option}")
    missing = next((path for path in paths if not os.path.lexists(path)), None)
    if missing is not None:
        raise click.ClickException(f"{missing}: no such file or directory")
    try:
        from watchfiles import DefaultFilter
        from watchfiles import watch as changes_in
    except ModuleNotFoundError as error:
        raise click.ClickException(
            "--watch needs watchfiles: install it with `pip install 'inplace-lint[watch]'`"
        ) from error

    from ..settings.reading import NAMES, SettingsError

    usual = DefaultFilter()

    def matters(change: object, path: str) -> bool:
        name = os.path.basename(path)
        return usual(change, path) and (name.endswith(CODE) or name in NAMES)  # type: ignore[arg-type]

    begun = False
    try:
        # Watching begins before the first run, so that no change gets lost.
        for changes in changes_in(
            *_places(paths, settings),
            watch_filter=matters,
            debounce=400,
            rust_timeout=_FIRST,
            yield_on_timeout=True,
            raise_interrupt=True,
        ):
            if begun and not changes:
                continue
            clear()
            announce("File change detected..." if begun else "Starting linter in watch mode...")
            begun = True
            try:
                run()
            except (click.ClickException, SettingsError) as error:
                # Settings that cannot be used just now: the next change may mend them.
                click.echo(f"Error: {error}", err=True)
    except KeyboardInterrupt:
        pass
    return 0


def clear() -> None:
    """Clears the screen, and what can be scrolled back to; a pipe or a file has neither."""
    if sys.stdout.isatty():
        write("\x1b[H\x1b[2J\x1b[3J")


def tell_count(count: int) -> None:
    """Says how much was found, before it is listed."""
    from ..output import plural

    announce(f"Found {plural(count, 'error')}. Watching for file changes.")


def announce(message: str) -> None:
    """Says what goes on, with the time."""
    write(f"[{time.strftime('%H:%M:%S')}] {message}\n\n")


def _places(paths: Sequence[str], settings: Resolver) -> Iterator[str]:
    """What to watch: for each path the project that it lies in, whose files it may import, and the settings that hold for it."""
    seen: set[str] = set()
    for path in paths:
        folder = os.path.abspath(path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path)))
        found = [_project(folder), settings.file_for(folder)]
        for place in found:
            if place is not None and place not in seen:
                seen.add(place)
                yield place


def _project(folder: str) -> str:
    """The folder of the project that a folder lies in: the nearest one up that is a repository's, else the folder itself."""
    current = folder
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return folder
        current = parent
    return current
