"""Local names that a loop's round overwrites before it reads them: what they held is forgotten when the next round begins.

As long as ``loss`` still names the last round's loss, that round's graph is alive, and its nodes cannot be told from those that
the next round makes at the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inplace_lint import ir
from inplace_lint.domain.objects import Frame
from inplace_lint.domain.state import State
from inplace_lint.domain.sweeping import drop_contradicted, drop_freed
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.loops import computes_only
from inplace_lint.interp.machine import Machine

DEEPEST = 40
"""Regions inside each other that are looked into; deeper ones count as reading all that they mention."""
SCOPES: Mapping[str, ir.Scope] = {"function": "local", "module": "global"}
"""The scope of a definition's own names, by its kind."""
OUTER = ("free", "global")

Loop = ir.For | ir.While


class Overwritten:
    """Which names each loop overwrites, found once a loop."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[Loop, frozenset[str]]] = {}

    def forget(self, m: Machine, loop: Loop, state: State, flow: Flow, first: bool) -> None:
        """Forget what the names hold that a round which is about to begin overwrites, and graphs that nothing else keeps.

        first: no other round came before it.
        """
        if not state.heap.every_freed():
            return
        frame = state.heap.get(flow.frame)
        old: frozenset[str] = frozenset()
        if isinstance(frame, Frame) and not computes_only(m, loop, m.place(loop.origin)):
            old = self._of(loop, flow) & frame.names.keys()
            if old:
                state.heap[flow.frame] = Frame({k: v for k, v in frame.names.items() if k not in old}, frame.parent)
        if old or first:
            drop_freed(state, m.live_frames, m.stands_for, lambda: _parts(m))

    def end_round(self, m: Machine, loop: Loop, state: State, flow: Flow, last: bool = False) -> None:
        """A round has ended: what it freed is not what the next round goes on with, where the conditions say so.

        last: no round follows.
        """
        if state.heap.every_freed():
            names = frozenset() if last else self._of(loop, flow)
            drop_contradicted(state, m.live_frames, m.stands_for, flow.frame, names)

    def _of(self, loop: Loop, flow: Flow) -> frozenset[str]:
        if flow.code.kind not in SCOPES:
            return frozenset()
        entry = self._names.get(id(loop))
        if entry is None:
            entry = self._names[id(loop)] = (loop, overwritten(loop, flow.code))
        return entry[1]


def _parts(m: Machine) -> dict[str, set[str]]:
    """By tag, the tags of all that was taken out of its unknown."""
    parts: dict[str, set[str]] = {}
    for tag in m.part_of:
        for whole in m.wholes(tag):
            if whole != tag:
                parts.setdefault(whole, set()).add(tag)
    return parts


def overwritten(loop: Loop, code: ir.Code) -> frozenset[str]:
    """A definition's own names that no round of its loop reads before it binds them, and whose old values nobody else reads."""
    live: set[str] = set()
    surely: set[str] = set()
    if isinstance(loop, ir.While):
        _pass(loop.test, surely, live, 0)
    _pass(loop.body, surely, live, 0)
    own = SCOPES[code.kind]
    names = {it.name for it in ir.walk(loop.body) if isinstance(it, ir.Store) and it.scope == own} - live
    if any(isinstance(instr, ir.Break) for instr in ir.walk(loop.body)):
        surely = set()  # it may end in the middle of a round, with what the last one left
    if not names <= surely:
        names -= _read(_outside(code.body, loop)) - surely
    return frozenset(names - _captured(code.body)) if names else frozenset()


def _pass(region: ir.Region, stored: set[str], live: set[str], depth: int) -> None:
    """Go through a region that runs after ``stored`` was bound: add what it surely binds, and what it reads before."""
    for instr in region:
        if isinstance(instr, ir.Load):
            if instr.name not in stored:
                live.add(instr.name)
        elif isinstance(instr, (ir.Store, ir.Unbind)):
            stored.add(instr.name)
        elif depth > DEEPEST:
            live |= _read(inner for _, part in ir.subregions(instr) for inner in ir.walk(part)) - stored
        elif isinstance(instr, ir.With):
            _pass(instr.body, stored, live, depth + 1)
        else:
            ends = []
            for _, part in ir.subregions(instr):
                end = set(stored)
                _pass(part, end, live, depth + 1)
                ends.append(end)
            if isinstance(instr, ir.If):
                stored |= ends[0] & ends[1]


def _read(instrs: Iterable[ir.Instr]) -> set[str]:
    return {instr.name for instr in instrs if isinstance(instr, ir.Load)}


def _outside(region: ir.Region, loop: Loop) -> Iterable[ir.Instr]:
    """A definition's instructions without those of one of its loops."""
    todo = [region]
    while todo:
        for instr in todo.pop():
            yield instr
            if instr is not loop:
                todo.extend(part for _, part in ir.subregions(instr))


def _captured(region: ir.Region) -> set[str]:
    """The names that definitions in a region take from outside."""
    names: set[str] = set()
    todo = [region]
    while todo:
        for instr in ir.walk(todo.pop()):
            if isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
                todo.append(instr.code.body)
                names.update(
                    it.name for it in ir.walk(instr.code.body) if isinstance(it, ir.Load) and it.scope != "local"
                )
                names.update(
                    it.name for it in ir.walk(instr.code.body) if isinstance(it, ir.Store) and it.scope in OUTER
                )
    return names
