"""Where the frames of a traceback lie in the files at hand, which may stand elsewhere, or have been edited since."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .traceback import Frame

Lines = Callable[[str], Sequence[str]]

# Code that is not the user's, by where it lies: no write there is to be mended.
_LIBRARY = re.compile(
    r"[/\\](?:site-packages|dist-packages|lib[/\\]python3?[\d.]*|torch[/\\](?:nn|optim|autograd|_\w+))[/\\]"
)
_FEW = 200
_TELLING = 8


@dataclass(frozen=True)
class Place:
    """A row of a file at hand that a frame stands for; ``inner`` counts from the innermost such frame, which is 0.

    scope: the first and last row of the function that it runs in; of the whole file at the top of a module.
    """

    filename: str
    row: int
    frame: Frame
    inner: int = 0
    scope: tuple[int, int] = (1, 0)


def is_library(filename: str) -> bool:
    """Whether a frame lies in an installed package, in Python itself, or in generated code."""
    return _LIBRARY.search(filename) is not None or filename.startswith(("<frozen", "<eval_with_key", "<__array"))


def own_files(frames: Iterable[Frame]) -> list[str]:
    """The files of a traceback that are the user's and exist here."""
    names = dict.fromkeys(frame.filename for frame in frames if not is_library(frame.filename))
    return [name for name in names if name.endswith(".py") and os.path.isfile(name)]


class Finder:
    """Finds frames in files by path, or by the end of it, and by the text of the line."""

    def __init__(self, files: Iterable[str], lines: Lines) -> None:
        self._files = list(files)
        self._lines = lines
        self._by_name: dict[str, list[str]] = {}
        self._functions: dict[str, list[tuple[int, int]]] = {}
        for name in self._files:
            self._by_name.setdefault(os.path.basename(name), []).append(name)

    def places(self, frames: Sequence[Frame]) -> list[Place]:
        """The frames that lie in the files, innermost first."""
        found: list[Place] = []
        for frame in reversed(frames):
            place = self._place(frame)
            if place is not None:
                filename, row = place
                found.append(Place(filename, row, frame, len(found), self._scope(filename, row)))
        return found

    def _scope(self, filename: str, row: int) -> tuple[int, int]:
        """The rows of the innermost function around a row."""
        functions = self._functions.get(filename)
        if functions is None:
            functions = self._functions[filename] = _functions(self._lines(filename))
        around = [it for it in functions if it[0] <= row <= it[1]]
        return min(around, key=lambda it: it[1] - it[0], default=(1, len(self._lines(filename))))

    def _place(self, frame: Frame) -> tuple[str, int] | None:
        parts = _parts(frame.filename)
        named = self._by_name.get(parts[-1], []) if parts else []
        for name in sorted(named, key=lambda it: -_common_end(parts, _parts(os.path.abspath(it)))):
            row = self._row(name, frame)
            if row is not None:
                return name, row
        if named or is_library(frame.filename) or not frame.text or len(frame.text) < _TELLING:
            return None
        # A notebook's cell, or a file that has another name here: the text alone has to tell.
        if len(self._files) > _FEW:
            return None
        matches = [(name, row) for name in self._files if (row := self._row(name, frame)) is not None]
        return matches[0] if len(matches) == 1 else None

    def _row(self, name: str, frame: Frame) -> int | None:
        """The row that the frame stands for: the one it names if that is the same code, else the nearest with its text."""
        lines = self._lines(name)
        if not frame.text:
            return frame.row if frame.row <= len(lines) else None
        wanted = _same(frame.text)
        # Python before 3.8 names the last line of a statement, and prints its first from 3.8 on.
        rows = [row for row, line in enumerate(lines, 1) if _same(line) == wanted]
        return min(rows, key=lambda row: abs(row - frame.row), default=None)


def _functions(source: Sequence[str]) -> list[tuple[int, int]]:
    """The first and last rows of a file's functions."""
    try:
        tree = ast.parse("\n".join(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def _same(line: str) -> str:
    return "".join(line.split())


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[/\\]", path) if part]


def _common_end(one: list[str], other: list[str]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count
