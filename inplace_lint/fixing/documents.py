"""A file as it was read: its bytes, its text, and the way back from a text to bytes."""

from __future__ import annotations

import codecs
import io
import os
import tokenize
from dataclasses import dataclass
from pathlib import Path

from ..source import text
from ..source.notebook import NotebookError, by_cell, is_notebook, with_program
from .diff import unified


class Unfixable(Exception):
    """Why a file cannot be changed, in words that follow its name."""


@dataclass(frozen=True)
class Document:
    """One file's content. ``name`` is the name that findings carry; ``text`` lacks the byte order mark."""

    name: str
    data: bytes
    text: str
    encoding: str

    @classmethod
    def of(cls, name: str, data: bytes) -> Document:
        """The bytes of a file, understood as Python does. Raises ``Unfixable`` for what text cannot stand for."""
        try:
            source = text.decode(data, name)
            # A notebook is JSON, and has no coding line.
            encoding = "utf-8" if is_notebook(name) else tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except (text.SourceError, SyntaxError) as error:
            raise Unfixable(str(error)) from error
        made = cls(name, data, source, "utf-8" if encoding == "utf-8-sig" else encoding)
        if made.encoded(source) != data:
            raise Unfixable(f"its bytes are not what {encoding} makes of its text")
        return made

    @classmethod
    def read(cls, name: str) -> Document:
        """The file of that name. Raises ``Unfixable`` where it cannot be read."""
        try:
            return cls.of(name, text.read_bytes(Path(name)))
        except text.SourceError as error:
            raise Unfixable(error.message) from error

    def encoded(self, source: str) -> bytes:
        """A text as bytes of this file. Raises ``Unfixable`` where its encoding lacks a character."""
        if is_notebook(self.name):
            try:
                source = with_program(self.data.decode("utf-8-sig"), source)
            except NotebookError as error:
                raise Unfixable(str(error)) from error
        body = self.expressible(source)
        return codecs.BOM_UTF8 + body if self.data.startswith(codecs.BOM_UTF8) else body

    def expressible(self, code: str) -> bytes:
        """Code in this file's encoding. Raises ``Unfixable`` where that lacks a character."""
        try:
            return code.encode(self.encoding)
        except UnicodeError as error:
            raise Unfixable(f"its encoding, {self.encoding}, cannot express the new code") from error


@dataclass(frozen=True)
class Change:
    """A document and the text that it shall have."""

    document: Document
    after: str

    @property
    def name(self) -> str:
        """The name of the file, as findings carry it."""
        return self.document.name

    @property
    def data(self) -> bytes:
        """The bytes that the file shall have."""
        return self.document.encoded(self.after)

    def diff(self, shown: str) -> list[str]:
        """The lines of a unified diff, under the name to show; of a notebook one for each cell that changes."""
        if not is_notebook(self.name):
            return unified(self.document.text, self.after, shown)
        return [
            line
            for (number, before), (_, after) in zip(by_cell(self.document.text), by_cell(self.after), strict=True)
            if before != after
            for line in unified(before, after, f"{shown}:cell {number}")
        ]


Signature = tuple[int, int, int, int] | None


def signature(name: str) -> Signature:
    """What changes when a file is written to; None where it cannot be asked."""
    try:
        state = os.stat(name)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
