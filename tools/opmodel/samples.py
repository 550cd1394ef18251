"""Arguments to try: PyTorch's own sample inputs, their variations, and made-up ones where it has none."""

from __future__ import annotations

import itertools
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeGuard
from unittest import mock

import torch

from inplace_lint.opmodel.schema import REQUIRED, Param
from tools.opmodel.signatures import Signature

MAX_PER_SHAPE = 2
MAX_PER_OP = 16
MOST_SAMPLES = 400
PROBABILITIES = ("p", "dropout", "dropout_p")
SIZES = ("output_size",)


@dataclass(frozen=True)
class Sample:
    """Positional and keyword arguments as a user would write them."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def constant_key(value: object) -> object:
    """What of a value behaviour may depend on: the kind of a tensor, the value of a flag or string."""
    if isinstance(value, torch.Tensor):
        return ("tensor", value.dim() == 0, value.is_floating_point())
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, complex)):
        return (type(value).__name__, value == 0)
    return type(value).__name__


def _key(sample: Sample) -> object:
    return (
        tuple(constant_key(value) for value in sample.args),
        tuple(sorted((name, str(constant_key(value))) for name, value in sample.kwargs.items())),
    )


def _empty(value: object) -> bool:
    if isinstance(value, torch.Tensor):
        return value.numel() == 0
    return isinstance(value, (tuple, list)) and any(_empty(item) for item in value)


def thin(samples: Iterator[Sample], limit: int = MAX_PER_OP) -> list[Sample]:
    """A few samples of every way of passing arguments, empty tensors left out where there are others."""
    seen: dict[object, int] = defaultdict(int)
    kept: list[Sample] = []
    empty: list[Sample] = []
    for sample in itertools.islice(samples, MOST_SAMPLES):
        if any(_empty(value) for value in (*sample.args, *sample.kwargs.values())):
            empty.append(sample)
            continue
        key = _key(sample)
        seen[key] += 1
        if seen[key] <= MAX_PER_SHAPE:
            kept.append(sample)
        if len(kept) >= limit:
            break
    return kept or empty[:1]


def preferred_dtype(dtypes: Any) -> torch.dtype:
    """The dtype to observe an op with: double where it has gradients, the nearest to that elsewhere."""
    for dtype in (torch.float64, torch.float32, torch.complex64, torch.int64, torch.bool):
        if dtype in dtypes:
            return dtype
    first: torch.dtype = next(iter(dtypes))
    return first


def _tensors_of(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in _tensors_of(item)] if isinstance(value, (tuple, list)) else []


def of_each_rank(samples: Iterator[Sample]) -> list[Sample]:
    """One sample for every way in which the tensors' numbers of dimensions differ, that with the fewest sizes of one."""
    found: dict[object, tuple[int, Sample]] = {}
    for sample in samples:
        values = (*sample.args, *(sample.kwargs[name] for name in sorted(sample.kwargs)))
        tensors = [t for value in values for t in _tensors_of(value)]
        if not tensors or any(t.numel() == 0 for t in tensors):
            continue
        ones = sum(size == 1 for t in tensors for size in t.shape)
        key = tuple(t.dim() for t in tensors)
        if key not in found or ones < found[key][0]:
            found[key] = (ones, sample)
    return [sample for _, sample in itertools.islice(found.values(), MAX_PER_OP)]


@cache
def pool() -> Mapping[str, tuple[Sample, ...]]:
    """PyTorch's sample inputs by op name: ``add``, ``nn.functional.relu``, ``special.expit``, and aliases."""
    return {name: both[0] for name, both in _pools().items()}


@cache
def ranked_pool() -> Mapping[str, tuple[Sample, ...]]:
    """Those of PyTorch's sample inputs that differ in how many dimensions their tensors have, by op name."""
    return {name: both[1] for name, both in _pools().items()}


@cache
def _pools() -> Mapping[str, tuple[tuple[Sample, ...], tuple[Sample, ...]]]:
    from torch.testing._internal.common_methods_invocations import op_db

    found: dict[str, tuple[list[Sample], list[Sample]]] = defaultdict(lambda: ([], []))
    for info in op_db:
        torch.default_generator.manual_seed(0)
        if not info.dtypes:
            continue  # not on this device
        try:
            # torch.manual_seed formats a traceback for every GPU backend, which costs more than the samples.
            quick = mock.patch.object(torch, "manual_seed", torch.default_generator.manual_seed)
            with warnings.catch_warnings(), quick:
                warnings.simplefilter("ignore")
                dtype = preferred_dtype(info.dtypes)
                inputs = [
                    Sample((s.input, *s.args), s.kwargs)
                    for s in itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=False), MOST_SAMPLES)
                ]
                samples = thin(iter(inputs))
        except Exception as error:
            print(f"no samples of {info.name}: {type(error).__name__}: {error}")
            continue
        for name in {info.name, *(alias.name for alias in info.aliases)}:
            found[name][0].extend(samples)
            found[name][1].extend(of_each_rank(iter(inputs)))
    return {name: (tuple(few), tuple(ranked)) for name, (few, ranked) in found.items()}


@cache
def known_strings() -> Mapping[str, tuple[str, ...]]:
    """Strings that PyTorch's samples pass, by parameter name (``reduction`` -> ``none``, ``mean``, ``sum``)."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for samples in pool().values():
        for sample in samples:
            for name, value in sample.kwargs.items():
                if isinstance(value, str):
                    found[name][value] = None
    return {name: tuple(values) for name, values in found.items()}


def is_ones(value: object) -> TypeGuard[int | tuple[int, ...] | list[int]]:
    """Whether a size is one, along one dimension or each of several."""
    return value == 1 or (isinstance(value, (tuple, list)) and bool(value) and all(size == 1 for size in value))


def alternatives(param: Param, bound: Mapping[str, object]) -> list[object]:
    """Other constants worth trying for a parameter, given what a sample passed."""
    value = bound.get(param.name, param.default)
    found: list[object] = []
    if isinstance(value, bool):
        found.append(not value)
    elif param.default is not REQUIRED and param.name in bound and param.default is not ...:
        found.append(param.default)
    if isinstance(value, str):
        found.extend(text for text in known_strings().get(param.name, ()) if text != value)
    if isinstance(param.default, float) and 0 < param.default < 1 and param.name in PROBABILITIES:
        found.append(0.0)
    if isinstance(param.default, float) and param.default == 0.0 and param.name in PROBABILITIES:
        found.append(0.5)
    if param.name in SIZES:
        found.extend((2, 1, (1,), (1, 1), (1, 1, 1)))  # pooling to one place is a mean
    return [other for other in found if type(other) is not type(value) or other != value]


def _tensors() -> list[torch.Tensor]:
    torch.default_generator.manual_seed(0)
    return [
        torch.rand(3, 3, dtype=torch.float64) * 0.5 + 0.25,
        torch.arange(9).reshape(3, 3) % 3,
        torch.rand(3, 3) > 0.5,
        torch.rand(4, dtype=torch.float64),
        torch.rand(2, 3, 4, 4, dtype=torch.float64),
        torch.rand(3, 3, dtype=torch.complex64),
        torch.rand((), dtype=torch.float64),
        torch.rand(1, 3, 1, dtype=torch.float64),
    ]


def _fillers(param: Param, type_text: str) -> list[object]:
    if param.kind == "number":
        return [2.0, 1]
    if "Generator" in type_text:
        return [torch.Generator()]
    if "bool" in type_text:
        return [False]
    if "ScalarType" in type_text or "dtype" in type_text:
        return [torch.float64, torch.float32]
    if "ArrayRef" in type_text or "size" in type_text.lower() or "Sequence" in type_text or param.star:
        return [(3, 3), (0,), (0, 1), (1,)]
    if "str" in type_text:
        return ["linear"]
    return [1, 0, 2, (3, 3)]


def synthetic(signature: Signature) -> Iterator[dict[str, object]]:
    """Made-up arguments for the required parameters of a signature, by name."""
    for tensor, variety in itertools.product(_tensors(), range(3)):
        bound: dict[str, object] = {}
        for param in signature.params:
            if param.default is not REQUIRED:
                continue
            if param.kind == "tensors":
                bound[param.name] = [tensor, tensor + 1 if tensor.dtype is not torch.bool else ~tensor]
            elif param.kind.startswith("tensor"):
                first = not any(isinstance(value, torch.Tensor) for value in bound.values())
                index = ("index" in param.name or "indices" in param.name) and tensor.dtype is not torch.bool
                mask = param.name in ("mask", "condition")
                bound[param.name] = (
                    torch.zeros_like(tensor, dtype=torch.int64)
                    if index
                    else tensor.real > 0.5
                    if mask
                    else tensor.clone()
                    if first or tensor.dtype is not torch.float64
                    else tensor + 0.125
                )
            else:
                fillers = _fillers(param, signature.types.get(param.name, ""))
                bound[param.name] = fillers[min(variety, len(fillers) - 1)]
        yield bound


def optional_tensor_names(signature: Signature) -> list[str]:
    """Parameters that may be a tensor and need not be given."""
    return [
        p.name
        for p in signature.params
        if p.kind.startswith("tensor") and p.default is not REQUIRED and p.name != "out"
    ]
