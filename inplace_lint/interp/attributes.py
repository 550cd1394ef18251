"""Attributes, read and written: of tensors, instances, classes, modules and unknowns."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE, Cond, Fact, add_to, both, decisive
from inplace_lint.domain.objects import (
    CONSTANT,
    Class,
    Container,
    Function,
    Instance,
    Opaque,
    Place,
    Saved,
    Status,
    Tensor,
    WriteRecord,
)
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    NONE,
    Atom,
    BoundFunction,
    Const,
    Imported,
    Method,
    SuperAtom,
    Sym,
    Unknown,
    Value,
    const,
    constant_of,
    one,
    under,
    union,
)
from inplace_lint.events import InteriorGradRead
from inplace_lint.interp import asking, belonging, calls, classes, denial, linking, module_tree, networks, put_into
from inplace_lint.interp.autograd import grad_mode, meeting, requires
from inplace_lint.interp.binding import Arguments
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.filled_grads import grad_of
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.keys import SHAPE, seats
from inplace_lint.interp.layout import dtype_kind
from inplace_lint.interp.ops import OpCall, call_op
from inplace_lint.interp.rebinding import check_rebound
from inplace_lint.interp.unreached import is_private

MOST_OWNERS = 12
"""Possible owners of one attribute that are looked at; a loop over all parameters of a large model has hundreds."""
NAMED_OUTPUTS = {
    "values": 0,
    "indices": 1,
    "eigenvalues": 0,
    "eigenvectors": 1,
    "U": 0,
    "S": 1,
    "Vh": 2,
    "V": 2,
    "Q": 0,
    "R": 1,
    "sign": 0,
    "logabsdet": 1,
    "L": 0,
    "solution": 0,
    "LU": 0,
    "pivots": 1,
    "P": 0,
    "info": 1,
}
"""The fields of PyTorch's named results by position (``torch.return_types``)."""


def get(engine: Engine, state: State, flow: Flow, obj: Value, attr: str, place: Place) -> Value:
    """``obj.attr``."""
    denial.by_attribute(engine.m, state, obj, attr)
    if len(obj) == 1:
        ((atom, cond),) = obj.items()
        return belonging.held_by(engine.m, atom, _of_atom(engine, state, flow, atom, attr, place), cond)
    values: list[Value] = []
    for number, (atom, cond) in enumerate(list(obj.items())[:MOST_OWNERS]):
        engine.m.alternative = min(number, 3)
        values.append(belonging.held_by(engine.m, atom, _of_atom(engine, state, flow, atom, attr, place), cond))
    engine.m.alternative = 0
    return union(values)


def _of_atom(engine: Engine, state: State, flow: Flow, atom: Atom, attr: str, place: Place) -> Value:
    if isinstance(atom, Sym):
        if atom.path == "torch" and attr == "__version__":
            return const(engine.m.model.version)
        if attr == "__name__":
            return const(atom.path.rsplit(".", 1)[-1])
        return linking.resolve(engine, state, linking.outside(engine, calls.canonical(f"{atom.path}.{attr}")))
    if isinstance(atom, Imported):
        return linking.name_in(engine, state, atom.file, attr) or ANYTHING
    if isinstance(atom, Unknown):
        if is_private(attr):
            engine.m.asked.add(attr)
        if (
            attr in ("data", "grad", "T", "mT")
            and engine.m.materialise(state, atom) is not None
            and atom.grad == "likely"
        ):
            oid = engine.m.materialise(state, atom)
            return _of_atom(engine, state, flow, oid if oid is not None else atom, attr, place)
        if attr == "requires_grad" and (asked := engine.m.materialise(state, atom)) is not None:
            # Only tensors have it, and its answer is the one that assumptions about the tensor are made of.
            return _of_atom(engine, state, flow, asked, attr, place)
        if not atom.tag:
            return ANYTHING
        parameter = _parameter_of_unknown(engine, state, atom, attr)
        if parameter is not None:
            return parameter
        value = engine.m.derived(atom, f".{attr}", tensor=True, grad="likely" if atom.grad == "likely" else "no")
        if not value.tag:
            return one(Method(atom, attr))
        engine.m.attribute_of[value.tag] = (atom, attr)
        return put_into.read(engine.m, state, atom, f".{attr}", value) or one(value)
    if isinstance(atom, SuperAtom):
        found = classes.lookup(state, atom.cls, attr, past=atom.cls, receiver=atom.receiver)
        if found is not None:
            return _bind(engine, state, flow, atom.receiver, found, place)
        return one(Method(atom, attr))
    if not isinstance(atom, int):
        return one(Method(atom, attr))
    thing = state.heap.get(atom)
    if isinstance(thing, Container) and thing.kind == "tuple" and thing.items is not None and attr in NAMED_OUTPUTS:
        position = NAMED_OUTPUTS[attr]
        return thing.items[position] if position < len(thing.items) else ANYTHING
    if isinstance(thing, Container) and thing.kind == "deque" and attr == "maxlen":
        return thing.default or one(engine.m.fresh(state, place[1], "maxlen", "no", False))
    if isinstance(thing, Tensor):
        return _of_tensor(engine, state, flow, atom, thing, attr, place)
    if isinstance(thing, Instance):
        return _of_instance(engine, state, flow, atom, thing, attr, place)
    if isinstance(thing, Class):
        found = classes.lookup(state, atom, attr)
        if found is not None:
            return _of_class(state, atom, found)
        if attr in ("__name__", "__qualname__"):
            return const(thing.name)
        return one(Method(atom, attr))
    if isinstance(thing, Function) and attr in ("__name__", "__doc__"):
        return one(engine.m.fresh(state, place[1], attr, "no", False))
    return one(Method(atom, attr))


def _parameter_of_unknown(engine: Engine, state: State, atom: Unknown, attr: str) -> Value | None:
    """An attribute of an unknown object that is a parameter: its class was tested, or the file assigns a Parameter to it."""
    m = engine.m
    status: Status | None = None
    for fact in state.path:
        if fact.value and fact.key.startswith(f"{atom.tag} is a "):
            row = m.model.module(fact.key.removeprefix(f"{atom.tag} is a "))
            if row is not None and attr in (name for name, _ in row.parameters):
                status = Status(leaf=TRUE)
    known = attr in m.parameter_attrs or (networks.is_part(m, state, atom) and attr in m.model.parameter_names)
    if status is None and known:
        key = f"{atom.tag}.{attr} is a Parameter"
        yes = frozenset({Fact(key, True, f"`{attr}` is a Parameter here", True)})
        status = Status(leaf=yes, constant=frozenset({Fact(key, False)}))
        held = [state.tensor(number) for number in networks.stand_ins(m, state, atom)]
        if held and all(tensor is not None and tensor.status == CONSTANT for tensor in held):
            status = CONSTANT  # the network was frozen
    if status is None:
        return None
    oid = m.named_oid("parameter of unknown", atom.tag, attr)
    if oid not in state.heap:
        made = Tensor(
            (m.file, -1),
            attr,
            frozenset({oid}),
            frozenset({oid}),
            status=status,
            dtype="float32",
            parameter=True,
            assumed=f"{atom.tag}.{attr}",
        )
        state.heap[oid] = made
    return one(oid)


def _of_class(state: State, cls: int, found: Value) -> Value:
    """What a class attribute is when it is read from the class: class methods are bound to it."""
    bound: dict[Atom, Cond] = {}
    for atom, cond in found.items():
        function = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(function, Function) and function.kind == "class" and isinstance(atom, int):
            bound[BoundFunction(cls, atom)] = cond
        else:
            bound[atom] = cond
    return bound


def _of_tensor(engine: Engine, state: State, flow: Flow, oid: int, tensor: Tensor, attr: str, place: Place) -> Value:
    m = engine.m
    if attr == "grad":
        return _grad(engine, state, oid, tensor, place)
    if attr in ("shape",):
        return _shape(engine, state, oid, tensor, place)
    if attr in ("ndim",):
        return (
            const(len(tensor.shape)) if tensor.shape is not None else one(m.fresh(state, place[1], attr, "no", False))
        )
    if attr == "requires_grad":
        wanted = requires(state, tensor)
        if wanted is None:
            return const(False)
        m.grounds.ask(wanted)
        if not wanted and tensor.status.constant is None:
            return const(True)
        answer: dict[Atom, Cond] = {}
        add_to(answer, Const(True, "bool"), wanted)
        if tensor.status.constant is not None:
            add_to(answer, Const(False, "bool"), tensor.status.constant)
        return answer
    if attr == "is_leaf":
        if tensor.status.interior is None:
            return const(True)
        if not tensor.status.interior and tensor.status.leaf is None and tensor.status.constant is None:
            return const(False)
        return one(m.fresh(state, place[1], attr, "no", False))
    if attr == "grad_fn":
        if tensor.status.interior is None and not tensor.bases:
            return NONE
        return one(m.fresh(state, place[1], attr, "no", False))
    if attr == "dtype":
        return one(Sym(f"torch.{tensor.dtype}")) if tensor.dtype else one(m.fresh(state, place[1], attr, "no", False))
    if attr == "is_cuda":
        return one(m.fresh(state, place[1], attr, "no", False))
    row = m.model.property(attr)
    if row is not None:
        call = OpCall(place, attr, "attribute", attr, None, tag=f"property {attr} {m.alternative}")
        value = call_op(engine, state, row.variants, Arguments([one(oid)]), call)
        if value is not None:
            return value
    if m.model.method(attr) is None and attr in (
        "device",
        "layout",
        "names",
        "itemsize",
        "nbytes",
        "is_sparse",
        "__class__",
    ):
        return one(m.fresh(state, place[1], attr, "no", False))
    return one(Method(oid, attr))


def _grad(engine: Engine, state: State, oid: int, tensor: Tensor, place: Place) -> Value:
    m = engine.m
    interior = tensor.status.interior
    if interior is not None and not tensor.retains and not tensor.assumed:
        if tensor.status.leaf is None and tensor.status.constant is None and not tensor.marks:
            made_by = tensor.made_by or None
            rebound = m.rebound.get(tensor.made)
            if rebound is not None:
                m.emit(rebound, interior, state.path)
                return NONE
            if not m.codes or place[1] not in asking.only_asked(m.codes[-1]):
                made = None if tensor.made[1] < 0 else m.site(tensor.made)
                read = InteriorGradRead(m.site(place), made, made_by, m.context(interior))
                m.emit(read, interior, state.path)
        if tensor.status.leaf is None and tensor.status.constant is None:
            return NONE
    if tensor.grad is not None:
        return m.consistent(state, tensor.grad)
    if tensor.status.leaf is not None and not tensor.assumed:
        return NONE
    # What the grad of a leaf made elsewhere is, nobody said.
    return one(grad_of(m, state, oid, tensor))


def _shape(engine: Engine, state: State, oid: int, tensor: Tensor, place: Place) -> Value:
    m = engine.m
    if tensor.shape is None:
        tag = f"{SHAPE}{oid}"
        m.note_tag(tag)
        return one(Unknown(tag, "no", False))
    items = tuple(
        const(n) if n is not None else one(m.fresh(state, place[1], "size", "no", False)) for n in tensor.shape
    )
    return one(state.allocate(m.oid(place[1], f"shape of {oid}"), Container("tuple", items)))


def _of_instance(
    engine: Engine, state: State, flow: Flow, oid: int, instance: Instance, attr: str, place: Place
) -> Value:
    m = engine.m
    if attr == "__class__":
        return one(instance.cls)
    if attr in instance.attrs:
        value = m.consistent(state, instance.attrs[attr])
        if value:
            return value
    if isinstance(instance.cls, int):
        found = classes.lookup(state, instance.cls, attr)
        if found is not None:
            return _bind(engine, state, flow, oid, found, place)
        getter = classes.lookup(state, instance.cls, "__getattr__")
        running = any(code.name == "__getattr__" for code in m.codes)
        if (
            getter is not None
            and not running
            and attr != "__dict__"
            and not calls.is_module_method(engine, state, instance, attr)
        ):
            value_ = calls.special_method(engine, state, flow, oid, "__getattr__", [const(attr)], place)
            if value_ is not None:
                return value_
    if attr == "module" and "*wrapped" in instance.attrs:
        return one(oid)
    if attr in instance.config and attr not in ("weight",):
        return instance.config[attr]
    if attr == "training":
        return const(True)
    inner = calls.module_items(state, instance)
    if inner is not None and attr.isdigit() and inner.items is not None and int(attr) < len(inner.items):
        return inner.items[int(attr)]
    if inner is not None and inner.entries is not None and attr in inner.entries:
        return inner.entries[attr]
    if attr in module_tree.REGISTRIES and classes.is_module(state, instance.cls):
        return module_tree.REGISTRIES[attr](m, state, oid)
    dynamic = module_tree.dynamic_value(instance, attr)
    if dynamic:
        # One unknown stands for all that was set so: under another name it is another one.
        named = [
            (m.derived(a, f" as {attr}") if isinstance(a, Unknown) and a.tag else a, c) for a, c in dynamic.items()
        ]
        return union([{atom: cond} for atom, cond in named])
    if calls.is_module_method(engine, state, instance, attr) or isinstance(instance.cls, Sym):
        return one(Method(oid, attr))
    if classes.all_known(state, instance.cls) and not instance.tag:
        return one(Method(oid, attr))
    tag = f"{instance.tag or 'self'}.{attr}"
    owner = classes.name_of(state, instance.cls)
    hope = "likely" if classes.is_module(state, instance.cls) else "no"
    full = f"{owner}:{tag}"
    m.note_tag(full)
    return one(Unknown(full, hope))  # type: ignore[arg-type]


def _bind(engine: Engine, state: State, flow: Flow, receiver: Atom, found: Value, place: Place) -> Value:
    bound: dict[Atom, Cond] = {}
    for atom, cond in found.items():
        function = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(function, Function) and isinstance(atom, int):
            if function.kind == "property":
                value = calls.call_atom(engine, state, flow, BoundFunction(receiver, atom), [], {}, place)
                for got, own in (value or ANYTHING).items():
                    together = both(own, cond)
                    if together is not None:
                        add_to(bound, got, together)
                continue
            if function.kind == "static":
                add_to(bound, atom, cond)
                continue
            owner = receiver
            if function.kind == "class" and isinstance(receiver, int):
                instance = state.heap.get(receiver)
                owner = instance.cls if isinstance(instance, Instance) else receiver
            add_to(bound, BoundFunction(owner, atom), cond)
        else:
            add_to(bound, atom, cond)
    return bound


def put(
    engine: Engine, state: State, flow: Flow, obj: Value, attr: str, value: Value, place: Place, target: str | None
) -> None:
    """``obj.attr = value``."""
    m = engine.m
    for atom, cond in obj.items():
        oid: int | None = atom if isinstance(atom, int) else None
        if isinstance(atom, Unknown) and attr in ("data", "requires_grad", "grad"):
            oid = m.materialise(state, atom)
        if oid is None:
            put_into.put(m, state, atom, value, f".{attr}", cond)
            continue
        thing = state.heap.get(oid)
        if isinstance(thing, Tensor):
            _put_tensor(engine, state, oid, thing, attr, value, cond, place, target)
        elif isinstance(thing, Instance):
            old = thing.attrs.get(attr)
            if old is not None:
                name = f"{target}.{attr}" if target else attr
                check_rebound(m, state, old, value, name, place)
                parameter = any((t := state.tensor(a)) is not None and t.parameter for a in old if isinstance(a, int))
                if parameter and classes.is_module(state, thing.cls) and not _all_parameters(state, value):
                    # nn.Module refuses to replace a Parameter by a plain tensor: the assignment raises.
                    continue
            every = oid in m.universal
            sure = (oid > 0 or every) and (not cond or cond <= state.path)
            new = value if sure or old is None else union((old, under(value, cond)))
            seat = belonging.met(engine.m, state, oid, cond) if oid < 0 and not every else TRUE
            left = belonging.others(m, oid, attr, old, seat, value) if seat and old is not None else None
            if left is not None:
                new = union((left, under(value, cond | seat)))
            if every or left is not None:
                state.heap.pop(oid)
            state.put(oid, replace(thing, attrs={**thing.attrs, attr: new}))
            _put_child(state, thing, attr, new)
            if attr == "inplace" and isinstance(thing.cls, Sym):
                changed = state.heap[oid]
                if isinstance(changed, Instance):
                    flagged = {**changed.config, "inplace": new, "*flag": one(Const(place, "place"))}
                    if every:
                        state.heap.pop(oid)
                    state.put(oid, replace(changed, config=flagged))
        elif isinstance(thing, Class):
            state.put(oid, replace(thing, attrs={**thing.attrs, attr: value}))


def _put_child(state: State, instance: Instance, attr: str, value: Value) -> None:
    """A module of a Sequential or ModuleDict replaced under its name."""
    for atom in instance.attrs.get("*items", {}):
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if not isinstance(box, Container) or not isinstance(atom, int):
            continue
        if box.kind == "dict" and box.entries is not None and attr in box.entries:
            state.put(atom, replace(box, entries={**box.entries, attr: value}))
        elif attr.isdigit() and box.items is not None and int(attr) < len(box.items):
            items = list(box.items)
            items[int(attr)] = value
            state.put(atom, Container(box.kind, tuple(items)))


def _all_parameters(state: State, value: Value) -> bool:
    for atom in value:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is not None and not tensor.parameter:
            return False
    return True


def _put_tensor(
    engine: Engine,
    state: State,
    oid: int,
    tensor: Tensor,
    attr: str,
    value: Value,
    cond: Cond,
    place: Place,
    target: str | None,
) -> None:
    m = engine.m
    if attr == "data":
        if not _is_copy(state, value):
            _swap(engine, state, oid, tensor, cond, place, target)
    elif attr == "requires_grad":
        # What stands for all parameters of a network is met by each visit of a loop over them.
        all_of_them = tensor.made_by == "parameters"
        set_requires_grad(engine, state, oid, value, cond - seats(cond) if all_of_them else cond)
    elif attr == "grad":
        sure = oid > 0 and (not cond or cond <= state.path)
        grad = value if sure or tensor.grad is None else union((tensor.grad, under(value, cond)))
        state.put(oid, replace(tensor, grad=grad))
    elif attr == "inplace":
        m.note_tag("")


def _is_copy(state: State, value: Value) -> bool:
    """Whether new data hold what the old held: a clone shows whoever looks the same values."""
    tensors = [state.tensor(atom) for atom in value if isinstance(atom, int)]
    return bool(tensors) and all(t is not None and t.made_by == "clone" for t in tensors)


def set_requires_grad(engine: Engine, state: State, oid: int, value: Value, cond: Cond) -> None:
    """``requires_grad = ...`` of a tensor that is no interior one."""
    tensor = state.tensor(oid)
    if tensor is None:
        return
    yes, no = engine.truth(state, value)
    if constant_of(value) is True:
        yes, no = TRUE, None
    if (
        tensor.status.interior is not None
        and not tensor.assumed
        and tensor.status.interior == TRUE
        and not tensor.bases
    ):
        return
    if no is None:
        status = Status(leaf=TRUE)
    elif yes is None:
        status = CONSTANT
    else:
        status = Status(constant=no, leaf=yes)
    if not may_hold_grad(tensor):
        return
    if yes is None:
        # Who freezes one of many freezes them all, in whichever round: hardly any loop over them leaves some out.
        cond = decisive(cond)
    if cond and not cond <= state.path:
        old = tensor.status
        status = Status(
            old.constant if status.constant is None else (status.constant if old.constant is None else old.constant),
            status.leaf if old.leaf is None else old.leaf,
            old.interior,
        )
    changed = replace(tensor, status=status, nodes={} if status.interior is None else tensor.nodes)
    if yes is None and oid < 0:
        state.heap[oid] = changed
    else:
        state.put(oid, changed)


def may_hold_grad(tensor: Tensor) -> bool:
    """Integer and boolean tensors cannot require grad."""
    return dtype_kind(tensor.dtype) in (None, "float", "complex")


def _swap(engine: Engine, state: State, oid: int, tensor: Tensor, cond: Cond, place: Place, target: str | None) -> None:
    """``x.data = new`` gives the tensor other memory: whoever saved the tensor itself sees the new values, silently."""
    m = engine.m
    record = WriteRecord(place, "attribute", ".data =", target, grad_mode(state) is None, None, m.calls, "data")

    meets = meeting(m, state, cond)

    def mark(saved: Saved) -> Saved | None:
        if saved.tensor != oid or saved.is_result or saved.through_view or not meets(saved):
            return None
        silent = dict(saved.silent)
        add_to(silent, record, cond)
        return replace(saved, silent=silent)

    state.record_write(tensor.storages, mark)
    fresh = m.oid(place[1], f"swapped storage of {oid}")
    users = (state.tensor(user) for user in state.heap.users({fresh}))
    if fresh in state.heap or any(user is not None and fresh in user.storages for user in users):
        return
    if oid > 0 and not cond:
        state.heap[fresh] = Opaque()
        state.put(oid, replace(tensor, storages=frozenset({fresh}), region=()))
