"""Which registers are forgotten, and where."""

from __future__ import annotations

from engine_checks import program

from inplace_lint import ir
from inplace_lint.interp.liveness import dying, mentioned
from inplace_lint.lowering import lower

SOURCE = """\
def f(x, flag):
    total = 0
    while x.sum() > 0:
        for piece in x:
            total = total + (piece if flag else 1)
        x = x - 1
    if x is None and flag:
        return [y * 2 for y in total]
    with torch.no_grad():
        try:
            return x * total
        finally:
            print(total)
"""


def test_a_register_is_forgotten_once_and_after_all_that_mentions_it() -> None:
    module = lower(program(SOURCE), "program.py")
    made = next(i for i in module.code.body if isinstance(i, ir.MakeFunction))
    ends = dying(made.code.body)
    forgotten = [reg for of_region in ends.values() for regs in of_region.values() for reg in regs]
    known = {reg for instr in ir.walk(made.code.body) for reg in mentioned(instr)}
    assert sorted(forgotten) == sorted(known)

    gone: set[int] = set()

    def follow(region: ir.Region) -> None:
        for index, instr in enumerate(region):
            assert gone.isdisjoint(mentioned(instr))
            for _, inner in ir.subregions(instr):
                follow(inner)
            gone.update(ends.get(id(region), {}).get(index, ()))

    follow(made.code.body)
