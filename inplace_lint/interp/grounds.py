"""What code tells of the assumption that something unknown is a tensor that requires grad: against it, and for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from inplace_lint.domain.conditions import TRUE, Cond, Fact, both, decisive_texts
from inplace_lint.domain.objects import Tensor
from inplace_lint.events import Event, SavedOverwritten
from inplace_lint.interp import keys

_REQUIRES_GRAD = "rg:"


def tags_of(cond: Cond) -> set[str]:
    """The unknowns that a condition takes for tensors that require grad."""
    return {f.key[3:] for f in cond if f.value and f.key.startswith(_REQUIRES_GRAD)}


def _tags_denied(cond: Cond) -> set[str]:
    """The unknowns that a condition takes for tensors that do not require grad."""
    return {f.key[3:] for f in cond if f.value is False and f.key.startswith(_REQUIRES_GRAD)}


def _whole(tag: str) -> str:
    """The unknown of which a tag bears an element, in this round of a loop or in an earlier one."""
    return tag.partition("=")[0].partition("[")[0].rstrip("~")


_FLAG = re.compile(r"^`[^`]*?(\w+)\W*` of `[^`]*` is (?:true|false)$", re.IGNORECASE)
"""A fact about a flag, in its own words: the keys of other facts may end with such names as well."""
_AFTER_TRAINING = "infer|inference|eval|evaluate|evaluation|evaluating|test|testing"
_INFERS = re.compile(rf"(?:^|_)(?:{_AFTER_TRAINING})(?:_|$)")
_EVALUATES = re.compile(rf"(?:^|_)(?:predict|prediction|predicting|{_AFTER_TRAINING})(?:_|$)")
_TRAINS = re.compile(r"(?:^|_)(?:train|training)(?:_|$)")


def evaluates(cond: Cond) -> bool:
    """Whether a flag of a caller's has to say that nothing is trained: one called ``is_test`` is on, or ``training`` is off."""
    return any(
        (_EVALUATES if fact.value else _TRAINS).search(flag[1].lower())
        for fact in cond
        if fact.decisive and (flag := _FLAG.match(fact.text))
    )


def infers(name: str) -> bool:
    """Whether a definition says by its name that it is there for what follows training."""
    return _INFERS.search(name.lower()) is not None


@dataclass(slots=True)
class Grounds:
    """The tags of unknowns by how they were used, whatever the order.

    refuted: used as no tensor that requires grad can be. arrays: arrays of NumPy. computed: taken by an op that keeps tensors
    for its backward, or beside a fraction, so they hold floating-point numbers. asked: the code asks whether they require grad.
    converted: backward nodes behind a conversion to another dtype. numbers, lists: annotated as such.
    surplus: what unknown callers may give besides the parameters that have names.
    modes: parameters whose default is one of several words that the definition tells apart.
    hoped: what unknown callees returned, of which nothing but a backward tells that it requires grad.
    changed: the facts that a caller gives an argument another value than its default, a flag or zero.
    """

    refuted: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    converted: set[int] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    surplus: set[str] = field(default_factory=set)
    modes: set[str] = field(default_factory=set)
    hoped: set[str] = field(default_factory=set)
    changed: dict[Fact, Fact] = field(default_factory=dict)

    def annotate(self, tag: str, annotation: str) -> None:
        """An argument has an annotation, given without spaces."""
        bare = annotation.removeprefix("Optional[").removesuffix("|None")
        if bare.rstrip("]") in ("int", "float", "bool", "str"):
            self.numbers.add(tag)
        elif bare.startswith(("List[", "list[", "typing.List[")) or bare == "list":
            self.lists.add(tag)

    def against_defaults(self, event: Event, cond: Cond, path: Cond) -> tuple[Event, Cond]:
        """An event and what it rests on, with what a caller has to ask for, against the defaults, to get on a path."""
        asked = frozenset(self.changed[fact] for fact in path if fact in self.changed) - cond
        whole = both(cond, asked) if asked else None
        if whole is None:
            return event, cond
        return replace(event, context=replace(event.context, assumptions=decisive_texts(whole))), whole

    def refute(self, path: Cond, tag: str | None) -> None:
        """An unknown is used as a dict, a string, an array.

        Only where nothing was asked of it on the way here: code that tells arrays from tensors handles both.
        """
        if tag and not any(keys.tells_kind(fact, tag) for fact in path):
            self.refuted.add(tag)

    def denied(self, cond: Cond) -> bool:
        """Whether a condition takes something for a tensor that requires grad which is used as none."""
        return not self.refuted.isdisjoint(tags_of(cond))

    @staticmethod
    def of_grad(cond: Cond) -> Cond:
        """What a condition says of who requires grad."""
        return frozenset(
            fact for fact in cond if all(f.key.startswith(_REQUIRES_GRAD) and f.value for f in fact.parts or (fact,))
        )

    def hopes(self, cond: Cond) -> int:
        """How many results of unknown callees a condition takes for tensors that require grad."""
        return len({tag for tag in map(_whole, tags_of(cond)) if tag in self.hoped}) if self.hoped else 0

    def unconfirmed(self, event: Event, cond: Cond) -> bool:
        """Whether an event assumes, with nothing trained to say so, that an unknown callee's result requires grad."""
        if isinstance(event, SavedOverwritten) and event.backward_site is None:
            return False  # it rests on that the result is trained
        asked = (f for f in cond if f.value and f.key.startswith(_REQUIRES_GRAD))
        texts = {f.text for f in asked if _whole(f.key[3:]) in self.hoped}
        return not texts.isdisjoint(event.context.assumptions)

    def ask(self, cond: Cond) -> None:
        """The code asks of a tensor whether it requires grad, which it does under ``cond``."""
        self.asked |= tags_of(cond)

    def compute(self, cond: Cond, node: int, edges: Iterable[int], converts: bool, floating: bool) -> None:
        """An op that has the backward ``node`` under ``cond``. converts: to another dtype. floating: it takes fractions.

        What was converted to floating point before may have been integers.
        """
        if converts or not self.converted.isdisjoint(edges):
            self.converted.add(node)
        elif floating:
            self.computed |= tags_of(cond)

    def keep(self, tensors: Iterable[tuple[Tensor, Cond]]) -> None:
        """A layer keeps these for its backward: floating-point numbers as its weights are, also where they need no grad.

        Views are of the same numbers as what they view; what something else made may have been converted.
        """
        for tensor, cond in tensors:
            converted = tensor.dtype is not None or any(fact.key.startswith(keys.DTYPE) for fact in cond)
            if (tensor.assumed or tensor.bases) and not converted:
                self.computed |= tags_of(tensor.status.interior or TRUE) | _tags_denied(tensor.status.constant or TRUE)

    def differentiate(self, tensors: Iterable[Tensor | None]) -> None:
        """The code calls backward on these."""
        for tensor in tensors:
            if tensor is not None and tensor.status.interior is not None:
                self.computed |= tags_of(tensor.status.interior)
