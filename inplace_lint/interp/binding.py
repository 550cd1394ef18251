"""Binds the arguments of a call to the parameters of an op's row, and picks the variant that applies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inplace_lint.domain.objects import Container, Instance, Tensor, contents
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Const, SliceAtom, Sym, Unknown, Value, const, constant_of
from inplace_lint.interp.layout import numbers_in
from inplace_lint.opmodel.schema import REQUIRED, Param, Variant

Binding = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, evaluated: by position, by name, and the tensors that a module owns."""

    positional: Sequence[Value] = ()
    named: Mapping[str, Value] | None = None
    own: Mapping[str, Value] | None = None
    settings: Mapping[str, object] | None = None


def may_be_tensor(state: State, value: Value) -> bool:
    """Whether one of the possibilities is a tensor, or may stand for one."""
    return any(
        (isinstance(atom, int) and isinstance(state.heap.get(atom), Tensor))
        or (isinstance(atom, Unknown) and atom.tensor)
        for atom in value
    )


def surely_tensor(state: State, value: Value) -> bool:
    """Whether every possibility is a tensor of which the analysis knows."""
    return bool(value) and all(isinstance(a, int) and isinstance(state.heap.get(a), Tensor) for a in value)


_NUMBERS = frozenset({"torch.pi", "torch.e", "torch.inf", "torch.nan"})
"""The numbers among torch's names; others' may be numbers (``math.pi``, ``config.SCALE``) where they stand for one."""


def may_be_number(value: Value) -> bool:
    """Whether one of the possibilities is a Python number."""
    return any(
        (isinstance(a, Const) and isinstance(a.value, (bool, int, float, complex)))
        or (isinstance(a, Unknown) and (not a.tensor or a.tag.startswith("#")))
        or (isinstance(a, Sym) and (not a.path.startswith("torch.") or a.path in _NUMBERS))
        for a in value
    )


def may_be_tensors(state: State, value: Value) -> bool:
    """Whether one of the possibilities is a list or tuple (of tensors), or unknown."""
    for atom in value:
        if isinstance(atom, int) and isinstance(state.heap.get(atom), (Container, Instance)):
            return True
        if isinstance(atom, Unknown):
            return True
    return False


def _fits(state: State, param: Param, value: Value, lenient: bool) -> bool:
    if param.default is None and may_be_none(value):
        return True
    if param.kind == "tensor":
        return may_be_tensor(state, value)
    if param.kind == "tensor?":
        return may_be_tensor(state, value) or constant_of(value) is None or may_be_none(value)
    if param.kind == "number":
        unsure = lenient and any(isinstance(atom, Unknown) for atom in value)
        return (unsure or may_be_number(value)) and not surely_tensor(state, value)
    if param.kind == "tensor|number":
        return may_be_tensor(state, value) or may_be_number(value)
    if param.kind == "tensors":
        return may_be_tensors(state, value)
    return not surely_tensor(state, value) or param.name in ("index", "value")


def may_be_none(value: Value) -> bool:
    """Whether one of the possibilities is None."""
    return any(isinstance(a, Const) and a.value is None for a in value)


def bind(state: State, variant: Variant, args: Arguments, lenient: bool = False) -> Binding | None:
    """The arguments by parameter name, defaults filled in; None where they do not fit.

    lenient: an unknown that could be a tensor is taken for a number where the parameter is one.
    """
    bound: Binding = dict(args.own or {})
    params = [p for p in variant.params if not p.name.startswith("self.")]
    position = 0
    for param in params:
        if param.keyword_only:
            break
        if param.star:
            rest = args.positional[position:]
            if rest:
                bound[param.name] = _as_star(state, param, rest)
                position = len(args.positional)
            break
        if position >= len(args.positional):
            break
        bound[param.name] = args.positional[position]
        position += 1
    if position < len(args.positional):
        return None
    names = {p.name for p in params}
    for name, value in (args.named or {}).items():
        if name not in names:
            alias = _ALIASES.get(name)
            if alias is None or alias not in names:
                return None
            name = alias
        if name in bound:
            return None
        bound[name] = value
    for param in params:
        if param.name not in bound:
            if param.default is REQUIRED:
                if param.star:
                    continue
                return None
            bound[param.name] = (
                const(param.default) if param.default is not ... else {Unknown("", "no", False): frozenset()}
            )
        elif not param.star and not _fits(state, param, bound[param.name], lenient):
            return None
    return bound


_ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x2": "other"}
"""NumPy's spellings, which PyTorch's own argument parser accepts (``torch/csrc/utils/python_arg_parser.cpp``)."""


def _as_star(state: State, param: Param, rest: Sequence[Value]) -> Value:
    if len(rest) == 1:
        return rest[0]
    numbers = [constant_of(value) for value in rest]
    if param.kind == "other" and (any(type(number) is int for number in numbers) or _alike(rest)):
        # Sizes one by one: how many there are is known, whatever they are.
        return const(tuple(number if type(number) is int else None for number in numbers))
    joined: dict[object, object] = {}
    for value in rest:
        joined.update(value)  # type: ignore[arg-type]
    return joined  # type: ignore[return-value]


def _alike(rest: Sequence[Value]) -> bool:
    """Whether several unknown numbers are one and the same, which a union would not tell from one of them."""
    return all(value == rest[0] and not any(isinstance(atom, int) for atom in value) for value in rest)


def classify_index(state: State, value: Value) -> str:
    """``basic`` where indexing gives a view, ``advanced`` where it gives a copy: PyTorch's rule, by the index's type."""
    for atom in value:
        if isinstance(atom, Const):
            if isinstance(atom.value, bool):
                return "advanced"
            continue
        if isinstance(atom, SliceAtom):
            continue
        if isinstance(atom, int):
            obj = state.heap.get(atom)
            if isinstance(obj, Tensor):
                # A tensor without dimensions is taken as a number.
                if obj.shape == ():
                    continue
                return "advanced"
            if isinstance(obj, Container):
                if obj.kind == "tuple":
                    items = obj.items if obj.items is not None else (contents(obj),)
                    if any(classify_index(state, item) == "advanced" for item in items):
                        return "advanced"
                    continue
                return "advanced"
    return "basic"


def allows(state: State, variant: Variant, bound: Binding, settings: Mapping[str, object]) -> bool:
    """Whether nothing known contradicts the variant's ``when``."""
    for name, wanted in variant.when:
        if name in settings:
            have: object = settings[name]
        elif name in bound:
            have = literal(state, bound[name])
        else:
            continue
        if have is ...:
            # A flag may be either; a particular number (dropout with p=0) is the exception, not the rule.
            if isinstance(wanted, bool):
                continue
            return False
        if isinstance(wanted, bool) or isinstance(have, bool):
            if bool(have) != bool(wanted):
                return False
        elif have != wanted:
            return False
    return True


def literal(state: State, value: Value) -> object:
    """The constant that a value is, a tuple or list of numbers among them; ``...`` where it is none."""
    numbers = numbers_in(state, value) if constant_of(value) is ... else None
    return constant_of(value) if numbers is None or None in numbers else numbers


def pick(state: State, variants: Sequence[Variant], args: Arguments) -> list[tuple[Variant, Binding]]:
    """The variants whose parameters bind and whose ``when`` is not contradicted, best first."""
    settings = args.settings or {}
    for lenient in (False, True):
        found: list[tuple[Variant, Binding]] = []
        for variant in variants:
            bound = bind(state, variant, args, lenient)
            if bound is not None and allows(state, variant, bound, settings):
                found.append((variant, bound))
        if found:
            return found
    return []
