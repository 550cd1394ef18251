"""``nn.Module``: construction, calls and methods of torch's own module classes and of classes derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both
from inplace_lint.domain.objects import (
    CONSTANT,
    LEAF,
    Container,
    Function,
    Instance,
    Node,
    Place,
    Tensor,
    contents,
    order_of,
    sequence,
)
from inplace_lint.domain.sequences import Walk
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    Const,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    one,
    under,
    union,
)
from inplace_lint.interp import (
    belonging,
    calls,
    classes,
    functions,
    instances,
    iteration,
    networks,
    optimizers,
    put_into,
)
from inplace_lint.interp.autograd import edges_of, grad_mode
from inplace_lint.interp.binding import Arguments, literal
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.keys import seats
from inplace_lint.interp.machine import RECURSION, Machine
from inplace_lint.interp.ops import OpCall, adopt, call_op
from inplace_lint.interp.registry import METHODS, CallSite
from inplace_lint.interp.walking import follow, walk_of
from inplace_lint.opmodel.schema import REQUIRED, ModuleOp, Param

SEQUENTIAL = "torch.nn.Sequential"
CONTAINERS = frozenset(
    {
        SEQUENTIAL,
        "torch.nn.ModuleList",
        "torch.nn.ModuleDict",
        "torch.nn.ParameterList",
        "torch.nn.ParameterDict",
    }
)
HOOKS = frozenset({"*hooks before", "*hooks after", "*hooks backward"})
"""Attributes under which a module's hooks are kept."""
MOST_STEPS = 24
"""Modules of one Sequential that are run one by one where their number is not known."""
HELD = -1_000_002
"""The register that keeps a value alive while modules run one after another."""


def container_of(state: State, instance: Instance) -> str | None:
    """Which of torch's container classes an instance is, if any."""
    for atom in classes.order(state, instance.cls):
        if isinstance(atom, Sym) and atom.path in CONTAINERS:
            return atom.path
    return None


def items_of(state: State, instance: Instance) -> Container | None:
    """The container behind a ModuleList, ModuleDict, Sequential ..., or None."""
    for atom in instance.attrs.get("*items", NOTHING):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            return box
    return None


# --- construction ---


def make(engine: Engine, state: State, path: str, site: CallSite) -> Value:
    """An instance of one of torch's module classes."""
    m = engine.m
    oid = m.oid(site.place[1], f"module {path}")
    if oid in state.heap:
        state.age(oid)
    state.heap[oid] = Instance(Sym(path), {}, site.place)
    initialise(engine, state, oid, path, site)
    return one(oid)


def initialise(engine: Engine, state: State, oid: int, path: str, site: CallSite) -> None:
    """What ``__init__`` of a torch module class does to an instance (of it or of a class derived from it)."""
    m = engine.m
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return
    if path in CONTAINERS:
        _fill_container(engine, state, oid, instance, path, site)
        return
    if optimizers.is_optimizer(engine, path):
        optimizers.initialise(engine, state, oid, path, site)
        return
    row = m.model.module(path)
    if row is None:
        return
    config = bind_constructor(row.init, site)
    attrs = dict(instance.attrs)
    for name, switch in row.parameters:
        if switch is not None and constant_of(config.get(switch, ANYTHING)) in (False, None):
            attrs[name] = NONE
            continue
        attrs[name] = one(_parameter(m, state, oid, name, instance.made, LEAF))
    for name in row.buffers:
        attrs[name] = one(_parameter(m, state, oid, name, instance.made, CONSTANT))
    state.put(oid, replace(instance, attrs=attrs, config={**instance.config, **config}))


def _parameter(m: Machine, state: State, owner: int, name: str, made: Place, status: Any) -> int:
    oid = m.named_oid("parameter", owner, name)
    tensor = Tensor(
        made,
        name,
        frozenset({oid}),
        frozenset({oid}),
        status=status,
        dtype="float32",
        parameter=status is LEAF,
        grad=NONE if status is LEAF else None,
    )
    return state.allocate(oid, tensor)


def bind_constructor(init: tuple[Param, ...], site: CallSite) -> dict[str, Value]:
    """Constructor arguments by name, defaults filled in; what cannot be known is unknown."""
    config: dict[str, Value] = {}
    rest = list(site.positional)
    for param in init:
        if rest and not param.keyword_only and not param.star:
            config[param.name] = rest.pop(0)
        elif param.name in site.named:
            config[param.name] = site.named[param.name]
        elif param.default is not REQUIRED and param.default is not ...:
            config[param.name] = const(param.default)
        else:
            config[param.name] = ANYTHING
    return config


def _fill_container(engine: Engine, state: State, oid: int, instance: Instance, path: str, site: CallSite) -> None:
    m = engine.m
    box: Container
    if path.endswith("Dict"):
        box = Container("dict", (), {}, NOTHING)
        for atom in site.positional[0] if site.positional else NOTHING:
            inner = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(inner, Container) and inner.kind == "dict":
                box = inner
            elif isinstance(inner, Container):
                box = Container("dict", (), None, contents(inner))
    elif path == SEQUENTIAL and site.positional:
        ordered = state.heap.get(next(iter(site.positional[0]))) if len(site.positional[0]) == 1 else None  # type: ignore[arg-type]
        if isinstance(ordered, Container) and len(site.positional) == 1:
            if ordered.kind == "dict" and ordered.entries is not None and not ordered.rest:
                box = Container("list", tuple(ordered.entries.values()), None, ordered.rest)
            else:
                box = sequence("list", order_of(ordered), contents(ordered))
        elif site.spread is not None:
            box = replace(site.spread.after(site.positional, 0), kind="list")
        else:
            box = Container("list", tuple(site.positional))
    elif (given := site.argument(0, "modules" if path.endswith("List") else "values")) is not None and given != NONE:
        inner_elements = iteration.elements(engine, state, site.flow, given, site.place)
        exact = inner_elements.exact
        any_, order = inner_elements.any, inner_elements.order
        box = Container("list", tuple(exact)) if exact is not None else sequence("list", order, any_)
    else:
        box = Container("list", ())
    if path == SEQUENTIAL or path.startswith("torch.nn.Module"):
        for member in (*(box.items or ()), *(box.entries or {}).values(), box.rest):
            for atom in member:
                if isinstance(atom, Unknown) and atom.tag:
                    networks.parameters_of_unknown(m, state, atom)  # members of these are modules, whoever made them
    items = state.allocate(m.named_oid("items", oid), box)
    state.put(oid, replace(instance, attrs={**instance.attrs, "*items": one(items)}))


# --- calls ---


def call_instance(
    engine: Engine,
    state: State,
    flow: Flow,
    oid: int,
    instance: Instance,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    target: str | None = None,
    own_call: bool = True,
    hooked: bool = True,
) -> Value | None:
    """``instance(...)``: its ``forward`` or ``__call__``, of the source or of torch; hooks are for calls alone."""
    if "*compiled" in instance.attrs:
        engine.m.compiled.add(place)
    if hooked and not HOOKS.isdisjoint(instance.attrs):
        from inplace_lint.interp import hooks

        return hooks.call(engine, state, flow, oid, positional, named, place, target, own_call)
    if isinstance(instance.cls, int):
        for name in ("forward", "__call__"):
            found = classes.lookup(state, instance.cls, name)
            if found is not None and (name == "__call__" or classes.is_module(state, instance.cls)):
                for atom in found:
                    function = state.heap.get(atom) if isinstance(atom, int) else None
                    if isinstance(function, Function) and isinstance(atom, int):
                        args = [belonging.receiver(engine.m, state, oid), *positional]
                        return functions.call(engine, state, flow, atom, function, args, named, place)
    path = classes.outside_base(state, instance.cls)
    site = CallSite(place, flow, positional, dict(named), target)
    if path is not None:
        return builtin_forward(engine, state, oid, instance, path, site, own_call)
    return instances.call_outside(engine, state, oid, instance, site)


def builtin_forward(
    engine: Engine, state: State, oid: int, instance: Instance, path: str, site: CallSite, own_call: bool
) -> Value | None:
    """The forward of a torch module class."""
    m = engine.m
    if path == SEQUENTIAL or container_of(state, instance) == SEQUENTIAL:
        return _run_sequential(engine, state, instance, site)
    row = m.model.module(path)
    if row is None:
        value = instances.call_outside(engine, state, oid, instance, site)
        return value if value is not None else likely(engine, state, site.positional, site.place, "module")
    return run_row(engine, state, oid, instance, row, site, own_call)


FIRST = "batch_first"
"""The setting of a module that says which dimension of its input is the batch."""


def run_row(
    engine: Engine, state: State, oid: int, instance: Instance, row: ModuleOp, site: CallSite, own_call: bool
) -> Value | None:
    """Apply a module's row: parameters named ``self.x`` are its own tensors, its settings choose the variant."""
    seat = belonging.met(engine.m, state, oid, TRUE) if engine.m.loops_of.get(abs(oid)) else TRUE
    held = {name: instance.attrs.get(name, NONE) for name in (*(name for name, _ in row.parameters), *row.buffers)}
    own = {f"self.{name}": belonging.held_by(engine.m, oid, value, seat) for name, value in held.items()}
    settings: dict[str, object] = {"training": constant_of(instance.attrs.get("training", const(True)))}
    for name, value in instance.config.items():
        if not name.startswith("*"):
            settings[name] = literal(state, value)
            settings |= _of_inner(state, name, value)
    flag = instance.made
    marked = instance.config.get("*flag")
    if marked is not None and isinstance(place := constant_of(marked), tuple):
        flag = place  # where a loop switched ``inplace`` on
    where = site.place if own_call else instance.made
    call = OpCall(
        where,
        row.name,
        "module",
        row.name,
        None,
        flag if own_call else site.place,
        tag=f"forward {row.name} {engine.m.alternative}",
    )
    arguments = Arguments(site.positional, site.named, own, settings)
    result = _with_unknown_inplace(engine, state, instance, row, arguments, call)
    if result is None:
        return likely(engine, state, site.positional, site.place, row.name)
    return result


def _of_inner(state: State, name: str, value: Value) -> dict[str, object]:
    """What a module does as the one that it was built from (``TransformerEncoder(layer, 6)``): whether batches come first."""
    boxes = [state.heap.get(atom) for atom in value if isinstance(atom, int)]
    found = [literal(state, box.config[FIRST]) for box in boxes if isinstance(box, Instance) and FIRST in box.config]
    if not found or len(found) < len(value):
        return {}
    return {f"{name}.{FIRST}": found[0] if all(one == found[0] for one in found) else ...}


def _with_unknown_inplace(
    engine: Engine,
    state: State,
    instance: Instance,
    row: ModuleOp,
    arguments: Arguments,
    call: OpCall,
    settings_chosen: frozenset[str] = frozenset(),
) -> Value | None:
    """Apply the row; where ``inplace`` is no literal, both ways, each under the facts that choose it."""
    settings = dict(arguments.settings or {})
    numbers = {name for variant in row.variants for name, wanted in variant.when if not isinstance(wanted, bool)}
    for name in sorted(numbers):
        value = instance.config.get(name, NOTHING)
        if len(value) > 1 and settings.get(name) is ... and name not in settings_chosen:
            return _for_each(engine, state, instance, row, arguments, call, name, value, settings_chosen)
    flag = instance.config.get("inplace")
    if flag is None or settings.get("inplace") is not ...:
        return call_op(engine, state, row.variants, arguments, call)
    yes, no = engine.truth(state, flag)
    values: list[Value] = []
    ends: list[State] = []
    outer = state.path
    for cond, answer in ((yes, True), (no, False)):
        if cond is None:
            continue
        if answer and no is not None and not any(fact.text for fact in cond):
            continue  # nothing is known of the flag, not even whose choice it is: it is taken to be off, the default
        path = both(outer, cond)
        if path is None:
            continue
        side = state.copy()
        side.path = path
        adjusted = replace_settings(arguments, {**settings, "inplace": answer})
        result = call_op(engine, side, row.variants, adjusted, replace(call, tag=f"{call.tag} {answer}"))
        if result is not None:
            values.append(under(result, cond))
            ends.append(side)
    if not ends:
        return None
    joined = ends[0] if len(ends) == 1 else ends[0].join(ends[1])
    adopt(state, joined)
    state.path = outer
    return union(values)


def _for_each(
    engine: Engine,
    state: State,
    instance: Instance,
    row: ModuleOp,
    arguments: Arguments,
    call: OpCall,
    name: str,
    value: Value,
    chosen: frozenset[str],
) -> Value | None:
    """Apply a row for everything that a setting may be, each under its facts."""
    outer = state.path
    values: list[Value] = []
    ends: list[State] = []
    for number, (atom, cond) in enumerate(value.items()):
        path = both(outer, cond)
        if path is None:
            continue
        side = state.copy()
        side.path = path
        chosen_value = atom.value if isinstance(atom, Const) else ...
        adjusted = replace_settings(arguments, {**(arguments.settings or {}), name: chosen_value})
        tagged = replace(call, tag=f"{call.tag} {name} {number}")
        result = _with_unknown_inplace(engine, side, instance, row, adjusted, tagged, chosen | {name})
        if result is not None:
            values.append(under(result, cond))
            ends.append(side)
    if not ends:
        return None
    joined = ends[0]
    for end in ends[1:]:
        joined = joined.join(end)
    adopt(state, joined)
    state.path = outer
    return union(values)


def replace_settings(arguments: Arguments, settings: Mapping[str, object]) -> Arguments:
    """The same arguments with other settings."""
    return Arguments(arguments.positional, arguments.named, arguments.own, settings)


def _run_sequential(engine: Engine, state: State, instance: Instance, site: CallSite) -> Value | None:
    box = items_of(state, instance)
    steps_around = sum(isinstance(part, tuple) and part[0] == "step" and part[2] == site.place for part in engine.m.ctx)
    if box is None or not site.positional or steps_around > RECURSION:
        # Of many that a loop made only their summary is known, which may hold itself.
        return likely(engine, state, site.positional, site.place, "module")
    value = site.positional[0]
    visits = walk_of(box.order, MOST_STEPS)
    if visits is not None:
        return _follow_sequential(engine, state, visits, value, site)
    steps = [contents(box)] * 2 if box.items is None else list(box.items)
    m = engine.m
    outer = m.ctx
    for number, step in enumerate(steps):
        m.ctx = (*outer, ("step", number, site.place))
        held = state.registers[-1].get(HELD, NOTHING)
        state.registers[-1][HELD] = value
        after: Value | None = _run_step(engine, state, step, value, site)
        if after is None:
            m.ctx = outer
            return None
        if box.items is None:
            after = union((value, after)) if number else after
        value = after
        if held:
            state.registers[-1][HELD] = held
        else:
            state.registers[-1].pop(HELD, None)
    m.ctx = outer
    return value


def _follow_sequential(engine: Engine, state: State, visits: Walk, value: Value, site: CallSite) -> Value | None:
    """The modules of a Sequential of which only the order is known; what goes in comes out where there may be none."""
    m = engine.m
    outer = m.ctx
    held = state.registers[-1].get(HELD)
    state.registers[-1][HELD] = value

    def visit(here: State, element: Atom, number: int, last: object) -> State | None:
        # One that stands for several is another one each time, and all of them have their turn.
        m.ctx = outer
        met = iteration.of_this_visit(
            engine, here, element, site.place, number, isinstance(element, int) and element < 0
        )
        m.ctx = (*outer, (site.place, number), ("step", number, site.place))
        after = _run_step(engine, here, met, here.registers[-1][HELD], site)
        if after is None:
            return None
        here.registers[-1][HELD] = after
        return here

    end = follow(m, state, visits, visit, site.place)
    m.ctx = outer
    if end is None:
        return None
    belonging.all_met(m, end, site.place)
    result = end.registers[-1].pop(HELD, NOTHING)
    if held is not None:
        end.registers[-1][HELD] = held
    adopt(state, end)
    return result


def _run_step(engine: Engine, state: State, step: Value, value: Value, site: CallSite) -> Value | None:
    """One module of a Sequential: a torch module has no call of its own in the source, so its constructor is its place."""
    engine.m.budget.step()
    if len(step) == 1:
        (atom,) = step
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and isinstance(atom, int):
            calls_before = engine.m.calls
            if isinstance(thing.cls, Sym):
                engine.m.calls = (*calls_before, site.place)
            met = seats(step[atom]) - state.path
            state.path |= met
            result = call_instance(engine, state, site.flow, atom, thing, [value], {}, site.place, None, own_call=False)
            state.path -= met
            engine.m.calls = calls_before
            return result
    return calls.call_value(engine, state, site.flow, step, [value], {}, site.place)


def likely(engine: Engine, state: State, inputs: list[Value], place: Place, word: str) -> Value:
    """The result of a submodule of which nothing else is known: a tensor that requires grad, made from its inputs."""
    m = engine.m
    put_into.given_away(m, state, inputs)
    enabled = grad_mode(state)
    if enabled is None:
        return {m.fresh(state, place[1], f"{word} result", "no"): TRUE}
    edges: dict[int, Cond] = {}
    for value in inputs:
        for oid, tensor, cond in m.tensors(state, value):
            for edge, own in edges_of(state, oid, tensor).items():
                together = both(own, cond)
                if together is not None:
                    add_to(edges, edge, together)
    atom = m.fresh(state, place[1], f"{word} result", "likely")
    made = m.materialise(state, atom)
    if made is not None and edges:
        node = m.oid(place[1], f"node of {word}")
        state.allocate(node, Node(place, word, None, edges, (), False, m.calls, frozenset()))
        tensor_made = state.tensor(made)
        if tensor_made is not None:
            state.heap[made] = replace(tensor_made, nodes={node: TRUE})
    return {atom: TRUE}


def is_module_method(engine: Engine, state: State, instance: Instance, name: str) -> bool:
    """Whether a name is a method that every module has."""
    from inplace_lint.interp import module_methods

    if name in module_methods.TABLE and classes.is_module(state, instance.cls):
        return True
    if instances.handler_of(engine, state, instance.cls, name) is not None:
        return True
    path = classes.outside_base(state, instance.cls)
    return path in CONTAINERS and name in (
        "append",
        "extend",
        "insert",
        "keys",
        "values",
        "items",
        "add_module",
        "pop",
        "update",
    )


def call_method(engine: Engine, state: State, oid: int, instance: Instance, name: str, site: CallSite) -> Any:
    """A method of an instance that its class does not define in the source."""
    from inplace_lint.interp import module_methods

    if classes.is_module(state, instance.cls):
        handler = module_methods.TABLE.get(name)
        if handler is not None:
            return handler(engine, state, oid, site)
        inner = instance.attrs.get("*items")
        if inner is not None:
            for atom in inner:
                box = state.heap.get(atom) if isinstance(atom, int) else None
                if isinstance(box, Container) and isinstance(atom, int):
                    table = METHODS.get((box.kind, name))
                    if table is not None:
                        return table(engine, state, atom, site)
    return instances.outside_method(engine, state, oid, instance, name, site)


def call_super(engine: Engine, state: State, oid: int, instance: Instance, name: str, site: CallSite) -> Value | None:
    """``super().name(...)`` where the next class is not of the source."""
    path = classes.outside_base(state, instance.cls)
    if name == "__init__":
        if path is not None:
            initialise(engine, state, oid, path, site)
        return NONE
    if name in ("forward", "__call__") and path is not None:
        return builtin_forward(engine, state, oid, instance, path, site, True)
    value = call_method(engine, state, oid, instance, name, site)
    return ANYTHING if value is NotImplemented else value


def call_unbound(engine: Engine, state: State, path: str, name: str, site: CallSite) -> Value | None:
    """``nn.Linear.__init__(self, ...)``: a method of one of torch's module classes, called for an instance that is given."""
    rest = replace(site, positional=site.positional[1:])
    given: list[Value] = []
    for atom, cond in site.positional[0].items():
        instance = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(instance, Instance) or not isinstance(atom, int):
            return ANYTHING
        if name == "__init__":
            initialise(engine, state, atom, path, rest)
            continue
        value = builtin_forward(engine, state, atom, instance, path, rest, True)
        if value is not None:
            given.append(under(value, cond))
    return NONE if name == "__init__" else union(given) or None
