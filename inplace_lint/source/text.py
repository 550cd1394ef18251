"""From bytes to text, as Python itself reads source: byte order mark, coding line, UTF-8 otherwise."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from hashlib import blake2b
from pathlib import Path

from .notebook import NotebookError, is_notebook, joined


class SourceError(Exception):
    """A source that cannot be read as text, with the place (counted from 1) where that shows."""

    def __init__(self, message: str, row: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column


def read(path: Path) -> str:
    """The text of a file, line endings untouched. Raises ``SourceError`` for whatever prevents that."""
    return decode(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises ``SourceError`` where it is missing, unreadable or no file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the path itself
        raise SourceError(f"cannot be read: {error}") from error


def digest(data: bytes) -> bytes:
    """What tells one content from another."""
    return blake2b(data, digest_size=16).digest()


def decode(data: bytes, filename: str) -> str:
    """The text that ``data``, read from ``filename``, stands for; the byte order mark is dropped.

    Of a notebook that is its code cells, joined (see ``notebook``).
    Raises ``SourceError``, with row and column, for an unknown encoding, undecodable bytes, null bytes and broken notebooks.
    """
    if is_notebook(filename):
        return _program(data)
    body = data.removeprefix(codecs.BOM_UTF8)
    null = body.find(b"\0")
    if null >= 0:
        raise SourceError("source contains a null byte", *_place(body, null, "utf-8"))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        declared = _CODING.search(b"\n".join(body.splitlines()[:2]))
        if declared is not None:
            name = declared[1].decode("ascii", "replace")
            place = _place(body, body.find(declared[1]), "latin-1")
            raise SourceError(f"unknown or contradictory encoding {name!r} in {filename}", *place) from error
        encoding = "utf-8"  # the trouble is a byte that is not UTF-8, which decoding locates
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"byte 0x{body[error.start]:02x} cannot be decoded as {encoding}"
        raise SourceError(message, *_place(body, error.start, encoding)) from error
    except (LookupError, UnicodeError) as error:  # a codec that is none of text, or one with errors of its own
        raise SourceError(f"cannot be decoded as {encoding}") from error


def _program(data: bytes) -> str:
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return joined(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        message = f"byte 0x{body[error.start]:02x} cannot be decoded as utf-8, as JSON has to be"
        raise SourceError(message, *_place(body, error.start, "utf-8")) from error
    except NotebookError as error:
        raise SourceError(error.message, error.row, error.column) from error


_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)


def _place(data: bytes, offset: int, encoding: str) -> tuple[int, int]:
    """Row and column of a byte, both counted from 1, the column in characters."""
    before = data[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = before.rpartition(b"\n")[2]
    return before.count(b"\n") + 1, len(line.decode(encoding, "replace")) + 1
