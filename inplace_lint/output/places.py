"""Where things stand, in the units and names that formats for programs ask for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import quote

from ..diagnostics import Edit, Position, Span
from .report import Report


def absolute(filename: str) -> str:
    """The file's whole path; standard input stays ``-``."""
    return filename if filename == "-" else os.path.abspath(filename)


def below(filename: str, directory: str) -> str | None:
    """The way to the file from the directory, with slashes on every system; None where it lies elsewhere."""
    if filename == "-":
        return filename
    try:
        relative = os.path.relpath(filename, directory)
    except ValueError:  # another drive
        return None
    relative = relative.replace(os.sep, "/")
    return None if relative == ".." or relative.startswith("../") else relative


def quoted(path: str) -> str:
    """A path with slashes as part of a URI: its bytes, so that a name that is no UTF-8 is still the right one."""
    return quote(os.fsencode(path), safe="/")


def uri(path: str) -> str:
    """The ``file:`` URI of an absolute path."""
    path = path.replace(os.sep, "/")
    return f"file://{quoted(path if path.startswith('/') else f'/{path}')}"


def utf8_column(position: Position, lines: Sequence[str]) -> int:
    """The position's column in bytes of UTF-8, from 1; in characters where the line is not known."""
    if position.row > len(lines):
        return position.column
    return len(lines[position.row - 1][: position.column - 1].encode(errors="replace")) + 1


def joined(edits: Sequence[Edit], report: Report) -> Edit | None:
    """Edits of one file as a single one that covers them all; None where they are in several, or the file cannot be read.

    For formats in which a reader may take up one edit and leave another of the same fix.
    """
    if len(edits) == 1:
        return edits[0]
    ordered = sorted(edits, key=lambda edit: (edit.span.start, edit.span.end))
    if len({edit.span.filename for edit in ordered}) != 1:
        return None
    lines = report.lines(ordered[0].span.filename)
    whole = Span(ordered[0].span.filename, ordered[0].span.start, ordered[-1].span.end)
    parts: list[str] = []
    at = whole.start
    for edit in ordered:
        kept = between(lines, at, edit.span.start) if at <= edit.span.start else None
        if kept is None:
            return None
        parts += [kept, edit.content]
        at = edit.span.end
    return Edit("".join(parts), whole)


def between(lines: Sequence[str], start: Position, end: Position) -> str | None:
    """The text from one position to another; None where the file has no such place."""
    if not start.row <= end.row <= len(lines):
        return None
    if start.row == end.row:
        return lines[start.row - 1][start.column - 1 : end.column - 1]
    first, last = lines[start.row - 1][start.column - 1 :], lines[end.row - 1][: end.column - 1]
    return "\n".join([first, *lines[start.row : end.row - 1], last])
