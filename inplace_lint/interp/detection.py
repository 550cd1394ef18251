"""Non-maximum suppression: what it keeps of a detector's boxes is shown or counted, and hardly ever trained."""

from __future__ import annotations

from inplace_lint.domain.conditions import Cond, Fact
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Unknown, Value, one
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.parts import outwards
from inplace_lint.interp.registry import CallSite, symbol


@symbol(*(f"torchvision.ops.{path}" for path in ("nms", "batched_nms", "boxes.nms", "boxes.batched_nms")))
def nms(engine: Engine, state: State, site: CallSite) -> Value:
    """The indices of the boxes that are kept."""
    kept = engine.m.fresh(state, site.place[1], "boxes kept", "no")
    engine.m.kept_boxes.add(kept.tag)
    return one(kept)


def kept_by_nms(m: Machine, index: Unknown) -> Cond | None:
    """The assumption under which what an index takes is trained, where it comes from a suppression; None for another one."""
    for whole in outwards(m.part_of, index):
        if whole.tag in m.kept_boxes:
            word = "the boxes that non-maximum suppression keeps are trained"
            return frozenset({Fact(f"trained {whole.tag}", True, word, True)})
    return None
