"""Helpers for the tests of lowering."""

from __future__ import annotations

from collections.abc import Iterator

from inplace_lint import ir
from inplace_lint.lowering import LoweredModule, lower


def codes(code: ir.Code) -> Iterator[ir.Code]:
    """A definition and all that is nested in it; lowers every one of them."""
    yield code
    for instr in ir.walk(code.body):
        if isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
            yield from codes(instr.code)


def find(module: LoweredModule, qualname: str) -> ir.Code:
    """The definition of that qualified name."""
    return next(code for code in codes(module.code) if code.qualname == qualname)


def text(source: str, qualname: str = "<module>") -> str:
    """The IR of one definition as text."""
    return ir.format_region(find(lower(source, "test.py"), qualname).body)


def instructions(module: LoweredModule, kind: type[ir.Instr], qualname: str = "<module>") -> list[ir.Instr]:
    """The instructions of one kind in a definition, nested regions included."""
    return [instr for instr in ir.walk(find(module, qualname).body) if isinstance(instr, kind)]
