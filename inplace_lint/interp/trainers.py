"""Libraries that run parts of a training loop: Accelerate, Lightning and its Fabric, apex, Horovod, GradScaler.

What matters of them is little: who runs backward from which loss, who steps which optimizer, and who hands back what it
was given. The tables below state that, each row from the library's documentation.
"""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.objects import Container, Function, Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, Method, Sym, Unknown, Value, one, union
from inplace_lint.interp import calls, classes, functions, instances, networks, optimizers
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import METHODS, CallSite, method, symbol

CLASSES: dict[str, tuple[str, ...]] = {
    # huggingface.co/docs/accelerate, "Accelerator"
    "accelerate.Accelerator": ("accelerate.Accelerator", "accelerate.accelerator.Accelerator"),
    # lightning.ai/docs/fabric, "Fabric methods"
    "lightning.fabric.Fabric": (
        "lightning.fabric.Fabric",
        "lightning.Fabric",
        "lightning_fabric.Fabric",
        "lightning.fabric.fabric.Fabric",
    ),
    # docs.pytorch.org, "torch.amp"
    "torch.amp.GradScaler": (
        "torch.amp.GradScaler",
        "torch.cuda.amp.GradScaler",
        "torch.amp.grad_scaler.GradScaler",
        "torch.cuda.amp.grad_scaler.GradScaler",
    ),
}
"""Classes whose instances matter, each under every name it is imported by."""

LIGHTNING = "LightningModule"
"""Lightning's base class, by the last part of its name: it is imported from pytorch_lightning, lightning and their parts."""

HAND_BACK = (
    ("accelerate.Accelerator", "prepare"),
    ("accelerate.Accelerator", "prepare_model"),
    ("accelerate.Accelerator", "prepare_optimizer"),
    ("accelerate.Accelerator", "prepare_data_loader"),
    ("accelerate.Accelerator", "prepare_scheduler"),
    ("accelerate.Accelerator", "unwrap_model"),
    ("lightning.fabric.Fabric", "setup"),
    ("lightning.fabric.Fabric", "setup_module"),
    ("lightning.fabric.Fabric", "setup_optimizers"),
    ("lightning.fabric.Fabric", "setup_dataloaders"),
)
"""Methods that return (wrapped, which does not matter here) what they are given: one thing as itself, several as a tuple."""

RUN_BACKWARD = (
    ("accelerate.Accelerator", "backward"),
    ("lightning.fabric.Fabric", "backward"),
    (LIGHTNING, "manual_backward"),
)
"""Methods that run backward from their first argument; the rest goes to ``Tensor.backward``."""

NO_EFFECT = (
    ("accelerate.Accelerator", "clip_grad_norm_"),
    ("accelerate.Accelerator", "clip_grad_value_"),
    ("accelerate.Accelerator", "unscale_gradients"),
    ("lightning.fabric.Fabric", "clip_gradients"),
    ("torch.amp.GradScaler", "update"),
    ("torch.amp.GradScaler", "unscale_"),
    (LIGHTNING, "clip_gradients"),
    (LIGHTNING, "toggle_optimizer"),
    (LIGHTNING, "untoggle_optimizer"),
    (LIGHTNING, "log"),
    (LIGHTNING, "log_dict"),
    (LIGHTNING, "save_hyperparameters"),
)
"""Methods that write to gradients at most, and to nothing that a graph keeps."""

for _path, _names in CLASSES.items():

    def _make(engine: Engine, state: State, site: CallSite, path: str = _path) -> Value:
        return instances.make_outside(engine, state, path, site)

    symbol(*_names)(_make)

for _owner, _name in NO_EFFECT:

    def _nothing(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
        return NONE

    METHODS[(_owner, _name)] = _nothing


def handed_back(engine: Engine, state: State, site: CallSite) -> Value:
    """The positional arguments: one as itself, several as a tuple."""
    if len(site.positional) == 1:
        return site.positional[0]
    box = Container("tuple", tuple(site.positional))
    return one(state.allocate(engine.m.oid(site.place[1], "handed back"), box))


for _owner, _name in HAND_BACK:

    def _hand_back(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
        return handed_back(engine, state, site)

    METHODS[(_owner, _name)] = _hand_back


def backward_of_argument(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``object.backward(loss, ...)``: backward from the first argument."""
    if not site.positional:
        return NONE
    # Of several tensors that the argument may be it is one: what the backward of another freed has no part in it.
    bound: Value = {Method(oid, "backward"): cond for oid, _, cond in engine.m.tensors(state, site.positional[0])}
    calls.call_value(engine, state, site.flow, bound, site.positional[1:], site.named, site.place)
    return NONE


for _owner, _name in RUN_BACKWARD:

    def _run_backward(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
        return backward_of_argument(engine, state, site)

    METHODS[(_owner, _name)] = _run_backward


def step_argument(engine: Engine, state: State, site: CallSite) -> bool:
    """``object.step(optimizer)``: step the optimizer that is the first argument. False where it is none."""
    stepped = False
    rest = CallSite(site.place, site.flow, site.positional[1:], {}, site.target)
    for atom in site.argument(0, "optimizer") or ANYTHING:
        instance = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(instance, Instance) and isinstance(atom, int) and is_optimizer_instance(engine, state, instance):
            optimizers.step(engine, state, atom, rest)
            stepped = True
        elif isinstance(atom, Unknown) and atom.tag in engine.m.zeroed:
            networks.unknown_optimizer_method(engine, state, atom, "step", rest)
            stepped = True
    return stepped


def is_optimizer_instance(engine: Engine, state: State, instance: Instance) -> bool:
    """Whether an instance is an optimizer, of torch's or derived from one."""
    return any(optimizers.is_optimizer(engine, path) for path in optimizers.instance_paths(state, instance))


@method("torch.amp.GradScaler", "scale")
def scale(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``scaler.scale(loss)``: a product with a constant; what matters is the same graph below it."""
    return site.argument(0, "outputs") or ANYTHING


@method("torch.amp.GradScaler", "step")
def scaler_step(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """``scaler.step(optimizer)``."""
    step_argument(engine, state, site)
    return NONE


@symbol("apex.amp.initialize")
def apex_initialize(engine: Engine, state: State, site: CallSite) -> Value:
    """``amp.initialize(models, optimizers)`` returns both (nvidia.github.io/apex/amp.html)."""
    return handed_back(engine, state, replace(site, positional=site.positional[:2]))


@symbol("apex.amp.scale_loss")
def apex_scale_loss(engine: Engine, state: State, site: CallSite) -> Value:
    """``with amp.scale_loss(loss, optimizer) as scaled:`` gives the loss times a constant."""
    return instances.make_outside(
        engine, state, "contextlib.nullcontext", replace(site, positional=site.positional[:1])
    )


@symbol("horovod.torch.DistributedOptimizer")
def horovod_optimizer(engine: Engine, state: State, site: CallSite) -> Value:
    """An optimizer that averages gradients before it steps as the one it is given does (horovod.readthedocs.io)."""
    return site.argument(0, "optimizer") or ANYTHING


@symbol("torch.optim.swa_utils.AveragedModel")
def averaged_model(engine: Engine, state: State, site: CallSite) -> Value:
    """A copy of a model, whose parameters nothing here trains."""
    return one(engine.m.fresh(state, site.place[1], "averaged model", "no"))


# --- unknown objects that behave as these do ---


def unknown_trainer_method(engine: Engine, state: State, receiver: Unknown, name: str, site: CallSite) -> Value | None:
    """What a method of an unknown does by its arguments: backward from a loss, a step of an optimizer. None: nothing known."""
    m = engine.m
    if name in ("backward", "manual_backward") and site.positional and m.known_tensor(state, receiver) is None:
        found = m.tensors(state, site.positional[0])
        if any(t.status.interior is not None and (t.nodes or not t.assumed) for _, t, _ in found):
            # Of a tensor, ``backward`` takes a gradient, which itself has no graph. DeepSpeed's engine steps without zero_grad.
            m.zeroed.add(receiver.tag)
            return backward_of_argument(engine, state, site)
    if name == "step" and len(site.positional) == 1 and step_argument(engine, state, site):
        return NONE
    if name == "prepare" and site.positional and _trains(engine, state, site):
        return handed_back(engine, state, site)  # an Accelerator that somebody else made
    return None


def _trains(engine: Engine, state: State, site: CallSite) -> bool:
    for value in site.positional:
        for atom in value:
            thing = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(thing, Instance) and (
                classes.is_module(state, thing.cls) or is_optimizer_instance(engine, state, thing)
            ):
                return True
            if isinstance(atom, Unknown) and networks.is_network(engine.m, state, atom):
                return True
    return False


# --- Lightning ---


def is_lightning(state: State, cls: object) -> bool:
    """Whether a class derives from Lightning's module."""
    return any(
        isinstance(atom, Sym) and atom.path.rpartition(".")[2] == LIGHTNING
        for atom in classes.order(state, cls)  # type: ignore[arg-type]
    )


@method(LIGHTNING, "optimizers")
def lightning_optimizers(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``self.optimizers()``: the one that ``configure_optimizers`` makes, or a list of them."""
    made = configured(engine, state, site.flow, oid)
    if len(made) == 1:
        return made[0]
    if not made:
        return ANYTHING
    return one(state.allocate(engine.m.oid(site.place[1], "optimizers"), Container("list", tuple(made))))


def configured(engine: Engine, state: State, flow: Flow, oid: int) -> list[Value]:
    """The optimizers of a LightningModule: ``configure_optimizers`` is run when they are asked for first."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return []
    kept = instance.attrs.get("*optimizers")
    if kept is None:
        found = classes.lookup(state, instance.cls, "configure_optimizers")
        result: Value = ANYTHING
        for atom in found or ():
            function = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(function, Function) and isinstance(atom, int):
                place = (function.code.file, function.code.origin)  # type: ignore[attr-defined]
                value = functions.call(engine, state, flow, atom, function, [one(oid)], {}, place)
                result = ANYTHING if value is None else value
        box = Container("list", tuple(_optimizers_in(engine, state, result, 0)))
        kept = one(state.allocate(engine.m.named_oid("configured optimizers", oid), box))
        now = state.heap[oid]
        if isinstance(now, Instance):
            state.put(oid, replace(now, attrs={**now.attrs, "*optimizers": kept}))
    for atom in kept:
        listed = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(listed, Container) and listed.items is not None:
            return list(listed.items)
    return []


def _optimizers_in(engine: Engine, state: State, value: Value, depth: int) -> list[Value]:
    """The optimizers in what ``configure_optimizers`` returns: alone, in lists and tuples, in dicts under ``optimizer``."""
    found: list[Value] = []
    either: list[Value] = []
    for atom, cond in value.items():
        thing = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(thing, Instance) and is_optimizer_instance(engine, state, thing):
            either.append({atom: cond})
        elif isinstance(thing, Container) and depth < DEEPEST:
            if thing.kind == "dict":
                found.extend(_optimizers_in(engine, state, (thing.entries or {}).get("optimizer", {}), depth + 1))
            else:
                for part in thing.items or ():
                    found.extend(_optimizers_in(engine, state, part, depth + 1))
    return [*([union(either)] if either else []), *found]
