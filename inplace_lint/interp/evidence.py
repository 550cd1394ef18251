"""Which parameters of a definition are tensors, as far as its own body shows."""

from __future__ import annotations

from collections.abc import Container

from inplace_lint import ir

TENSOR_ONLY = frozenset(
    {
        "backward",
        "clone",
        "detach",
        "requires_grad_",
        "requires_grad",
        "grad",
        "unsqueeze",
        "permute",
        "contiguous",
        "cuda",
        "expand",
        "view_as",
        "expand_as",
        "masked_fill",
        "masked_fill_",
        "index_select",
        "gather",
        "chunk",
        "relu",
        "relu_",
        "sigmoid",
        "sigmoid_",
        "tanh",
        "tanh_",
        "softmax",
        "log_softmax",
        "exp_",
        "add_",
        "mul_",
        "sub_",
        "div_",
        "clamp",
        "clamp_",
        "view",
        "numel",
        "norm",
        "new_zeros",
        "new_ones",
        "new_tensor",
        "type_as",
        "is_cuda",
        "abs_",
        "sqrt_",
        "pow_",
        "zero_",
        "fill_",
        "copy_",
        "retain_grad",
        "unbind",
        "scatter_",
        "scatter_add_",
        "index_add_",
        "bernoulli_",
        "normal_",
        "uniform_",
        "bmm",
        "matmul",
        "grad_fn",
        "is_leaf",
        "exp",
        "log",
        "sqrt",
        "pow",
        "neg",
        "abs",
        "addmm",
        "data",
        "floor_",
        "round_",
        "neg_",
    }
)
"""Attributes that Python's own types and NumPy's arrays lack, or that nobody uses on them in PyTorch code."""


def tensor_parameters(code: ir.Code, methods: Container[str] = ()) -> frozenset[str]:
    """Parameters that are handed to a function of torch, or on which a tensor's own method is called.

    An attribute of ``self`` that is called is a submodule, and its first argument a tensor, unless it is one of the
    class's ``methods``.
    """
    params = {p.name for p in code.params}
    if not params:
        return frozenset()
    found: set[str] = set()
    names: dict[int, str] = {}
    torch_like: set[int] = set()
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load):
            if instr.name in params and instr.scope == "local":
                names[instr.dst] = instr.name
            elif instr.scope in ("global", "free") and instr.name in ("torch", "F", "nn", "functional"):
                torch_like.add(instr.dst)
            elif instr.scope == "local" and instr.name == "self":
                names[instr.dst] = "self"
        elif isinstance(instr, ir.GetAttr):
            owner = names.get(instr.obj)
            if owner in params and owner != "self" and instr.attr in TENSOR_ONLY and owner is not None:
                found.add(owner)
            if instr.obj in torch_like:
                torch_like.add(instr.dst)
            if owner == "self" and instr.attr not in methods:
                names[instr.dst] = "self."
        elif isinstance(instr, ir.Call):
            submodule = names.get(instr.func) == "self."
            if instr.func in torch_like or submodule:
                for number, arg in enumerate(instr.args):
                    name = names.get(arg.reg)
                    if (
                        name in params
                        and name is not None
                        and name != "self"
                        and arg.kind == "positional"
                        and (number == 0 or not submodule)
                    ):
                        found.add(name)
    return frozenset(found)


def parameter_attributes(region: ir.Region) -> set[str]:
    """Names of attributes to which a region, or a definition in it, assigns an ``nn.Parameter`` that requires grad."""
    found: set[str] = set()
    made: set[int] = set()
    off: set[int] = set()
    named: dict[int, str] = {}
    for instr in ir.walk(region):
        if isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
            found |= parameter_attributes(instr.code.body)
        elif isinstance(instr, ir.Load):
            named[instr.dst] = instr.name
        elif isinstance(instr, ir.GetAttr):
            named[instr.dst] = instr.attr
        elif isinstance(instr, ir.Const):
            if instr.value is False:
                off.add(instr.dst)
        elif isinstance(instr, ir.Call) and named.get(instr.func) == "Parameter":
            flags = [arg.reg for n, arg in enumerate(instr.args) if arg.name == "requires_grad" or n == 1]
            if not off.intersection(flags):
                made.add(instr.dst)
        elif isinstance(instr, ir.SetAttr) and instr.src in made:
            found.add(instr.attr)
    return found
