"""A progress bar on a terminal, for runs that take longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

PATIENCE = 1.0
"""Seconds before there is something to see."""

_TAKE_BACK = "\x1b[1A\r\x1b[K"
"""One line up, and clear it: click ends the bar's line."""


class Progress:
    """Shows on standard error how many files are done, and leaves no trace. ``on``: there is a terminal to show it on."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._started = time.monotonic()
        self._bar: ProgressBar[int] | None = None
        self._done = 0

    @classmethod
    def on_terminal(cls, quiet: bool) -> Progress:
        """Shown where standard error is a terminal, unless the run shall be quiet."""
        return cls(not quiet and sys.stderr.isatty())

    def __call__(self, done: int, total: int) -> None:
        """So many files out of so many are done."""
        if not self._on:
            return
        if self._bar is None:
            if time.monotonic() - self._started < PATIENCE or done >= total:
                return
            self._bar = click.progressbar(
                length=total, label="Checking", file=sys.stderr, show_pos=True, width=0, item_show_func=lambda it: None
            )
            self._bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)
            sys.stderr.write(_TAKE_BACK)
            sys.stderr.flush()
