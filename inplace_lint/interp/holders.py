"""Who holds what is written in place: whether a name may be bound to a new tensor instead, and whether anybody would notice.

Nothing in the analysis depends on it: it is noted at each write that is reported on, for the fix that a rule offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from inplace_lint.domain.heap import Effort
from inplace_lint.domain.objects import Container, Frame, Instance, Node, Place, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value, references
from inplace_lint.events import Event, Held, Root, Site, Use, Write

if TYPE_CHECKING:
    from inplace_lint.interp.machine import Machine


class Holding(NamedTuple):
    """What is known of a write at its place, in the words of `events.Write`."""

    held: Held
    alone: bool
    alike: bool
    graph: bool
    root: Root
    array: bool


_NOTHING = Holding("other", alone=False, alike=False, graph=True, root="other", array=False)


@dataclass(slots=True)
class Holders:
    """What was noted of each write, over all runs that came by; of several notes what all of them allow.

    given: by frame, the objects that the call was given as arguments. modules: by the two places of a module's write (`Write`'s
    ``site`` and ``flag_site``), whether all calls there were ``unseen``, and ``alone``, as in `events.Use`.
    """

    at: dict[Place, Holding] = field(default_factory=dict)
    modules: dict[tuple[Place, Place], tuple[bool, bool]] = field(default_factory=dict)
    given: dict[int, frozenset[int]] = field(default_factory=dict)

    def enter(self, frame: int, names: Iterable[Value]) -> None:
        """A call begins with these values under its names."""
        self.given[frame] = frozenset(number for value in names for number in references(value))

    def note(
        self,
        m: Machine,
        state: State,
        oid: int,
        place: Place,
        target: str | None,
        operands: Sequence[Tensor],
        item: bool,
        flag: Place | None = None,
    ) -> None:
        """A tensor is written at a place; ``target`` is how the source names it. operands: the other tensors of the op.

        item: by an index, which ends an augmented assignment to an element as well. flag: of a module, its other place.
        """
        if m.muted:
            return
        known = self.at.get(place)
        if flag is None and known is not None and (known == _NOTHING or (item and known.held == "view")):
            return
        if flag is not None and self.modules.get((place, flag)) == (False, False):
            return
        passed = Effort.passed
        held, alone = _holding(m, state, oid, target, self.given)
        root = _stands_for(m, state, oid, target)
        if held == "frozen" and root == "elements":
            held = "slot"  # what the source names decides; that something else holds it as well tells ``alone``
        Effort.passed = passed  # what a budget allows does not depend on what is noted
        if flag is not None:
            unseen, before = self.modules.get((place, flag), (True, True))
            self.modules[place, flag] = unseen and alone and held == "other", before and alone
        written = state.tensor(oid)
        dtype = written.dtype if written is not None else None
        alike = bool(operands) and all(dtype is not None and one.dtype == dtype for one in operands)
        graph = _in_graph(state, written) or any(one.status.requires_grad is not None for one in operands)
        array = written is not None and written.is_array
        if known is not None:
            held = held if held == known.held else "other"
            alone, alike, graph = alone and known.alone, alike and known.alike, graph or known.graph
            root, array = root if root == known.root else "other", array and known.array
        self.at[place] = Holding(held, alone, alike, graph, root, array)

    def told(self, event: Event) -> Event:
        """The event, with what is known of who holds what was written."""
        write: Write | None = getattr(event, "write", None)
        holding = None if write is None else self.at.get((write.site.file, write.site.origin))
        if write is None or holding is None:
            return event
        told: Any = replace(write, **holding._asdict(), uses=tuple(self._uses(write)))
        return replace(event, write=told)

    def _uses(self, write: Write) -> Iterator[Use]:
        if write.form != "module" or write.flag_site is None:
            return
        own = {(site.file, site.origin) for site in (write.site, write.flag_site)}
        for (place, flag), (unseen, alone) in self.modules.items():
            if not own.isdisjoint((place, flag)):
                yield Use(Site(*flag), Site(*place), unseen, alone)


def _holding(
    m: Machine, state: State, oid: int, target: str | None, given: dict[int, frozenset[int]]
) -> tuple[Held, bool]:
    written = state.tensor(oid)
    if written is None:
        return "other", False
    view = bool(written.bases) or written.storages.isdisjoint({oid})
    owner, tensor, own = oid, written, {oid}
    if len(written.bases) == 1:
        owner = next(iter(written.bases))
        base = state.tensor(owner)
        if base is None or base.bases:
            return "view", False
        tensor, own = base, {oid, owner}
    top = m.live_frames[-1] if m.live_frames else 0
    held: Held = "view" if view else "other"
    alone = not (
        owner < 0
        or tensor.assumed
        or tensor.parameter
        or tensor.is_array
        or any(abs(storage) in m.lent for storage in tensor.storages)
        or owner in given.get(top, ())
        or _in_registers(state, own)
    )
    names = outer = 0
    for key in state.heap.users(frozenset(own) | tensor.storages):
        obj = state.heap.get(key)
        if isinstance(obj, Node):
            # Backward fills the `.grad` of a leaf that a graph began with, which the name must go on to stand for.
            alone = alone and own.isdisjoint(obj.edges)
            continue
        if key in own or obj is None:
            continue
        if isinstance(obj, Tensor):
            shares = not obj.storages.isdisjoint(tensor.storages)
            alone = alone and not shares and (obj.grad is None or not _holds(obj.grad, own))
        elif isinstance(obj, Frame):
            for name, value in obj.names.items():
                if not _holds(value, own):
                    continue
                names += 1
                here = key == top and (target is None or name == _root(target))
                # The name may stand for another tensor as well, which somebody else holds.
                alone = alone and here and len(value) == 1 and next(iter(value)) == owner
                outer += key != top and not name.startswith("*")
                if here and not view:
                    held = "name"
        else:
            alone = False
            kind = "other" if view else _kind(obj, own)
            # What a tuple holds cannot be put there anew, whoever else holds it.
            held = kind if held == "other" or (held, kind) == ("slot", "frozen") else held
    if held == "other" and names and outer == names:
        held = "outer"
    return held, alone and names <= 1


def _stands_for(m: Machine, state: State, oid: int, target: str | None) -> Root:
    """What the name stands for that an expression for the written tensor starts from."""
    name, frame = _root(target), state.heap.get(m.live_frames[-1]) if m.live_frames else None
    written = state.tensor(oid)
    if name is None or written is None or not isinstance(frame, Frame) or name not in frame.names:
        return "tensor"
    own = {oid, *written.bases, *written.storages}
    found: set[Root] = set()
    for atom in frame.names[name]:
        obj = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(obj, Instance) and name != "self":
            value = obj.attrs.get(_attribute(target), {})
            found.add("other" if own.isdisjoint(value) else "attributes")
        elif not isinstance(obj, Container):
            found.add("tensor")
        elif obj.kind == "tuple" or not any(not own.isdisjoint(value) for value in _elements(obj)):
            found.add("other")
        else:
            found.add("elements")
    return found.pop() if len(found) == 1 else "other"


def _attribute(target: str | None) -> str:
    """The first attribute in an expression such as ``net.state[0]``; empty where another thing follows the name."""
    name = _root(target) or ""
    rest = (target or "")[len(name) :]
    return (_root(rest[1:]) or rest[1:]) if rest.startswith(".") else ""


def _elements(obj: Container) -> list[Value]:
    return [*(obj.items or ()), *(obj.entries or {}).values(), obj.rest]


def _in_graph(state: State, written: Tensor | None) -> bool:
    """Whether a recorded op may have made the tensor or what it views, or a backward is still to need its memory."""
    if written is None or written.assumed:
        return True
    for key in state.heap.saving_on(written.storages):
        node = state.heap.get(key)
        if isinstance(node, Node) and not node.freed:
            return True
    bases = [state.tensor(base) for base in written.bases]
    return any(one is None or one.assumed or one.status.interior is not None for one in (written, *bases))


def _kind(obj: object, own: set[int]) -> Held:
    """How something that is neither tensor nor frame holds one of the objects, if it does."""
    if isinstance(obj, Container):
        if not any(_holds(value, own) for value in _elements(obj)):
            return "other"
        return "frozen" if obj.kind == "tuple" else "slot" if obj.kind in ("list", "dict", "deque") else "other"
    return "other"


def _in_registers(state: State, own: set[int]) -> bool:
    """Whether temporaries hold it besides the one that is written: an argument of a running call, what a loop goes over."""
    seen = 0
    for depth, registers in enumerate(reversed(state.registers)):
        for value in registers.values():
            if any(isinstance(atom, int) and atom in own for atom in value):
                seen += 1
                if depth > 0:
                    return True
    return seen > len(own)


def _holds(value: Value, own: set[int]) -> bool:
    return any(number in own for number in references(value))


def _root(target: str | None) -> str | None:
    """The name that an expression such as ``y[0].T`` starts from."""
    if target is None:
        return None
    end = next((place for place, character in enumerate(target) if not (character.isalnum() or character == "_")), None)
    return target[:end]
