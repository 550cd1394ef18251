"""Attributes that code only asks about: ``if p.grad is not None`` does not rely on there being one."""

from __future__ import annotations

from functools import lru_cache

from inplace_lint import ir


@lru_cache(maxsize=256)
def only_compared(code: ir.Code) -> frozenset[int]:
    """The origins of the attributes whose value a definition compares by identity (with None) and uses for nothing else."""
    read = {instr.dst: instr.origin for instr in ir.walk(code.body) if isinstance(instr, ir.GetAttr)}
    used = {
        reg
        for instr in ir.walk(code.body)
        if not (isinstance(instr, ir.Compare) and instr.op in ("is", "is not"))
        for reg in ir.operands(instr)
    }
    return frozenset(origin for reg, origin in read.items() if reg not in used)
