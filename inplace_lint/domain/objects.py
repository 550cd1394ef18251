"""What lives on the abstract heap: tensors, graph nodes, containers, functions, classes and instances.

All objects are immutable; an update puts another object under the same number.

A tensor's storage and version counter are named by the object that brought them into being: a tensor made by an op
has a storage and a counter of its own number; a view and ``detach()`` carry both numbers of their base; ``.data`` carries the
base's storage and a counter of its own; a NumPy array carries the storage and no counter at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeVar, Union

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond, add_to, both, join_maps, maybe_both, maybe_either, maybe_weaker
from inplace_lint.domain.layouts import DENSE, Layout, join_layouts
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.values import (
    NOTHING,
    Atom,
    Const,
    Imported,
    SliceAtom,
    Sym,
    Unknown,
    Value,
    references,
    unknown_tags,
)

MOST_LITERALS = 8
"""Literals that one value distinguishes."""

Place = tuple[str, int]
"""A file's key and an origin: the domain's name for a place in the source."""


class Status(NamedTuple):
    """The set of statuses a tensor may have, each with its condition; None where it cannot have it."""

    constant: Cond | None = None
    leaf: Cond | None = None
    interior: Cond | None = None

    @property
    def requires_grad(self) -> Cond | None:
        """When the tensor requires grad."""
        return maybe_either(self.leaf, self.interior)


CONSTANT = Status(constant=TRUE)
LEAF = Status(leaf=TRUE)
INTERIOR = Status(interior=TRUE)


class Mentions(NamedTuple):
    """What an object mentions: numbers, tags of unknowns, and the keys of the facts in its conditions."""

    ids: frozenset[int]
    tags: frozenset[str]
    facts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Thing:
    """What every object has: a note of what it mentions, made when it is first asked for. Objects never change."""

    noted: Mentions | None = field(default=None, init=False, compare=False, repr=False)


class ViewMark(NamedTuple):
    """Why a view must not be written: ``multi``, ``no_grad``, ``inference`` or ``function``; where and by what it was made."""

    kind: str
    place: Place
    op: str


@dataclass(frozen=True, slots=True)
class Tensor(_Thing):
    """An abstract tensor (or an array that shares one's memory: ``counters`` is empty then).

    storages, counters: the memory it may share and the counters that see its writes.
    region: constant indices from the storage's start, as far as they are known; two regions that differ are disjoint.
    bases: tensors of which it is a differentiable view. marks: why writing it is refused.
    nodes: what made it (``grad_fn``). dtype: PyTorch's name of it, ``float`` / ``int`` where only the kind is known.
    grad: the value of ``.grad``. retains: ``retain_grad()`` was called. parameter: an ``nn.Parameter``.
    assumed: it stands for an unknown value of that tag, which may be no tensor.
    layout: how its dimensions lie in memory; None where that is not known.
    """

    made: Place
    made_by: str
    storages: frozenset[int]
    counters: frozenset[int]
    status: Status = CONSTANT
    region: tuple[int, ...] = ()
    bases: Mapping[int, Cond] = field(default_factory=dict)
    marks: Mapping[ViewMark, Cond] = field(default_factory=dict)
    nodes: Mapping[int, Cond] = field(default_factory=dict)
    expanded: Place | None = None
    expanded_dims: frozenset[int] | None = None
    rows: tuple[int, int] | None = None
    inference: Cond | None = None
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    contiguous: bool | None = True
    layout: Layout | None = DENSE
    retains: bool = False
    grad: Value | None = None
    parameter: bool = False
    assumed: str | None = None
    is_array: bool = False
    refused: Mapping[tuple[ViewMark, Place], Cond] = field(default_factory=dict)
    module: int | None = None
    from_grad: frozenset[int] = frozenset()


class WriteRecord(NamedTuple):
    """One write into a storage: the site, what it was (for the story), and the calls that led there."""

    place: Place
    form: str
    op: str
    target: str | None
    in_no_grad: bool
    flag: Place | None
    calls: tuple[Place, ...]
    through: str | None


@dataclass(frozen=True, slots=True)
class Saved:
    """A tensor that a node keeps, with the writes since: seen ones (its counter was bumped) and silent ones.

    role: which argument (or ``result``). cond: when it was saved. leaf: when it is a leaf that requires grad.
    attribute: it is kept as an attribute of a custom Function's context, where no version is checked.
    own: writes that the node's own backward makes to it, when it runs. scattered: the place that expanded it, where the node is a
    write to it that passes, and whose own backward raises.
    """

    role: str
    is_result: bool
    tensor: int
    storages: frozenset[int]
    counters: frozenset[int]
    region: tuple[int, ...]
    cond: Cond
    leaf: Cond | None
    statistics: bool = False
    through_view: bool = False
    attribute: bool = False
    writes: Mapping[WriteRecord, Cond] = field(default_factory=dict)
    silent: Mapping[WriteRecord, Cond] = field(default_factory=dict)
    own: Mapping[WriteRecord, Cond] = field(default_factory=dict)
    scattered: Place | None = None


@dataclass(frozen=True, slots=True)
class Node(_Thing):
    """A node of the backward graph. ``edges`` lead to nodes and to leaves; ``freed`` records the backwards that freed it
    (those of earlier rounds of a loop with their origin below zero)."""

    place: Place
    op: str
    name: str | None
    edges: Mapping[int, Cond]
    saved: tuple[Saved, ...]
    frees: bool
    calls: tuple[Place, ...]
    codes: frozenset[str]
    freed: Mapping[Place, Cond] = field(default_factory=dict)


ContainerKind = Literal["list", "tuple", "set", "dict", "deque", "generator", "slice"]


@dataclass(frozen=True, slots=True)
class Container(_Thing):
    """A list, tuple, set or dict. ``items`` are exact, in order; None where only their union ``rest`` is known.

    order: of such elements, what may follow what; None where nothing is known of it.
    A dict's exact entries are in ``entries`` (by constant key); ``rest`` is what any other key may hold.
    default: of a dict what a missing key is made by, of a deque its ``maxlen``; None where there is none or it is not known.
    """

    kind: ContainerKind
    items: tuple[Value, ...] | None = ()
    entries: Mapping[object, Value] | None = None
    rest: Value = field(default_factory=dict)
    default: Value | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Function(_Thing):
    """A function of the analysed source: its code, defaults, and the frame and globals it closes over."""

    code: object
    defaults: Mapping[str, Value]
    frame: int | None
    module: int
    grad_mode: str | None = None
    kind: Literal["function", "static", "class", "property", "context", "kernel"] = "function"
    owner: int | None = None
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Class(_Thing):
    """A class of the analysed source. ``bases`` are atoms: heap classes or outside symbols."""

    name: str
    qualname: str
    bases: tuple[Value, ...]
    attrs: Mapping[str, Value]
    fields: tuple[tuple[str, bool], ...] = ()
    code: object = None
    dataclass: bool = False
    module: int = 0


@dataclass(frozen=True, slots=True)
class Instance(_Thing):
    """An instance of a class of the source (a heap number) or of an outside one (a ``Sym``).

    config: an outside class's constructor arguments by name. made: where it was made.
    """

    cls: Atom
    attrs: Mapping[str, Value]
    made: Place
    config: Mapping[str, Value] = field(default_factory=dict)
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Frame(_Thing):
    """The names of one call (or of a module), and the frame it is nested in."""

    names: Mapping[str, Value]
    parent: int | None


@dataclass(frozen=True, slots=True)
class Opaque(_Thing):
    """Two things of different kinds joined: nothing is known."""


Obj = Union[Tensor, Node, Container, Function, Class, Instance, Frame, Opaque]  # noqa: UP007


def join_values(a: Value, a_path: Cond, b: Value, b_path: Cond) -> Value:
    """Either value; possibilities of one path only carry that path's facts."""
    if a is b or a == b:
        return a
    return widened(join_maps(a, a_path, b, b_path))


def widened(value: Value) -> Value:
    """The value with literals past a small number replaced by one unknown number: counters end their loops."""
    if len(value) <= MOST_LITERALS:
        return value
    literals = [atom for atom in value if isinstance(atom, Const)]
    if len(literals) <= MOST_LITERALS:
        return value
    kept = {atom: cond for atom, cond in value.items() if not isinstance(atom, Const) or atom.value is None}
    kept[Unknown("", "no", False)] = TRUE
    return kept


def _join_status(a: Status, a_path: Cond, b: Status, b_path: Cond) -> Status:
    if a == b:
        return a
    parts = []
    for x, y in zip(a, b, strict=True):
        if x == y:
            parts.append(x)
        else:
            parts.append(maybe_weaker(maybe_both(x, a_path), maybe_both(y, b_path)))
    return Status(*parts)


Name = TypeVar("Name")


def _join_named(a: Mapping[Name, Value], a_path: Cond, b: Mapping[Name, Value], b_path: Cond) -> dict[Name, Value]:
    if a is b:
        return dict(a)
    joined: dict[Name, Value] = {}
    for key, value in a.items():
        joined[key] = join_values(value, a_path, b.get(key, NOTHING), b_path)
    for key, value in b.items():
        if key not in a:
            joined[key] = join_values(NOTHING, a_path, value, b_path)
    return joined


WAY = "#way@"
"""How the keys of facts begin that tell the ways through a sequence of unknown length apart."""


def ways(path: Cond) -> Cond:
    """The facts of a path that tell on which way through a sequence it lies."""
    return frozenset(fact for fact in path if fact.key.startswith(WAY)) if path else path


def of_one_side(obj: Obj, path: Cond, way: Cond) -> Obj:
    """An object that the states of one side alone hold, for their join with others. way: ``ways(path)``.

    A tensor's node may have been made on that way alone (an in-place op on what others leave as it is): later visits on
    another way must not meet it. What else a tensor is does not change while ways part. What a node saves it saves there only.
    """
    if isinstance(obj, Node):
        return replace(obj, saved=tuple(_only_on(s, path) for s in obj.saved)) if path and obj.saved else obj
    if not way or not isinstance(obj, Tensor) or not obj.nodes:
        return obj
    nodes: dict[int, Cond] = {}
    for oid, cond in obj.nodes.items():
        own = both(cond, way)
        if own is not None:
            nodes[oid] = own
    return replace(obj, nodes=nodes)


def _only_on(saved: Saved, path: Cond) -> Saved:
    """A save that only the states on a path have."""
    cond = both(saved.cond, path)
    return saved if cond is None or cond == saved.cond else replace(saved, cond=cond)


def join_tensors(a: Tensor, pa: Cond, b: Tensor, pb: Cond) -> Tensor:
    """The least tensor that stands for both."""
    grad: Value | None = None
    if a.grad is not None and b.grad is not None:
        grad = join_values(a.grad, pa, b.grad, pb)
    return Tensor(
        made=a.made,
        made_by=a.made_by,
        storages=a.storages | b.storages,
        counters=a.counters | b.counters,
        status=_join_status(a.status, pa, b.status, pb),
        region=a.region if a.region == b.region else (),
        bases=join_maps(a.bases, pa, b.bases, pb),
        marks=join_maps(a.marks, pa, b.marks, pb),
        nodes=join_maps(a.nodes, pa, b.nodes, pb),
        expanded=a.expanded or b.expanded,
        rows=a.rows if a.rows == b.rows else None,
        expanded_dims=a.expanded_dims if a.expanded_dims == b.expanded_dims else None,
        inference=maybe_weaker(maybe_both(a.inference, pa), maybe_both(b.inference, pb)),
        dtype=a.dtype if a.dtype == b.dtype else None,
        shape=a.shape if a.shape == b.shape else None,
        contiguous=a.contiguous if a.contiguous == b.contiguous else None,
        layout=join_layouts(a.layout, b.layout),
        retains=a.retains or b.retains,
        grad=grad,
        parameter=a.parameter or b.parameter,
        assumed=a.assumed if a.assumed == b.assumed else None,
        is_array=a.is_array and b.is_array,
        refused=join_maps(a.refused, pa, b.refused, pb),
        module=a.module if a.module == b.module else None,
        from_grad=a.from_grad | b.from_grad,
    )


def _join_saved(a: Saved, pa: Cond, b: Saved, pb: Cond) -> Saved:
    return Saved(
        role=a.role,
        is_result=a.is_result,
        tensor=a.tensor,
        storages=a.storages | b.storages,
        counters=a.counters | b.counters,
        region=a.region if a.region == b.region else (),
        cond=_weaker(a.cond, pa, b.cond, pb),
        leaf=maybe_weaker(maybe_both(a.leaf, pa), maybe_both(b.leaf, pb)),
        statistics=a.statistics or b.statistics,
        through_view=a.through_view and b.through_view,
        attribute=a.attribute,
        writes=join_maps(a.writes, pa, b.writes, pb),
        silent=join_maps(a.silent, pa, b.silent, pb),
        own=join_maps(a.own, pa, b.own, pb),
        scattered=a.scattered,
    )


def _weaker(a: Cond, pa: Cond, b: Cond, pb: Cond) -> Cond:
    if a == b:
        return a
    joined = maybe_weaker(both(a, pa), both(b, pb))
    return TRUE if joined is None else joined


def _by_role(saves: Iterable[Saved]) -> dict[tuple[str, int], Saved]:
    """Saves by role and tensor. New names can make two tensors of one role the same: then either is what was saved."""
    found: dict[tuple[str, int], Saved] = {}
    for s in saves:
        mine = found.get((s.role, s.tensor))
        found[(s.role, s.tensor)] = s if mine is None or mine == s else _join_saved(mine, TRUE, s, TRUE)
    return found


def join_nodes(a: Node, pa: Cond, b: Node, pb: Cond) -> Node:
    """The least node that stands for both; saves are matched by role and tensor."""
    mine, theirs = _by_role(a.saved), _by_role(b.saved)
    saved = {key: s if key in theirs else _only_on(s, pa) for key, s in mine.items()}
    for key, s in theirs.items():
        own = mine.get(key)
        saved[key] = _only_on(s, pb) if own is None else own if own == s else _join_saved(own, pa, s, pb)
    return Node(
        place=a.place,
        op=a.op,
        name=a.name,
        edges=join_maps(a.edges, pa, b.edges, pb),
        saved=tuple(saved.values()),
        frees=a.frees or b.frees,
        calls=a.calls,
        codes=a.codes | b.codes,
        freed=join_maps(a.freed, pa, b.freed, pb),
    )


def contents(container: Container) -> Value:
    """Any element of the container."""
    joined: Value = container.rest
    for item in container.items or ():
        joined = join_values(joined, TRUE, item, TRUE)
    for item in (container.entries or {}).values():
        joined = join_values(joined, TRUE, item, TRUE)
    return joined


def order_of(container: Container) -> Order | None:
    """What may follow what in a list or tuple, or among the values of a dict, as far as it is known."""
    if container.kind == "dict":
        return container.order if container.rest else sequences.of((container.entries or {}).values())
    if container.kind == "set" or (container.rest and container.items is not None):
        return None
    return container.order if container.items is None else sequences.of(container.items)


def sequence(kind: ContainerKind, order: Order | None, rest: Value) -> Container:
    """A container of unknown length, with what is known of its order: what has no place in it is no element any more."""
    if order is not None:
        placed = set(order.elements())
        rest = {atom: cond for atom, cond in rest.items() if atom in placed}
    return Container(kind, None, None, rest, None, order)


def _join_containers(a: Container, pa: Cond, b: Container, pb: Cond) -> Obj:
    if a.kind != b.kind:
        return Opaque()
    rest = join_values(a.rest, pa, b.rest, pb)
    default = a.default if a.default == b.default else None
    if a.kind == "dict":
        if a.entries is None or b.entries is None:
            return Container("dict", None, None, join_values(contents(a), pa, contents(b), pb), default)
        order = sequences.joined(order_of(a), pa, order_of(b), pb) if rest else None
        return Container("dict", (), _join_named(a.entries, pa, b.entries, pb), rest, default, order)
    if a.items is not None and b.items is not None and len(a.items) == len(b.items):
        items = tuple(join_values(x, pa, y, pb) for x, y in zip(a.items, b.items, strict=True))
        return Container(a.kind, items, None, rest, default)
    order = sequences.joined(order_of(a), pa, order_of(b), pb)
    return Container(a.kind, None, None, join_values(contents(a), pa, contents(b), pb), default, order)


def join_objects(a: Obj, a_path: Cond, b: Obj, b_path: Cond) -> Obj:
    """The least object that stands for both."""
    if a is b or a == b:
        return a
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return join_tensors(a, a_path, b, b_path)
    if isinstance(a, Node) and isinstance(b, Node):
        return join_nodes(a, a_path, b, b_path)
    if isinstance(a, Container) and isinstance(b, Container):
        return _join_containers(a, a_path, b, b_path)
    if isinstance(a, Instance) and isinstance(b, Instance) and a.cls == b.cls:
        attrs = _join_named(a.attrs, a_path, b.attrs, b_path)
        config = _join_named(a.config, a_path, b.config, b_path)
        return Instance(a.cls, attrs, a.made, config, a.tag)
    if isinstance(a, Frame) and isinstance(b, Frame):
        return Frame(_join_named(a.names, a_path, b.names, b_path), a.parent)
    if isinstance(a, Function) and isinstance(b, Function) and a.code is b.code:
        return replace(a, defaults=_join_named(a.defaults, a_path, b.defaults, b_path))
    if isinstance(a, Class) and isinstance(b, Class) and a.code is b.code:
        attrs = _join_named(a.attrs, a_path, b.attrs, b_path)
        return Class(a.name, a.qualname, a.bases, attrs, a.fields, a.code, a.dataclass, a.module)
    return Opaque()


def mentions(obj: Obj) -> Mentions:
    """What an object mentions; the object keeps the answer."""
    found = obj.noted
    if found is None:
        found = _mentions(obj)
        object.__setattr__(obj, "noted", found)
    return found


def reachable_from(obj: Obj) -> frozenset[int]:
    """The heap objects (and storages and counters, whose numbers stay taken) that ``obj`` mentions."""
    return mentions(obj).ids


def _values_of(obj: Obj) -> Iterable[Value]:
    if isinstance(obj, Tensor):
        return () if obj.grad is None else (obj.grad,)
    if isinstance(obj, Container):
        return (*(obj.items or ()), *(obj.entries or {}).values(), obj.rest, obj.default or NOTHING)
    if isinstance(obj, Function):
        return obj.defaults.values()
    if isinstance(obj, Class):
        return (*obj.bases, *obj.attrs.values())
    if isinstance(obj, Instance):
        return (*obj.attrs.values(), *obj.config.values())
    if isinstance(obj, Frame):
        return obj.names.values()
    return ()


def _mentions(obj: Obj) -> Mentions:
    ids: set[int] = set()
    tags: set[str] = set()
    conditions: set[Cond] = set()
    for value in _values_of(obj):
        conditions.update(value.values())
        for atom in value:
            if isinstance(atom, int):
                ids.add(atom)
            elif isinstance(atom, Unknown):
                tags.add(atom.tag)
            elif not isinstance(atom, (Const, Sym, Imported, SliceAtom)):
                ids.update(references({atom: TRUE}))
                tags.update(unknown_tags(atom))
    if isinstance(obj, Container) and obj.order is not None:
        conditions.update(obj.order.edges.values())
    if isinstance(obj, Tensor):
        ids.update(obj.bases, obj.nodes, obj.storages, obj.counters, obj.from_grad)
        if obj.module is not None:
            ids.add(obj.module)
        conditions.update(c for c in (*obj.status, obj.inference) if c)
        for record in (obj.bases, obj.marks, obj.nodes, obj.refused):
            conditions.update(record.values())
    elif isinstance(obj, Node):
        ids.update(obj.edges)
        conditions.update(obj.edges.values(), obj.freed.values())
        for saved in obj.saved:
            ids.add(saved.tensor)
            ids.update(saved.storages, saved.counters)
            conditions.update(saved.writes.values(), saved.silent.values(), saved.own.values())
            conditions.update((saved.cond, saved.leaf or TRUE))
    elif isinstance(obj, Function):
        ids.update(n for n in (obj.module, obj.frame, obj.owner) if n is not None)
    elif isinstance(obj, Instance) and isinstance(obj.cls, int):
        ids.add(obj.cls)
    elif isinstance(obj, Frame) and obj.parent is not None:
        ids.add(obj.parent)
    facts = {fact.key for cond in conditions for fact in cond}
    facts.update(part.key for cond in conditions for fact in cond if fact.parts for part in fact.parts)
    return Mentions(frozenset(ids), frozenset(tags), frozenset(facts))


def nodes_of(tensor: Tensor) -> Iterator[tuple[int, Cond]]:
    """The graph nodes that made a tensor, each with when it did and the tensor requires grad."""
    if tensor.status.interior is not None:
        for node, cond in tensor.nodes.items():
            together = both(cond, tensor.status.interior)
            if together is not None:
                yield node, together


def in_next_round(node: Node) -> Node:
    """The node with the backwards of a round that ended apart from those of the next: an origin below zero."""
    found: dict[Place, Cond] = {}
    for (file, origin), cond in node.freed.items():
        add_to(found, (file, -abs(origin)), cond)
    return replace(node, freed=found)
