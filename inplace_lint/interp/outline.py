"""A module's definitions without the rest of its statements: what is run where those are too much to run."""

from __future__ import annotations

from inplace_lint import ir

MOST_NAMES = 2_000
"""Names bound to literals and to other names that are kept; tables that machines write hold many more."""


def definitions(region: ir.Region) -> ir.Region:
    """The imports, functions and classes that a region makes, the names that it gives them, and what these need."""
    made = {i.dst for i in region if isinstance(i, (ir.Import, ir.MakeFunction, ir.MakeClass))}
    plain = {i.dst for i in region if isinstance(i, (ir.Const, ir.Load, ir.GetAttr))}
    kept: list[ir.Instr] = []
    needed: set[int] = set()
    names = 0
    for instr in reversed(region):
        if isinstance(instr, (ir.Import, ir.ImportStar)):
            pass
        elif isinstance(instr, ir.MakeFunction):
            needed.update(reg for _, reg in instr.defaults)
        elif isinstance(instr, ir.MakeClass):
            needed.update(instr.bases)
        elif isinstance(instr, ir.Store) and instr.src in made:
            pass
        elif isinstance(instr, ir.Store) and instr.src in plain and names < MOST_NAMES:
            names += 1
            needed.add(instr.src)
        elif isinstance(instr, (ir.Const, ir.Load)) and instr.dst in needed:
            pass
        elif isinstance(instr, ir.GetAttr) and instr.dst in needed:
            needed.add(instr.obj)
        else:
            continue
        kept.append(instr)
    return tuple(reversed(kept))
