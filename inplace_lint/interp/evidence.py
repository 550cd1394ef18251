"""What is a tensor, as its use shows: parameters by the body of their definition, anything by its methods."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Sequence

from inplace_lint import ir
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Unknown, Value
from inplace_lint.opmodel.lookup import OpModel
from inplace_lint.opmodel.schema import Param

_BY_NATURE = frozenset({"backward", "requires_grad_", "detach", "detach_", "retain_grad"})
_USUAL_NAMES = {
    "torch": "torch",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "functional": "torch.nn.functional",
}
"""The modules of torch under the names by which everybody imports them."""

_OF_SEVERAL = re.compile(
    r"""["'\s]*(typing\.|collections\.abc\.)?(List|Tuple|Dict|Sequence|Mapping|Iterable)\b""", re.IGNORECASE
)
"""Begins the annotation of what holds several things, whatever takes it."""


def tensor_parameters(code: ir.Code, model: OpModel, methods: Container[str] = ()) -> frozenset[str]:
    """Parameters that are handed to a function of torch, or used as only tensors can be.

    An attribute of ``self`` that is called is a submodule, and its first argument a tensor, unless it is one of the
    class's ``methods``.
    """
    params = {p.name for p in code.params if not _OF_SEVERAL.match(p.annotation or "")} - {"self"}
    if not params:
        return frozenset()
    found: set[str] = set()
    names: dict[int, str] = {}
    owners: dict[int, tuple[str, str]] = {}
    asked: dict[int, str] = {}
    results: dict[int, str] = {}
    paths: dict[int, str] = {}
    aliases: dict[str, str] = {}
    tuples: set[int] = set()
    literals: set[int] = set()
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load):
            if instr.scope == "local" and instr.name in aliases:
                names[instr.dst] = aliases[instr.name]
            elif instr.name in params and instr.scope == "local":
                names[instr.dst] = instr.name
            elif instr.scope in ("global", "free") and instr.name in _USUAL_NAMES:
                paths[instr.dst] = _USUAL_NAMES[instr.name]
            elif instr.scope == "local" and instr.name == "self":
                names[instr.dst] = "self"
        elif isinstance(instr, ir.Store):
            source = names.get(instr.src)
            aliases.pop(instr.name, None)
            if instr.scope == "local" and source in params and source is not None and instr.name not in params:
                aliases[instr.name] = source
        elif isinstance(instr, ir.Build) and instr.kind == "tuple":
            tuples.add(instr.dst)
        elif isinstance(instr, ir.GetItem):
            # Lists are not indexed by tuples: what shows the piece to be a tensor shows the whole to be one.
            if instr.index in tuples and names.get(instr.obj) in params:
                names[instr.dst] = names[instr.obj]
        elif isinstance(instr, ir.Const):
            if isinstance(instr.value, (int, float, complex)):
                literals.add(instr.dst)
        elif isinstance(instr, ir.Unary) and instr.op == "-" and names.get(instr.operand) in params:
            names[instr.dst] = names[instr.operand]
        elif isinstance(instr, ir.Binary):
            # What is computed from one thing and a number is a tensor only if that is one.
            operand = instr.left if instr.right in literals else instr.right if instr.left in literals else None
            if operand is not None and names.get(operand) in params:
                names[instr.dst] = names[operand]
        elif isinstance(instr, ir.GetAttr):
            owner = names.get(instr.obj) or results.get(instr.obj)
            if owner in params and owner is not None:
                attribute = model.tensor_only(instr.attr)
                if attribute is not None and attribute.called:
                    owners[instr.dst] = (owner, instr.attr)
                elif attribute is not None:
                    found.add(owner)
                if model.method(instr.attr) is not None:
                    asked[instr.dst] = owner
            if instr.obj in paths:
                paths[instr.dst] = f"{paths[instr.obj]}.{instr.attr}"
            if owner == "self" and instr.attr not in methods:
                names[instr.dst] = "self."
        elif isinstance(instr, ir.Call):
            if instr.func in asked:
                # ``x.reshape(...).unbind()``: what only tensors have shows what it was made from to be one.
                results[instr.dst] = asked[instr.func]
            owner, method = owners.get(instr.func, (None, ""))
            if owner is not None and _may_be_called(model, method, instr):
                found.add(owner)
            path = "self" if names.get(instr.func) == "self." else paths.get(instr.func)
            for number, arg in enumerate(instr.args if path is not None else ()):
                name = names.get(arg.reg)
                if (
                    name in params
                    and arg.kind == "positional"
                    and path is not None
                    and _takes_tensor(model, path, number)
                ):
                    found.add(name)
    return frozenset(found | _reckoned_with(code, params) if code.name == "forward" else found)


def _reckoned_with(code: ir.Code, params: Container[str]) -> set[str]:
    """Parameters of a ``forward`` from which something is computed and to whose elements it writes: numbers have no elements,
    and lists are joined and repeated at most. The first one is no number either where an attribute of ``self`` takes part.
    """
    operands: dict[int, str] = {}
    selves: set[int] = set()
    own: set[int] = set()
    of_torch: set[int] = set()
    literals: set[int] = set()
    computed: set[str] = set()
    weighted: set[str] = set()
    written: set[str] = set()
    augmented: set[str] = set()
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load):
            if instr.scope == "local" and instr.name == "self":
                selves.add(instr.dst)
            elif instr.scope == "local" and instr.name in params:
                operands[instr.dst] = instr.name
            elif instr.scope != "local" and instr.name in _USUAL_NAMES:
                of_torch.add(instr.dst)
        elif isinstance(instr, ir.GetAttr):
            if instr.obj in selves:
                own.add(instr.dst)
            elif instr.obj in of_torch:
                of_torch.add(instr.dst)
        elif isinstance(instr, ir.Call) and instr.func in of_torch:
            computed |= {operands[arg.reg] for arg in instr.args if arg.reg in operands}
        elif isinstance(instr, ir.Const):
            literals.add(instr.dst)
        elif isinstance(instr, ir.Binary):
            for one, other in ((instr.left, instr.right), (instr.right, instr.left)):
                if one not in operands or other in literals:
                    continue
                if other in own:
                    weighted.add(operands[one])
                if other in own or instr.op not in ("+", "*"):
                    computed.add(operands[one])
        elif isinstance(instr, ir.SetItem) and instr.obj in operands:
            written.add(operands[instr.obj])
        elif isinstance(instr, ir.InPlace) and instr.left in operands:
            augmented.add(operands[instr.left])
    first = {parameter.name for parameter in code.params[1:2]}
    return (written & computed) | (augmented & weighted & first)


def _takes_tensor(model: OpModel, path: str, number: int) -> bool:
    """Whether a function of torch takes nothing but a tensor there; a submodule (``self``) takes one first."""
    if path == "self":
        return number == 0
    row = model.function(path)
    if row is None:
        # Of what the model does not know: constructors of classes take sizes, functions mostly tensors.
        return not path.rpartition(".")[2][:1].isupper()
    kinds = {
        v.params[number].kind for v in row.variants if number < len(v.params) and not v.params[number].keyword_only
    }
    return bool(kinds) and kinds <= {"tensor", "tensor?"}


def _may_be_called(model: OpModel, method: str, call: ir.Call) -> bool:
    """Whether a tensor's method takes as many arguments: ``block.norm(x)`` may be one, ``block.relu(x)`` is none."""
    row = model.method(method)
    if row is None:
        return True
    return any(_have_room(variant.params[1:], len(call.args)) for variant in row.variants)


def _have_room(params: Sequence[Param], given: int) -> bool:
    return given <= len(params) or any(param.star for param in params)


def shows_tensor(model: OpModel, state: State, name: str, positional: Sequence[Value], named: Collection[str]) -> bool:
    """Whether what has a method of that name is a tensor: nothing else has one that takes such arguments."""
    if name in _BY_NATURE:
        return True
    row, only = model.method(name), model.tensor_only(name)
    if row is None or name.endswith("_"):
        return row is not None
    if only is None or not only.called:
        return False
    return any(_takes(state, variant.params[1:], positional, named) for variant in row.variants)


def _takes(state: State, params: Sequence[Param], positional: Sequence[Value], named: Collection[str]) -> bool:
    if not _have_room(params, len(positional) + len(named)):
        return False
    if any(param.star for param in params):
        return True
    # Where a tensor's method takes a number, as ``norm`` does, one that is given a tensor is that of a submodule.
    return all(
        param.kind.startswith("tensor") or not any(_is_tensor(state, atom) for atom in value)
        for param, value in zip(params, positional, strict=False)
    )


def _is_tensor(state: State, atom: Atom) -> bool:
    if isinstance(atom, Unknown):
        return atom.grad == "likely"
    return isinstance(atom, int) and state.tensor(atom) is not None


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


def chooses_by(code: ir.Code, name: str) -> bool:
    """Whether a definition compares one of its parameters with words: they are modes, of which its callers choose one."""
    words = {it.dst for it in ir.walk(code.body) if isinstance(it, ir.Const) and isinstance(it.value, str)}
    loads = {it.dst for it in ir.walk(code.body) if isinstance(it, ir.Load) and it.name == name}
    compared = (it for it in ir.walk(code.body) if isinstance(it, ir.Compare) and it.op in ("==", "!="))
    return any((it.left in loads and it.right in words) or (it.right in loads and it.left in words) for it in compared)
