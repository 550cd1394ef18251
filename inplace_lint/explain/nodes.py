"""Names of graph nodes: as versions of PyTorch print them, and the node that a written operation makes."""

from __future__ import annotations

import re
from functools import cache

from ..opmodel import lookup

_ENDING = re.compile(r"(?:Backwards?)?\d*$")
# Back ends whose node does the same as the plain one: `CudnnConvolutionBackward`, `NativeLayerNormBackward0`, `ThMulBackward`.
_BACK_END = re.compile(r"^(?:Cudnn|Miopen|Mkldnn|Mps|Native|Slow|Thnn|Th|S(?=_))(?=[A-Z_])")
_FOREACH = re.compile(r"^Foreach(?=[A-Z])")

VIEWS = frozenset(
    ("AsStrided", "T", "Transpose", "Permute", "View", "UnsafeView", "ReshapeAlias", "Expand", "Select", "Slice", "Unsqueeze",
     "Squeeze", "Split", "Chunk", "Unbind", "Narrow", "Diagonal", "Alias", "Detach", "Unfold")
)  # fmt: skip
"""Views: PyTorch names them where a saved view's base was written, as ``AsStrided`` from 0.4 on, whatever it was."""

REPLACED = frozenset(("CopySlices", "Copy", "Fill", "IndexPut", "MaskedFill", "IndexFill", "IndexCopy", "Zero"))
"""What a write to a part of a tensor makes."""

_PRODUCTS = frozenset(("Mm", "Mv", "Dot", "Bmm", "Addmm", "Addmv", "Addbmm", "Baddbmm", "Linear"))
# Nodes that save no tensor: an operation that is said to have saved by one of them is made of several.
_KEEP_NOTHING = VIEWS | {"Stack", "Cat", "Add", "Sub", "Sum", "Mean", "Clone", "Neg"}


def same(one: str, other: str) -> bool | None:
    """Whether two names may be those of one node, or None where the first does not tell which node it was."""
    first, second = plain(one), plain(other)
    if first == second:
        return True
    if first in _KEEP_NOTHING:
        return None
    if first in _PRODUCTS and second in _PRODUCTS:
        return None  # which one `@` makes depends on the dimensions
    return False


_OPERATORS = {
    "+=": "__iadd__", "-=": "__isub__", "*=": "__imul__", "/=": "__itruediv__", "**=": "__ipow__", "@=": "__imatmul__",
    "//=": "__ifloordiv__", "%=": "__imod__", "&=": "__iand__", "|=": "__ior__", "^=": "__ixor__",
    "<<=": "__ilshift__", ">>=": "__irshift__",
}  # fmt: skip


def plain(name: str) -> str:
    """A node's name without what versions and back ends add: ``Relu`` for ``ReluBackward0`` and for 2.13's ``Relu``."""
    name = name.rpartition("::")[2].rpartition(".")[2]
    name = _ENDING.sub("", name) or name
    return _FOREACH.sub("", _BACK_END.sub("", name)) or name


@cache
def of_write(write: str, form: str) -> frozenset[str]:
    """The plain names of the nodes that a write may make, by its spelling; empty where it is not known."""
    if form == "item" or write.startswith("[...]"):
        return REPLACED
    model = lookup.load()
    spelled = _OPERATORS.get(write, write)
    name = spelled.rpartition(".")[2]
    bare = name.rstrip("_") or name
    ops = [model.method(name), model.method(f"{bare}_") if not name.startswith("__") else None]
    ops += [model.function(f"torch.nn.functional.{it}") for it in dict.fromkeys((name, bare.lower()))]
    ops += [model.function(f"torch.{name}")]
    nodes = {variant.node for op in ops if op is not None for variant in op.variants if variant.node is not None}
    module = model.module(f"torch.nn.{name}")
    if module is not None:
        nodes |= {variant.node for variant in module.variants if variant.node is not None}
    return frozenset(plain(node) for node in nodes)
