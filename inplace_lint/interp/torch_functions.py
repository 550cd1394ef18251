"""Functions of torch that no row of the op model can describe: they are about autograd, modules or Python."""

from __future__ import annotations

from dataclasses import replace

from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import CONSTANT, Container, Instance, Status, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, Sym, Unknown, Value, const, constant_of, one
from inplace_lint.interp import calls, instances, layout, modules, operators
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.registry import CallSite, method, symbol


@symbol("torch.nn.Parameter", "torch.nn.parameter.Parameter")
def parameter(engine: Engine, state: State, site: CallSite) -> Value:
    """``nn.Parameter(data)``: a leaf on the data's storage and version counter."""
    m = engine.m
    data = site.argument(0, "data") or ANYTHING
    flag = site.argument(1, "requires_grad") or const(True)
    yes, no = engine.truth(state, flag)
    status = Status(leaf=yes, constant=no) if yes is not None else CONSTANT
    oid = m.oid(site.place[1], "parameter")
    storages, counters = frozenset({oid}), frozenset({oid})
    shape = None
    dtype: str | None = "float32"
    for _, tensor, _ in m.tensors(state, data):
        storages, counters, shape, dtype = tensor.storages, tensor.counters, tensor.shape, tensor.dtype
    made = Tensor(
        site.place, "Parameter", storages, counters, status=status, dtype=dtype, shape=shape, parameter=True, grad=NONE
    )
    return one(state.allocate(oid, made))


@symbol("torch.autograd.Variable")
def variable(engine: Engine, state: State, site: CallSite) -> Value:
    """``Variable(tensor, requires_grad)``: today a detached alias, a leaf if asked."""
    m = engine.m
    data = site.argument(0, "data") or ANYTHING
    flag = site.argument(1, "requires_grad")
    yes, no = (None, TRUE) if flag is None else engine.truth(state, flag)
    found = m.tensors(state, data)
    if not found:
        return one(m.fresh(state, site.place[1], "variable", "no"))
    oid = m.oid(site.place[1], "variable")
    _, tensor, _ = found[0]
    if flag is None and tensor.status == CONSTANT:
        return data
    made = Tensor(
        site.place,
        "Variable",
        tensor.storages,
        tensor.counters,
        status=Status(leaf=yes, constant=no),
        dtype=tensor.dtype,
        shape=tensor.shape,
        grad=NONE,
    )
    return one(state.allocate(oid, made))


@symbol(
    "torch.nn.DataParallel",
    "torch.nn.parallel.DataParallel",
    "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.parallel.distributed.DistributedDataParallel",
    "torch.distributed.fsdp.FullyShardedDataParallel",
)
def wrapper(engine: Engine, state: State, site: CallSite) -> Value:
    """A module that calls another one, which it has as ``module``; for autograd it behaves as that one."""
    target = site.argument(0, "module") or ANYTHING
    for atom in target:
        instance = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(instance, Instance) and isinstance(atom, int):
            state.put(atom, replace(instance, attrs={**instance.attrs, "*wrapped": const(True)}))
    return target


@symbol(
    "torch.jit.script",
    "torch.jit.trace",
    "torch.nn.utils.spectral_norm",
    "torch.nn.utils.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm",
    "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
    "torch.jit.ignore",
    "torch.jit.export",
    "torch.jit.unused",
    "torch._dynamo.disable",
    "torch.compiler.disable",
    "functools.wraps.applied",
)
def same(engine: Engine, state: State, site: CallSite) -> Value:
    """Wrappers that behave, for autograd, as what they wrap."""
    if not site.positional:
        return one(Sym("functools.wraps.applied"))
    return site.positional[0]


@symbol("torch.jit._unwrap_optional", "torch.jit.annotate", "typing.cast")
def told_type(engine: Engine, state: State, site: CallSite) -> Value:
    """Calls that tell a checker what a value is, and give the value back: it is the last argument."""
    return site.positional[-1] if site.positional else ANYTHING


@symbol("torch.is_tensor", "torch.overrides.is_tensor_like")
def is_tensor(engine: Engine, state: State, site: CallSite) -> Value:
    """``torch.is_tensor``."""
    value = site.positional[0] if site.positional else ANYTHING
    tensors, others = operators.split(engine, state, value)
    if tensors and not others:
        return const(True)
    if len(value) == 1 and isinstance(atom := next(iter(value)), Unknown) and atom.tag:
        return one(engine.m.derived(atom, " is a torch.Tensor", tensor=False))
    return one(engine.m.fresh(state, site.place[1], "is_tensor", "no", False))


@symbol(
    "torch.autograd.set_detect_anomaly", "torch.autograd.detect_anomaly", "torch.manual_seed", "torch.set_num_threads"
)
def inert(engine: Engine, state: State, site: CallSite) -> Value:
    """Switches that change no value."""
    return one(engine.m.fresh(state, site.place[1], "switch", "no", False))


@symbol("torch.nn.utils.parameters_to_vector")
def parameters_to_vector(engine: Engine, state: State, site: CallSite) -> Value | None:
    """A concatenation of flattened parameters."""
    return calls.call_symbol(
        engine, state, "torch.cat", CallSite(site.place, site.flow, site.positional[:1], {}, site.target)
    )


@method("functools.partial", "__call__")
def call_partial(engine: Engine, state: State, oid: int, site: CallSite) -> Value | None:
    """Call a partial: its own arguments come first."""
    instance = state.heap.get(oid)
    if not isinstance(instance, Instance):
        return ANYTHING
    given = [instance.config[f"*{n}"] for n in range(len(instance.config)) if f"*{n}" in instance.config]
    if not given:
        return ANYTHING
    named = {k: v for k, v in instance.config.items() if not k.startswith("*")} | site.named
    return calls.call_value(engine, state, site.flow, given[0], [*given[1:], *site.positional], named, site.place)


@symbol("torch.distributions.Normal", "torch.distributions.Categorical", "torch.distributions.Bernoulli")
def distribution(engine: Engine, state: State, site: CallSite) -> Value:
    """A distribution keeps its parameters; its methods are unknown calls that hand their graph on."""
    return instances.make_outside(engine, state, "torch.distributions.Distribution", site)


@method("torch.distributions.Distribution", "log_prob", "rsample", "entropy", "sample")
def distribution_method(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """What a distribution computes is made from its parameters."""

    name = (site.target or "").rsplit(".", 1)[-1]
    instance = state.heap.get(oid)
    if name == "sample" or not isinstance(instance, Instance):
        return one(engine.m.fresh(state, site.place[1], "sample", "no"))
    inputs = [*instance.config.values(), *site.positional]
    if not any(t.status.requires_grad is not None for v in inputs for _, t, _ in engine.m.tensors(state, v)):
        return one(engine.m.fresh(state, site.place[1], "sample", "no"))
    return modules.likely(engine, state, inputs, site.place, "distribution")


@symbol("torch.as_tensor", "torch.asarray")
def as_tensor(engine: Engine, state: State, site: CallSite) -> object:
    """``as_tensor`` and ``asarray`` share an array's memory as ``from_numpy`` does; of other things they are ops."""
    value = site.positional[0] if site.positional else ANYTHING
    for atom in value:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        made_by_numpy = isinstance(atom, Unknown) and atom.tag.startswith("#") and atom.tensor
        if (tensor is not None and tensor.is_array) or made_by_numpy:
            return from_numpy(engine, state, site)
    return NotImplemented


@symbol(*(f"torch.{kind}Tensor" for kind in ("Float", "Double", "Half", "Long", "Int", "Short", "Byte", "Bool")))
def legacy(engine: Engine, state: State, site: CallSite) -> object:
    """``torch.LongTensor([1, 2])`` is ``torch.tensor`` of that type; what is given sizes is left to what knows no more of it."""
    given = site.positional[0] if len(site.positional) == 1 and not site.named else ANYTHING
    if not all(isinstance(atom, int) and isinstance(state.heap.get(atom), Container) for atom in given):
        return NotImplemented
    made = calls.call_symbol(engine, state, "torch.tensor", site)
    dtype = layout.CONVERSIONS.get((site.target or "").rpartition(".")[2].removesuffix("Tensor").lower())
    for atom in made or {}:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if isinstance(atom, int) and tensor is not None and dtype is not None:
            state.put(atom, replace(tensor, dtype=dtype))
    return made


@symbol("torch.from_numpy")
def from_numpy(engine: Engine, state: State, site: CallSite) -> object:
    """``torch.from_numpy(array)``: a tensor on the array's storage, with a counter of its own."""
    m = engine.m
    for atom in site.positional[0] if site.positional else ():
        if isinstance(atom, Unknown) and atom.tag and m.known_tensor(state, atom) is None:
            # An array made by NumPy: from here on its memory is a tensor's as well.
            array = m.named_oid("assumed", atom.tag)
            state.heap[array] = Tensor(
                site.place, "array", frozenset({array}), frozenset(), is_array=True, assumed=atom.tag, contiguous=None
            )
    found = m.tensors(state, site.positional[0]) if site.positional else []
    arrays = [t for _, t, _ in found if t.is_array]
    oid = m.oid(site.place[1], "from_numpy")
    if arrays:
        made = replace(arrays[0], made=site.place, counters=frozenset({oid}), is_array=False, status=CONSTANT)
    else:
        made = Tensor(site.place, "from_numpy", frozenset({oid}), frozenset({oid}))
    return one(state.allocate(oid, made))


def flag(value: Value | None) -> bool:
    """Whether an argument is surely true."""
    return value is not None and constant_of(value) is True
