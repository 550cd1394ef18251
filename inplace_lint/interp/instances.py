"""Instances: of classes of the source, of data classes, and of outside classes that matter (optimizers, grad modes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inplace_lint.domain.conditions import TRUE, Fact, decisive
from inplace_lint.domain.objects import CONSTANT, Class, Container, Function, Instance, Place, Status, Tensor
from inplace_lint.domain.state import GRAD, INFERENCE, NO_GRAD, State
from inplace_lint.domain.values import ANYTHING, NONE, Atom, Sym, Value, constant_of, is_unknown, one
from inplace_lint.interp import classes, collection_types, data_classes, functions, modules, optimizers
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.layout import dtype_kind, dtype_of
from inplace_lint.interp.registry import METHODS, CallSite, Spread, Symbol
from inplace_lint.opmodel.schema import Op

GRAD_MODES = {
    "torch.no_grad": NO_GRAD,
    "torch.enable_grad": GRAD,
    "torch.inference_mode": INFERENCE,
}
KERNEL = "torch.library operator"
"""What makes a function an operator of its own."""


def make(
    engine: Engine,
    state: State,
    flow: Flow,
    cls: int,
    made: Class,
    positional: list[Value],
    named: Mapping[str, Value],
    place: Place,
    spread: Spread | None = None,
) -> Value | None:
    """``Class(...)``: allocate, then run ``__init__`` (or fill the fields of a data class)."""
    m = engine.m
    order = classes.order(state, cls)
    outside = [a.path for a in order if isinstance(a, Sym)]
    if any(path.startswith("enum.") for path in outside):
        return one(m.fresh(state, place[1], "enum member", "no", False))
    if any(path.endswith(".TypedDict") for path in outside):
        return data_classes.typed_dict(engine, state, CallSite(place, flow, positional, dict(named)))
    oid = m.oid(place[1], f"instance {made.qualname}")
    custom = "torch.autograd.Function" in outside
    if not custom and data_classes.filled(state, cls):
        return one(oid) if data_classes.fill(engine, state, oid, cls, positional, named, flow, place) else None
    state.allocate(oid, Instance(cls, {}, place))
    site = CallSite(place, flow, positional, dict(named), None, spread)
    has_init = classes.lookup(state, cls, "__init__") is not None
    collection_types.initialise(engine, state, oid, CallSite(place, flow) if has_init else site)
    if custom:
        return one(oid)
    found = classes.lookup(state, cls, "__init__")
    if found is not None:
        returns = True
        for atom in found:
            function = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(function, Function) and isinstance(atom, int):
                args = [one(oid), *positional]
                shifted = None if spread is None else spread.shifted(1)
                m.generations.constructing += 1
                try:
                    value = functions.call(engine, state, flow, atom, function, args, named, place, shifted)
                finally:
                    m.generations.constructing -= 1
                returns = value is not None
        return one(oid) if returns else None
    path = classes.outside_base(state, cls)
    if path is not None:
        modules.initialise(engine, state, oid, path, site)
    return one(oid)


def make_outside(engine: Engine, state: State, path: str, site: CallSite) -> Value:
    """An instance of an outside class whose constructor arguments matter."""
    m = engine.m
    oid = m.oid(site.place[1], f"instance {path}")
    config = dict(site.named)
    for number, value in enumerate(site.positional):
        config[f"*{number}"] = value
    if oid in state.heap:
        state.age(oid)
    state.heap[oid] = Instance(Sym(path), {}, site.place, config)
    if optimizers.is_optimizer(engine, path):
        optimizers.initialise(engine, state, oid, path, site)
    return one(oid)


def call_outside(engine: Engine, state: State, oid: int, instance: Instance, site: CallSite) -> Value | None:
    """Call an instance whose class is not of the source."""
    path = instance.cls.path if isinstance(instance.cls, Sym) else classes.outside_base(state, instance.cls)
    table = None if path is None else METHODS.get((path, "__call__"))
    if table is not None:
        return table(engine, state, oid, site)  # type: ignore[no-any-return]
    if path is not None and path.startswith("torch.nn."):
        return modules.likely(engine, state, site.positional, site.place, "module")
    if classes.is_module(state, instance.cls):
        return modules.likely(engine, state, site.positional, site.place, "module")
    return {engine.m.fresh(state, site.place[1], "result", "no"): TRUE}


def handler_of(engine: Engine, state: State, cls: Atom, name: str) -> Symbol | None:
    """The meaning of a method that one of a class's outside bases gives it, None where nothing is known of it."""
    for atom in classes.order(state, cls):
        if not isinstance(atom, Sym):
            continue
        table = METHODS.get((atom.path, name))
        if table is None and optimizers.is_optimizer(engine, atom.path):
            table = METHODS.get(("optimizer", name))
        if table is None and atom.path.endswith(".LightningModule"):
            table = METHODS.get(("LightningModule", name))
        if table is not None:
            return table
    return None


def outside_method(engine: Engine, state: State, oid: int, instance: Instance, name: str, site: CallSite) -> Any:
    """A method of an instance of an outside class (or of a class derived from one)."""
    table = handler_of(engine, state, instance.cls, name)
    if table is not None:
        return table(engine, state, oid, site)
    table = METHODS.get(("instance", name))
    if table is not None:
        return table(engine, state, oid, site)
    return {engine.m.fresh(state, site.place[1], f"result of {name}", "no"): TRUE}


def decorate(state: State, path: str, applied: Instance | None, target: Value) -> Value:
    """What an outside decorator makes of a function or class of the source."""
    mode = NO_GRAD if path == KERNEL else GRAD_MODES.get(path)
    if path == "torch.set_grad_enabled" and applied is not None:
        flag = constant_of(applied.config.get("*0", applied.config.get("mode", ANYTHING)))
        mode = GRAD if flag is True else NO_GRAD if flag is False else None
        # The call that made the decorator switched the mode; decorating switches it back.
        previous = applied.config.get("*previous")
        if previous is not None:
            state.mode = {a.path: c for a, c in previous.items() if isinstance(a, Sym)}
    if (
        path == "torch.inference_mode"
        and applied is not None
        and constant_of(applied.config.get("*0", ANYTHING)) is False
    ):
        mode = None
    kind = {
        "builtins.staticmethod": "static",
        "builtins.classmethod": "class",
        "builtins.property": "property",
        "functools.cached_property": "property",
        "contextlib.contextmanager": "context",
        "contextlib.asynccontextmanager": "context",
        "abc.abstractproperty": "property",
    }.get(path)
    for atom in target:
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Function) and isinstance(atom, int):
            if path == "torch.compile":
                state.heap[atom] = replace(thing, compiled=True)
            elif path == KERNEL:
                state.heap[atom] = replace(thing, grad_mode=mode, kind="kernel")
            elif mode is not None and thing.kind == "context":
                pass  # only the call that makes the context manager runs in that mode
            elif mode is not None:
                state.heap[atom] = replace(thing, grad_mode=mode)
            elif kind is not None:
                state.heap[atom] = replace(thing, kind=kind)  # type: ignore[arg-type]
        elif (
            isinstance(thing, Class)
            and isinstance(atom, int)
            and (path in data_classes.DECORATORS or path.endswith(".dataclass"))
        ):
            state.heap[atom] = replace(thing, dataclass=True)
    return target


# --- tensors made from nothing ---


def finish_factory(engine: Engine, state: State, row: Op, value: Value, site: CallSite) -> Value:
    """``requires_grad=``, ``dtype=`` and the data of a tensor that no other tensor was made into."""
    flag = site.named.get("requires_grad")
    wanted: Status | None = None
    if flag is not None:
        yes, no = engine.truth(state, flag)
        if yes is not None and any(is_unknown(atom) for atom in flag) and not decisive(yes):
            # Whoever sets it, it is not known to be set.
            yes |= {
                Fact(engine.m.question_here("requires_grad", site.place), True, "`requires_grad` is true there", True)
            }
        if yes is not None:
            wanted = Status(leaf=yes, constant=no)
    named = dtype_of(site.named.get("dtype"))
    literal = (
        _literal_dtype(state, site) if row.name in ("tensor", "as_tensor", "full", "arange", "scalar_tensor") else None
    )
    for atom in value:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is None or not isinstance(atom, int) or tensor.made != site.place:
            continue
        if wanted is None and named is None and literal is None and tensor.shape is not None:
            continue
        dtype = named or literal or (None if row.name in ("tensor", "as_tensor", "full", "arange") else tensor.dtype)
        shape = tensor.shape
        if row.name == "tensor" and shape is None and site.positional:
            shape = _literal_shape(state, site.positional[0])
        status = tensor.status
        grad = tensor.grad
        if wanted is not None and dtype_kind(dtype) not in ("int", "bool") and tensor.status == CONSTANT:
            status, grad = wanted, NONE
        state.put(atom, replace(tensor, dtype=dtype, shape=shape, status=status, grad=grad))
    return value


def _literal_dtype(state: State, site: CallSite) -> str | None:
    values = [v for v in site.positional if v]
    if not values:
        return None
    kinds: set[str] = set()
    for value in values if len(values) > 1 else values[:1]:
        _collect_kinds(state, value, kinds, 0)
    if "unknown" in kinds or not kinds:
        return None
    for kind, dtype in (("complex", "complex64"), ("float", "float32"), ("int", "int64"), ("bool", "bool")):
        if kind in kinds:
            return dtype
    return None


def _collect_kinds(state: State, value: Value, kinds: set[str], depth: int) -> None:
    for atom in value:
        literal = constant_of({atom: TRUE})
        if isinstance(literal, (bool, int, float, complex)):
            kinds.add(type(literal).__name__)
            continue
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and depth < 6:
            for item in (*(box.items or ()), *([box.rest] if box.rest else [])):
                _collect_kinds(state, item, kinds, depth + 1)
            continue
        if isinstance(box, Tensor):
            kinds.add(dtype_kind(box.dtype) or "unknown")
            continue
        kinds.add("unknown")


def _literal_shape(state: State, value: Value) -> tuple[int | None, ...] | None:
    sizes: list[int | None] = []
    current = value
    for _ in range(6):
        literal = constant_of(current)
        if isinstance(literal, (bool, int, float, complex)):
            return tuple(sizes)
        (atom,) = current if len(current) == 1 else (None,)
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(box, Container) or box.items is None:
            # A comprehension has one dimension at least, and one alone as far as it shows no lists.
            flat = isinstance(box, Container) and box.kind == "list" and not any(isinstance(a, int) for a in box.rest)
            return (*sizes, None) if flat else None
        sizes.append(len(box.items))
        if not box.items:
            return tuple(sizes)
        current = box.items[0]
    return None
