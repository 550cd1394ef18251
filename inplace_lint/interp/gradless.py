"""What a module's own code calls without grad alone: loaders of weights, helpers of an evaluation.

Such a definition would otherwise be run for unknown callers with grad, though all callers in sight switch it off.
"""

from __future__ import annotations

from inplace_lint import ir
from inplace_lint.domain.state import GRAD
from inplace_lint.interp.instances import GRAD_MODES

_SWITCHES = frozenset(path.rpartition(".")[2] for path, mode in GRAD_MODES.items() if mode != GRAD)
"""What the switches are called, whatever they are imported from: names are all that is seen of callers here."""


def called_without_grad(code: ir.Code) -> frozenset[str]:
    """The names of what a module's code calls only where it has switched grad mode off: in a block, or by a decorator."""
    calls: dict[bool, set[str]] = {True: set(), False: set()}
    _visit(code, False, calls)
    return frozenset(calls[True] - calls[False])


def _visit(code: ir.Code, off: bool, calls: dict[bool, set[str]]) -> None:
    todo: list[tuple[ir.Region, bool]] = [(code.body, off)]
    named: dict[int, str] = {}
    switches: set[int] = set()
    made: dict[int, list[ir.Code]] = {}
    without: set[ir.Code] = set()
    while todo:
        region, off = todo.pop()
        for instr in region:
            if isinstance(instr, (ir.Load, ir.GetAttr)):
                named[instr.dst] = instr.name if isinstance(instr, ir.Load) else instr.attr
                if named[instr.dst] in _SWITCHES:
                    switches.add(instr.dst)
            elif isinstance(instr, ir.Call):
                name = named.get(instr.func, "")
                calls[off].add(name)
                if name in _SWITCHES:
                    switches.add(instr.dst)
            elif isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
                made[instr.dst] = [instr.code]
                if off:
                    without.add(instr.code)
            elif isinstance(instr, ir.Decorate):
                made[instr.dst] = inner = made.get(instr.target, [])
                if instr.decorator in switches:
                    without.update(inner)
            for _, held in ir.subregions(instr):
                todo.append((held, off or (isinstance(instr, ir.With) and instr.manager in switches)))
    for definition in {one for codes in made.values() for one in codes}:
        _visit(definition, definition in without, calls)
