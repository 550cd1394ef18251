"""The shape of the op model: what one PyTorch op saves, writes, views and returns.

Everything here is data that a generator observed or derived (see ``tools/``); nothing is typed by hand except
the overrides table, each of whose rows carries its reason. All classes are frozen and built once.

Words
-----
*spelling*  how Python code names an op: ``torch.add``, ``Tensor.add_``, ``Tensor.__iadd__``, ``torch.nn.functional.relu``.
*variant*   one way to call an op: an overload, or a behaviour that a constant argument selects (``inplace=True``).
*guard*     the parameters of which at least one must require grad for a save to happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ParamKind = Literal[
    "tensor",  # must be a tensor
    "tensor?",  # a tensor or None
    "tensors",  # a list or tuple of tensors (None among them allowed)
    "number",  # a Python number (bool, int, float, complex), not a tensor
    "tensor|number",  # either; a number never requires grad
    "other",  # anything else: ints, shapes, dtypes, strings, flags, callables
]


class _Required:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Param:
    """One Python-level parameter. ``default`` is a constant (or ``REQUIRED``; ``...`` where it is no constant).

    ``star`` marks ``*shape``-like parameters that take the remaining positional arguments.
    ``keyword_only`` as in Python. In module rows, own parameters are named ``self.weight`` and so on.
    """

    name: str
    kind: ParamKind
    default: object = REQUIRED
    keyword_only: bool = False
    star: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """When an op works on a copy of an input, so that no later write can reach what it keeps: a rule of `domain.layouts.COPIES`.

    beside, ranks: the rule holds where the tensor of that parameter has one of so many dimensions; () whatever it has.
    """

    rule: str
    beside: str | None = None
    ranks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Save:
    """A tensor that the op keeps for its backward, readable by version.

    what: a parameter's name (every element of a ``tensors`` parameter), or ``result`` (``result1`` the second output...).
    guard: parameters, any of which must require grad; empty where any differentiable input will do.
        ``others``, in a list of tensors: any other element of the same list (``einsum`` keeps an operand for the rest).
    through_view: a view of the tensor is kept rather than the tensor (Linear's ``weight.t()``).
    copied: when a copy of it is kept instead. Private copies that are always made are not listed: no later write can reach them.
    """

    what: str
    guard: tuple[str, ...] = ()
    through_view: bool = False
    copied: tuple[Copied, ...] = ()


OutputKind = Literal[
    "new",  # memory of its own
    "same",  # the very object that `of` is (in-place ops, `.contiguous()` on contiguous memory)
    "view",  # a differentiable view of `of`
    "detached",  # shares storage and version counter, cut from the graph (`detach`)
    "data",  # shares storage, fresh version counter, cut from the graph (`.data`)
    "array",  # shares storage with no counter at all (`.numpy()`)
    "none",  # not a tensor: a number, a list of numbers, a string, None
]
DTypeRule = Literal["promote", "same", "float", "bool", "int", "complex", "unknown"]
ShapeRule = Literal["broadcast", "same", "scalar", "unknown"]


@dataclass(frozen=True, slots=True)
class Output:
    """One output.

    of: the parameter that is viewed or returned. maybe: the output is ``kind`` or ``new``, depending on memory
    layout, dtype or values: ``contiguous`` (as that kind if the input's memory is contiguous), ``dtype`` (if the dtype already
    fits), ``shape`` (if the shape already fits), ``values``; None where it always is.
    multi: a list or tuple of many tensors, of ``count`` where that is always the same; with ``multi_view`` PyTorch
    forbids writing to any one of them.
    differentiable: it can require grad. dtype, shape: how they follow from the inputs.
    expanded: several elements may share one place. breaks_contiguity: the view of contiguous memory is not contiguous.
    layout: how it lies in memory. Of a view: a rule of `domain.layouts.VIEWS` and the parameters that say of which dimensions, or
    nothing where that is not known. Of a new tensor: nothing where it is contiguous always, ``follows`` (as the first input of
    its shape), ``order 1 0 2`` (the dimensions from the outermost in memory, if all inputs are contiguous), ``open`` (contiguous
    if all inputs are), ``unknown``.
    """

    kind: OutputKind = "new"
    of: str | None = None
    maybe: Literal["contiguous", "dtype", "shape", "values"] | None = None
    multi: bool = False
    count: int | None = None
    multi_view: bool = False
    differentiable: bool = True
    dtype: DTypeRule = "promote"
    shape: ShapeRule = "unknown"
    expanded: bool = False
    breaks_contiguity: bool = False
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to call an op.

    when: constants that parameters must have (defaults count) for the variant to apply; for module rows also
    ``training``. Variants are tried in order; the first whose parameters bind and whose ``when`` is not contradicted applies.
    writes: parameters written in place. differentiable: tensor parameters through which gradients flow.
    node: PyTorch's name of the last backward node (``MulBackward0``).
    frees: a second backward through it raises, whether or not a listed tensor was saved.
    no_grad: it runs in no_grad whatever the grad mode (``torch.nn.init``).
    private_copy: written parameters whose old value backward needs, kept as a private copy.
    metadata: the write changes shape or strides only (``t_``, ``squeeze_``).
    expanded_ok: the write is allowed where several elements share one place (``fill_``, ``zero_``).
    silent_writes: tensors whose values change with no trace in the version counter (BatchNorm's running statistics).
    """

    params: tuple[Param, ...]
    outputs: tuple[Output, ...]
    saves: tuple[Save, ...] = ()
    writes: tuple[str, ...] = ()
    differentiable: tuple[str, ...] = ()
    when: tuple[tuple[str, object], ...] = ()
    node: str | None = None
    frees: bool = True
    no_grad: bool = False
    private_copy: tuple[str, ...] = ()
    metadata: bool = False
    expanded_ok: bool = False
    silent_writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Op:
    """An op under one spelling; ``name`` is what messages call it (``mul``, ``relu``)."""

    spelling: str
    name: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class ModuleOp:
    """A class of ``torch.nn``.

    init: constructor parameters, in order, with defaults. parameters: names of the tensors that it owns and trains,
    each with the constructor parameter that switches it off (``bias=False``) or None.
    buffers: names of the tensors it owns and does not train. variants: its forward; parameters named ``self.weight`` are its own.
    """

    spelling: str
    name: str
    init: tuple[Param, ...]
    parameters: tuple[tuple[str, str | None], ...]
    buffers: tuple[str, ...]
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class OptimizerRow:
    """A class of ``torch.optim``: its constructor parameters, and whether ``fused=True`` exists there."""

    spelling: str
    init: tuple[Param, ...]
    fused: bool


@dataclass(frozen=True, slots=True)
class TensorAttribute:
    """A public attribute of ``torch.Tensor``: whether it is called, and which other common classes have one of that name."""

    spelling: str
    called: bool
    also: tuple[str, ...] = ()
