"""Which attributes only tensors have: everything public that ``torch.Tensor`` has, with the other classes that have it too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from inplace_lint.opmodel.schema import TensorAttribute

LITERALS: tuple[type, ...] = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    list,
    tuple,
    dict,
    set,
    frozenset,
    range,
    slice,
    type(None),
)
"""Python's own types of values that functions are called with."""
OTHERS: tuple[type, ...] = (
    *LITERALS,
    np.ndarray,
    np.generic,
    torch.nn.Module,
    torch.optim.Optimizer,
    torch.optim.lr_scheduler.LRScheduler,
)
"""Classes that an argument in PyTorch code is as likely of: what they have too says nothing about tensors."""


def attributes() -> Iterator[TensorAttribute]:
    """Every public attribute of a tensor."""
    for name in dir(torch.Tensor):
        if name.startswith("_"):
            continue
        also = tuple(f"{cls.__module__}.{cls.__qualname__}" for cls in OTHERS if hasattr(cls, name))
        yield TensorAttribute(name, callable(getattr(torch.Tensor, name)), also)
