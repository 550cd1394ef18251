"""How tensors lie in memory, and when an op therefore keeps a copy of an input, which no write reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inplace_lint.domain.conditions import TRUE, Cond, Fact
from inplace_lint.domain.layouts import DENSE, PLAIN, VIEWS, Layout
from inplace_lint.domain.objects import Place, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import SliceAtom, Sym, Value, known
from inplace_lint.interp import layout as layouts
from inplace_lint.opmodel.schema import Copied, Output, Save

if TYPE_CHECKING:
    from inplace_lint.interp.machine import Machine

_AS_IT_IS = frozenset({"same", "detached", "data", "array"})
"""Kinds of outputs that lie as their input does."""
_DENSE_FORMATS = frozenset({"torch.contiguous_format", "torch.preserve_format"})


def exactly(tensor: Tensor) -> Layout | None:
    """A tensor's layout, of exactly its dimensions where their number is known."""
    laid = tensor.layout
    if laid is None or tensor.shape is None:
        return laid
    whole = laid.of_rank(len(tensor.shape))
    if whole is None:
        return None
    axes = zip(whole.axes, tensor.shape, strict=True)
    return replace(whole, axes=tuple(axis._replace(unit=True) if size == 1 else axis for axis, size in axes))


def of_view(state: State, base: Tensor, output: Output, bound: Mapping[str, Value]) -> Layout | None:
    """How a view lies; None where that is not known."""
    laid = exactly(base)
    if laid is None or output.kind in _AS_IT_IS:
        return laid
    if "index" in bound and not output.layout:
        return _indexed(state, laid, bound["index"])
    if output.expanded:
        return _expanded(state, laid, base, output, bound)
    rule, *names = output.layout.split() or [""]
    if rule not in VIEWS:
        return None
    arguments: list[tuple[int, ...]] = []
    for name in names:
        numbers = layouts.numbers_in(state, bound.get(name))
        if numbers is None or None in numbers:
            return None
        arguments.append(tuple(n for n in numbers if n is not None))
    return VIEWS[rule][1](laid, *arguments)


def joined(state: State, base: Tensor, output: Output, bound: Mapping[str, Value]) -> bool:
    """Whether an output that is a view of what lies so is one of a tensor that is not contiguous, too."""
    if not output.layout.startswith("flatten") or base.layout is None or base.layout.dense:
        return False
    return of_view(state, base, output, bound) is not None


def _expanded(state: State, laid: Layout, base: Tensor, output: Output, bound: Mapping[str, Value]) -> Layout | None:
    dims = layouts.expanded_dims(state, base, output, bound)
    shape = layouts.view_shape(state, base, output, bound) or layouts.numbers_in(state, bound.get("size"))
    if dims is not None and not dims:
        return laid
    if shape is None:
        return None
    if dims is not None and dims != layouts.SOME_DIMENSION:
        return laid.repeating([len(shape) + dim for dim in dims], len(shape))
    whole = laid.of_rank(len(shape)) if laid.more == "none" or laid.axes else None
    if whole is None or not any(axis.unit for axis in whole.axes):
        return None
    # Sizes are written out for what was of size one; the others stay as they are.
    return whole.repeating(
        [n for n, axis in enumerate(whole.axes) if axis.unit and shape[n] not in (-1, 1)], len(shape)
    )


def _indexed(state: State, laid: Layout, index: Value) -> Layout | None:
    """A part of a tensor that numbers, slices, ``None`` and ``...`` pick."""
    items = layouts.index_items(state, index)
    ellipsis = next((n for n, item in enumerate(items) if (atom := known(item)) and atom.value is ...), len(items))
    found: Layout | None = laid
    dim = 0
    for item in items[:ellipsis]:
        found, dim = _item(found, item, dim, 1)
    dim = -1
    for item in reversed(items[ellipsis + 1 :]):
        found, dim = _item(found, item, dim, -1)
    return found


def _item(laid: Layout | None, item: Value, dim: int, way: int) -> tuple[Layout | None, int]:
    """The layout after one part of an index, and the dimension that the next part is about."""
    if laid is None:
        return None, dim
    atom = known(item)
    if atom is not None and atom.value is None:
        return laid.with_unit(dim), dim + way
    (part,) = item if len(item) == 1 else (None,)
    if not isinstance(part, SliceAtom):
        # Of a dimension that is gone, the next one takes the place.
        return laid.picked(dim), dim
    if part == SliceAtom(None, None, None):
        return laid, dim + way
    step = part.step not in (None, 1)
    return laid.cut(dim, _leaves_out(part), step), dim + way


def _leaves_out(part: SliceAtom) -> bool | None:
    """Whether a slice leaves something out; None where its bounds are not known."""
    bounds = (part.lower, part.upper)
    if all(bound is None or isinstance(bound, int) for bound in bounds):
        return part.lower not in (None, 0) or part.upper is not None
    return None


def of_new(output: Output, inputs: Sequence[Tensor], bound: Mapping[str, Value]) -> Layout | None:
    """How a new tensor lies: an output, or the copy that stands in for a view."""
    rule = output.layout if output.kind == "new" else "follows" if output.maybe in ("dtype", "values") else ""
    form = bound.get("memory_format")
    if form and any(isinstance(atom, Sym) and atom.path not in _DENSE_FORMATS for atom in form):
        return None
    if not rule:
        # The copy that `reshape` makes may be a view after all of what is not contiguous.
        alone = output.kind != "view" or all(t.layout is not None and t.layout.dense for t in inputs)
        return DENSE if alone else None
    if rule == "unknown":
        return None
    if all(t.layout is not None and t.layout.dense for t in inputs):
        if not rule.startswith("order "):
            return DENSE
        order = tuple(map(int, rule.split()[1:]))
        return Layout((PLAIN,) * len(order), order, "none")
    return _following([t for t in inputs if t.shape != ()]) if rule == "follows" else None


def _following(inputs: Sequence[Tensor]) -> Layout | None:
    """As the first input lies, unless it may be smaller than one that lies otherwise."""
    if not inputs:
        return DENSE
    first = exactly(inputs[0])
    if first is None:
        return None
    if first.dense and inputs[0].shape is None and len(inputs) > 1:
        return None
    return first.packed()


def kept(
    m: Machine, row: Save, tensor: Tensor, others: Mapping[str, Tensor], name: str, place: Place, tag: str
) -> Cond | None:
    """When an op keeps an input itself; None where it works on a copy. others: the tensors of its parameters."""
    if not row.copied:
        return TRUE
    laid = tensor.layout
    sure = laid is not None and laid.dense
    answers = {_copied(rule, tensor, laid) for rule in _applying(row.copied, others)}
    if len(answers) == 1:
        (answer,) = answers
    elif sure and any(rule.beside is not None for rule in row.copied):
        answer = False  # what is contiguous, beside something of which nothing is known, is taken as it is
    else:
        answer = None
    if answer is not None:
        return None if answer else TRUE
    text = f"`{name}` works on its input itself, which depends on shapes, and on no copy of it"
    return frozenset({Fact(m.question_here(f"copy of {row.what} {tag}", place), True, text, True)})


def _applying(rules: Sequence[Copied], others: Mapping[str, Tensor]) -> list[str | None]:
    """The rules that may apply, None for that none does."""
    found: list[str | None] = []
    for rule in rules:
        other = others.get(rule.beside) if rule.beside is not None else None
        rank = None if other is None or other.shape is None else len(other.shape)
        if rule.beside is None or rank in rule.ranks:
            return [rule.rule]
        if rank is None:
            found.append(rule.rule)
    return [*found, None]


def _copied(rule: str | None, tensor: Tensor, laid: Layout | None) -> bool | None:
    if rule is None:
        return False
    return None if laid is None else laid.copied(rule, tensor.shape)


def contiguous(base: Tensor, output: Output, laid: Layout | None, shape: Sequence[int | None] | None) -> bool | None:
    """Whether a view's memory is contiguous."""
    answer = None if laid is None else laid.contiguous(shape)
    if answer is False:
        return False
    if answer:
        return base.contiguous or None
    return layouts.view_contiguous(base, output)


__all__ = ["contiguous", "exactly", "joined", "kept", "of_new", "of_view"]
