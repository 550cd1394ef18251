"""Random conditions, values, objects and well-formed states, and what "lies below" means for them.

Three questions make eight worlds; a condition means the set of worlds in which it holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from inplace_lint.domain.conditions import TRUE, Cond, Fact
from inplace_lint.domain.layouts import DENSE
from inplace_lint.domain.objects import (
    Container,
    Frame,
    Instance,
    Node,
    Obj,
    Saved,
    Status,
    Tensor,
    ViewMark,
    WriteRecord,
)
from inplace_lint.domain.state import GRAD, INFERENCE, NO_GRAD, State
from inplace_lint.domain.values import Atom, Const, Method, Sym, Unknown, Value

K = TypeVar("K", bound=Hashable)

law = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEYS = ("p", "q", "r")
World = dict[str, bool]
WORLDS: list[World] = [dict(zip(KEYS, answers, strict=True)) for answers in itertools.product((True, False), repeat=3)]
PLACES = [("f.py", n) for n in range(4)]

TENSORS = range(1, 6)
NODES = range(11, 15)
BOXES = range(21, 24)
FRAMES = range(31, 33)


def fact(key: str, value: bool) -> Fact:
    return Fact(key, value, f"{key} is {value}", key == "p")


def holds(cond: Cond | None, world: Mapping[str, bool]) -> bool:
    """Whether a condition holds in a world; facts about anything else contradict nothing."""
    return cond is not None and all(any(_answers(part, world) for part in f.parts or (f,)) for f in cond)


def _answers(fact: Fact, world: Mapping[str, bool]) -> bool:
    return world.get(fact.key, fact.value) == fact.value


def implies(a: Cond | None, path: Cond, b: Cond | None) -> bool:
    """Whether ``b`` holds in every world on the path in which ``a`` does."""
    return all(holds(b, world) for world in WORLDS if holds(a, world) and holds(path, world))


def meaning(record: Mapping[K, Cond]) -> dict[K, Cond]:
    """A record without clauses and the facts that stand for others: whether one is kept may depend on the order of joins."""
    return {key: frozenset(f for f in cond if f.key != "..." and not f.parts) for key, cond in record.items()}


def possible(cond: Cond | None, path: Cond) -> bool:
    """Whether ``cond`` holds in some world on the path."""
    return any(holds(cond, world) and holds(path, world) for world in WORLDS)


def map_below(a: Mapping[K, Cond], path: Cond, b: Mapping[K, Cond]) -> bool:
    """Whether all that one record holds on its path the other holds as well."""
    return all(implies(cond, path, b.get(key)) for key, cond in a.items())


def value_below(a: Value, path: Cond, b: Value) -> bool:
    """As ``map_below``; an unknown number stands for literals that were widened."""
    number = Unknown("", "no", False)
    return all(
        implies(cond, path, b.get(atom, b.get(number) if isinstance(atom, Const) else None)) for atom, cond in a.items()
    )


def named_below(a: Mapping[K, Value], path: Cond, b: Mapping[K, Value]) -> bool:
    return all(value_below(value, path, b.get(key, {})) for key, value in a.items())


def object_below(a: Obj, path: Cond, b: Obj) -> bool:
    """Whether ``b`` stands for all that ``a`` may be on its path, every field."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return _tensor_below(a, path, b)
    if isinstance(a, Node) and isinstance(b, Node):
        return (
            map_below(a.edges, path, b.edges)
            and map_below(a.freed, path, b.freed)
            and a.codes <= b.codes
            and all(any(_saved_below(s, path, t) for t in b.saved) for s in a.saved if possible(s.cond, path))
        )
    if isinstance(a, Frame) and isinstance(b, Frame):
        return named_below(a.names, path, b.names) and a.parent == b.parent
    if isinstance(a, Instance) and isinstance(b, Instance):
        return a.cls == b.cls and named_below(a.attrs, path, b.attrs)
    if isinstance(a, Container) and isinstance(b, Container):
        return _container_below(a, path, b)
    return type(b).__name__ == "Opaque"


def _tensor_below(a: Tensor, path: Cond, b: Tensor) -> bool:
    return (
        a.storages <= b.storages
        and a.counters <= b.counters
        and all(implies(x, path, y) for x, y in zip(a.status, b.status, strict=True))
        and b.region in (a.region, ())
        and map_below(a.bases, path, b.bases)
        and map_below(a.marks, path, b.marks)
        and map_below(a.nodes, path, b.nodes)
        and map_below(a.refused, path, b.refused)
        and (a.expanded is None or b.expanded is not None)
        and implies(a.inference, path, b.inference)
        and b.dtype in (a.dtype, None)
        and b.shape in (a.shape, None)
        and b.contiguous in (a.contiguous, None)
        and b.layout in (a.layout, None)
        and (b.retains or not a.retains)
        and (b.parameter or not a.parameter)
        and b.assumed in (a.assumed, None)
        and a.from_grad <= b.from_grad
    )


def _saved_below(a: Saved, path: Cond, b: Saved) -> bool:
    return (
        (a.role, a.tensor) == (b.role, b.tensor)
        and a.storages <= b.storages
        and a.counters <= b.counters
        and b.region in (a.region, ())
        and implies(a.cond, path, b.cond)
        and implies(a.leaf, path, b.leaf)
        and map_below(a.writes, path, b.writes)
        and map_below(a.silent, path, b.silent)
        and (a.through_view or not b.through_view)
    )


def _container_below(a: Container, path: Cond, b: Container) -> bool:
    elements = [*(a.items or ()), *(a.entries or {}).values(), a.rest]
    if a.kind != b.kind:
        return False
    if b.items is not None and a.items is not None and len(a.items) == len(b.items) and a.kind != "dict":
        return all(value_below(x, path, y) for x, y in zip(a.items, b.items, strict=True))
    if b.entries is not None and a.entries is not None:
        return named_below(a.entries, path, b.entries) and value_below(a.rest, path, b.rest)
    return all(value_below(element, path, b.rest) for element in elements)


# --- strategies ---

conditions = st.dictionaries(st.sampled_from(KEYS), st.booleans(), max_size=3).map(
    lambda answers: frozenset(fact(key, value) for key, value in answers.items())
)
maybe_conditions = st.none() | conditions
numbers = st.sampled_from([sign * n for n in (*TENSORS, *BOXES) for sign in (1, -1)])
atoms: st.SearchStrategy[Atom] = st.one_of(
    numbers,
    st.sampled_from([Const(None, "NoneType"), Const(1, "int"), Const(True, "bool"), Sym("torch.add")]),
    st.sampled_from([Unknown("f:x"), Unknown("f:y", "no")]),
    st.builds(Method, numbers, st.sampled_from(["add_", "append"])),
)
values: st.SearchStrategy[Value] = st.dictionaries(atoms, conditions, max_size=4)
writes = st.builds(
    WriteRecord,
    place=st.sampled_from(PLACES),
    form=st.just("method"),
    op=st.sampled_from(["add_", "mul_"]),
    target=st.none(),
    in_no_grad=st.booleans(),
    flag=st.none(),
    calls=st.just(()),
    through=st.none(),
)
statuses = st.builds(Status, maybe_conditions, maybe_conditions, maybe_conditions)
marks = st.builds(ViewMark, st.sampled_from(["multi", "no_grad"]), st.sampled_from(PLACES), st.just("split"))
signed_tensors = st.sampled_from([sign * n for n in TENSORS for sign in (1, -1)])


@st.composite
def tensors(draw: st.DrawFn, storages: st.SearchStrategy[frozenset[int]] | None = None) -> Tensor:
    memory = draw(storages or st.frozensets(signed_tensors, min_size=1, max_size=2))
    return Tensor(
        made=draw(st.sampled_from(PLACES)),
        made_by=draw(st.sampled_from(["exp", "mul"])),
        storages=memory,
        # `.data` has a counter of its own, an array has none.
        counters=draw(st.just(memory) | st.just(frozenset[int]())),
        status=draw(statuses),
        region=draw(st.sampled_from([(), (0,), (1, 2)])),
        bases=draw(st.dictionaries(signed_tensors, conditions, max_size=2)),
        marks=draw(st.dictionaries(marks, conditions, max_size=2)),
        nodes=draw(st.dictionaries(st.sampled_from(NODES), conditions, max_size=2)),
        expanded=draw(st.none() | st.sampled_from(PLACES)),
        inference=draw(maybe_conditions),
        dtype=draw(st.sampled_from([None, "float32", "int64"])),
        shape=draw(st.sampled_from([None, (2,), (None, 3)])),
        contiguous=draw(st.sampled_from([None, True, False])),
        layout=draw(st.sampled_from([None, DENSE, DENSE.swapped(0, 1)])),
        retains=draw(st.booleans()),
        grad=draw(st.none() | values),
        parameter=draw(st.booleans()),
        refused=draw(st.dictionaries(st.tuples(marks, st.sampled_from(PLACES)), conditions, max_size=1)),
    )


@st.composite
def saves(draw: st.DrawFn) -> Saved:
    tensor = draw(signed_tensors)
    return Saved(
        role=draw(st.sampled_from(["self", "other", "result"])),
        is_result=draw(st.booleans()),
        tensor=tensor,
        storages=frozenset({tensor}) | draw(st.frozensets(signed_tensors, max_size=1)),
        counters=draw(st.just(frozenset({tensor})) | st.just(frozenset[int]())),
        region=draw(st.sampled_from([(), (0,)])),
        cond=draw(conditions),
        leaf=draw(maybe_conditions),
        through_view=draw(st.booleans()),
        writes=draw(st.dictionaries(writes, conditions, max_size=2)),
        silent=draw(st.dictionaries(writes, conditions, max_size=1)),
    )


@st.composite
def nodes(draw: st.DrawFn) -> Node:
    """A node whose saves are told apart by role and tensor, as ops make them."""
    found = draw(st.lists(saves(), max_size=3, unique_by=lambda s: (s.role, s.tensor)))
    return Node(
        place=draw(st.sampled_from(PLACES)),
        op="mul",
        name="MulBackward0",
        edges=draw(st.dictionaries(st.sampled_from([*NODES, *TENSORS]), conditions, max_size=2)),
        saved=tuple(found),
        frees=True,
        calls=(),
        codes=draw(st.frozensets(st.sampled_from(["f@f.py", "g@f.py"]))),
        freed=draw(st.dictionaries(st.sampled_from(PLACES), conditions, max_size=1)),
    )


@st.composite
def containers(draw: st.DrawFn) -> Container:
    if draw(st.booleans()):
        entries: dict[object, Value] = dict(draw(st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2)))
        return Container("dict", (), entries, draw(values))
    items = draw(st.none() | st.lists(values, max_size=3).map(tuple))
    return Container(draw(st.sampled_from(["list", "tuple"])), items, None, draw(values) if items is None else {})


def frames(parent: int | None = None) -> st.SearchStrategy[Frame]:
    return st.builds(Frame, st.dictionaries(st.sampled_from(["x", "y", "z"]), values, max_size=3), st.just(parent))


instances = st.builds(
    Instance, st.just(Sym("torch.nn.Linear")), st.dictionaries(st.sampled_from(["w", "b"]), values, max_size=2),
    st.sampled_from(PLACES),
)  # fmt: skip
objects: dict[str, st.SearchStrategy[Obj]] = {
    "tensor": tensors(),
    "node": nodes(),
    "container": containers(),
    "frame": frames(),
    "instance": instances,
}


@st.composite
def states(draw: st.DrawFn, path: Cond | None = None) -> State:
    """A state as the interpreter may reach it: every number stands for one kind of thing, saves are indexed."""
    state = State()
    kinds: list[tuple[range, st.SearchStrategy[Obj]]] = [(TENSORS, tensors()), (NODES, nodes()), (BOXES, containers())]
    for numbers_of, make in kinds:
        for number in draw(st.lists(st.sampled_from(numbers_of), unique=True, max_size=3)):
            state.allocate(number, draw(make))
            if draw(st.booleans()):
                state.allocate(number, draw(make))
    state.heap[FRAMES[0]] = draw(frames())
    if draw(st.booleans()):
        state.heap[FRAMES[1]] = draw(frames(FRAMES[0]))
    state.registers = [draw(st.dictionaries(st.integers(0, 3), values, max_size=3))]
    state.mode = draw(st.dictionaries(st.sampled_from([GRAD, NO_GRAD, INFERENCE]), conditions, min_size=1, max_size=2))
    state.path = draw(conditions) if path is None else path
    return state


@st.composite
def parted_states(draw: st.DrawFn) -> tuple[State, State]:
    """Two states after the sides of one branch."""
    common = draw(st.sampled_from([TRUE, frozenset({fact("r", True)})]))
    key = draw(st.sampled_from(["p", "q"]))
    return draw(states(common | {fact(key, True)})), draw(states(common | {fact(key, False)}))
