"""Runs one call under autograd, with private copies of its arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import torch

Values = Mapping[str, object]
Call = Callable[[Values], object]


def copy_tensor(tensor: torch.Tensor, requires_grad: bool) -> torch.Tensor:
    """A private copy with the same strides; one that requires grad is interior, so that in-place ops accept it."""
    fresh = tensor.detach().clone()
    if fresh.stride() != tensor.stride() and tensor.layout is torch.strided and 0 not in tensor.stride():
        fresh = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype).copy_(tensor.detach())
    if requires_grad and (tensor.is_floating_point() or tensor.is_complex()):
        fresh.requires_grad_()
        with torch.enable_grad():
            return torch.clone(fresh)
    return fresh


def map_tensors(value: object, change: Callable[[torch.Tensor], object]) -> object:
    """A value with every tensor in it changed, through tuples and lists."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(map_tensors(item, change) for item in value)  # type: ignore[call-arg,attr-defined]
    return value


def tensors_in(value: object) -> list[torch.Tensor]:
    """Every tensor in a value, through tuples and lists."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


class CallError(Exception):
    """The call raised."""


class Run:
    """One execution with a chosen set of slots requiring grad."""

    def __init__(self, call: Call, values: Values, grad: frozenset[str], hooks: bool) -> None:
        self.values = {
            name: map_tensors(value, lambda tensor, name=name: copy_tensor(tensor, name in grad))  # type: ignore[misc]
            for name, value in values.items()
        }
        self.saved: list[torch.Tensor] = []
        self.old = {name: [t.detach().clone() for t in tensors_in(value)] for name, value in self.values.items()}
        self.versions = {name: [version_of(t) for t in tensors_in(value)] for name, value in self.values.items()}
        self.history = [t.grad_fn for value in self.values.values() for t in tensors_in(value)]
        self.places = {name: [(t.shape, t.stride()) for t in tensors_in(value)] for name, value in self.values.items()}
        torch.default_generator.manual_seed(0)  # torch.manual_seed would note a traceback for every GPU backend
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if hooks:
                    with torch.autograd.graph.saved_tensors_hooks(self._pack, lambda packed: packed):
                        self.out = call(self.values)
                else:
                    self.out = call(self.values)
        except Exception as error:
            raise CallError(f"{type(error).__name__}: {error}"[:300]) from error
        if self.out is NotImplemented:
            raise CallError("the operator does not take these operands")

    def _pack(self, tensor: torch.Tensor) -> torch.Tensor:
        self.saved.append(tensor)
        return tensor

    def roots(self) -> list[torch.Tensor]:
        """Outputs (and written inputs) that have a history to run backward through."""
        found = [t for t in tensors_in(self.out) if t.requires_grad]
        for name, value in self.values.items():
            for tensor, version in zip(tensors_in(value), self.versions[name], strict=True):
                if tensor.requires_grad and version_of(tensor) != version and all(tensor is not t for t in found):
                    found.append(tensor)
        return found

    def backward(self) -> str:
        """Runs backward; the error text, or the empty string."""
        roots = self.roots()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.autograd.backward(roots, [torch.ones_like(root) for root in roots])
        except Exception as error:
            return str(error) or type(error).__name__
        return ""


def version_of(tensor: torch.Tensor) -> int:
    """A tensor's version; 0 where it counts none."""
    try:
        return tensor._version
    except RuntimeError:
        return 0
