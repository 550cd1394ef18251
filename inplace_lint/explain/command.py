"""The command ``explain-error``: a traceback in, the writes that explain it out."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..output import Report
    from .places import Lines
    from .report import Answer
    from .traceback import TorchError

NOTHING_FITS, INTERNAL_FAILURE = 1, 2
_MOST_BYTES = 8 << 20
"""Of a longer text only the end is read: the error comes last."""


@click.command(name="explain-error")
@click.argument("file", required=False)
@click.argument("paths", nargs=-1)
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", help="When to use colour.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Number of processes.  [default: one per processor]")
def explain_error(file: str | None, paths: tuple[str, ...], output_format: str, color: str, jobs: int | None) -> int:
    """Find the line behind an error of PyTorch: reads the traceback in FILE (`-`, or nothing, for standard input).

    PATHS are the files and folders to look at; by default those files of the traceback that exist here. The output of
    anomaly mode makes the answer surer: give all of it.

    Exit status: 0 an explanation was found, 1 nothing fits, 2 wrong use or an internal failure.
    """
    from . import report
    from .traceback import NoError, parse

    if file is not None and (file.endswith(".py") or os.path.isdir(file)):
        paths, file = (file, *paths), None  # no traceback lies in there: it comes by standard input
    for path in paths:
        if not os.path.lexists(path):
            raise click.UsageError(f"there is no file or folder {path!r}")
    text = _text(file)
    error = parse(text)
    if isinstance(error, NoError):
        if not text.strip():
            raise click.UsageError("there is no traceback to explain: the input is empty")
        click.echo(f"No error of autograd's in-place checks was found: {error.reason}.", err=True)
        return NOTHING_FITS
    answer, shown, failed = _explain(error, paths, color, jobs or os.cpu_count() or 1)
    from ..cli import write

    write(report.text(answer, shown) if output_format == "text" else report.as_json(answer))
    if answer.explanations:
        return 0
    return INTERNAL_FAILURE if failed else 0 if answer.guesses else NOTHING_FITS


def _explain(error: TorchError, paths: Sequence[str], color: str, jobs: int) -> tuple[Answer, Report, bool]:
    """The answer, how to print it, and whether the analysis of some file broke down."""
    from .. import api
    from ..cli import make_report
    from ..diagnostics import Severity
    from ..settings import Settings
    from . import guess, match, places
    from .report import Answer

    frames = (*error.raised, *error.forward)
    files = list(paths) or places.own_files(frames)
    if not files:
        raise click.UsageError("none of the traceback's files is here; name the files or folders to look at")
    result = api.check_paths(files, Settings(severity=Severity.INFO), jobs)
    for failure in result.failures:
        click.echo(f"internal error in {failure.filename}: {failure.error} (please report this)", err=True)
    shown = make_report(result, color, False, None)
    names = [str(path) for path in api.files_in(files, Settings())]
    named = {os.path.abspath(name) for name in names}
    steps = {step.span.filename for found in result.diagnostics for step in found.related}
    names += sorted(name for name in steps if os.path.abspath(name) not in named)
    finder = places.Finder(names, cache(shown.lines))
    stacks = match.Stacks(finder.places(error.raised), finder.places(error.forward))
    weighed = match.weigh(error, stacks, result.diagnostics)
    explanations = [it for it in weighed if it.score >= match.LEAST]
    lines: Lines = shown.lines
    guessed = [] if explanations else guess.guesses(error, stacks, names, lines)
    unlikely = [] if explanations else weighed
    return Answer(error, stacks, explanations, guessed, unlikely), shown, bool(result.failures)


def _text(file: str | None) -> str:
    """The traceback's text. Raises ``click.ClickException`` for what cannot be read, or is no text."""
    name = "standard input" if file in (None, "-") else str(file)
    try:
        if file is None or file == "-":
            if sys.stdin.isatty():
                click.echo("reading the traceback from standard input; end it with Ctrl-D", err=True)
            data = sys.stdin.buffer.read()
        else:
            data = _end_of(Path(file))
    except OSError as error:
        raise click.ClickException(f"cannot read {name}: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the path itself
        raise click.ClickException(f"cannot read {name}: {error}") from error
    return _decoded(data[-_MOST_BYTES:] if not data.startswith(_UTF16) else data[: 2 * _MOST_BYTES], name)


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MOST_BYTES and not file.read(2).startswith(_UTF16):
            file.seek(size - _MOST_BYTES)
        else:
            file.seek(0)
        return file.read(2 * _MOST_BYTES)


_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _decoded(data: bytes, name: str) -> str:
    """The text that the bytes stand for: UTF-8, or UTF-16 as PowerShell writes what it redirects."""
    if data.startswith(_UTF16):
        return data.decode("utf-16", errors="replace")
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")
    if "\0" in text:
        raise click.ClickException(f"{name} is no text, but binary data: give the traceback as PyTorch printed it")
    return text
