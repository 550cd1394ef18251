"""Rows of ``x[index]`` and ``x[index] = value``, whose behaviour depends on the class of the index."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from inplace_lint.opmodel.schema import Op, Param
from tools.opmodel import infer
from tools.opmodel.observe import Seen, observe

SELF = Param("self", "tensor")
INDEX = Param("index", "other")


def _indices() -> list[tuple[str, object]]:
    """(class, index without tensors) over a 3 by 4 tensor."""
    basic: list[object] = [0, slice(0, 2), (0, 1), None, ..., (slice(None), 0), (slice(None), slice(0, 2)), (..., 0)]
    advanced: list[object] = [[0, 1], ([0, 1], [1, 2]), (slice(None), [0, 1])]
    return [("basic", index) for index in basic] + [("advanced", index) for index in advanced]


def _tensor_indices() -> list[torch.Tensor]:
    return [torch.tensor([0, 2]), torch.arange(12).reshape(3, 4) % 2 == 0, torch.tensor([True, False, True])]


def rows() -> tuple[Op, ...]:
    """``__getitem__``, ``__setitem__`` and ``__iter__``."""
    torch.default_generator.manual_seed(0)
    base = torch.rand(3, 4, dtype=torch.float64)
    reads: list[Seen] = []
    writes: list[Seen] = []
    for kind, index in _indices():

        def read(values: Mapping[str, object], index: object = index) -> object:
            return values["self"][index]  # type: ignore[index]

        reads.append(observe(read, {"self": base}, {"index": kind}))
        for value in (torch.rand_like(base[index]), 0.5):  # type: ignore[index]

            def write(values: Mapping[str, object], index: object = index) -> object:
                values["self"][index] = values["value"]  # type: ignore[index]
                return None

            writes.append(observe(write, {"self": base, "value": value}, {"index": kind, "value": value}))
    for tensor in _tensor_indices():
        reads.append(observe(_read, {"self": base, "index": tensor}, {"index": "advanced"}))
        values = (torch.rand_like(base[tensor]), torch.tensor(0.5, dtype=torch.float64), 0.5)
        writes += [observe(_write, {"self": base, "index": tensor, "value": v}, {"index": "advanced"}) for v in values]
    causal = ("index",)
    getter = infer.Evidence((SELF, INDEX), tuple(reads), causal)
    setter = infer.Evidence((SELF, INDEX, Param("value", "tensor|number")), tuple(writes), causal)
    pieces = [observe(lambda values: list(values["self"]), {"self": base}, {})]  # type: ignore[call-overload]
    iterator = infer.Evidence((SELF,), tuple(pieces), ())
    return (
        Op("__iter__", "iteration", tuple(infer.variants(iterator))),
        Op("__getitem__", "getitem", tuple(infer.variants(getter))),
        Op("__setitem__", "setitem", tuple(infer.variants(setter))),
    )


def _read(values: Mapping[str, object]) -> object:
    return values["self"][values["index"]]  # type: ignore[index]


def _write(values: Mapping[str, object]) -> object:
    values["self"][values["index"]] = values["value"]  # type: ignore[index]
    return None
