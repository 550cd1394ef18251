"""Jupyter notebooks as one program: the code cells joined, each below a line that marks it, what only IPython knows put aside.

The joined text says by itself which row belongs to which cell, so that it goes through the linter as any other text; and it can
be taken apart again, so that a fix goes back into the notebook. Of its JSON only the changed cells are written anew.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import ipython, jsonspans
from .jsonspans import Spans
from .syntax import parsed

SUFFIX = ".ipynb"
_MARK = "# %% inplace-lint: cell "
_MARKED = re.compile(rf"^{re.escape(_MARK)}(\d+)$", re.MULTILINE)
_OLDEST = 4


class NotebookError(Exception):
    """What is wrong with a notebook, with the place (counted from 1) in its JSON where that is known."""

    def __init__(self, message: str, row: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.row, self.column = message, row, column


def is_notebook(filename: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return filename.endswith(SUFFIX)


def joined(data: str) -> str:
    """The program that a notebook's JSON holds; nothing where it is written in another language. Raises ``NotebookError``."""
    return "".join(f"{_MARK}{cell.number}\n{ipython.hidden(cell.text)}\n" for cell in _cells(data))


def with_program(data: str, program: str) -> str:
    """The notebook's JSON with the cells of a joined program in it. Cells that are the same stay as they are written.

    Raises ``NotebookError`` where the program has other cells than the notebook.
    """
    cells = _cells(data)
    parts = by_cell(program)
    if [cell.number for cell in cells] != [number for number, _ in parts]:
        raise NotebookError("its cells are not those of the program")
    out: list[str] = []
    done = 0
    for cell, (_, after) in zip(cells, parts, strict=True):
        if after != cell.text:
            out += data[done : cell.start], _written(data[cell.start : cell.end], after, data.isascii())
            done = cell.end
    return "".join([*out, data[done:]])


def by_cell(program: str) -> list[tuple[int, str]]:
    """The cells of a joined program as they are in the notebook, each with its number."""
    parts = _MARKED.split(program)
    return [
        (int(number), ipython.shown(part.removeprefix("\n").removesuffix("\n")))
        for number, part in zip(parts[1::2], parts[2::2], strict=True)
    ]


@dataclass(frozen=True)
class Broken:
    """A cell that is no Python: the row of the joined program and the column where that shows, and what is wrong there."""

    row: int
    column: int
    message: str


def readable(program: str) -> tuple[str, list[Broken]]:
    """A joined program in which cells that are no Python are comments, row by row, and what is wrong with each of them."""
    lines = program.split("\n")
    starts = Cells.of(lines).rows
    broken: list[Broken] = []
    for start, end in zip(starts, [*(row - 1 for row in starts[1:]), len(lines)], strict=True):
        wrong = parsed("\n".join(lines[start:end]))
        if isinstance(wrong, SyntaxError):
            broken.append(Broken(start + (wrong.lineno or 1), wrong.offset or 1, wrong.msg))
            lines[start:end] = [f"# {line}" for line in lines[start:end]]
    return "\n".join(lines), broken


@dataclass(frozen=True)
class Cells:
    """Which rows of a joined program belong to which cell: the rows of the marks, in order, and the cells' numbers."""

    rows: Sequence[int]
    numbers: Sequence[int]

    @classmethod
    def of(cls, lines: Sequence[str]) -> Cells:
        """The cells of a joined program, given by its lines."""
        found = [(row, int(match[1])) for row, line in enumerate(lines, 1) if (match := _MARKED.fullmatch(line))]
        return cls([row for row, _ in found], [number for _, number in found])

    def place(self, row: int) -> tuple[int, int] | None:
        """The cell's number, from 1 and counting all kinds of cells, and the row in it; None above the first cell."""
        index = bisect_right(self.rows, row) - 1
        return None if index < 0 else (self.numbers[index], max(row - self.rows[index], 1))


@dataclass(frozen=True)
class _Cell:
    """A code cell: its number, its text, and where the JSON of that stands."""

    number: int
    text: str
    start: int
    end: int


def _cells(data: str) -> list[_Cell]:
    """The cells with Python in them."""
    try:
        notebook = jsonspans.parse(data)
    except json.JSONDecodeError as error:
        message = (
            f"a notebook has to be JSON, and this is not: {error.msg}" if data.strip() else "the notebook is empty"
        )
        raise NotebookError(message, error.lineno, error.colno) from error
    except RecursionError:
        raise NotebookError("a notebook has to be JSON, and this is nested too deeply") from None
    whole = notebook.value
    if not isinstance(whole, dict):
        raise NotebookError("this JSON is no notebook: it is no object")
    version = whole.get("nbformat")
    if not isinstance(version, int):
        raise NotebookError("this JSON is no notebook: it has no `nbformat`")
    if version < _OLDEST:
        raise NotebookError(
            f"the notebook has the old format {version}; "
            "`jupyter nbconvert --to notebook --nbformat 4 --inplace FILE` brings it up to date"
        )
    cells = whole.get("cells")
    if not isinstance(cells, list):
        raise NotebookError("this JSON is no notebook: it has no list of `cells`")
    if not _is_python(whole.get("metadata")):
        return []
    return [
        made
        for index, cell in enumerate(cells)
        if isinstance(cell, dict) and (made := _code(cell, index, notebook.inside["cells"].inside[str(index)]))
    ]


def _is_python(metadata: Any) -> bool:
    """Whether a notebook is written in Python, which it need not say."""
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        said = metadata.get(section) if isinstance(metadata, dict) else None
        if isinstance(said, dict) and isinstance(said.get(key), str):
            return bool(said[key].lower() in ("python", "ipython", "python3"))
    return True


def _code(cell: Mapping[str, Any], index: int, spans: Spans) -> _Cell | None:
    if cell.get("cell_type") != "code":
        return None
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NotebookError(f"cell {index + 1} of the notebook has no text as its `source`", spans.row)
    own = cell.get("metadata")
    editor = own.get("vscode") if isinstance(own, dict) else None
    if isinstance(editor, dict) and editor.get("languageId", "python") != "python":
        return None
    where = spans.inside["source"]
    return _Cell(index + 1, source, where.start, where.end)


def _written(old: str, after: str, ascii_only: bool) -> str:
    """The JSON of a cell's new text, in the form of the old: a list of lines or one string, indented alike."""

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=ascii_only)

    if not old.startswith("["):
        return quoted(after)
    lines = re.findall(r"[^\n]*\n|[^\n]+", after)
    opening = re.match(r"\[(\s*)", old)
    closing = re.search(r"(\s*)\]$", old)
    assert opening and closing
    before, behind = opening[1], closing[1]
    spans = jsonspans.parse(old)
    items = [spans.inside[str(number)] for number in range(len(spans.value))]
    gap = old[items[0].end : items[1].start] if len(items) > 1 else "," + (before or " ")
    # Lines that stay keep their spelling, which may have escapes that we would not write.
    known = {value: old[it.start : it.end] for value, it in zip(spans.value, items, strict=True)}
    return f"[{before}{gap.join(known.get(line) or quoted(line) for line in lines)}{behind}]" if lines else "[]"
