"""Networks and optimizers of which only their use is known.

An unknown that has ``parameters()`` is a network, and saves its weights when it is called. One tensor stands for all of
them. A part of it (``model.encoder``) that is used as a network of its own has a stand-in too; a call of either may save
both. An unknown with ``zero_grad()`` and ``step()`` is an optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from inplace_lint.domain.conditions import TRUE, Cond, Fact, add_to, both
from inplace_lint.domain.objects import CONSTANT, LEAF, Container, Instance, Node, Place, Saved, Tensor, contents
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, Atom, Const, Unknown, Value, const, constant_of, one
from inplace_lint.events import Event, SavedOverwritten
from inplace_lint.interp import attributes, module_tree, modules, optimizers, put_into
from inplace_lint.interp.autograd import WriteInfo, bump, edges_of, grad_mode, requires, save
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.filled_grads import clear_grad
from inplace_lint.interp.keys import EITHER
from inplace_lint.interp.machine import Machine, Pending
from inplace_lint.interp.parts import DEEPEST, outwards
from inplace_lint.interp.registry import CallSite

THE_SAME = frozenset(
    {"to", "cuda", "cpu", "float", "double", "half", "bfloat16", "share_memory", "to_empty", "xpu", "requires_grad_"}
)
"""Methods of modules that return the module itself, and that tensors have as well."""
ONLY_NETWORKS = frozenset({"train", "eval", "modules", "named_modules"})
"""Methods by which an unknown shows itself as a network, called as modules are: without arguments, or with a flag."""


METHODS = THE_SAME | ONLY_NETWORKS | {"parameters", "named_parameters"}
"""Methods of modules that say something of an unknown, or hand it on."""
MOST_ARGUMENTS = 8
"""How many elements of one container are looked at where it is an argument of an unknown network."""
NO_COMPUTATION = frozenset({"state_dict", "buffers", "named_buffers", "extra_repr", "get_extra_state"})
"""Methods of every module whose results need no grad."""
BY_METHOD = "a method of the network"
"""What nodes are called that a method of an unknown network made."""


def parameters_of_unknown(m: Machine, state: State, atom: Unknown) -> int:
    """One tensor that stands for all parameters of an unknown network."""
    oid = m.named_oid("parameters", atom.tag)
    if oid not in state.heap:
        # `requires_grad_(False)` says nothing of what it is called on, which was taken for a tensor then.
        before = m.known_tensor(state, atom)
        frozen = before is not None and (tensor := state.tensor(before)) is not None and tensor.status == CONSTANT
        state.heap[oid] = Tensor(
            (m.file, -1),
            "parameters",
            frozenset({oid}),
            frozenset({oid}),
            status=CONSTANT if frozen else LEAF,
            dtype="float32",
            parameter=True,
            grad=NONE,
        )
        for whole in _wholes(m, atom):
            m.network_parts.setdefault(whole.tag, set()).add(atom.tag)
    return oid


def _wholes(m: Machine, atom: Unknown) -> list[Unknown]:
    """What an unknown is an attribute of, innermost first."""
    found: list[Unknown] = []
    while atom.tag in m.attribute_of and len(found) < 4:
        atom = m.attribute_of[atom.tag][0]
        found.append(atom)
    return found


def stand_ins(m: Machine, state: State, atom: Unknown) -> list[int]:
    """The tensors that stand for parameters of an unknown network: its own, its parts' and those of what it is part of."""
    wholes = [whole.tag for whole in _wholes(m, atom)]
    if not m.grounds.refuted.isdisjoint((atom.tag, *wholes)):
        return []  # a dict that lies in a network, say
    tags = [atom.tag, *wholes, *sorted(m.network_parts.get(atom.tag, ()))]
    return [oid for tag in tags if (oid := m.named_oid("parameters", tag)) in state.heap] or _given(m, state, atom)


def _given(m: Machine, state: State, atom: Unknown) -> list[int]:
    """The parameters that the call which made an unknown was given: a wrapper's are those of what it wraps."""
    for whole in outwards(m.part_of, atom):  # ``engine, optimizer = initialize(model)``
        given = state.heap.get(m.named_oid("given", whole.tag))
        if isinstance(given, Container):
            return [oid for oid in given.rest if isinstance(oid, int)]
    return []


def is_network(m: Machine, state: State, atom: Unknown) -> bool:
    """Whether an unknown was used as a network before."""
    return bool(atom.tag) and m.named_oid("parameters", atom.tag) in state.heap


def is_part(m: Machine, state: State, atom: Unknown | None) -> bool:
    """Whether an unknown, or what it was taken out of, was used as a network before: ``model.encoder.layer[3]``."""
    seen: set[str] = set()  # of older rounds the tags may go round
    while atom is not None and atom.tag and atom.tag not in seen:
        if is_network(m, state, atom):
            return True
        seen.add(atom.tag)
        atom = m.part_of.get(atom.tag.rstrip("~"))
    return False


def unknown_network_method(engine: Engine, state: State, receiver: Unknown, name: str, site: CallSite) -> Any:
    """Methods by which an unknown shows itself as a network: ``parameters()``, ``train()``, ``to()``."""
    m = engine.m
    if not receiver.tag:
        return NotImplemented
    if name in ("parameters", "named_parameters"):
        if not _given(m, state, receiver):
            parameters_of_unknown(m, state, receiver)
        own = [one(oid) for oid in stand_ins(m, state, receiver) if not _belongs_above(m, receiver, oid)]
        values = []
        for number, parameter in enumerate(own):
            if name == "named_parameters":
                pair = Container("tuple", (ANYTHING, parameter))
                parameter = one(state.allocate(m.oid(site.place[1], f"named {number}"), pair))
            values.append(parameter)
        rest = {atom: cond for value in values for atom, cond in value.items()}
        box = Container("generator", None, None, rest)
        return one(state.allocate(m.oid(site.place[1], "parameters"), box))
    if name in ONLY_NETWORKS and all(_is_flag(atom) for value in _arguments(site) for atom in value):
        if not _given(m, state, receiver):
            parameters_of_unknown(m, state, receiver)
        return one(receiver) if name in ("train", "eval") else NotImplemented
    if is_network(m, state, receiver):
        _to_parameters(engine, state, receiver, name, site)
    if name in THE_SAME:
        return one(receiver)
    if name in NO_COMPUTATION and (name == "state_dict" or is_network(m, state, receiver)):
        return {m.fresh(state, site.place[1], f"result of {name}", "no", name == "state_dict"): TRUE}
    if name in ("forward", "__call__"):
        return call_unknown(engine, state, receiver, site.positional, site.named, site.place)
    return NotImplemented


def _belongs_above(m: Machine, receiver: Unknown, oid: int) -> bool:
    return any(m.named_oid("parameters", whole.tag) == oid for whole in _wholes(m, receiver))


def _is_flag(atom: Atom) -> bool:
    return isinstance(atom, Const) and isinstance(atom.value, bool)


def _arguments(site: CallSite) -> list[Value]:
    return [*site.positional, *site.named.values()]


def _to_parameters(engine: Engine, state: State, receiver: Unknown, name: str, site: CallSite) -> None:
    """What a module's method does to the parameters of an unknown network."""
    m = engine.m
    for oid in stand_ins(m, state, receiver):
        if name == "zero_grad":
            if constant_of(site.argument(0, "set_to_none"), True) is not False:
                clear_grad(state, oid)
        elif name == "load_state_dict":
            bump(m, state, oid, TRUE, WriteInfo(site.place, "call", name, None), False)
        elif name == "requires_grad_":
            flag = site.argument(0, "requires_grad") or const(True)
            attributes.set_requires_grad(engine, state, oid, flag, TRUE)


def call_unknown(
    engine: Engine,
    state: State,
    callee: Unknown,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    target: str | None = None,
    module: str | None = None,
    hoped: bool = False,
) -> Value:
    """Call an unknown. If it is known to have parameters it is a network: its weights are saved (two layers at least).

    ``target`` is how the source names it; so is ``module``, of one that may have parameters of which nothing was seen.
    hoped: as ``unknown_function`` says.
    """
    m = engine.m
    weights = stand_ins(m, state, callee)
    own = m.named_oid("parameters", callee.tag) in state.heap
    values = [*positional, *named.values()]
    put_into.given_away(m, state, values)
    if not weights:
        if callee.grad == "likely":
            return modules.likely(engine, state, values, place, "call")
        return unknown_function(engine, state, values, place, module, hoped)
    if grad_mode(state) is None:
        return {m.fresh(state, place[1], "network result", "no"): TRUE}
    atom = m.fresh(state, place[1], "network result", "likely")
    made = m.materialise(state, atom)
    if made is None:
        return {atom: TRUE}
    word = f"`{target}`" if target and callee.tag.startswith("#") else m.describe(callee.tag)
    network: Cond = frozenset({Fact(f"network {callee.tag}", True, f"{word} is a network of two layers or more", True)})
    saved = []
    edges: dict[int, Cond] = {}
    for parameter in weights:
        tensor = state.tensor(parameter)
        if tensor is None:
            continue
        saved.append(save(m, state, parameter, tensor, "weight", False, network, "network", place))
        if tensor.status.leaf is not None:
            edges[parameter] = tensor.status.leaf
    # A state that the network's own method made (``init_hidden``) is taken to have no graph that matters here.
    edges.update((e, c) for e, c in _edges(engine, state, values).items() if not _by_method(state.heap.get(e)))
    codes = frozenset(code.qualname + "@" + code.file for code in m.codes)
    word = "the network" if own or callee.tag not in m.attribute_of else BY_METHOD
    node = Node(place, word, None, edges, tuple(saved), True, m.calls, codes)
    number = state.allocate(m.oid(place[1], f"network node {callee.tag}"), node)
    # What went in gets its gradient whatever the network is made of.
    through = replace(node, saved=(), frees=False)
    passed = state.allocate(m.oid(place[1], f"through network {callee.tag}"), through)
    tensor_made = state.tensor(made)
    if tensor_made is not None:
        state.heap[made] = replace(tensor_made, nodes={number: network, passed: TRUE})
    return {atom: TRUE}


def _by_method(node: object) -> bool:
    return isinstance(node, Node) and node.op == BY_METHOD


def _edges(engine: Engine, state: State, values: list[Value], known: bool = False) -> dict[int, Cond]:
    """The graph nodes and leaves that gradients for arguments flow to; ``known``: of those that are surely tensors."""
    edges: dict[int, Cond] = {}
    for value in (*values, *_inside(state, values)):
        for oid, tensor, cond in engine.m.tensors(state, value, known):
            for edge, own in edges_of(state, oid, tensor).items():
                together = both(own, cond)
                if together is not None:
                    add_to(edges, edge, together)
    return edges


def _inside(state: State, values: Iterable[Value], depth: int = 3) -> Iterator[Value]:
    """What lies in tuples and lists among the arguments and was made by something that is trained: ``model((x, (h, c)))``."""
    for value in values if depth else ():
        for atom in value:
            box = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(box, Container) and box.items and len(box.items) <= MOST_ARGUMENTS:
                for item in box.items:
                    made = {a: c for a, c in item.items() if not isinstance(a, Unknown) or a.grad == "likely"}
                    if made:
                        yield made
                yield from _inside(state, box.items, depth - 1)


def unknown_function(
    engine: Engine, state: State, values: list[Value], place: Place, module: str | None = None, hoped: bool = False
) -> Value:
    """The result of an unknown function: if it requires grad, its graph comes from the arguments that do.

    That it does is an assumption, until ``backward()`` is called on it. module: how a callee is spelled that may have
    parameters. hoped: so little speaks for it that only a backward makes it worth a word.
    """
    m = engine.m
    put_into.given_away(m, state, values)
    # What is made where grad mode is off needs no grad, whatever goes in.
    touched = grad_mode(state) is not None and (
        module is not None
        or any(
            requires(state, t) is not None
            for v in values
            for _, t, _ in m.tensors(state, v, True)
            if not t.assumed or t.nodes
        )
    )
    atom = m.fresh(state, place[1], "result", "assume" if touched else "no")
    if module is not None:
        m.callees[atom.tag] = module
        m.materialise(state, atom)
        if hoped:
            m.grounds.hoped.add(atom.tag)
    # What an unknown function is given is no tensor for that: numbers are handed on as well.
    edges = _edges(engine, state, values, True) if touched else {}
    if edges:
        made = m.materialise(state, atom)
        tensor = None if made is None else state.tensor(made)
        if made is not None and tensor is not None:
            saved = _what_it_may_save(m, state, values, place) if m.assumed.unknown_calls_save else ()
            node = Node(place, "call", None, edges, saved, False, m.calls, frozenset())
            number = state.allocate(m.oid(place[1], "node of call"), node)
            state.heap[made] = replace(tensor, nodes={number: TRUE})
    return {atom: TRUE}


def _what_it_may_save(m: Machine, state: State, values: list[Value], place: Place) -> tuple[Saved, ...]:
    """Every argument, under the stated assumption that the call saves them."""
    fact = frozenset({Fact(f"saves {place}", True, "an unknown call saves its arguments", True)})
    return tuple(
        save(m, state, oid, tensor, "argument", False, together, "call", place)
        for value in values
        for oid, tensor, cond in m.tensors(state, value)
        if (together := both(cond, fact)) is not None
    )


# --- optimizers of which only their use is known ---


def remember_given(engine: Engine, state: State, result: Value, values: list[Value]) -> None:
    """Remember the parameters that an unknown call was given: what it returns may be an optimizer that holds them."""
    m = engine.m
    found: dict[Atom, Cond] = {}
    for value in values:
        for atom, cond in _parameters_in(engine, state, value, 0):
            add_to(found, atom, cond)
    only = next(iter(result)) if len(result) == 1 else None
    if found and isinstance(only, Unknown) and only.tag:
        state.heap[m.named_oid("given", only.tag)] = Container("tuple", None, None, found)


def _parameters_in(engine: Engine, state: State, value: Value, depth: int) -> Iterator[tuple[int, Cond]]:
    m = engine.m
    for atom, cond in value.items():
        if isinstance(atom, Unknown) and atom.tag:
            stand_in = m.named_oid("parameters", atom.tag)
            if stand_in in state.heap:
                yield stand_in, cond
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Tensor) and thing.parameter and isinstance(atom, int):
            yield atom, cond
        elif isinstance(thing, Container) and depth < DEEPEST:
            yield from _parameters_in(engine, state, contents(thing), depth + 1)
        elif isinstance(thing, Instance) and isinstance(atom, int):
            for _, parameters in module_tree.parameters(m, state, atom):
                for parameter in parameters:
                    if isinstance(parameter, int):
                        yield parameter, cond


def unknown_optimizer_method(engine: Engine, state: State, receiver: Unknown, name: str, site: CallSite) -> Any:
    """``zero_grad()`` shows that an unknown is an optimizer (or a network); ``step()`` is then that of an optimizer.

    It holds the parameters that the call which made it was given; where nobody saw it made, those of the only
    network in sight, or of either of two. All of it is said as an assumption.
    """
    m = engine.m
    whole = m.attribute_of[receiver.tag][0] if receiver.tag in m.attribute_of else None
    if name == "zero_grad":
        m.zeroed.add(receiver.tag)
        if whole is not None and whole.tag:
            parameters_of_unknown(m, state, whole)  # ``self.critic.optimizer``: who has an optimizer has parameters
        return NotImplemented
    if name != "step" or receiver.tag not in m.zeroed or len(site.positional) > 1:
        return NotImplemented
    m.steps += 1
    given = _given(m, state, receiver)
    named = (site.target or "").removesuffix(".step")
    word = f"`{named}`" if named and receiver.tag.startswith("#") else m.describe(receiver.tag)
    if whole is not None and is_network(m, state, whole):
        what = f"{word} is the optimizer of {m.describe(whole.tag)}"
        held = {
            oid: frozenset({Fact(f"optimizer {receiver.tag}", True, what, True)}) for oid in stand_ins(m, state, whole)
        }
    elif given:
        what = f"{word} is an optimizer of the parameters it is given"
        held = {oid: frozenset({Fact(f"optimizer {receiver.tag}", True, what, True)}) for oid in given}
    else:
        held = _trained_networks(
            engine, state, receiver.tag, f"{word} is the optimizer of a network that is trained here"
        )
    info = WriteInfo(site.place, "step", "step", site.target)
    for parameter, cond in held.items():
        optimizers.write_parameter(engine, state, parameter, cond, info)
    return {m.fresh(state, site.place[1], "result of step", "no", False): TRUE}


def _trained_networks(engine: Engine, state: State, tag: str, what: str) -> dict[int, Cond]:
    """What an optimizer that nobody saw made may hold: the one unknown network that has gradients, or either of two."""
    found = sorted(
        (
            oid
            for oid, thing in state.heap.items()
            if isinstance(thing, Tensor)
            and thing.parameter
            and any(not (isinstance(atom, Const) and atom.value is None) for atom in thing.grad or ())
        ),
        key=abs,
    )
    tensors = [state.tensor(oid) for oid in found]
    if any(tensor is None or tensor.made_by != "parameters" for tensor in tensors):
        return {}
    if len(found) == 1:
        return {found[0]: frozenset({Fact(f"optimizer {tag}", True, what, True)})}
    if len(found) == 2:
        pairs = zip(found, (True, False), strict=True)
        return {oid: frozenset({Fact(f"{EITHER}{tag}", first, what, True)}) for oid, first in pairs}
    return {}


def settled(pending: list[Pending]) -> list[Pending]:
    """The events without those that hang on which of two networks an optimizer holds: they stay only if they come either way."""
    kept: list[Pending] = []
    for one_of in pending:
        choices = {(fact.key, fact.value) for fact in one_of.cond if fact.key.startswith(EITHER)}
        others = [
            {(fact.key, fact.value) for fact in other.cond if fact.key.startswith(EITHER)}
            for other in pending
            if choices and _same_place(one_of.event, other.event)
        ]
        if all(any((key, not value) in other for other in others) for key, value in choices) and not (
            choices and any(_same_place(one_of.event, other.event) for other in kept)
        ):
            kept.append(one_of)
    return kept


def _same_place(a: Event, b: Event) -> bool:
    if not isinstance(a, SavedOverwritten) or not isinstance(b, SavedOverwritten):
        return False
    return a.write.site == b.write.site and a.backward_site == b.backward_site
