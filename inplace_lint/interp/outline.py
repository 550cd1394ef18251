"""Parts of a module: its definitions without the rest of its statements, and what runs only where it is the script."""

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


def without_script(region: ir.Region) -> tuple[ir.Region, ir.Region]:
    """What importing a module runs, and what it runs after that as a script: under ``if __name__ == "__main__":``."""
    names = {i.dst for i in region if isinstance(i, ir.Load) and i.name == "__name__"}
    texts = {i.dst for i in region if isinstance(i, ir.Const) and i.value == "__main__"}
    asked = {i.dst for i in region if isinstance(i, ir.Compare) and i.op == "==" and _both(i, names, texts)}
    scripts = [i for i in region if isinstance(i, ir.If) and i.cond in asked and not i.orelse]
    if not scripts:
        return region, ()
    return tuple(i for i in region if i not in scripts), tuple(instr for found in scripts for instr in found.then)


def _both(instr: ir.Compare, names: set[int], texts: set[int]) -> bool:
    left, right = instr.left, instr.right
    return (left in names and right in texts) or (left in texts and right in names)
