"""Forwards that hand out a state and take it back: the next call writes to what the last one saved.

``def forward(self, x, state): ...; return y, state``. Nothing in the file may run the sequence, but the signature says how it is
meant to be run: what comes out at one place of the result goes in again as the argument.
"""

from __future__ import annotations

from collections.abc import Callable

from inplace_lint import ir
from inplace_lint.domain.objects import Container
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, union
from inplace_lint.interp.autograd import backward
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.graph_methods import pending_roots

Call = Callable[[State, str, dict[int, Value]], Value | None]
"""Call the forward: on a state, with its name for the tags of unknown arguments, and given arguments by position."""


def carried(code: ir.Code) -> dict[int, int]:
    """Which parameters (by position) take what the result has at some place; none where nothing is written in place.

    Either the parameter's own name is returned there, or a tuple of the names that the parameter was unpacked to.
    """
    names = [param.name for param in code.params if param.kind in ("positional", "positional_only")]
    loaded: dict[int, str] = {}
    pieces: dict[int, tuple[int, int]] = {}
    unpacked: dict[str, list[str]] = {}
    built: dict[int, ir.Build] = {}
    returned: list[int] = []
    writes = False
    stored: set[str] = set()
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load) and instr.scope == "local":
            loaded[instr.dst] = instr.name
        elif isinstance(instr, ir.Unpack) and instr.star is None and loaded.get(instr.src) in names:
            pieces.update({reg: (instr.src, n) for n, reg in enumerate(instr.targets)})
            unpacked[loaded[instr.src]] = [""] * len(instr.targets)
        elif isinstance(instr, ir.Store) and instr.src in pieces:
            source, number = pieces[instr.src]
            unpacked[loaded[source]][number] = instr.name
        elif isinstance(instr, ir.Store):
            stored.add(instr.name)
        elif isinstance(instr, ir.Build) and instr.kind in ("tuple", "list"):
            built[instr.dst] = instr
        elif isinstance(instr, ir.Return) and instr.value is not None:
            returned.append(instr.value)
        writes = writes or isinstance(instr, (ir.InPlace, ir.SetItem))
        writes = writes or (isinstance(instr, ir.GetAttr) and instr.attr.endswith("_") and instr.attr[:1] != "_")
    found: dict[int, int] = {}
    for value in returned if writes else ():
        whole = built.get(value)
        for place, item in enumerate(whole.items if whole is not None else ()):
            inner = built.get(item.reg)
            parts = [loaded.get(part.reg, "") for part in inner.items] if inner is not None else []
            for number, name in enumerate(names[1:], 1):
                if (name in stored and loaded.get(item.reg) == name) or (parts and parts == unpacked.get(name)):
                    found[number] = place
    return found


def call_in_a_row(engine: Engine, state: State, name: str, call: Call, links: dict[int, int]) -> None:
    """Call a forward twice, the second time with the state that the first call returned, and train both results."""
    first = call(state, name, {})
    if first is None:
        return
    given = {number - 1: part for number, place in links.items() if (part := _at(state, first, place))}
    second = call(state, f"{name} (next call)", given) if given else None
    if second is not None:
        roots = pending_roots(engine, state, union((first, second)))
        if roots:
            backward(engine.m, state, roots, None, None)


def _at(state: State, value: Value, place: int) -> Value:
    parts = []
    for atom in value:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.items is not None and place < len(box.items):
            parts.append(box.items[place])
    return union(parts)
