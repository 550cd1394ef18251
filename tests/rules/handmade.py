"""A source file for tests that make events by hand: sites are found by their text."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from inplace_lint.diagnostics import Diagnostic, Position, Span
from inplace_lint.events import Event, Site
from inplace_lint.rules import RuleContext, diagnose


class HandmadeFile:
    """Gives out an origin for a stretch of text, and answers for it as a lowered module would."""

    def __init__(self, text: str, filename: str = "train.py") -> None:
        self.text, self.filename = text, filename
        self._places: list[tuple[int, int]] = []

    @property
    def lines(self) -> Sequence[str]:
        return self.text.split("\n")

    def site(self, text: str, occurrence: int = 0) -> Site:
        """The site of the given text, the first unless told otherwise."""
        start = -1
        for _ in range(occurrence + 1):
            start = self.text.index(text, start + 1)
        self._places.append((start, start + len(text)))
        return Site(self.filename, len(self._places) - 1)

    def span(self, origin: int) -> Span:
        start, end = self._places[origin]
        return Span(self.filename, self._position(start), self._position(end))

    def statement_span(self, origin: int) -> Span:
        inner = self.span(origin)
        best: ast.stmt | None = None
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.stmt) and node.lineno <= inner.start.row <= (node.end_lineno or 0):
                best = node
        assert best is not None
        end = Position(best.end_lineno or 0, (best.end_col_offset or 0) + 1)
        return Span(self.filename, Position(best.lineno, best.col_offset + 1), end)

    def _position(self, offset: int) -> Position:
        before = self.text[:offset]
        return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def diagnose(self, *events: Event) -> list[Diagnostic]:
        return diagnose(events, RuleContext({self.filename: self}))

    def only(self, event: Event) -> Diagnostic:
        (found,) = self.diagnose(event)
        return found
