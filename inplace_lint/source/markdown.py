"""Python in Markdown: each fenced block is a program of its own, with the rows that it has in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..diagnostics import LINE_END

SUFFIXES = (".md", ".markdown")
PATTERNS = ("*.md", "*.markdown")
"""The files that a walk takes where Markdown is asked for."""

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})[ \t]*\{?[ \t]*\.?(?P<word>[\w+-]*)(?P<rest>.*)$")
_LANGUAGES = frozenset({"py", "py3", "python", "python3"})


def is_markdown(filename: str) -> bool:
    """Whether a file is Markdown, by its name."""
    return filename.lower().endswith(SUFFIXES)


@dataclass(frozen=True)
class Block:
    """A block of Python. ``program`` has as many empty lines in front as it takes for its rows to be those of the file, and lacks
    the first ``indent`` columns, which belong to a list or a quotation around it."""

    row: int
    indent: int
    program: str


def blocks(source: str) -> Iterator[Block]:
    """The fenced blocks that say that they are Python, in order."""
    lines = LINE_END.split(source)
    number = 0
    while number < len(lines):
        opening = _FENCE.match(lines[number])
        number += 1
        # A backquote behind the fence makes it code within a line.
        if opening is None or (opening["fence"][0] == "`" and "`" in opening["rest"]):
            continue
        closing = re.compile(rf"^[ \t]*{re.escape(opening['fence'][0])}{{{len(opening['fence'])},}}[ \t]*$")
        first = number
        while number < len(lines) and not closing.match(lines[number]):
            number += 1
        if opening["word"].lower() in _LANGUAGES:
            indent = len(opening["indent"])
            code = [_without(line, indent) for line in lines[first:number]]
            yield Block(first + 1, indent, "\n" * first + "\n".join(code) + "\n")
        number += 1


def only_code(source: str) -> str:
    """The text with nothing in it but its blocks, each character at its place; for the comments in them."""
    out = [""] * len(LINE_END.split(source))
    for block in blocks(source):
        for row, line in enumerate(block.program.split("\n")[block.row - 1 : -1], block.row - 1):
            out[row] = " " * block.indent + line if line else ""
    return "\n".join(out)


def _without(line: str, indent: int) -> str:
    """A line without its first columns, as far as they are blank."""
    return line[min(indent, len(line) - len(line.lstrip(" \t"))) :]
