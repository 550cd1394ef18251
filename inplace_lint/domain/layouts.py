"""How the dimensions of a tensor lie in memory, as far as it decides whether an op works on the tensor or on a copy of it.

*dense*     the elements lie side by side, the last dimension innermost (PyTorch's *contiguous*).
*join*      two neighbouring dimensions join if a view can put them together into one.
*gap*       between a dimension and what lies around it in memory there are elements of another tensor (a slice, one of several
            pieces), so that the two do not join.

Sizes are not known as a rule, nor is the number of dimensions: a layout says what lies otherwise than in a dense tensor, of
dimensions counted from the first or from the last. What that leaves open is None, as is a layout that nobody knows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

USUAL = 3
"""How many dimensions a tensor is taken to have of which nothing is known."""
MORE = 3
"""How many further dimensions are tried where their number is not known."""


class Axis(NamedTuple):
    """One dimension. gap: it does not join what lies around it in memory (None: perhaps). unit: of size one.
    repeated: all its elements are one."""

    gap: bool | None = False
    unit: bool = False
    repeated: bool = False


PLAIN = Axis()
UNIT = Axis(unit=True)


@dataclass(frozen=True, slots=True)
class Layout:
    """axes: the dimensions in order. order: their numbers, from the outermost in memory to the innermost.

    more: where further dimensions may be, all of them dense: ``behind`` those listed, ``before`` them, or ``none``.
    steps: what lies side by side in the tensor does not in memory. inner_gap: there is a gap around the first of the further
    dimensions behind those listed; where there is none, the tensor has steps.
    """

    axes: tuple[Axis, ...] = ()
    order: tuple[int, ...] = ()
    more: Literal["behind", "before", "none"] = "behind"
    steps: bool = False
    inner_gap: bool = False

    @property
    def dense(self) -> bool:
        """Whether it is known to be dense whatever its dimensions are."""
        plain = not self.steps and not self.inner_gap and not any(any(axis) for axis in self.axes)
        return plain and self.order == tuple(range(len(self.axes)))

    def of_rank(self, rank: int) -> Layout | None:
        """The layout where there are so many dimensions; None where there cannot be."""
        missing = rank - len(self.axes)
        if missing < 0 or (missing and self.more == "none"):
            return None
        if self.more == "before":
            axes = (*(PLAIN,) * missing, *self.axes)
            return Layout(axes, (*range(missing), *(n + missing for n in self.order)), "none", self.steps)
        further = [PLAIN] * missing
        if missing and self.inner_gap:
            further[0] = Axis(gap=True)
        steps = self.steps or (self.inner_gap and not missing)
        return Layout((*self.axes, *further), (*self.order, *range(len(self.axes), rank)), "none", steps)

    def reaching(self, dim: int) -> tuple[Layout, int] | None:
        """The layout with a dimension among those listed, and its number there; None where that is not known."""
        count = len(self.axes)
        if self.more == "none" or 0 <= dim < count or (self.more == "before" and -count <= dim < 0):
            return (self, dim % count) if -count <= dim < count and (dim < 0 or self.more != "before") else None
        if count and (self.more == "behind") != (dim >= 0):
            return None
        side: Literal["behind", "before"] = "behind" if dim >= 0 else "before"
        grown = replace(self, more=side).of_rank(dim + 1 if dim >= 0 else -dim)
        return None if grown is None else (replace(grown, more=side), dim % len(grown.axes))

    def swapped(self, first: int, second: int) -> Layout | None:
        """With two dimensions swapped."""
        for dim in (first, second, first):
            reached = self.reaching(dim)
            if reached is None:
                return None
            self, here = reached
        there = self.reaching(second)
        if there is None:
            return None
        new = list(range(len(self.axes)))
        new[here], new[there[1]] = there[1], here
        return self.reordered(new)

    def permuted(self, dims: Sequence[int]) -> Layout | None:
        """With all dimensions in another order."""
        whole = self.of_rank(len(dims))
        wanted = [dim % len(dims) for dim in dims]
        return None if whole is None or len(set(wanted)) < len(dims) else whole.reordered(wanted)

    def moved(self, sources: Sequence[int], targets: Sequence[int]) -> Layout | None:
        """With dimensions moved to other places, as ``movedim`` does."""
        if self.more == "none":
            count = len(self.axes)
        elif min((*sources, *targets)) >= 0:
            reached = self.reaching(max(*sources, *targets))
            if reached is None:
                return None
            self = reached[0]
            count = len(self.axes)
        else:
            return None
        if not all(-count <= dim < count for dim in (*sources, *targets)):
            return None
        placed = dict(zip((t % count for t in targets), (s % count for s in sources), strict=True))
        rest = iter(n for n in range(count) if n not in placed.values())
        return self.reordered([placed[n] if n in placed else next(rest) for n in range(count)])

    def reordered(self, new: Sequence[int]) -> Layout:
        """With the listed dimensions in another order: what is to be the first, and so on."""
        where = {old: n for n, old in enumerate(new)}
        return replace(self, axes=tuple(self.axes[old] for old in new), order=tuple(where[n] for n in self.order))

    def cut(self, dim: int, sure: bool | None = True, step: bool = False) -> Layout | None:
        """A part of it along one dimension. sure: whether it is a true part. step: elements in between are left out."""
        reached = self.reaching(dim)
        if reached is None:
            return None
        whole, number = reached
        if whole.axes[number].unit:
            return self
        if step:
            return whole._with_inner(number)._changed(number, gap=None)
        return whole._changed(number, gap=sure or whole.axes[number].gap)

    def _with_inner(self, number: int) -> Layout:
        """With a gap around what lies next further in, or in steps where nothing does."""
        place = self.order.index(number)
        inner = next((n for n in self.order[place + 1 :] if not self.axes[n].unit), None)
        if inner is not None:
            return self._changed(inner, gap=True)
        return replace(self, inner_gap=True) if self.more == "behind" else replace(self, steps=True)

    def _changed(self, number: int, gap: bool | None) -> Layout:
        axes = list(self.axes)
        axes[number] = axes[number]._replace(gap=gap)
        return replace(self, axes=tuple(axes))

    def picked(self, dim: int) -> Layout | None:
        """One element along a dimension, which is gone."""
        reached = self.reaching(dim)
        if reached is None:
            return None
        whole, number = reached
        if not whole.axes[number].unit:
            whole = whole._with_inner(number)
        return whole.without(number)

    def dropped(self, dim: int) -> Layout | None:
        """Without a dimension, which is of size one."""
        reached = self.reaching(dim)
        return None if reached is None else reached[0].without(reached[1])

    def without(self, number: int) -> Layout:
        """Without one of the listed dimensions."""
        axes = list(self.axes)
        gone = axes.pop(number)
        order = [n - (n > number) for n in self.order if n != number]
        place = self.order.index(number)
        if gone.gap is not False and place < len(order):
            inner = order[place]
            axes[inner] = axes[inner]._replace(gap=gone.gap or axes[inner].gap)
        return replace(self, axes=tuple(axes), order=tuple(order))

    def with_unit(self, dim: int) -> Layout | None:
        """With a new dimension of size one at that place."""
        if self.more == "none":
            number = dim if dim >= 0 else len(self.axes) + 1 + dim
            whole = self
        else:
            away = dim if dim >= 0 else dim + 1
            if away == 0 and self.axes and (self.more == "behind") != (dim >= 0):
                return None
            reached = self.reaching(away - 1 if dim >= 0 else away) if away else (self, 0)
            if reached is None:
                return None
            whole = reached[0] if self.axes or away else replace(self, more="behind" if dim >= 0 else "before")
            number = dim if dim >= 0 else len(whole.axes) + 1 + dim
        if not 0 <= number <= len(whole.axes):
            return None
        axes = (*whole.axes[:number], UNIT, *whole.axes[number:])
        order = [n + (n >= number) for n in whole.order]
        order.insert(order.index(number + 1) if number < len(whole.axes) else len(order), number)
        return replace(whole, axes=axes, order=tuple(order))

    def repeating(self, numbers: Iterable[int], rank: int) -> Layout | None:
        """With further dimensions in front, so that there are ``rank``, some of which repeat one element."""
        whole = self if self.more == "none" else self.of_rank(rank) if len(self.axes) <= rank else None
        if whole is None or len(whole.axes) > rank:
            return None
        missing = rank - len(whole.axes)
        axes = [*(UNIT,) * missing, *whole.axes]
        for number in numbers:
            axes[number] = Axis(repeated=True)
        order = (*range(missing), *(n + missing for n in whole.order))
        return Layout(tuple(axes), order, "none", whole.steps)

    def packed(self) -> Layout:
        """The same order of dimensions in memory of their own, as a new tensor of the same format has it."""
        axes = tuple(Axis(unit=axis.unit) for axis in self.axes)
        plain = [n for n in self.order if not self.axes[n].repeated]
        if len(plain) < len(self.order):
            return Layout(axes, tuple(range(len(axes))), self.more)
        return Layout(axes, self.order, self.more)

    def joins(self, dims: Sequence[int]) -> bool | None:
        """Whether those dimensions, in that order, can be put together into one. Of known dimensions only."""
        lying = [n for n in self.order if not self.axes[n].unit and not self.axes[n].repeated]
        place = {n: at for at, n in enumerate(lying)}
        gaps: dict[int, bool | None] = {}
        gap: bool | None = False
        for n in self.order:
            gap = gap or self.axes[n].gap
            if n in place:
                gaps[n], gap = gap, False
        answer: bool | None = True
        before: int | None = None
        for n in dims:
            if self.axes[n].unit:
                continue
            if before is not None:
                one, other = self.axes[before].repeated, self.axes[n].repeated
                if one != other:
                    return False
                if not one:
                    if place[n] != place[before] + 1 or gaps[n]:
                        return False
                    answer = None if gaps[n] is None else answer
            before = n
        return answer

    def asked(self, question: Callable[[Layout], bool | None], shape: Sequence[int | None] | None) -> bool | None:
        """The answer to a question about a layout of known dimensions; None where it depends on what is not known."""
        if shape is not None:
            ranks: Iterable[int] = (len(shape),)
        elif self.dense and question is not _mirrored:
            # Batches of sequences are what it matters for whether the first dimension is the batch.
            ranks = (len(self.axes) if self.more == "none" else max(len(self.axes), USUAL),)
        else:
            fewest = max(len(self.axes), 1)
            ranks = range(fewest, fewest + (1 if self.more == "none" else MORE + 1))
        answers: set[bool | None] = set()
        for rank in ranks:
            whole = self.of_rank(rank)
            if whole is None:
                return None
            if shape is not None:
                axes = zip(whole.axes, shape, strict=True)
                whole = replace(whole, axes=tuple(a._replace(unit=True) if size == 1 else a for a, size in axes))
            answers.add(question(whole))
        return answers.pop() if len(answers) == 1 else None

    def contiguous(self, shape: Sequence[int | None] | None = None) -> bool | None:
        """Whether it is contiguous."""
        return self.asked(_contiguous, shape)

    def copied(self, rule: str, shape: Sequence[int | None] | None = None) -> bool | None:
        """Whether an op that copies by a rule of `COPIES` works on a copy."""
        return self.asked(COPIES[rule], shape)


DENSE = Layout()


def join_layouts(one: Layout | None, other: Layout | None) -> Layout | None:
    """What is known of a tensor that lies in one of two ways."""
    if one == other:
        return one
    return DENSE if one is not None and other is not None and one.dense and other.dense else None


def _dense(layout: Layout) -> Layout | None:
    return DENSE if layout.contiguous() else None


def _reverse(layout: Layout) -> Layout | None:
    if layout.more == "none":
        return layout.permuted(range(len(layout.axes) - 1, -1, -1))
    # Who does not say how many dimensions there are, means a matrix.
    return layout.swapped(0, 1)


def _swap(layout: Layout, first: Sequence[int], second: Sequence[int]) -> Layout | None:
    return layout.swapped(first[0], second[0]) if len(first) == len(second) == 1 else None


def _last(layout: Layout) -> Layout | None:
    return layout.swapped(-1, -2)


def _move(layout: Layout, sources: Sequence[int], targets: Sequence[int]) -> Layout | None:
    return layout.moved(sources, targets) if len(sources) == len(targets) else None


def _cut(layout: Layout, dims: Sequence[int]) -> Layout | None:
    return layout.cut(dims[0]) if len(dims) == 1 else None


def _pick(layout: Layout, dims: Sequence[int]) -> Layout | None:
    return layout.picked(dims[0]) if len(dims) == 1 else None


def _flatten(layout: Layout, start: Sequence[int], end: Sequence[int]) -> Layout | None:
    if layout.dense:
        return DENSE
    if layout.more != "none" or len(start) != 1 or len(end) != 1:
        return None
    rank = len(layout.axes)
    first, last = start[0] % rank, end[0] % rank
    joined = list(range(first, last + 1))
    if layout.joins(joined) is not True or any(layout.axes[n].repeated for n in joined):
        return None
    for _ in joined[:-1]:
        layout = layout.without(first)
    return layout


def _unit(layout: Layout, dims: Sequence[int]) -> Layout | None:
    return layout.with_unit(dims[0]) if len(dims) == 1 else None


def _drop(layout: Layout, dims: Sequence[int]) -> Layout | None:
    return layout.dropped(dims[0]) if len(dims) == 1 else None


def _squeeze(layout: Layout) -> Layout | None:
    if layout.more != "none":
        return DENSE if layout.dense else None
    for number in range(len(layout.axes) - 1, -1, -1):
        if layout.axes[number].unit:
            layout = layout.without(number)
    return layout


VIEWS: Mapping[str, tuple[int, Callable[..., Layout | None]]] = MappingProxyType(
    {
        "same": (0, lambda layout: layout),
        "dense": (0, _dense),
        "reverse": (0, _reverse),
        "last": (0, _last),
        "swap": (2, _swap),
        "order": (1, Layout.permuted),
        "move": (2, _move),
        "unit": (1, _unit),
        "drop": (1, _drop),
        "squeeze": (0, _squeeze),
        "pick": (1, _pick),
        "cut": (1, _cut),
        "flatten": (2, _flatten),
    }
)
"""What views do to a layout, by rule: how many arguments that are numbers (or several) it takes, and the function.

same: nothing. dense: another shape, of what is dense. reverse, last, swap, order, move: dimensions in another order, all of them
reversed, the last two swapped, two swapped, as given, or one set moved to another place. unit, drop, squeeze: a dimension of
size one more or less, or none of those. pick: one element along a dimension. cut: a part along a dimension.
flatten: all from one dimension to another put together.
"""


def of_strides(shape: Sequence[int], strides: Sequence[int]) -> Layout:
    """The layout of a real tensor."""
    numbers = sorted(range(len(shape)), key=lambda n: (-strides[n] if strides[n] else 0, n))
    axes = [
        Axis(unit=size == 1, repeated=stride == 0 and size > 1) for size, stride in zip(shape, strides, strict=True)
    ]
    lying = [n for n in numbers if not axes[n].unit and not axes[n].repeated]
    for outer, inner in itertools.pairwise(lying):
        if strides[outer] != shape[inner] * strides[inner]:
            axes[inner] = Axis(gap=True)
    rest = [n for n in numbers if n not in lying]
    return Layout(tuple(axes), (*rest, *lying), "none", bool(lying) and strides[lying[-1]] != 1)


def _contiguous(layout: Layout) -> bool | None:
    if any(axis.repeated for axis in layout.axes):
        return False
    lying = [place for place, n in enumerate(layout.order) if not layout.axes[n].unit]
    if not lying:
        return True
    # Dimensions of size one further in may have left a gap between what lies side by side now.
    inner = {layout.axes[n].gap for n in layout.order[lying[-1] + 1 :]}
    if layout.steps or True in inner:
        return False
    answer = layout.joins(range(len(layout.axes)))
    return None if answer and None in inner else answer


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _folded(layout: Layout) -> bool | None:
    return _not(layout.joins(range(len(layout.axes) - 1)))


def _crossed(layout: Layout) -> bool | None:
    rank = len(layout.axes)
    return False if rank < 3 else _not(layout.joins((1, 0, *range(2, rank - 1))))


def _batched(layout: Layout) -> bool | None:
    return _not(layout.joins(range(len(layout.axes) - 2)))


def _mirrored(layout: Layout) -> bool | None:
    rank = len(layout.axes)
    return False if rank < 3 else _not(layout.joins((*range(rank - 2), rank - 1)))


def _turned(layout: Layout) -> bool | None:
    rank = len(layout.axes)
    return _strided(layout if rank < 2 else layout.reordered((1, 0, *range(2, rank))))


def _formatted(layout: Layout) -> bool | None:
    rank = len(layout.axes)
    plain = _strided(layout)
    if plain is False or rank < 4:
        return plain
    last = _strided(layout.reordered((0, *range(2, rank), 1)))
    return plain if last else last


def _flat(layout: Layout) -> bool | None:
    return _not(layout.joins(range(len(layout.axes))))


def _strided(layout: Layout) -> bool | None:
    return _not(_contiguous(layout))


def _unclear(layout: Layout) -> bool | None:
    return False if _contiguous(layout) else None


COPIES: Mapping[str, Callable[[Layout], bool | None]] = MappingProxyType(
    {
        "folded": _folded,
        "crossed": _crossed,
        "batched": _batched,
        "mirrored": _mirrored,
        "flat": _flat,
        "strided": _strided,
        "turned": _turned,
        "formatted": _formatted,
        "unclear": _unclear,
    }
)
"""When an op works on a copy of an input, by rule.

folded: all dimensions but the last do not join. crossed: nor do they with the first two swapped. batched: all but the last two
do not join. mirrored: all but the last but one do not join. flat: not all dimensions join. strided: it is not contiguous. turned:
with the first two swapped it is not. formatted: neither it is nor with channels last. unclear: perhaps, if it is not.
"""
