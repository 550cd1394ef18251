"""Calls: whatever a register holds is called with whatever the arguments are.

Functions of the source are run on the caller's state (see ``functions``), classes make instances, methods and outside
symbols go to the tables of ``registry``, then to the op model. What nobody knows neither saves nor writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from inplace_lint import ir
from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond, both, decisive
from inplace_lint.domain.objects import (
    Class,
    Container,
    Frame,
    Function,
    Instance,
    Place,
    Tensor,
    contents,
    order_of,
    sequence,
)
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    NOTHING,
    Atom,
    BoundFunction,
    Const,
    Method,
    SuperAtom,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    one,
    union,
)
from inplace_lint.interp import (
    belonging,
    classes,
    collection_types,
    custom_functions,
    cutting,
    denial,
    forgetting,
    functions,
    instances,
    iteration,
    modules,
    networks,
    numpy_calls,
    put_into,
    text,
    trainers,
)
from inplace_lint.interp.autograd import WriteInfo, bump, grad_mode
from inplace_lint.interp.binding import Arguments
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.evidence import shows_tensor
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.hints import Hints
from inplace_lint.interp.keys import seats
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.ops import OpCall, adopt, call_op
from inplace_lint.interp.registry import METHODS, SYMBOLS, TENSOR_METHODS, CallSite, Spread

MOST_CALLEES = 6
"""Callees of one call that are followed."""
MOST_ALTERNATIVES = 3
"""Callees of one call whose results are told apart; objects are named by the callee's number, so names are finite."""
RESULT = -1_000_000
"""The register in which a value travels through joins."""

module_items = modules.items_of
is_module_method = modules.is_module_method
special_method = functions.special_method
run_yield = functions.run_yield

_CANONICAL = {
    "torch.autograd.no_grad": "torch.no_grad",
    "torch.autograd.grad_mode.no_grad": "torch.no_grad",
    "torch.autograd.enable_grad": "torch.enable_grad",
    "torch.autograd.grad_mode.enable_grad": "torch.enable_grad",
    "torch.autograd.inference_mode": "torch.inference_mode",
    "torch.autograd.grad_mode.inference_mode": "torch.inference_mode",
    "torch.autograd.set_grad_enabled": "torch.set_grad_enabled",
    "torch.nn.parameter.Parameter": "torch.nn.Parameter",
    "torch.nn.modules.module.Module": "torch.nn.Module",
    "torch.nn.modules.Module": "torch.nn.Module",
    "torch.autograd.variable.Variable": "torch.autograd.Variable",
    "torch.autograd.function.Function": "torch.autograd.Function",
}
"""Public names under which PyTorch offers one thing twice."""


_CONVENTIONAL = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "np": "numpy", "math": "math"}
"""What a star import from another module of the project hands on under these names."""


def canonical(path: str) -> str:
    """The one name that the tables use for something that PyTorch exports under several."""
    return _CANONICAL.get(path, path)


def from_star_imports(engine: Engine, stars: Value, name: str) -> Value:
    """What a name that only star imports can bind refers to."""
    found: dict[Atom, frozenset[object]] = {}
    model = engine.m.model
    for atom in stars:
        if not isinstance(atom, Sym):
            continue
        path = canonical(f"{atom.path}.{name}")
        if atom.path.startswith("torch"):
            if model.function(path) or model.module(path) or path in SYMBOLS or model.optimizer(path):
                return one(Sym(path))
        elif name in _CONVENTIONAL:
            return one(Sym(_CONVENTIONAL[name]))
        else:
            found[Sym(path)] = frozenset()
    return dict.fromkeys(found, TRUE) if len(found) == 1 else ANYTHING


def run(engine: Engine, instr: ir.Call, state: State, flow: Flow) -> State | None:
    """Interpret a call instruction."""
    regs = state.registers[-1]
    func = regs.get(instr.func, ANYTHING)
    place = engine.m.place(instr.origin)
    positional: list[Value] = []
    named: dict[str, Value] = {}
    starred: Spread | None = None
    for arg in instr.args:
        value = regs.get(arg.reg, ANYTHING)
        if arg.kind == "positional":
            positional.append(value)
            starred = None if starred is None else _longer(starred, sequences.of([value]), value)
        elif arg.kind == "keyword" and arg.name is not None:
            named[arg.name] = value
        elif arg.kind == "star" and _is_surplus(engine.m, value):
            starred = starred or Spread(len(positional), Container("tuple", None, None, value), value)
        elif arg.kind == "star":
            inner = iteration.elements(engine, state, flow, value, place)
            if inner.exact is not None:
                positional.extend(inner.exact)
            else:
                positional.append(inner.any)
                starred = starred or Spread(len(positional) - 1, Container("tuple", ()))
            starred = None if starred is None else _longer(starred, inner.ordered(), inner.any)
        else:
            for atom in value:
                box = state.heap.get(atom) if isinstance(atom, int) else None
                if isinstance(box, Container) and box.entries is not None:
                    for key, entry in box.entries.items():
                        if isinstance(key, str):
                            named.setdefault(key, entry)
    target = Hints.of(engine.m, flow, instr.func)
    values: list[Value] = []
    ends: list[State] = []
    outer = state.path
    atoms = [(a, c) for a, c in func.items() if not engine.m.contradicts(c, state.path)] or list(ANYTHING.items())
    if len(atoms) > MOST_CALLEES:
        if grad_mode(state) is None:
            _note_reached(engine, state, [atom for atom, _ in atoms[MOST_CALLEES:]])
        atoms = atoms[:MOST_CALLEES]
    if len(atoms) > 1 and cutting.applies(atoms):
        return cutting.run(engine, state, flow, instr, atoms, CallSite(place, flow, positional, named, target))
    kinds = _kinds(engine.m, state, atoms)
    for number, (atom, cond) in enumerate(atoms):
        side = state if number == len(atoms) - 1 else state.copy()
        path = _path_to(engine, state, place, both(outer, cond), atom, kinds, number)
        if path is None:
            continue
        side.path = path
        if isinstance(atom, SuperAtom) or (isinstance(atom, Sym) and atom.path == "builtins.super"):
            result: Value | None = _super(side, flow, positional)
        else:
            engine.m.alternative = _alternative(state, atom, kinds, number)
            result = call_atom(engine, side, flow, atom, positional, named, place, target, starred, cond - outer)
        if result is None:
            continue
        if len(atoms) > 1:
            # A call may return on fewer paths than it was entered on; its own facts stay with its state.
            side.registers[-1][RESULT] = result
        ends.append(side)
        values.append(result)
    if not ends:
        return None
    joined = ends[0]
    for end in ends[1:]:
        joined = joined.join(end)
    if len(atoms) > 1:
        joined.registers[-1][instr.dst] = joined.registers[-1].pop(RESULT, ANYTHING)
    else:
        joined.registers[-1][instr.dst] = values[0]
    if len(ends) == 1 and len(atoms) == 1 and atoms[0][1]:
        joined.path = outer
    return joined


def _is_surplus(m: Machine, value: Value) -> bool:
    """Whether a value is what unknown callers may give besides the parameters that have names (``*args``)."""
    return any(isinstance(atom, Unknown) and atom.tag in m.grounds.surplus for atom in value)


def _note_reached(engine: Engine, state: State, atoms: list[Atom]) -> None:
    """Note functions as having run, since they are called where grad mode is off: nothing is recorded there, whatever they do."""
    for atom in atoms:
        function = state.heap.get(
            atom.function if isinstance(atom, BoundFunction) else atom if isinstance(atom, int) else 0
        )
        if isinstance(function, Function) and isinstance(function.code, ir.Code):
            engine.m.visited.setdefault(function.code, None)


def _longer(spread: Spread, order: sequences.Order | None, rest: Value) -> Spread:
    """More arguments after starred ones."""
    before = order_of(spread.tail)
    after = None if before is None or order is None else sequences.concatenated(before, order)
    return Spread(spread.start, sequence("tuple", after, union((contents(spread.tail), rest))))


def _shifted(spread: Spread | None) -> Spread | None:
    return None if spread is None else spread.shifted(1)


def _is_instance(state: State, atom: Atom) -> bool:
    return isinstance(atom, int) and isinstance(state.heap.get(atom), Instance)


def _kinds(m: Machine, state: State, atoms: list[tuple[Atom, Cond]]) -> list[int]:
    """The numbers of several callees, the same wherever they are called; instances of one class do the same and share theirs.

    Empty where there is nothing to choose from, or where their own conditions exclude each other: those tell which it is.
    """
    if all(both(a, b) is None for (_, a), (_, b) in combinations(atoms, 2)):
        return []
    things = [(atom, state.heap.get(atom) if isinstance(atom, int) else None) for atom, _ in atoms]
    return [m.number_of(it.cls if isinstance(it, Instance) else atom) for atom, it in things]


def _path_to(
    engine: Engine, state: State, place: Place, path: Cond | None, atom: Atom, kinds: list[int], number: int
) -> Cond | None:
    """The path on which that one of several callees is called."""
    if path is None or not kinds:
        return path
    return both(path, engine.m.choice(place, kinds[number], _is_instance(state, atom) and len(set(kinds)) > 1))


def _alternative(state: State, atom: Atom, kinds: list[int], number: int) -> int:
    """Which of several callees this is, for the names of what it makes: modules have their class's name there already."""
    same = kinds[:number].count(kinds[number]) if kinds and _is_instance(state, atom) else number
    return min(same, MOST_ALTERNATIVES)


def _super(state: State, flow: Flow, positional: list[Value]) -> Value:
    """``super()``, with or without arguments: past the class whose method is running."""
    frame = state.heap.get(flow.frame)
    names: Mapping[str, Value] = frame.names if isinstance(frame, Frame) else {}
    owner_atom: Atom | None = next(iter(names.get("*owner", NOTHING)), None)
    receiver = names.get("*self", NOTHING)
    if len(positional) == 2:
        owner_atom = next(iter(positional[0]), None)
        receiver = positional[1]
    if not isinstance(owner_atom, int) or not receiver:
        return ANYTHING
    return {SuperAtom(atom, owner_atom): cond for atom, cond in receiver.items()}


def call_atom(
    engine: Engine,
    state: State,
    flow: Flow,
    atom: Atom,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    target: str | None = None,
    spread: Spread | None = None,
    given: Cond = TRUE,
) -> Value | None:
    """Call one possibility of a callee. None where the call never returns; the state is updated in place.

    given: what has to hold, beyond the path, for the callee to be this one.
    """
    if isinstance(atom, int):
        thing = state.heap.get(atom)
        if isinstance(thing, Function):
            value = functions.call(engine, state, flow, atom, thing, positional, named, place, spread)
            if thing.kind == "kernel" and value is not None:
                return networks.unknown_function(engine, state, [*positional, *named.values()], place)
            return value
        if isinstance(thing, Class):
            return instances.make(engine, state, flow, atom, thing, positional, named, place, spread)
        if isinstance(thing, Instance):
            return modules.call_instance(engine, state, flow, atom, thing, positional, named, place, target)
        return unknown_result(engine, state, positional, named, place, None)
    if isinstance(atom, BoundFunction):
        function = state.heap.get(atom.function)
        if isinstance(function, Function):
            own = (
                belonging.receiver(engine.m, state, atom.receiver)
                if isinstance(atom.receiver, int)
                else one(atom.receiver)
            )
            args = [own, *positional]
            return functions.call(engine, state, flow, atom.function, function, args, named, place, _shifted(spread))
        return unknown_result(engine, state, positional, named, place, None)
    site = CallSite(place, flow, positional, dict(named), target, spread, given)
    if isinstance(atom, Sym):
        return call_symbol(engine, state, atom.path, site)
    if isinstance(atom, Method):
        return call_method(engine, state, atom, site)
    callee = atom if isinstance(atom, Unknown) else None
    if callee is not None and networks.is_network(engine.m, state, callee):
        return networks.call_unknown(engine, state, callee, positional, named, place, target)
    base, name = engine.m.attribute_of.get(callee.tag, (None, "")) if callee is not None else (None, "")
    if base is not None and (name in networks.METHODS or networks.is_network(engine.m, state, base)):
        return _unknown_method(engine, state, base, name, site, callee)
    if callee is not None and callee.tag.startswith("#") and target is not None and _is_submodule(state, flow, target):
        # What a module keeps under an attribute and calls is a submodule, whoever made it.
        return modules.likely(engine, state, [*positional, *named.values()], place, "call")
    if base is not None:
        return _unknown_method(engine, state, base, name, site, callee)
    if callee is not None and ".__init__:" in callee.tag and target is not None and _is_submodule(state, flow, target):
        # One that it was given may as well be a plain function: that the result requires grad is an assumption.
        return unknown_result(engine, state, positional, named, place, callee, module=target)
    return _of_unknown_callee(engine, state, callee, site)


def _of_unknown_callee(engine: Engine, state: State, callee: Unknown | None, site: CallSite) -> Value:
    """The result of a callee of which nothing is known; that of an argument, or of its method, may be a network's."""
    given = callee is not None and callee.tag[:1] not in ("", "#") and bool(site.positional)
    module = site.target if given else None
    hoped = module is not None
    return unknown_result(engine, state, site.positional, site.named, site.place, callee, module=module, hoped=hoped)


def _is_submodule(state: State, flow: Flow, target: str) -> bool:
    if not target.startswith("self."):
        return False
    frame = state.heap.get(flow.frame)
    names: Mapping[str, Value] = frame.names if isinstance(frame, Frame) else {}
    for atom in names.get("*self", NOTHING):
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and classes.is_module(state, thing.cls):
            return True
    return False


def call_symbol(engine: Engine, state: State, path: str, site: CallSite) -> Value | None:
    """Call something outside the source by its dotted name."""
    denial.by_call(engine.m, state, path, [*site.positional, *site.named.values()])
    special = SYMBOLS.get(path)
    if special is not None:
        value = special(engine, state, site)
        if value is not NotImplemented:
            return value  # type: ignore[no-any-return]
    model = engine.m.model
    row = model.function(path)
    if row is not None:
        name = path.rsplit(".", 1)[-1]
        call = OpCall(site.place, row.name, "function", name, site.argument_name(), tag=path)
        value = call_op(engine, state, row.variants, Arguments(site.positional, site.named), call)
        if value is not None:
            return instances.finish_factory(engine, state, row, value, site)
        return {engine.m.fresh(state, site.place[1], f"result of {path}", "no"): TRUE}
    if path.startswith("torch.Tensor.") and site.positional:
        method = path.rsplit(".", 1)[-1]
        bound: Value = {Method(atom, method): cond for atom, cond in site.positional[0].items()}
        return call_value(engine, state, site.flow, bound, site.positional[1:], site.named, site.place)
    owner, _, method = path.rpartition(".")
    if method in ("__init__", "forward") and site.positional and (model.module(owner) or owner in modules.CONTAINERS):
        return modules.call_unbound(engine, state, canonical(owner), method, site)
    if model.module(path) is not None or path in modules.CONTAINERS:
        return modules.make(engine, state, path, site)
    if model.optimizer(path) is not None:
        return instances.make_outside(engine, state, path, site)
    if path.startswith("numpy."):
        value = numpy_calls.call(engine, state, path, site)
        if value is not NotImplemented:
            return value  # type: ignore[no-any-return]
    spelled = path.rsplit(".", 1)[-1]
    result = unknown_result(engine, state, site.positional, site.named, site.place, None, spelled)
    numpy_calls.note_array(engine, path, result, site)
    return result


def call_method(engine: Engine, state: State, atom: Method, site: CallSite) -> Value | None:
    """Call a method of something whose class is not in the source."""
    receiver = atom.receiver
    if isinstance(receiver, SuperAtom):
        inner = receiver.receiver
        thing = state.heap.get(inner) if isinstance(inner, int) else None
        if isinstance(thing, Instance) and isinstance(inner, int):
            value = collection_types.call_method(engine, state, inner, thing, atom.name, site)
            if value is not NotImplemented:
                return value  # type: ignore[no-any-return]
            return modules.call_super(engine, state, inner, thing, atom.name, site)
        return ANYTHING
    if isinstance(receiver, Unknown):
        return _unknown_method(engine, state, receiver, atom.name, site)
    if isinstance(receiver, int):
        thing = state.heap.get(receiver)
        if isinstance(thing, Tensor):
            return tensor_method(engine, state, receiver, atom.name, site)
        kind = thing.kind if isinstance(thing, Container) else type(thing).__name__.lower()
        if isinstance(thing, Class) and atom.name == "apply" and custom_functions.is_custom_function(state, receiver):
            return custom_functions.apply(engine, state, receiver, thing, site)
        if isinstance(thing, Instance):
            value = collection_types.call_method(engine, state, receiver, thing, atom.name, site)
            if value is not NotImplemented:
                return value  # type: ignore[no-any-return]
            value = modules.call_method(engine, state, receiver, thing, atom.name, site)
            if value is not NotImplemented:
                return value  # type: ignore[no-any-return]
        table = METHODS.get((kind, atom.name)) or METHODS.get(("any", atom.name))
        if table is not None:
            return table(engine, state, receiver, site)  # type: ignore[no-any-return]
    if isinstance(receiver, Const) and isinstance(receiver.value, str):
        return text.call(engine, state, receiver.value, atom.name, site)
    return unknown_result(engine, state, site.positional, site.named, site.place, None)


ARRAY_WRITES = frozenset({"fill", "sort", "put", "partition", "itemset", "byteswap"})
"""Methods by which a NumPy array changes itself."""


def tensor_method(engine: Engine, state: State, oid: int, name: str, site: CallSite) -> Value | None:
    """Call a method of a tensor: those that are about the graph itself, then the op model's rows."""
    special = TENSOR_METHODS.get(name)
    if special is not None:
        value = special(engine, state, oid, site)
        if value is not NotImplemented:
            return value  # type: ignore[no-any-return]
    tensor = state.tensor(oid)
    if tensor is not None and tensor.is_array and name in ARRAY_WRITES:
        bump(engine.m, state, oid, TRUE, WriteInfo(site.place, "method", name), False)
        return NONE
    row = engine.m.model.method(name)
    if row is None:
        return unknown_result(engine, state, site.positional, site.named, site.place, None)
    target = site.target.rpartition(".")[0] if site.target else None
    call = OpCall(site.place, row.name, "method", name, target or None, tag=f"{name} {engine.m.alternative}")
    # That it is met in this round only, or what is assumed of it, holds for what is computed from it as well.
    receiver: Value = {oid: seats(state.path) | decisive(site.given)}
    value = call_op(engine, state, row.variants, Arguments([receiver, *site.positional], site.named), call)
    if value is None:
        return {engine.m.fresh(state, site.place[1], f"result of {name}", "no"): TRUE}
    return instances.finish_factory(engine, state, row, value, site)


def _unknown_method(
    engine: Engine, state: State, receiver: Unknown, name: str, site: CallSite, callee: Unknown | None = None
) -> Value | None:
    m = engine.m
    if name not in put_into.LOOKS:
        put_into.given_away(m, state, [one(receiver)])
    if receiver.tag:
        value = trainers.unknown_trainer_method(engine, state, receiver, name, site)
        if value is not None:
            return value
    if networks.is_network(m, state, receiver):
        value = networks.unknown_network_method(engine, state, receiver, name, site)
        if value is not NotImplemented:
            return value  # type: ignore[no-any-return]
    if receiver.tensor and receiver.tag and m.model.method(name) is not None and receiver.grad == "likely":
        oid = m.materialise(state, receiver)
        if oid is not None:
            return tensor_method(engine, state, oid, name, site)
    if receiver.tensor and receiver.tag and shows_tensor(m.model, state, name, site.positional, site.named):
        oid = m.materialise(state, receiver)
        if oid is not None:
            return tensor_method(engine, state, oid, name, site)
    value = networks.unknown_network_method(engine, state, receiver, name, site)
    if value is NotImplemented:
        value = networks.unknown_optimizer_method(engine, state, receiver, name, site)
    if value is not NotImplemented:
        return value  # type: ignore[no-any-return]
    known = name in ARRAY_WRITES or m.model.method(name) is not None
    if known and m.known_tensor(state, receiver) is not None:
        oid = m.known_tensor(state, receiver)
        if oid is not None:
            return tensor_method(engine, state, oid, name, site)
    if name in ("startswith", "endswith") and len(site.positional) == 1:
        answer = text.answer(m, receiver, name, constant_of(site.positional[0]))
        if answer is not None:
            return const(answer)
    given = text.asked(name, site.positional) if not site.named and not receiver.tag.startswith("#") else None
    if given is not None:
        return {m.derived(receiver, f".{name}({given})", tensor=False, grad="no"): TRUE}
    if name in denial.OF_ARRAYS:
        return {m.fresh(state, site.place[1], f"result of {name}", "no", False): TRUE}
    if receiver.tag.startswith("#") and not (callee is not None and networks.is_network(m, state, receiver)):
        hope = receiver.grad
        return {m.fresh(state, site.place[1], f"result of {name}", hope, receiver.tensor): TRUE}
    return _of_unknown_callee(engine, state, callee, site)


def unknown_result(
    engine: Engine,
    state: State,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    callee: Unknown | None,
    spelled: str | None = None,
    module: str | None = None,
    hoped: bool = False,
) -> Value:
    """The result of a call of which nothing is known: it neither saves nor writes. spelled: the callee, for messages. module:
    the same of one that may have parameters of its own; hoped: of which nothing more than that speaks for it."""
    if callee is not None and callee.tag and not callee.tag.startswith("not "):
        value = networks.call_unknown(engine, state, callee, positional, named, place, module=module, hoped=hoped)
    else:
        value = networks.unknown_function(engine, state, [*positional, *named.values()], place)
    given = [*positional, *named.values()]
    networks.remember_given(engine, state, value, given)
    forgetting.given_away(engine.m, state, given, place)
    if spelled is None and callee is not None and callee.tag in engine.m.callees:
        spelled = f"{engine.m.callees[callee.tag]}(...)"
    if spelled is not None:
        engine.m.callees.update((atom.tag, spelled) for atom in value if isinstance(atom, Unknown))
    return value


def call_value(
    engine: Engine,
    state: State,
    flow: Flow,
    func: Value,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
) -> Value | None:
    """Call every possibility of a value and join; None where none returns."""
    values: list[Value] = []
    ends: list[State] = []
    kinds = _kinds(engine.m, state, list(func.items()))
    for number, (atom, cond) in enumerate(func.items()):
        side = state.copy() if len(func) > 1 else state
        path = _path_to(engine, state, place, both(side.path, cond), atom, kinds, number)
        if path is None:
            continue
        outer, side.path = side.path, path
        engine.m.alternative = _alternative(state, atom, kinds, number)
        value = call_atom(engine, side, flow, atom, positional, named, place)
        if value is None:
            continue
        if len(func) == 1:
            side.path = outer
            return value
        side.registers[-1][RESULT] = value
        ends.append(side)
        values.append(value)
    if not ends:
        return None
    joined = ends[0]
    for end in ends[1:]:
        joined = joined.join(end)
    value = joined.registers[-1].pop(RESULT, ANYTHING)
    adopt(state, joined)
    return value


def decorate(engine: Engine, state: State, flow: Flow, decorator: Value, target: Value, place: Place) -> Value | None:
    """What a decorator makes of a function or class; unknown decorators leave it as it is."""
    if len(decorator) != 1:
        return target
    (atom,) = decorator
    if isinstance(atom, int):
        thing = state.heap.get(atom)
        if isinstance(thing, Function):
            return call_atom(engine, state, flow, atom, [target], {}, place)
        if isinstance(thing, Instance) and isinstance(thing.cls, Sym):
            return instances.decorate(state, thing.cls.path, thing, target)
        if isinstance(thing, Instance):
            called = special_method(engine, state, flow, atom, "__call__", [target], place)
            return target if called is None else called
    if isinstance(atom, BoundFunction):
        return call_atom(engine, state, flow, atom, [target], {}, place)
    if isinstance(atom, Sym):
        return instances.decorate(state, atom.path, None, target)
    return target
