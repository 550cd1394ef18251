"""Findings in notebooks, whose rows count through all cells, in terms of the cells that people see.

A format says by its ``CELLS`` what it is given: ``rows``, rows within the cell that ``Diagnostic.cell`` names; ``files``, each
cell as a file of its own, called ``name.ipynb:cell 3``; ``marks``, the cell's number beside rows that go with ``Report.lines``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ..diagnostics import Diagnostic, Edit, Position, Related, Span
from ..source.notebook import Cells, is_notebook
from .report import Lines, Report

# As the rules write it: with the file's name before it where it is another file.
_ROW = re.compile(r"(?<!\.py, )\bline (\d+)")

Way = Literal["rows", "files", "marks"]


def by_cell(report: Report, way: Way) -> Report:
    """The report as a format wants it; as it is where no notebook is in it."""
    everything = [*report.diagnostics, *report.baselined]
    if not any(is_notebook(span.filename) for found in everything for span in _spans(found)):
        return report
    view = _View(report.lines, way)
    return replace(
        report,
        diagnostics=[view.found(found) for found in report.diagnostics],
        baselined=[view.found(found) for found in report.baselined],
        lines=view.lines,
    )


def in_cell(found: Diagnostic, lines: Lines) -> Diagnostic:
    """One finding with rows within its cell."""
    return _View(lines, "rows").found(found)


def _spans(found: Diagnostic) -> list[Span]:
    return [found.span, *(step.span for step in found.related)]


class _View:
    def __init__(self, lines: Lines, way: Way) -> None:
        self._lines = lines
        self._way = way
        self._cells: dict[str, Cells] = {}
        self._cell_files: dict[str, tuple[str, int, int]] = {}

    def lines(self, filename: str) -> Sequence[str]:
        """The lines of a file, or of a cell that stands for one."""
        if filename not in self._cell_files:
            return self._lines(filename)
        notebook, first, last = self._cell_files[filename]
        return self._lines(notebook)[first:last]

    def found(self, found: Diagnostic) -> Diagnostic:
        """The finding with all its places."""
        cell, span = self._place(found.span)
        shift = found.span.start.row - span.start.row
        fix = found.fix
        return replace(
            found,
            span=span,
            message=self._message(found, cell),
            # One that says its cell already is left as it is.
            cell=found.cell if cell is None else None if self._way == "files" else cell,
            related=tuple(self._step(step) for step in found.related),
            fix=fix and replace(fix, edits=tuple(self._edit(edit) for edit in fix.edits)),
            suggestion_span=found.suggestion_span and self._place(found.suggestion_span)[1],
            noqa_row=found.noqa_row - shift,
            noqa_rows=frozenset(row - shift for row in found.noqa_rows),
        )

    def _message(self, found: Diagnostic, cell: int | None) -> str:
        """The message with its rows told as cells and lines; rows of other files stay."""
        if cell is None:
            return found.message

        def told(match: re.Match[str]) -> str:
            place = self._of(found.span.filename).place(int(match[1]))
            if place is None:
                return match.group()
            return f"line {place[1]}" if place[0] == cell else f"cell {place[0]}, line {place[1]}"

        return _ROW.sub(told, found.message)

    def _step(self, step: Related) -> Related:
        cell, span = self._place(step.span)
        return replace(step, span=span, cell=None if self._way == "files" else cell)

    def _edit(self, edit: Edit) -> Edit:
        cell, span = self._place(edit.span)
        return replace(edit, span=span, cell=None if self._way == "files" else cell)

    def _place(self, span: Span) -> tuple[int | None, Span]:
        """The cell of a place, if it is in a notebook, and the place in it."""
        if not is_notebook(span.filename):
            return None, span
        cells = self._of(span.filename)
        place = cells.place(span.start.row)
        if place is None:
            return None, span
        number, row = place
        if self._way == "marks":
            return number, span
        shift = span.start.row - row
        name = self._cell_file(span.filename, number) if self._way == "files" else span.filename
        return number, Span(name, _up(span.start, shift), _up(span.end, shift))

    def _of(self, notebook: str) -> Cells:
        if notebook not in self._cells:
            self._cells[notebook] = Cells.of(self._lines(notebook))
        return self._cells[notebook]

    def _cell_file(self, notebook: str, number: int) -> str:
        """The name under which a cell goes as a file."""
        name = f"{notebook}:cell {number}"
        if name not in self._cell_files:
            cells = self._of(notebook)
            index = list(cells.numbers).index(number)
            last = cells.rows[index + 1] - 1 if index + 1 < len(cells.rows) else len(self._lines(notebook)) - 1
            self._cell_files[name] = notebook, cells.rows[index], last
        return name


def _up(position: Position, rows: int) -> Position:
    return Position(position.row - rows, position.column)
