"""The builder: what every part of the lowering shares while it lowers one definition.

The syntax itself is handled by small functions that register themselves for a node type: an *expression* function
returns the register of the value, a *statement* function emits instructions, and a *pattern* function emits the test
of a ``case`` and returns the register that says whether it matched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.scopes import Environment, Frame
from inplace_lint.lowering.units import OriginTable, Unit, first_origin

N = TypeVar("N", bound=cst.CSTNode)
Expression = Callable[["Builder", Any], ir.Reg]
Statement = Callable[["Builder", Any], None]
Pattern = Callable[["Builder", Any, ir.Reg], "ir.Reg | None"]

EXPRESSIONS: dict[type[cst.CSTNode], Expression] = {}
STATEMENTS: dict[type[cst.CSTNode], Statement] = {}
PATTERNS: dict[type[cst.CSTNode], Pattern] = {}

F = TypeVar("F", bound=Callable[..., Any])


def _registrar(table: dict[type[cst.CSTNode], Any]) -> Callable[..., Callable[[F], F]]:
    def lowers(*kinds: type[cst.CSTNode] | str) -> Callable[[F], F]:
        """Register a function for node types; a type given as text may be missing from an older libcst."""

        def register(function: F) -> F:
            for kind in kinds:
                node_type = getattr(cst, kind, None) if isinstance(kind, str) else kind
                if node_type is not None:
                    table[node_type] = function
            return function

        return register

    return lowers


expression = _registrar(EXPRESSIONS)
statement = _registrar(STATEMENTS)
pattern = _registrar(PATTERNS)


class Builder:
    """Emits the instructions of one definition.

    ``env`` is where names are looked up at this point of the syntax, ``prefix`` what the qualified names of nested
    definitions begin with, ``renamed`` the number of the last frame: numbers go up from those of the enclosing
    definition, so that no new name hides one that was captured. ``definition`` is the origin of the definition itself.
    """

    def __init__(
        self, table: OriginTable, unit: Unit, env: Environment, prefix: str, renamed: int, definition: int
    ) -> None:
        self.table = table
        self.unit = unit
        self.env = env
        self.prefix = prefix
        self.renamed = renamed
        self.out: list[ir.Instr] = []
        self._registers = 0
        self._origins = first_origin(definition)

    def reg(self) -> ir.Reg:
        """A fresh register."""
        self._registers += 1
        return self._registers - 1

    def origin(self, node: cst.CSTNode) -> int:
        """The number that names this syntax."""
        self.table.put(self._origins, self.unit, node)
        self._origins += 1
        return self._origins - 1

    def emit(self, instr: ir.Instr) -> None:
        """Add an instruction to the current region."""
        self.out.append(instr)

    @contextmanager
    def region(self) -> Iterator[list[ir.Instr]]:
        """Collect what is emitted inside into a region of its own."""
        saved, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = saved

    @contextmanager
    def frame(self, names: list[str], hides_class: bool) -> Iterator[None]:
        """Give ``names`` new names while inside."""
        self.renamed += 1
        saved = self.env
        self.env = saved.within(Frame({name: f"{name}%{self.renamed}" for name in names}, hides_class))
        try:
            yield
        finally:
            self.env = saved

    def expr(self, node: cst.CSTNode) -> ir.Reg:
        """Lower an expression; the register that holds its value."""
        lower = EXPRESSIONS.get(type(node))
        if lower is None:
            return self.unknown(node, f"{type(node).__name__} expression")
        return lower(self, node)

    def statement(self, node: cst.CSTNode) -> None:
        """Lower a statement."""
        lower = STATEMENTS.get(type(node))
        if lower is None:
            self.unknown(node, f"{type(node).__name__} statement")
        else:
            lower(self, node)

    def suite(self, suite: cst.BaseSuite) -> None:
        """Lower the statements of a suite into the current region."""
        for line in suite.body:
            self.statement(line)

    def const(self, node: cst.CSTNode, value: object) -> ir.Reg:
        """A literal."""
        dst = self.reg()
        self.emit(ir.Const(self.origin(node), dst, value))
        return dst

    def unknown(self, node: cst.CSTNode, reason: str, operands: tuple[ir.Reg, ...] = ()) -> ir.Reg:
        """A value that this analysis knows nothing of."""
        dst = self.reg()
        self.emit(ir.Unknown(self.origin(node), dst, reason, operands))
        return dst

    def load(self, node: cst.CSTNode, name: str) -> ir.Reg:
        """Read a name."""
        dst = self.reg()
        kept, scope = self.env.resolve(name)
        self.emit(ir.Load(self.origin(node), dst, kept, scope))
        return dst

    def store(self, origin: int, name: str, src: ir.Reg) -> None:
        """Bind a name."""
        kept, scope = self.env.resolve(name)
        self.emit(ir.Store(origin, kept, scope, src))

    def text(self, node: cst.CSTNode) -> str:
        """The source text of a node."""
        return self.unit.module.code_for_node(node)
