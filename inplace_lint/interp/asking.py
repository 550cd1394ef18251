"""Attributes that code only asks about: ``if p.grad is not None:`` does not rely on there being one."""

from __future__ import annotations

from functools import lru_cache

from inplace_lint import ir


@lru_cache(maxsize=256)
def only_asked(code: ir.Code) -> frozenset[int]:
    """The origins of the attributes whose value a definition uses for nothing but to do something where it is not None.

    What is done where it is None is mostly done by mistake: somebody counted on a gradient.
    """
    read = {instr.dst: instr.origin for instr in ir.walk(code.body) if isinstance(instr, ir.GetAttr)}
    branched = {instr.cond for instr in ir.walk(code.body) if isinstance(instr, (ir.If, ir.While))}
    # What `and` and `or` come to is what one of their sides does.
    branched |= {i.src for i in ir.walk(code.body) if isinstance(i, ir.Move) and i.dst in branched}
    used = {
        reg
        for instr in ir.walk(code.body)
        if not (isinstance(instr, ir.Compare) and instr.op == "is not" and instr.dst in branched)
        for reg in ir.operands(instr)
    }
    return frozenset(origin for reg, origin in read.items() if reg not in used)
