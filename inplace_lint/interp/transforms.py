"""``torch.func``, ``vmap`` and ``torch.autograd.functional``: functions of functions, which run them on tensors of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import LEAF, Container, Instance, Status, Tensor
from inplace_lint.domain.state import GRAD, State
from inplace_lint.domain.values import ANYTHING, NOTHING, Atom, Sym, Unknown, Value, const, constant_of, one
from inplace_lint.interp import calls, items
from inplace_lint.interp.autograd import backward
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.graph_methods import listed_tensors
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import CallSite, method, symbol

TRANSFORM = "torch.func transform"
PULLBACK = "torch.func.vjp function"
INPUTS = -1_000_005
"""The register that keeps the tensors a transform runs its function on."""
REVERSE = ("grad", "grad_and_value", "jacrev", "hessian")
FORWARD = ("jacfwd", "vmap")


def _made(name: str) -> Callable[[Engine, State, CallSite], Value]:
    def transform(engine: Engine, state: State, site: CallSite) -> Value:
        """A function that is called later."""
        config = {
            "*0": site.positional[0] if site.positional else site.named.get("func", ANYTHING),
            "*name": const(name),
        }
        config |= {k: v for k, v in site.named.items() if k != "func"}
        if len(site.positional) > 1:
            config.setdefault("in_dims" if name == "vmap" else "argnums", site.positional[1])
        return one(state.allocate(engine.m.oid(site.place[1], name), Instance(Sym(TRANSFORM), {}, site.place, config)))

    return transform


for _name in (*REVERSE, *FORWARD):
    symbol(f"torch.func.{_name}", f"functorch.{_name}")(_made(_name))
symbol("torch.vmap")(_made("vmap"))


@method(TRANSFORM, "__call__")
def call_transform(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """Run the function on the transform's own tensors, and what the transform does after that."""
    made = state.heap.get(oid)
    if not isinstance(made, Instance):
        return ANYTHING
    name = str(constant_of(made.config.get("*name", NOTHING)))
    func = made.config.get("*0", ANYTHING)
    if name == "vmap":
        return _mapped(engine, state, func, made.config.get("in_dims"), site)
    arguments = list(site.positional)
    given = constant_of(made.config.get("argnums"), 0)
    numbers = [n for n in (given if isinstance(given, tuple) else (given,)) if isinstance(n, int)]
    numbers = [n for n in numbers if n < len(arguments)] or ([0] if arguments else [])
    forward = name in FORWARD
    inputs: list[int] = []
    for n in numbers:
        arguments[n] = _own(engine, state, arguments[n], site, f"{n}", None if forward else inputs)
    value = _run(engine, state, func, arguments, site)
    if value is None:
        return None
    aux = constant_of(made.config.get("has_aux"), False) is True
    main = _element(state, value, 0) if aux else value
    if not forward:
        roots = listed_tensors(engine, state, main, site)
        backward(engine.m, state, roots, site.place, None, inputs, accumulate=False)
    grads = [_fresh_like(engine, state, arguments[n], site, f"grad {n}") for n in numbers]
    result = grads[0] if len(grads) == 1 else _tuple(engine, state, grads, site, "grads")
    if name == "grad_and_value":
        return _tuple(engine, state, [result, value], site, "grads and value")
    return _tuple(engine, state, [result, _element(state, value, 1)], site, "with aux") if aux else result


def _run(engine: Engine, state: State, func: Value, arguments: list[Value], site: CallSite) -> Value | None:
    """Call the function with grad mode on; the tensors made for it are kept alive meanwhile."""
    mode, state.mode = state.mode, {GRAD: TRUE}
    held = state.allocate(engine.m.oid(site.place[1], "transform inputs"), Container("tuple", tuple(arguments)))
    state.registers[-1][INPUTS] = one(held)
    value = calls.call_value(engine, state, site.flow, func, arguments, site.named, site.place)
    state.registers[-1].pop(INPUTS, None)
    state.mode = mode
    return value


def _own(engine: Engine, state: State, value: Value, site: CallSite, path: str, inputs: list[int] | None) -> Value:
    """The argument with every tensor in it replaced by an alias: a leaf where ``inputs`` collects them, a constant otherwise."""
    m = engine.m
    found: dict[Atom, Cond] = {}
    for number, (atom, cond) in enumerate(value.items()):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        name = f"{path}.{min(number, 3)}"
        if isinstance(box, Container) and path.count(".") < 2 * DEEPEST:  # two for each
            found[_rebuilt(engine, state, box, site, name, lambda v, p: _own(engine, state, v, site, p, inputs))] = cond
            continue
        oid = atom if isinstance(box, Tensor) else m.materialise(state, atom) if isinstance(atom, Unknown) else None
        tensor = None if not isinstance(oid, int) else state.tensor(oid)
        if tensor is None:
            found[atom] = cond
            continue
        status = Status(constant=TRUE) if inputs is None else LEAF
        alias = Tensor(
            site.place,
            "torch.func",
            tensor.storages,
            tensor.counters,
            status=status,
            region=tensor.region,
            dtype=tensor.dtype,
            shape=tensor.shape,
            contiguous=tensor.contiguous,
            layout=tensor.layout,
        )
        made = state.allocate(m.oid(site.place[1], f"own {name}"), alias)
        if inputs is not None:
            inputs.append(made)
        found[made] = cond
    return found


def _rebuilt(
    engine: Engine, state: State, box: Container, site: CallSite, path: str, change: Callable[[Value, str], Value]
) -> int:
    made = replace(
        box,
        items=None if box.items is None else tuple(change(v, f"{path}.{n}") for n, v in enumerate(box.items)),
        entries=None if box.entries is None else {k: change(v, f"{path}.{k}") for k, v in box.entries.items()},
        rest=change(box.rest, f"{path}.rest") if box.rest else box.rest,
    )
    return state.allocate(engine.m.oid(site.place[1], f"rebuilt {path}"), made)


def _fresh_like(engine: Engine, state: State, value: Value, site: CallSite, path: str) -> Value:
    """New tensors in the same structure: gradients."""
    m = engine.m
    found: dict[Atom, Cond] = {}
    for number, (atom, cond) in enumerate(value.items()):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        name = f"{path}.{min(number, 3)}"
        if isinstance(box, Container) and path.count(".") < 2 * DEEPEST:  # two for each
            found[_rebuilt(engine, state, box, site, name, lambda v, p: _fresh_like(engine, state, v, site, p))] = cond
        elif isinstance(box, Tensor) and isinstance(atom, int):
            oid = m.oid(site.place[1], f"fresh {name}")
            own = frozenset({oid})
            fresh = Tensor(site.place, "torch.func", own, own, dtype=box.dtype, from_grad=frozenset({atom}))
            found[state.allocate(oid, fresh)] = cond
        else:
            found[atom] = cond
    return found


def _element(state: State, value: Value, index: int) -> Value:
    for atom in value:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.items is not None and index < len(box.items):
            return box.items[index]
    return value if index == 0 else ANYTHING


def _tuple(engine: Engine, state: State, values: list[Value], site: CallSite, word: str) -> Value:
    return one(state.allocate(engine.m.oid(site.place[1], word), Container("tuple", tuple(values))))


# --- vmap ---


def _mapped(engine: Engine, state: State, func: Value, in_dims: Value | None, site: CallSite) -> Value | None:
    """``vmap(f)(*args)``: ``f`` sees one element of each argument, and its ops are done for all of them at once."""
    dims = constant_of(in_dims, 0) if in_dims is not None else 0
    box = state.heap.get(next(iter(in_dims))) if in_dims is not None and len(in_dims) == 1 else None  # type: ignore[arg-type]
    arguments: list[Value] = []
    for number, value in enumerate(site.positional):
        dim: object = dims
        if isinstance(box, Container) and box.items is not None and number < len(box.items):
            dim = constant_of(box.items[number])
        arguments.append(value if dim is None else _element_of(engine, state, value, site, f"{number}"))
    result = calls.call_value(engine, state, site.flow, func, arguments, site.named, site.place)
    for atom in result or NOTHING:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is not None and isinstance(atom, int) and tensor.shape is not None:
            state.put(atom, replace(tensor, shape=None))
    return result


def _element_of(engine: Engine, state: State, value: Value, site: CallSite, path: str) -> Value:
    found: dict[Atom, Cond] = {}
    m = engine.m
    outer = m.ctx
    for number, (atom, cond) in enumerate(value.items()):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        name = f"{path}.{min(number, 3)}"
        m.ctx = (*outer, ("element", site.place, name))
        if isinstance(box, Container) and path.count(".") < 2 * DEEPEST:  # two for each
            found[_rebuilt(engine, state, box, site, name, lambda v, p: _element_of(engine, state, v, site, p))] = cond
        elif isinstance(box, Tensor):
            found.update(items.get(engine, state, site.flow, {atom: cond}, ANYTHING, site.place, None))
        else:
            found[atom] = cond
    m.ctx = outer
    return found


# --- vjp, and torch.autograd.functional ---


@symbol("torch.func.vjp", "functorch.vjp")
def vjp(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``vjp(f, *primals)``: runs ``f`` now; the function that it returns runs backward, as often as it is called."""
    inputs: list[int] = []
    arguments = [_own(engine, state, v, site, f"{n}", inputs) for n, v in enumerate(site.positional[1:])]
    rest = CallSite(site.place, site.flow, site.positional, {}, site.target)
    value = _run(engine, state, site.positional[0] if site.positional else ANYTHING, arguments, rest)
    if value is None:
        return None
    config = {"*out": value, "*inputs": _tuple(engine, state, arguments, site, "primals")}
    pullback = Instance(Sym(PULLBACK), {}, site.place, config)
    made = state.allocate(engine.m.oid(site.place[1], "pullback"), pullback)
    return _tuple(engine, state, [value, one(made)], site, "vjp")


@method(PULLBACK, "__call__")
def call_pullback(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """The function that ``vjp`` returned: backward through the graph of its call, which is kept."""
    made = state.heap.get(oid)
    if not isinstance(made, Instance):
        return ANYTHING
    given = made.config.get("*inputs", NOTHING)
    inputs = [tensor for tensor, _ in listed_tensors(engine, state, given, site)]
    roots = listed_tensors(engine, state, made.config.get("*out"), site)
    backward(engine.m, state, roots, site.place, TRUE, inputs, accumulate=False)
    return _fresh_like(engine, state, given, site, "cotangent")


@symbol(*(f"torch.autograd.functional.{name}" for name in ("jacobian", "hessian", "vjp", "jvp", "hvp", "vhp")))
def functional(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``torch.autograd.functional``: runs the function on leaves of its own, and backward through it."""
    inputs: list[int] = []
    given = site.argument(1, "inputs") or ANYTHING
    value = _own(engine, state, given, site, "inputs", inputs)
    arguments = [value]
    if len(value) == 1 and isinstance(box := state.heap.get(next(iter(value))), Container):  # type: ignore[arg-type]
        arguments = list(box.items) if box.items is not None else arguments
    rest = CallSite(site.place, site.flow, site.positional, {}, site.target)
    result = _run(engine, state, site.argument(0, "func") or ANYTHING, arguments, rest)
    if result is None:
        return None
    roots = listed_tensors(engine, state, result, site)
    backward(engine.m, state, roots, site.place, None, inputs, accumulate=False)
    grads = _fresh_like(engine, state, given, site, "grads")
    alone = (site.target or "").rsplit(".", 1)[-1] in ("jacobian", "hessian")
    return (
        grads
        if alone
        else _tuple(engine, state, [_fresh_like(engine, state, result, site, "value"), grads], site, "two")
    )


__all__ = ["call_transform"]
