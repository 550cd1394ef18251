"""Parse units and the table of origins.

A *unit* is a piece of a file that libcst parsed in one go, with the number of lines that stand before it in the file.
An *origin* is a number in the file's table of nodes. The nodes of one definition are numbered in a range of its own, which
follows from the number of the definition itself, so that numbers do not depend on which definitions were lowered before.
Positions are computed a unit at a time, when the first finding in it asks for its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import libcst as cst
from libcst.metadata import CodeRange

from inplace_lint import ir
from inplace_lint.lowering.late import LateBody, marker_number
from inplace_lint.lowering.parsing import LoweringError, parse
from inplace_lint.lowering.room import with_room
from inplace_lint.lowering.syntax import children

ORIGIN_BITS = 24
"""Bits of an origin that number the nodes within one definition."""


def first_origin(definition: int) -> int:
    """The first number of the nodes in a definition, given the number of the definition itself."""
    return (definition + 1) << ORIGIN_BITS


class Span(NamedTuple):
    """A place in a file: rows and columns count from 1, columns in characters, the end is exclusive."""

    row: int
    column: int
    end_row: int
    end_column: int


class Unit:
    """A parsed piece of a file, ``first_row`` being the row of the file at which its text begins.

    ``bodies`` are those that were cut out of the text and are still to be parsed.
    """

    def __init__(self, module: cst.Module, first_row: int = 1, bodies: Sequence[LateBody] = ()) -> None:
        self.module = module
        self.first_row = first_row
        self.bodies = bodies
        self._cut_short = {body.first_row + 1: (body.end_row, body.end_column) for body in bodies}
        self._positions: dict[cst.CSTNode, CodeRange] | None = None
        self._parents: dict[int, cst.CSTNode] | None = None

    def span(self, node: cst.CSTNode) -> Span:
        """Where ``node`` stands in the file."""
        found = self._position(node)
        # libcst counts the space before the `for` of a comprehension as part of it.
        start = self._position(node.whitespace_before).end if isinstance(node, cst.CompFor) else found.start
        rows = self.first_row - 1
        end = self._cut_short.get(found.end.line, (found.end.line + rows, found.end.column + 1))
        return Span(start.line + rows, start.column + 1, *end)

    def late_body(self, suite: cst.BaseSuite) -> LateBody | None:
        """What was cut out where this suite stands; None where the suite is whole."""
        number = marker_number(suite) if self.bodies else None
        return None if number is None else self.bodies[number]

    def statement_span(self, node: cst.CSTNode) -> Span:
        """Where the simple statement around ``node`` stands, or the header of the compound statement around it."""
        parents = self._parent_map()
        current: cst.CSTNode | None = node
        while current is not None and not isinstance(current, _STATEMENTS):
            current = parents.get(id(current))
        if current is None:
            return self.span(node)
        whole = self.span(current)
        if isinstance(current, cst.BaseSmallStatement):
            return whole
        colon = getattr(current, "whitespace_before_colon", None) or getattr(current, "whitespace_after_test", None)
        if isinstance(current, cst.Lambda) or colon is None:
            return whole
        end = self.span(colon)
        return Span(whole.row, whole.column, end.end_row, end.end_column + 1)

    def _position(self, node: cst.CSTNode) -> CodeRange:
        if self._positions is None:
            try:
                self._positions = _positions(self.module)
            except (RecursionError, KeyError):  # libcst's own clean-up hides the first behind the second
                self._positions = with_room(lambda: _positions(self.module))
        return self._positions[node]

    def _parent_map(self) -> dict[int, cst.CSTNode]:
        if self._parents is None:
            self._parents = {}
            pending: list[cst.CSTNode] = [self.module]
            while pending:
                parent = pending.pop()
                for child in children(parent):
                    self._parents[id(child)] = parent
                    pending.append(child)
        return self._parents


def parse_late(body: LateBody) -> tuple[Unit, cst.BaseSuite]:
    """Parse a body that was cut out: the unit and the suite in it. ``LoweringError`` where libcst cannot."""
    rows = body.first_row - 1
    try:
        module = parse(body.text)
    except LoweringError as error:
        raise LoweringError(error.message, error.row + rows, error.column) from error
    block = module.body[0]
    assert isinstance(block, cst.If)
    return Unit(module, body.first_row), block.body


_STATEMENTS = (
    cst.BaseSmallStatement,
    cst.BaseCompoundStatement,
    cst.Else,
    cst.Finally,
    cst.ExceptHandler,
    cst.ExceptStarHandler,
    cst.MatchCase,
)


def _positions(module: cst.Module) -> dict[cst.CSTNode, CodeRange]:
    # Imported late: libcst.metadata pulls in all of its providers, and most files have no finding.
    from libcst.metadata import MetadataWrapper, PositionProvider

    found = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    return dict(found)


class OriginTable:
    """The nodes of one file that instructions came from; an origin is an index into it.

    ``problems`` lists what went wrong while bodies were lowered late.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[LoweringError] = []
        self._nodes: dict[int, tuple[Unit, cst.CSTNode]] = {}

    def put(self, origin: int, unit: Unit, node: cst.CSTNode) -> None:
        """From now on ``origin`` names ``node``, which belongs to ``unit``."""
        self._nodes[origin] = (unit, node)

    def node(self, origin: int) -> cst.CSTNode:
        """The node that ``origin`` names."""
        return self._nodes[origin][1]

    def unit(self, origin: int) -> Unit:
        """The unit that the node belongs to."""
        return self._nodes[origin][0]

    def guarded(self, origin: int, lower: Callable[[], ir.Region]) -> Callable[[], ir.Region]:
        """``lower`` for late use: syntax that is too deep gets more stack, and what fails becomes one ``Unknown``."""

        def run() -> ir.Region:
            try:
                return lower()
            except RecursionError:
                pass
            except LoweringError as error:
                self.problems.append(error)
                return (ir.Unknown(origin, 0, error.message),)
            return with_room(lower)

        return run
