"""From results to text on this terminal, in a pipe or in a file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from ..api import Result
    from ..output import Report


FILE_WIDTH = 100
"""How wide text may be where no terminal limits it."""


def make_report(result: Result, color: str, summary: bool, standard_input: tuple[str, str] | None) -> Report:
    """What is printed of a result, on this terminal; ``standard_input`` is the name and text of what was read there."""
    from ..output import Report

    files = {} if standard_input is None else {standard_input[0]: _split(standard_input[1])}

    def lines(filename: str) -> Sequence[str]:
        if filename not in files:
            from ..source import text

            try:
                files[filename] = _split(text.read(Path(filename)))
            except text.SourceError:
                files[filename] = []
        return files[filename]

    width = shutil.get_terminal_size((FILE_WIDTH, 40)).columns if sys.stdout.isatty() else FILE_WIDTH
    failed = len(result.failures)
    return Report(result.diagnostics, lines, result.checked, failed, use_color(color), max(width, 60), summary)


def _split(source: str) -> list[str]:
    # Not str.splitlines, which splits at more than Python does.
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def use_color(choice: str, stream: TextIO | None = None) -> bool:
    """Whether to print in colour: as chosen, else as the environment says, else where ``stream`` is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def write(text: str) -> None:
    """Writes UTF-8 to standard output. That the reader of a pipe has seen enough is no error."""
    write_bytes(text.encode("utf-8", errors="replace"))


def write_bytes(data: bytes) -> None:
    """As ``write``, of bytes."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise click.ClickException(f"cannot write the output: {error.strerror or error}") from error


def silence(*streams: TextIO) -> None:
    """What is still buffered, and what comes, goes nowhere: Python complains at exit if it cannot be written."""
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
