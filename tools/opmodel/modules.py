"""Rows of torch.nn module classes and torch.optim optimizers."""

from __future__ import annotations

import inspect
import itertools
import typing
import warnings
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from inplace_lint.opmodel.schema import REQUIRED, ModuleOp, OptimizerRow, Param
from tools.opmodel import infer
from tools.opmodel.build import refine
from tools.opmodel.by_hand import modules_by_hand
from tools.opmodel.observe import MANY, Seen, observe
from tools.opmodel.running import CallError, tensors_in
from tools.opmodel.samples import Sample, alternatives
from tools.opmodel.signatures import BindError, Signature, bind, inspected_signature

CONFIGS = 10
INPUTS = 2
FIRST = "batch_first"
CONSTRUCTIONS: tuple[tuple[object, ...], ...] = (
    (),
    (3,),
    (2,),
    (3, 3),
    (2, 2),
    (3, 3, 3),
    (1, (3, 1)),
    (0.5,),
    (3, 2, 1),
)
SHAPES = ((2, 3), (2, 3, 4), (2, 3, 4, 4), (2, 3, 4, 4, 4), (2, 4, 4, 4), (3,))


@dataclass(frozen=True)
class Config:
    """One way to construct a module, one way to call it."""

    init: Mapping[str, object]
    forward: Sample


def _without_self(signature: Signature) -> Signature:
    params = tuple(
        param for param in signature.params if param.name != "self" and param.name not in ("device", "dtype", "kwargs")
    )
    return Signature(params, signature.types)


def signature_of(function: Callable[..., Any]) -> Signature:
    """A method's parameters without ``self``, ``device`` and ``dtype``."""
    # Python 3.10 does not remember overloads; the recurrent layers' constructors need a later one.
    overloads: list[Callable[..., Any]] = getattr(typing, "get_overloads", lambda _: [])(function)
    found = inspected_signature(overloads[0] if overloads else function)
    return _without_self(found) if found is not None else Signature((), {})


def classes() -> Iterator[tuple[str, type[nn.Module]]]:
    """Module classes of torch.nn, containers and abstract ones left out."""
    containers = inspect.getmodule(nn.Sequential)
    for name in sorted(dir(nn)):
        value = getattr(nn, name)
        if not isinstance(value, type) or not issubclass(value, nn.Module) or value is nn.Module:
            continue
        if inspect.getmodule(value) is containers or issubclass(value, nn.DataParallel):
            continue
        yield name, value


def _known_configs(cls: type[nn.Module], init: Signature) -> Iterator[Config]:
    from torch.testing._internal.common_modules import module_db

    for info in module_db:
        if info.module_cls is not cls:
            continue
        dtype = torch.float64 if torch.float64 in info.dtypes else torch.float32
        for training in (True, False):
            torch.default_generator.manual_seed(0)
            inputs = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=False, training=training)
            for one in inputs:
                if one.forward_input is None:
                    continue
                kwargs = {k: v for k, v in one.constructor_input.kwargs.items() if k not in ("device", "dtype")}
                try:
                    bound = bind(_loose(init), one.constructor_input.args, kwargs)
                except BindError:
                    continue
                yield Config(bound, Sample(tuple(one.forward_input.args), one.forward_input.kwargs))


def _hand_configs(cls: type[nn.Module], init: Signature) -> Iterator[Config]:
    for constructor, forward in modules_by_hand().get(cls.__name__, ()):
        yield Config(constructor, forward)


def _loose(signature: Signature) -> Signature:
    return Signature(tuple(replace(param, kind="other") for param in signature.params), {})


def _made_up_configs(cls: type[nn.Module], init: Signature) -> Iterator[Config]:
    for args in CONSTRUCTIONS:
        try:
            bound = bind(_loose(init), args, {})
        except BindError:
            continue
        for shape in SHAPES:
            torch.default_generator.manual_seed(0)
            x = torch.rand(shape, dtype=torch.float64) * 0.5 + 0.25
            for count in (1, 2, 3):
                yield Config(bound, Sample(tuple(x.clone() + 0.1 * i for i in range(count)), {}))
            yield Config(bound, Sample((x, (x > 0.5).long()), {}))


class Subject:
    """A module class under observation."""

    def __init__(self, cls: type[nn.Module]) -> None:
        self.cls = cls
        self.init = signature_of(cls.__init__)
        self.forward = signature_of(cls.forward)
        self.owned: dict[str, None] = {}
        self.buffers: dict[str, None] = {}
        self.presence: list[tuple[dict[str, object], frozenset[str]]] = []

    def make(self, init: Mapping[str, object], training: bool) -> nn.Module:
        """Constructs the module; raises `CallError` where that fails."""
        args = [item for p in self.init.params if p.star and p.name in init for item in _sequence(init[p.name])]
        kwargs = {k: v for k, v in init.items() if not any(p.star and p.name == k for p in self.init.params)}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = self.cls(*args, **kwargs).train(training)
        except Exception as error:
            raise CallError(str(error)) from error
        return module

    def see(self, config: Config, training: bool) -> Seen:
        """Observes one forward; raises `CallError`."""
        dtypes = [
            t.dtype
            for t in tensors_in([*config.forward.args, *config.forward.kwargs.values()])
            if t.is_floating_point()
        ]
        module = self.make(config.init, training).to(dtypes[0] if dtypes else torch.float64)
        try:
            bound = bind(_untyped(self.forward), config.forward.args, config.forward.kwargs)
        except BindError as error:
            raise CallError(str(error)) from error
        forward = dict(bound.items())
        own = {f"self.{name}": p.detach() for name, p in module.named_parameters()}
        held = {f"self.{name}": b for name, b in module.named_buffers()}

        def call(values: Mapping[str, object]) -> object:
            swapped = {name[5:]: value for name, value in values.items() if name.startswith("self.")}
            arguments = {name: value for name, value in values.items() if not name.startswith("self.")}
            args: list[object] = []
            for param in self.forward.params:
                if param.name not in arguments or param.keyword_only:
                    break
                value = arguments.pop(param.name)
                args.extend(_sequence(value) if param.star else [value])
            return torch.func.functional_call(module, swapped, tuple(args), arguments)  # type: ignore[arg-type]

        constants = {name: value for name, value in bound.items() if not tensors_in(value)}
        for param in self.init.params:
            if param.name not in bound:
                constants.setdefault(param.name, config.init.get(param.name, param.default))
        for name, value in config.init.items():
            if isinstance(value, nn.Module):
                constants |= {f"{name}.{FIRST}": first for first in _batch_first(value)}
        constants["training"] = training
        seen = observe(call, {**forward, **own, **held}, constants)
        self.owned.update(dict.fromkeys(own))
        self.buffers.update(dict.fromkeys(held))
        self.presence.append((dict(config.init), frozenset(own)))
        return seen


def _batch_first(module: nn.Module) -> list[bool]:
    """Whether batches come first in a module, as the first of its parts says that knows."""
    return [first for part in module.modules() if isinstance(first := getattr(part, FIRST, None), bool)][:1]


def _untyped(signature: Signature) -> Signature:
    return Signature(tuple(replace(param, kind="other") for param in signature.params), {})


def _sequence(value: object) -> list[Any]:
    return list(value) if isinstance(value, (tuple, list)) else [value]


@dataclass(frozen=True)
class Gathered:
    """All that was seen of a class: calls, the constants that mattered, the owned tensors that its row lists."""

    subject: Subject
    seen: tuple[Seen, ...]
    causal: tuple[str, ...]
    kept: tuple[str, ...]


def gather(cls: type[nn.Module]) -> Gathered:
    """Observes a class in every known configuration, training and not."""
    subject = Subject(cls)
    seen, causal = _observe_all(subject)
    kept = _always_or_switched(subject)
    dropped = set(subject.owned) - set(kept)
    return Gathered(subject, tuple(_prune(one, dropped) for one in seen), tuple(causal), tuple(kept))


def _observe_all(subject: Subject) -> tuple[list[Seen], list[str]]:
    seen: list[Seen] = []
    causal: dict[str, None] = {}
    bases: list[tuple[Config, Seen]] = []
    for source in (_hand_configs, _known_configs, _made_up_configs):
        for config in source(subject.cls, subject.init):
            try:
                one = subject.see(config, True)
            except CallError:
                continue
            bases.append((config, one))
            few = source is _made_up_configs or len(subject.owned) > MANY
            if len(bases) >= (INPUTS if few else CONFIGS):
                break
        if bases:
            break
    for config, one in bases:
        seen.append(one)
        try:
            other = subject.see(config, False)
        except CallError:
            continue
        seen.append(other)
        if other.behaviour() != one.behaviour():
            causal["training"] = None
    told = {(name, value) for one in seen for name, value in one.constants.items() if name.endswith(f".{FIRST}")}
    causal |= {name: None for name, first in told if (name, not first) in told}
    for param in subject.init.params:
        tried = 0
        for config, one in bases:
            for value in alternatives(param, config.init):
                changed = Config({**config.init, param.name: value}, config.forward)
                for training in (True, False) if len(subject.owned) <= MANY else (True,):
                    try:
                        other = subject.see(changed, training)
                    except CallError:
                        continue
                    seen.append(other)
                    tried += 1
                    if training and _behaviour(other) != _behaviour(one):
                        causal[param.name] = None
            if tried >= 4 or (tried and len(subject.owned) > MANY):
                break
    for config in _stacked(bases):
        with suppress(CallError):
            seen.append(subject.see(config, True))
    for config, _ in bases:
        for both in _pairs(subject, config, causal):
            with suppress(CallError):
                seen.append(subject.see(Config(both, config.forward), True))
    return seen, sorted(causal, key=lambda name: (name != "inplace", name != "training", list(causal).index(name)))


def _stacked(bases: Sequence[tuple[Config, Seen]]) -> Iterator[Config]:
    """The same calls with a dimension more: of the first argument, and of all. Most samples are of matrices."""
    for config, one in bases:
        args = config.forward.args
        if not one.saves or config.forward.kwargs or not all(_is_floating(arg) for arg in args):
            continue
        for count in {1, len(args)}:
            yield Config(config.init, Sample((*map(_twice, args[:count]), *args[count:]), {}))


def _is_floating(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.layout is torch.strided


def _twice(tensor: torch.Tensor) -> torch.Tensor:
    return torch.stack([tensor, tensor * 0.75])


def _pairs(subject: Subject, config: Config, causal: Container[str]) -> Iterator[dict[str, object]]:
    """Constructor arguments with two constants changed that each made a difference (``inplace=True`` with ``p=0``)."""
    params = [param for param in subject.init.params if param.name in causal]
    if len(subject.owned) > MANY:
        return
    for first, second in itertools.combinations(params, 2):
        for one in alternatives(first, config.init):
            for other in alternatives(second, config.init):
                yield {**config.init, first.name: one, second.name: other}


def _behaviour(seen: Seen) -> object:
    """What a call did, guards by owned tensors aside: switching a bias off is no other behaviour."""
    own = {name for name in seen.present if name.startswith("self.")}
    return (
        tuple((o.kind, o.of, o.multi, o.differentiable) for o in seen.outputs),
        tuple(sorted(what for what in seen.saves if what not in own)),
        seen.writes,
        seen.silent,
    )


def row(name: str, cls: type[nn.Module]) -> ModuleOp | None:
    """The row of a module class; None where no forward could be run."""
    target = becomes(cls)
    if target is not cls:
        became = row(target.__name__, target)
        init = signature_of(cls.__init__).params
        return replace(became, spelling=f"torch.nn.{name}", name=name, init=init) if became is not None else None
    gathered = gather(cls)
    subject, seen, kept = gathered.subject, gathered.seen, gathered.kept
    if not seen:
        return None
    forward = refine(Signature(subject.forward.params, {}), list(seen))
    own = [Param(owned, "tensor", REQUIRED, keyword_only=True) for owned in (*kept, *subject.buffers)]
    defaults = {param.name: param.default for param in subject.init.params} | {"training": True}
    evidence = infer.Evidence((*forward, *own), seen, gathered.causal, False, defaults)
    return ModuleOp(
        spelling=f"torch.nn.{name}",
        name=name,
        init=subject.init.params,
        parameters=tuple((owned.removeprefix("self."), _switch(subject, owned)) for owned in kept),
        buffers=tuple(buffer.removeprefix("self.") for buffer in subject.buffers),
        variants=tuple(infer.variants(evidence)),
    )


def becomes(cls: type[nn.Module]) -> type[nn.Module]:
    """The class that a lazy class becomes on its first call and behaves as; any other class itself."""
    target = cls.cls_to_become if issubclass(cls, LazyModuleMixin) else None
    return target if target is not None else cls


def _always_or_switched(subject: Subject) -> list[str]:
    """Owned tensors that are there by default or as soon as one flag is set; not those of a second layer."""
    kept: dict[str, None] = dict.fromkeys(_by_default(subject))
    for init, present in subject.presence:
        unusual = {
            p.name
            for p in subject.init.params
            if init.get(p.name, p.default) != p.default and p.default is not REQUIRED
        }
        for owned in subject.owned:
            if owned in present and (not unusual or unusual == {_switch(subject, owned)}):
                kept[owned] = None
    return [owned for owned in subject.owned if owned in kept] or list(subject.owned)


def _by_default(subject: Subject) -> list[str]:
    """Owned tensors that are there where nothing is given but what has to be; no sample may be like that."""
    required = {param.name for param in subject.init.params if param.default is REQUIRED}
    for init, _ in subject.presence:
        with suppress(CallError):
            made = subject.make({name: value for name, value in init.items() if name in required}, True)
            return [owned for owned, _ in made.named_parameters(prefix="self") if owned in subject.owned]
    return []


def _prune(seen: Seen, dropped: set[str]) -> Seen:
    return replace(
        seen,
        saves={what: guard - dropped for what, guard in seen.saves.items() if what not in dropped},
        differentiable=tuple(name for name in seen.differentiable if name not in dropped),
        present=tuple(name for name in seen.present if name not in dropped),
    )


def _switch(subject: Subject, owned: str) -> str | None:
    """The constructor parameter whose truth decides whether a tensor is there: the last that does."""
    found = None
    for param in subject.init.params:
        values = {
            (bool(init.get(param.name, param.default)), owned in present)
            for init, present in subject.presence
            if isinstance(init.get(param.name, param.default), bool)
        }
        if (False, False) in values and (False, True) not in values and (True, True) in values:
            found = param.name
    return found


def optimizers() -> Iterator[OptimizerRow]:
    """Rows of torch.optim's optimizer classes."""
    for name in sorted(dir(torch.optim)):
        value = getattr(torch.optim, name)
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and value is not torch.optim.Optimizer:
            signature = signature_of(value.__init__)
            yield OptimizerRow(
                f"torch.optim.{name}", signature.params, any(p.name == "fused" for p in signature.params)
            )
