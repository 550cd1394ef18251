"""Lines to statements: two lines are the same place if they belong to the same simple statement."""

from __future__ import annotations

import ast

_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


class Statements:
    """The statements of one source. For a compound statement only its header counts."""

    def __init__(self, source: str) -> None:
        self._start: dict[int, int] = {}
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, (ast.stmt, ast.excepthandler)):
                continue
            last = node.end_lineno or node.lineno
            inner = [child for name in _BODIES for child in getattr(node, name, []) if hasattr(child, "lineno")]
            if inner:
                last = max(node.lineno, min(child.lineno for child in inner) - 1)
            for line in range(node.lineno, last + 1):
                # a statement within another's lines (a lambda has none) starts later, so the later start wins
                self._start[line] = max(self._start.get(line, 0), node.lineno)

    def start(self, line: int) -> int:
        """The first line of the statement that ``line`` belongs to; the line itself outside of any."""
        return self._start.get(line, line)

    def same(self, one: int, other: int) -> bool:
        """Whether both lines belong to one statement."""
        return self.start(one) == self.start(other)
