"""Which registers nobody reads any more: they are forgotten after the instruction that is the last to need them.

A state is copied, joined, renamed and searched with all its registers, and a long definition has thousands. A register lives in
the innermost region that holds all that mentions it, so what a loop's next round needs is never forgotten within the loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inplace_lint import ir

Dying = Mapping[int, tuple[ir.Reg, ...]]
"""Registers by the index of the instruction of a region after which they are dead."""

_NOBODY: Dying = {}


class Liveness:
    """What is known of the registers of each definition that ran."""

    def __init__(self) -> None:
        self._dying: dict[int, Dying] = {}
        self._known: set[ir.Code] = set()
        self._assigned: dict[int, tuple[ir.Region, frozenset[ir.Reg]]] = {}
        self._taken_out: list[ir.Region] = []

    def take_out(self, region: ir.Region) -> ir.Region:
        """Some of a definition's instructions, to be run on their own; returns them."""
        self._taken_out.append(region)  # whose identity is nobody else's as long as it is here
        self._dying.update(dying(region))
        return region

    def dying(self, region: ir.Region, code: ir.Code) -> Dying:
        """The registers that nobody reads any more after an instruction of a definition's region."""
        if code not in self._known:
            self._known.add(code)
            self._dying.update(dying(code.body))
        return self._dying.get(id(region), _NOBODY)

    def assigned(self, region: ir.Region) -> frozenset[ir.Reg]:
        """The registers that a loop's region assigns: they are dead in its next round."""
        entry = self._assigned.get(id(region))
        if entry is None:
            regs = frozenset(reg for instr in ir.walk(region) for reg in assigned(instr))
            entry = self._assigned[id(region)] = (region, regs)
        return entry[1]


def dying(body: ir.Region) -> dict[int, Dying]:
    """What dies in each region of a definition, by the region's identity."""
    above: dict[int, tuple[int, int, int]] = {id(body): (0, 0, 0)}
    """By region: how deep it lies, and the region and index of the instruction that holds it."""
    last: dict[ir.Reg, tuple[int, int]] = {}
    """By register: where it lives, and the index there of the last instruction that needs it."""
    todo = [body]
    while todo:
        region = todo.pop()
        for index, instr in enumerate(region):
            for reg in (*mentioned(instr), *_asked_again(region, index, instr)):
                here = (id(region), index)
                known = last.get(reg)
                last[reg] = here if known is None else _later(above, known, here)
            for _, inner in ir.subregions(instr):
                if not inner:
                    continue
                if id(inner) in above:
                    return {}  # one region in two places
                above[id(inner)] = (above[id(region)][0] + 1, id(region), index)
                todo.append(inner)
    found: dict[int, dict[int, list[ir.Reg]]] = {}
    for reg, (home, index) in last.items():
        found.setdefault(home, {}).setdefault(index, []).append(reg)
    return {home: {index: tuple(regs) for index, regs in ends.items()} for home, ends in found.items()}


def _later(above: Mapping[int, tuple[int, int, int]], a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The later of two instructions, or of those that hold them in the innermost region which both lie in."""
    while a[0] != b[0]:
        if above[a[0]][0] >= above[b[0]][0]:
            a = above[a[0]][1:]
        else:
            b = above[b[0]][1:]
    return max(a, b)


def mentioned(instr: ir.Instr) -> Iterator[ir.Reg]:
    """The registers that an instruction reads or assigns, without those of the regions in it."""
    yield from ir.operands(instr)
    yield from assigned(instr)


def assigned(instr: ir.Instr) -> Iterator[ir.Reg]:
    """The registers that an instruction itself assigns."""
    dst = getattr(instr, "dst", None)
    if dst is not None:
        yield dst
    if isinstance(instr, ir.Unpack):
        yield from instr.targets
    elif isinstance(instr, ir.For):
        yield instr.item
    elif isinstance(instr, ir.With):
        yield instr.result


def _asked_again(region: ir.Region, index: int, instr: ir.Instr) -> Iterator[ir.Reg]:
    """What made a branch's condition, which narrows names by it."""
    reg = instr.cond if isinstance(instr, ir.If) else None
    while reg is not None:
        origin = next((it for it in reversed(region[:index]) if getattr(it, "dst", None) == reg), None)
        if origin is None:
            return
        yield from ir.operands(origin)
        reg = origin.operand if isinstance(origin, ir.Unary) else None
