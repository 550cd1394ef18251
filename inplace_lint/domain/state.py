"""The abstract state at one point of a program, and its laws: join, renaming, forgetting.

A state holds the registers of the running frame, the heap (names live in frames on the heap), the grad mode, and the
facts that hold on the path here. ``join`` is commutative and idempotent up to the conditions it may weaken, and every
state is below its join with another; tests hold it to that.

Recency: an allocation site gives its newest object a positive number and keeps all older ones in a summary under the
same number, negated. Allocating again first folds the newest into the summary (``age``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import TypeVar

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import LOST, TRUE, Cond, Fact, add_to, both, join_maps
from inplace_lint.domain.heap import Effort, Heap
from inplace_lint.domain.objects import (
    Container,
    Frame,
    Instance,
    Node,
    Obj,
    Saved,
    Tensor,
    join_values,
    mentions,
)
from inplace_lint.domain.renaming import rename_object
from inplace_lint.domain.values import NOTHING, Const, Renaming, Sym, Unknown, Value, references, unknown_tags

GRAD, NO_GRAD, INFERENCE = "grad", "no_grad", "inference"


def switched(mode: Mapping[str, Cond], to: Mapping[str, Cond]) -> dict[str, Cond]:
    """The grad mode after ``no_grad`` or ``enable_grad`` in a mode: inference mode stays on inside of them."""
    inference = mode.get(INFERENCE)
    if inference is None or INFERENCE in to:
        return dict(to)
    return dict(mode) if len(mode) == 1 else {INFERENCE: inference, **to}


class State:
    """A mutable abstract state. ``copy`` before a branch; objects and values inside are never changed in place."""

    __slots__ = ("heap", "mode", "path", "registers")

    def __init__(self) -> None:
        self.registers: list[dict[int, Value]] = [{}]
        self.heap = Heap()
        self.mode: dict[str, Cond] = {GRAD: TRUE}
        self.path: Cond = TRUE

    def copy(self) -> State:
        """A state that can be changed without changing this one."""
        twin = State.__new__(State)
        Effort.passed += len(self.registers[-1]) >> 4
        twin.registers = [*self.registers[:-1], dict(self.registers[-1])]
        twin.heap = self.heap.copy()
        twin.mode = dict(self.mode)
        twin.path = self.path
        return twin

    def same_as(self, other: State) -> bool:
        """Whether two states of one point hold the same; the test that ends a fixpoint."""
        return self.mode == other.mode and self.registers == other.registers and self.heap.same_as(other.heap)

    # --- objects ---

    def tensor(self, oid: int) -> Tensor | None:
        """The tensor of that number, or None where it is no tensor."""
        obj = self.heap.get(oid)
        return obj if isinstance(obj, Tensor) else None

    def put(self, oid: int, obj: Obj) -> None:
        """Replace an object; a summary can only grow, so there the old one is kept beside the new."""
        if oid < 0:
            self.heap.merge(oid, obj)
        else:
            self.heap[oid] = obj

    def allocate(self, oid: int, obj: Obj) -> int:
        """A new object at a site; an earlier one of the site becomes part of its summary first."""
        if oid in self.heap:
            self.age(oid)
        self.heap[oid] = obj
        return oid

    def age(self, oid: int) -> None:
        """Fold the newest object of a site into the summary of the older ones."""
        self.rename(Renaming({oid: -oid}, {}))

    def rename(self, names: Renaming) -> None:
        """Give objects new names everywhere; objects that get the same name are joined."""
        heap = self.heap
        touched: set[int] = set()
        if names.ids:
            touched |= heap.users(names.ids.keys())
        if names.tags:
            touched |= heap.tagged(names.tags.keys())
        Effort.passed += 8 * len(touched)
        for oid in touched:
            obj = heap.get(oid)
            if obj is not None and (renamed := rename_object(obj, names)) is not obj:
                heap[oid] = renamed
        moved: list[tuple[int, Obj]] = []
        for old, new in names.ids.items():
            if old != new and (obj := heap.pop(old, None)) is not None:
                moved.append((new, obj))
        for number, obj in moved:
            heap.merge(number, obj)
        Effort.passed += sum(len(registers) for registers in self.registers) >> 2
        self.registers = [_rename_registers(registers, names) for registers in self.registers]

    # --- joins ---

    def join(self, other: State) -> State:
        """The least state that stands for both; what one path alone knows is tagged with that path's facts."""
        common = self.path & other.path
        # That facts were lost on both paths does not make them the same ones.
        told = common - LOST
        mine, theirs = self.path - told, other.path - told
        joined = State.__new__(State)
        joined.path = common
        joined.mode = join_maps(self.mode, mine, other.mode, theirs)
        joined.registers = []
        for a, b in zip(self.registers, other.registers, strict=True):
            Effort.passed += 0 if a is b else len(a) >> 2
            joined.registers.append(a if a is b else _join_registers(a, mine, b, theirs))
        joined.heap = self.heap.join(mine, other.heap, theirs)
        return joined

    # --- forgetting ---

    def collect(
        self,
        extra: Iterable[int],
        stands_for: Callable[[int], str | None] = lambda oid: None,
        wholes: Callable[[str], Iterable[str]] = lambda tag: (tag,),
    ) -> None:
        """Drop every object that no register, no frame in ``extra`` and nothing they reach refers to.

        stands_for: the tag of the unknown for which an object of that number stands. wholes: a tag and those of which its
        unknown is a part.
        """
        roots = list(extra)
        tags: set[str] = set()
        for registers in self.registers:
            for value in registers.values():
                for atom in value:
                    if isinstance(atom, int):
                        roots.append(atom)
                    elif isinstance(atom, Unknown):
                        tags.add(atom.tag)
                    elif not isinstance(atom, (Const, Sym)):
                        roots.extend(references({atom: TRUE}))
                        tags.update(unknown_tags(atom))
        self.heap.keep(roots, tags, stands_for, wholes)

    def drop_registers(self, regs: Iterable[int]) -> None:
        """Forget temporaries that are dead."""
        top = self.registers[-1]
        for reg in regs:
            top.pop(reg, None)

    def map_conditions(self, change: Callable[[Cond], Cond], keys: Set[str] | None = None) -> None:
        """Rewrite every condition in the state: a loop's next round forgets the answers of the last.

        keys: those of the facts that ``change`` changes; None where it may change any.
        """
        cache: dict[Cond, Cond] = {}

        def f(cond: Cond) -> Cond:
            if not cond:
                return cond
            new = cache.get(cond)
            if new is None:
                new = cache[cond] = change(cond)
            return new

        self.path = f(self.path)
        self.mode = {k: f(c) for k, c in self.mode.items()}
        self.registers = [
            *self.registers[:-1],
            {reg: _keyed(value, f) if any(value.values()) else value for reg, value in self.registers[-1].items()},
        ]
        heap = self.heap
        touched = heap.asking(keys)
        Effort.passed += 8 * len(touched)
        for oid in touched:
            obj = heap.get(oid)
            if obj is not None and (new := _map_object(obj, f)) is not obj:
                heap[oid] = new

    # --- writes ---

    def record_write(self, storages: frozenset[int], mark: Callable[[Saved], Saved | None]) -> None:
        """Offer every save on those storages to ``mark``, which returns the save with the write added, or None."""
        for oid in self.heap.saving_on(storages):
            node = self.heap.get(oid)
            if not isinstance(node, Node):
                continue
            changed = False
            saves: list[Saved] = []
            for saved in node.saved:
                new = mark(saved) if saved.storages & storages else None
                changed = changed or new is not None
                saves.append(saved if new is None else new)
            if changed:
                self.heap[oid] = replace(node, saved=tuple(saves))


def _rename_registers(registers: dict[int, Value], names: Renaming) -> dict[int, Value]:
    changed = {reg: new for reg, value in registers.items() if (new := names.value(value)) is not value}
    return {**registers, **changed}


def _join_registers(a: dict[int, Value], mine: Cond, b: dict[int, Value], theirs: Cond) -> dict[int, Value]:
    joined: dict[int, Value] = {}
    for reg, value in a.items():
        other = b.get(reg, NOTHING)
        joined[reg] = value if value is other else join_values(value, mine, other, theirs)
    for reg, value in b.items():
        if reg not in a:
            joined[reg] = join_values(NOTHING, mine, value, theirs)
    return joined


K = TypeVar("K")


def _keyed(record: Mapping[K, Cond], f: Callable[[Cond], Cond]) -> dict[K, Cond]:
    changed: dict[K, Cond] = {}
    for key, cond in record.items():
        add_to(changed, key, f(cond))
    return changed


def _map_object(obj: Obj, f: Callable[[Cond], Cond]) -> Obj:
    if not mentions(obj).facts:
        return obj

    def value(v: Value) -> Value:
        return _keyed(v, f) if any(v.values()) else v

    def opt(c: Cond | None) -> Cond | None:
        return None if c is None else f(c)

    if isinstance(obj, Tensor):
        conditions = (*obj.status, *obj.bases.values(), *obj.marks.values(), *obj.nodes.values())
        if not any(conditions):
            return obj
        return replace(
            obj,
            status=type(obj.status)(*(opt(c) for c in obj.status)),
            bases=_keyed(obj.bases, f),
            marks=_keyed(obj.marks, f),
            nodes=_keyed(obj.nodes, f),
        )
    if isinstance(obj, Node):
        return replace(
            obj,
            edges=_keyed(obj.edges, f),
            freed=_keyed(obj.freed, f),
            saved=tuple(
                replace(
                    s,
                    cond=f(s.cond),
                    leaf=opt(s.leaf),
                    writes=_keyed(s.writes, f),
                    silent=_keyed(s.silent, f),
                    own=_keyed(s.own, f),
                )
                if s.cond or s.leaf or any(s.writes.values()) or any(s.silent.values()) or any(s.own.values())
                else s
                for s in obj.saved
            ),
        )
    if isinstance(obj, Frame):
        return Frame({k: value(v) for k, v in obj.names.items()}, obj.parent)
    if isinstance(obj, Container):
        return replace(
            obj,
            items=None if obj.items is None else tuple(value(v) for v in obj.items),
            entries=None if obj.entries is None else {k: value(v) for k, v in obj.entries.items()},
            rest=value(obj.rest),
            order=None if obj.order is None else sequences.conditioned(obj.order, f),
        )
    if isinstance(obj, Instance):
        return replace(
            obj,
            attrs={k: value(v) for k, v in obj.attrs.items()},
            config={k: value(v) for k, v in obj.config.items()},
        )
    return obj


def join_all(states: Iterable[State]) -> State | None:
    """The join of any number of states; None where there is none (the point is not reached)."""
    joined: State | None = None
    for state in states:
        joined = state if joined is None else joined.join(state)
    return joined


def assume(state: State, fact: Fact) -> State | None:
    """The state where ``fact`` holds as well; None where its path contradicts that."""
    path = both(state.path, frozenset({fact}))
    if path is None:
        return None
    state.path = path
    return state
