"""Edits put into a text. What no edit names stays as it is, line ends and trailing blanks included."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..diagnostics import LINE_END, Edit, Position


class Misplaced(Exception):
    """An edit names a place that the text does not have."""


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """``text`` in the place of the characters from ``start`` up to but not including ``end``."""

    start: int
    end: int
    text: str

    def collides(self, other: Replacement) -> bool:
        """Whether the two cannot both be made. The same one twice is one, and does not collide."""
        if self == other:
            return False
        if self.start == self.end == other.start == other.end:
            return True
        return self.start < other.end and other.start < self.end


class Text:
    """A text in which places are named by rows and columns, as Python counts lines."""

    def __init__(self, source: str) -> None:
        self.source = source
        ends = list(LINE_END.finditer(source))
        self._ends = [match.group() for match in ends]
        self._starts = [0, *(match.end() for match in ends)]

    def offset(self, position: Position) -> int:
        """Where a position is, in characters from the start. Raises ``Misplaced`` where the text has no such place."""
        row, column = position.row - 1, position.column - 1
        if not 0 <= row < len(self._starts) or column < 0:
            raise Misplaced(position)
        last = self._starts[row + 1] - len(self._ends[row]) if row < len(self._ends) else len(self.source)
        if self._starts[row] + column > last:
            raise Misplaced(position)
        return self._starts[row] + column

    def row(self, offset: int) -> int:
        """The row, from 1, that an offset lies in."""
        return bisect_right(self._starts, offset)

    def line_end(self, row: int) -> str:
        """How the line of that row ends; the last line, which may have no end, as the one before."""
        if not self._ends:
            return "\n"
        return self._ends[min(row, len(self._ends)) - 1]

    def replacement(self, edit: Edit) -> Replacement:
        """The edit by offsets. Lines of the old text that the new one has as well keep their ends."""
        start, end = self.offset(edit.span.start), self.offset(edit.span.end)
        if end < start:
            raise Misplaced(edit.span.start)
        old = self.source[start:end]
        return Replacement(start, end, _with_ends(old, edit.content, self.line_end(edit.span.start.row)))


def _with_ends(old: str, new: str, usual: str) -> str:
    """``new``, with the line ends of those lines of ``old`` that it keeps, and the ``usual`` one after others."""
    lines = LINE_END.split(new)
    if len(lines) == 1:
        return new
    before, ends = LINE_END.split(old), LINE_END.findall(old)
    after = [usual] * (len(lines) - 1)
    for kept in SequenceMatcher(None, before, lines, autojunk=False).get_matching_blocks():
        for offset in range(kept.size):
            if kept.a + offset < len(ends) and kept.b + offset < len(after):
                after[kept.b + offset] = ends[kept.a + offset]
    return "".join(line + end for line, end in zip(lines, [*after, ""], strict=True))


def apply(source: str, replacements: Iterable[Replacement]) -> str:
    """The text with the replacements made, none of which may collide with another."""
    parts: list[str] = []
    done = 0
    for one in sorted(set(replacements)):
        parts += source[done : one.start], one.text
        done = one.end
    return "".join((*parts, source[done:]))


def moved(replacements: Sequence[Replacement]) -> list[tuple[int, int]]:
    """Where each replacement's text stands once all are made, by offsets, in the order of the text."""
    shift = 0
    places: list[tuple[int, int]] = []
    for one in sorted(set(replacements)):
        places.append((one.start + shift, one.start + shift + len(one.text)))
        shift += len(one.text) - (one.end - one.start)
    return places
