"""Samples overheard: what PyTorch's own modules and sample wrappers pass on to the functions they call."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tools.opmodel.samples import Sample, preferred_dtype, thin


class Recorder(TorchFunctionMode):
    """Notes every outermost call of an overridable function."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable[..., Any], Sample]] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            result = func(*args, **kwargs)
        if any("Argument order" in str(warning.message) for warning in raised):
            return result
        self.calls.append((func, Sample(tuple(_keep(a) for a in args), {k: _keep(v) for k, v in kwargs.items()})))
        return result


def _keep(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (tuple, list):
        return type(value)(_keep(item) for item in value)
    return value


def _is_wrapped(info: Any) -> bool:
    """Whether an op is a function of the test suite: it wraps the real one, mostly to turn its arguments round."""
    return (getattr(info.op, "__module__", None) or "").startswith("torch.testing")


@cache
def wrapped_names() -> frozenset[str]:
    """Names in the sample pool whose samples are meant for a wrapper."""
    from torch.testing._internal.common_methods_invocations import op_db

    return frozenset(info.name for info in op_db) - {info.name for info in op_db if not _is_wrapped(info)}


def _wrapped_ops() -> Iterator[Callable[[], object]]:
    from torch.testing._internal.common_methods_invocations import op_db

    for info in op_db:
        if not _is_wrapped(info) or not info.dtypes:
            continue
        samples = (
            Sample((s.input, *s.args), s.kwargs) for s in info.sample_inputs("cpu", preferred_dtype(info.dtypes))
        )
        for sample in thin(samples):
            yield lambda op=info.op, sample=sample: op(*sample.args, **sample.kwargs)  # type: ignore[misc]


def _modules() -> Iterator[Callable[[], object]]:
    from torch.testing._internal.common_modules import module_db

    for info in module_db:
        if "Transformer" in info.name or "Attention" in info.name:
            continue
        for training in (True, False):
            inputs = info.module_inputs_func(
                info, device="cpu", dtype=torch.float64, requires_grad=False, training=training
            )
            for one in inputs[:6]:
                if one.forward_input is None:
                    continue

                def run(one: Any = one, cls: Any = info.module_cls, training: bool = training) -> object:
                    module = cls(*one.constructor_input.args, **one.constructor_input.kwargs).train(training)
                    return module(*one.forward_input.args, **one.forward_input.kwargs)

                yield run


@cache
def overheard() -> Mapping[Callable[..., Any], tuple[Sample, ...]]:
    """Samples by the function that they were passed to."""
    found: dict[Callable[..., Any], list[Sample]] = defaultdict(list)
    for source in (_wrapped_ops, _modules):
        for run in source():
            torch.default_generator.manual_seed(0)
            recorder = Recorder()
            try:
                with warnings.catch_warnings(), recorder:
                    warnings.simplefilter("ignore")
                    run()
            except Exception:
                # Some samples expect an error, some need what this build lacks; what was overheard until then is good.
                continue
            finally:
                for function, sample in recorder.calls:
                    found[function].append(sample)
    return {function: tuple(thin(iter(samples))) for function, samples in found.items()}
