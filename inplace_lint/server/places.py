"""Positions as clients count them: rows from 0, columns in units of the encoding that was agreed on."""

from __future__ import annotations

from bisect import bisect_right

from lsprotocol import types

from ..diagnostics import LINE_END, Position, Span

_WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Places:
    """The places of one text. ``encoding`` is what the client counts columns in: ``utf-8``, ``utf-16`` or ``utf-32``."""

    def __init__(self, source: str, encoding: str) -> None:
        ends = list(LINE_END.finditer(source))
        self._starts = [0, *(match.end() for match in ends)]
        self._lines = LINE_END.split(source)
        self._encoding, self._width = _WIDTHS.get(encoding, _WIDTHS["utf-16"])

    def position(self, place: Position) -> types.Position:
        """A position for the client; one that the text lacks becomes the nearest that it has."""
        row = min(max(place.row - 1, 0), len(self._lines) - 1)
        if place.row - 1 > row:
            return types.Position(row, self._units(self._lines[row]))
        return types.Position(row, self._units(self._lines[row][: max(place.column - 1, 0)]))

    def span(self, span: Span) -> types.Range:
        """A stretch of the text for the client."""
        return types.Range(self.position(span.start), self.position(span.end))

    def stretch(self, start: int, end: int) -> types.Range:
        """A stretch of the text for the client, given in characters from its start."""
        return types.Range(self._at(start), self._at(end))

    def place(self, position: types.Position) -> Position:
        """The position that the client means; what is past a line's end, or inside a character, becomes the nearest before."""
        row = min(max(position.line, 0), len(self._lines) - 1)
        data = self._lines[row].encode(self._encoding, "surrogatepass")[: position.character * self._width]
        return Position(row + 1, len(data.decode(self._encoding, "ignore")) + 1)

    def line(self, row: int) -> str:
        """The line of that row, from 1, without its end."""
        return self._lines[row - 1]

    def _at(self, offset: int) -> types.Position:
        row = bisect_right(self._starts, offset) - 1
        return types.Position(row, self._units(self._lines[row][: offset - self._starts[row]]))

    def _units(self, text: str) -> int:
        if text.isascii():
            return len(text)
        return len(text.encode(self._encoding, "surrogatepass")) // self._width
