"""Conditions: under which facts something holds.

A *fact* says that an unknown question (does argument ``x`` require grad? is ``self.act`` true?) has one answer.
A *condition* is a conjunction of facts; the empty one always holds. Whatever the domain records (this name refers to
that tensor, this tensor was written, this node was freed) it records together with a condition. Two records whose
conditions contradict each other never meet: that keeps correlated branches apart without splitting states, and it is how
assumptions reach the finding that rests on them.

Joins may weaken a condition, never strengthen it, so a condition over-approximates when its record holds.

Two kinds of disjunction are kept all the same. Nested branches make one: "not ``b``, unless not ``a``" after an ``if b`` within
an ``if a``. Choices make the other: "the first or the third of several". Each is a fact of its own, a *clause*: one of its parts
holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

LIMIT = 12
"""Facts that one condition holds at most; settled ones go first, then the greatest become one that never contradicts."""


CHOICE = "#choice@"
"""Begins the keys of which of several callees was called."""
EXCEPTION = "#exception@"
"""How the keys of facts begin that say that an exception is raised and caught."""
IN_EARLIER = " in an earlier round"
"""How the keys of facts end that say what the answer was in a round of a loop that is over."""
MOST_IMPLIED = 2
"""Clauses that one join of nested branches adds to a condition at most."""
MOST_ARGUMENTS = 3
"""Arguments of which an assumption says that one requires grad at most."""
_REQUIRES_GRAD = " requires grad"
MOST_PARTS = 6
"""Answers that a clause about one choice has at most; with more of them it says too little to be kept."""


@dataclass(frozen=True, slots=True)
class Fact:
    """``key`` has the answer ``value`` (true or false, or the number of the one of several that was chosen).

    text: the assumption as a sentence, for the finding. decisive: the finding depends on a caller through it, so
    it can be no error; other facts only keep contradictory records apart. settled: with the other answer an exception is
    raised, so what comes later hardly contradicts it. parts: of a clause the facts of which one holds; the key follows from them.
    """

    key: str
    value: bool | int
    text: str = field(compare=False, default="")
    decisive: bool = field(compare=False, default=False)
    settled: bool = field(compare=False, default=False)
    parts: tuple[Fact, ...] | None = field(compare=False, default=None)


Cond = frozenset[Fact]
TRUE: Cond = frozenset()

_MANY = Fact("...", True, "one of several things that a caller decides holds", True)
LOST: Cond = frozenset({_MANY})
"""Holds where too little is known for a finding to rest on it."""


_KNOWN: dict[tuple[int, int], tuple[Cond, Cond, Cond | None]] = {}
"""Conjunctions that were made, by the identity of both sides, which are kept alive by it: equal ones may differ in text."""
_MOST_KNOWN = 50_000


def both(a: Cond, b: Cond) -> Cond | None:
    """The conjunction of two conditions; None where they contradict each other."""
    if not b or a is b:
        return a
    if not a:
        return b
    key = (id(a), id(b))
    known = _KNOWN.get(key)
    if known is not None:
        return known[2]
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    union = _both(a, b)
    _KNOWN[key] = (a, b, union)
    return union


def _both(a: Cond, b: Cond) -> Cond | None:
    small, large = (a, b) if len(a) < len(b) else (b, a)
    if small <= large:
        return large
    answers = {fact.key: fact.value for fact in large}
    for fact in small:
        if answers.get(fact.key, fact.value) != fact.value:
            return None
    union = small | large
    clauses = [fact.parts for fact in union if fact.parts]
    if clauses:
        if not _satisfiable(clauses, union, answers):
            return None
        union = frozenset(f for f in union if not (f.parts and f.decisive) or union.isdisjoint(f.parts))
    if len(union) > LIMIT:
        union = frozenset(fact for fact in union if not fact.settled)
    if len(union) > LIMIT:
        # Who requires grad decides most; it is the last to go.
        kept = sorted(union, key=lambda f: (not f.key.startswith("rg:"), not f.decisive, len(f.key), f.key))[
            : LIMIT - 1
        ]
        union = frozenset(kept) | {_MANY}
    return union


def _satisfiable(clauses: list[tuple[Fact, ...]], cond: Cond, answers: dict[str, bool | int]) -> bool:
    """Whether the clauses of a condition can hold together with its other facts, of which ``answers`` has some at least."""
    answers.update((fact.key, fact.value) for fact in cond)
    while clauses:
        pending = []
        for parts in clauses:
            possible = [part for part in parts if answers.get(part.key, part.value) == part.value]
            if not possible:
                return False
            if len(possible) == 1:
                answers[possible[0].key] = possible[0].value
            else:
                pending.append(parts)
        if len(pending) == len(clauses):
            return True
        clauses = pending
    return True


def settled(cond: Cond, answers: Cond) -> Cond:
    """A condition in which those facts count as settled."""
    found = cond & answers
    if not found:
        return cond
    return (cond - found) | {replace(fact, settled=True) for fact in found}


def maybe_both(a: Cond | None, b: Cond | None) -> Cond | None:
    """``both`` where None stands for what never holds."""
    if a is None or b is None:
        return None
    return both(a, b)


def either(a: Cond, b: Cond) -> Cond:
    """A condition that holds wherever one of the two does: the strongest conjunction, with clauses for nested branches."""
    if a == b or a <= b:
        return a
    if b <= a:
        return b
    shared = complementary(a, b)
    if shared is not None:
        return shared
    common = (a & b) | _follows(a, b) | _follows(b, a)
    left, right = a - common, b - common
    if not left or not right:
        return common
    clauses = _implied(left, right) or _implied(right, left) or _one_of(left, right)
    free = [{_question(fact) for fact in side if not fact.decisive} for side in (left, right)]
    lost = [
        [fact for fact in side if fact.decisive and _question(fact) not in other]
        for side, other in ((left, free[1]), (right, free[0]))
    ]
    if any(lost) and clauses:
        said = _said(left, right) | _said(right, left)
        lost = [[fact for fact in side if fact not in said] for side in lost]
    if not any(lost) or (not all(lost) and all(fact.key.startswith(EXCEPTION) for side in lost for fact in side)):
        # It may hold with the other answer, which is no assumption; and what holds without an exception needs none.
        return common | clauses
    # What is no longer said still rests on a caller.
    return common | clauses | {_MANY}


def _follows(clauses: Cond, cond: Cond) -> Cond:
    """The clauses of one condition that hold wherever another one does, since it has one of their parts, or fewer of them."""
    return frozenset(
        fact
        for fact in clauses
        if fact.parts
        and (not cond.isdisjoint(fact.parts) or any(o.parts and set(o.parts) <= set(fact.parts) for o in cond))
    )


def _implied(outer: Cond, inner: Cond) -> Cond:
    """The clauses "not b, unless not a" where ``outer`` is "not a" and ``inner`` is "a and not b"."""
    if len(outer) != 1:
        return TRUE
    (one,) = outer
    if one.parts or not any(fact.key == one.key and fact.value != one.value for fact in inner):
        return TRUE
    others = [fact for fact in inner if fact.key != one.key and not fact.parts and fact != _MANY]
    return frozenset(_clause(one, fact) for fact in sorted(others, key=lambda f: f.key)[:MOST_IMPLIED])


def _said(outer: Cond, inner: Cond) -> Cond:
    """What of ``inner`` the clauses of ``_implied`` say in full: with the answer of ``outer``, which rests on no caller, nothing
    else is needed."""
    if not _implied(outer, inner) or any(fact.decisive for fact in outer):
        return TRUE
    asked = {fact.key for fact in outer}
    others = {fact for fact in inner if fact.key not in asked}
    whole = len(others) <= MOST_IMPLIED and not any(fact.parts or fact == _MANY for fact in others)
    return frozenset(others) if whole else TRUE


def _one_of(left: Cond, right: Cond) -> Cond:
    """What two conditions say of the choices that both have made, differently: that it is one of either's."""
    chosen = {key: parts for fact in left if (parts := _choices(fact)) for key in (parts[0].key,)}
    if not chosen:
        return TRUE
    found = []
    for fact in right:
        parts = _choices(fact)
        known = chosen.get(parts[0].key) if parts else None
        if parts and known and len(together := {*parts, *known}) <= MOST_PARTS:
            found.append(_clause(*together))
    return frozenset(found)


def _choices(fact: Fact) -> tuple[Fact, ...]:
    """The answers to one choice of which a fact says that one is right; empty where it is about something else."""
    parts = fact.parts or (fact,)
    return parts if all(part.value.__class__ is int and part.key == parts[0].key for part in parts) else ()


def _clause(*facts: Fact) -> Fact:
    """The fact that one of several facts holds."""
    parts = tuple(Fact(fact.key, fact.value) for fact in sorted(facts, key=lambda fact: (fact.key, fact.value)))
    return Fact("#either " + " or ".join(f"{part.key}={part.value}" for part in parts), True, parts=parts)


def _question(fact: Fact) -> str:
    """What a fact answers; an answer of an earlier round is one as well."""
    return fact.key.rsplit("=", 1)[0] + IN_EARLIER if fact.key.endswith(IN_EARLIER) else fact.key


def maybe_weaker(a: Cond | None, b: Cond | None) -> Cond | None:
    """``either`` where None stands for what never holds: for joins, which may weaken a condition and never strengthen it."""
    if a is None:
        return b
    if b is None:
        return a
    return either(a, b)


def complementary(a: Cond, b: Cond) -> Cond | None:
    """What holds where either of two conditions does, where they differ in the answer to one question; None otherwise.

    Which of several callees was called follows from that answer, since it says which of them was there.
    """
    if len(a) != len(b):
        return None
    left, right = a - b, b - a
    chosen = _one_of(*(frozenset(f for f in side if f.key.startswith(CHOICE)) for side in (left, right)))
    if chosen and len(chosen) == len(left) - 1:
        left, right = (frozenset(f for f in side if not f.key.startswith(CHOICE)) for side in (left, right))
        if len(left) == len(right) == 1 and complementary(left, right) is not None:
            return (a & b) | chosen
        return None
    if len(left) == len(right) == 1:
        (x,), (y,) = left, right
        if x.key == y.key and x.value != y.value and isinstance(x.value, bool):
            return a & b
        mine, theirs = _choices(x), _choices(y)
        if mine and theirs and mine[0].key == theirs[0].key:
            return (a & b) | _one_of(left, right)
    return None


def add_alternative(known: tuple[Cond, ...], cond: Cond, most: int = 4) -> tuple[Cond, ...]:
    """A disjunction of conditions with one more: without those that another implies, answers to one question merged."""
    for other in known:
        if other <= cond:
            return known
    merged = [other for other in known if not cond <= other]
    for other in merged:
        shared = complementary(other, cond)
        if shared is not None:
            return add_alternative(tuple(o for o in merged if o is not other), shared, most)
    merged.append(cond)
    if len(merged) > most:
        common = frozenset.intersection(*merged)
        return (common,)
    return tuple(merged)


def maybe_either(a: Cond | None, b: Cond | None) -> Cond | None:
    """``either`` where None stands for what never holds. Of two unrelated assumptions the simpler one is kept,
    since either of them alone is enough for the finding; of two arguments that may require grad a clause says both, and what
    a branch gives for certain does not hide what the other one gives under an assumption."""
    if a is None:
        return b
    if b is None:
        return a
    if a <= b:
        return a
    if b <= a:
        return b
    shared = complementary(a, b)
    if shared is not None:
        return shared
    left, right = a - b, b - a
    if len(left) == len(right) == 1 and (clause := _either_argument(*left, *right)) is not None:
        return (a & b) | {clause}
    exact = _unless(a, b) or _unless(b, a)
    if exact is not None:
        return exact
    return min(a, b, key=_simplicity)


def _simplicity(cond: Cond) -> tuple[int, int, list[tuple[bool, str, bool | int]]]:
    """How little a condition asks of a caller; that an argument requires grad is asked before anything else is."""
    return (
        sum(fact.decisive for fact in cond),
        len(cond),
        sorted((not fact.key.startswith("rg:"), fact.key, fact.value) for fact in cond),
    )


def _unless(free: Cond, assumed: Cond) -> Cond | None:
    """The disjunction in full of an answer that rests on no caller and of a few that do; None for others."""
    left, right = free - assumed, assumed - free
    if len(left) != 1 or not right or len(right) > MOST_IMPLIED:
        return None
    (one,) = left
    if one.decisive or not any(fact.decisive for fact in right) or not all(map(_plain, (one, *right))):
        return None
    return (free & assumed) | {_clause(one, fact) for fact in right}


def _plain(fact: Fact) -> bool:
    """Whether a fact answers one question of this round with yes or no."""
    return not fact.parts and fact != _MANY and isinstance(fact.value, bool) and not fact.key.endswith(IN_EARLIER)


def _either_argument(a: Fact, b: Fact) -> Fact | None:
    """The assumption that one of two arguments, or of a few, requires grad; None where the facts are no such ones."""
    found = {part.key: part for fact in (a, b) for part in fact.parts or (fact,)}
    parts = tuple(found[key] for key in sorted(found))
    if len(parts) > MOST_ARGUMENTS or not (a.decisive and b.decisive):
        return None
    if not all(part.value is True and part.key.startswith("rg:") and part.key[3:4] != "#" for part in parts):
        return None
    said = " or ".join(part.text.removesuffix(_REQUIRES_GRAD) for part in parts)
    # The parts keep their sentences, for clauses that are made of this one.
    return replace(_clause(*parts), parts=parts, text=said + _REQUIRES_GRAD, decisive=True)


def negate(cond: Cond) -> Cond | None:
    """A condition that holds wherever ``cond`` does not; None where ``cond`` always holds."""
    if not cond:
        return None
    if len(cond) == 1:
        (fact,) = cond
        if fact == _MANY or fact.parts or fact.key.endswith(IN_EARLIER) or not isinstance(fact.value, bool):
            return TRUE
        return frozenset({Fact(fact.key, not fact.value, "", False)})
    return TRUE


def opposite(cond: Cond) -> Cond | None:
    """``negate``, which of several answers says that one of them is another."""
    plain = all(
        f != _MANY and not f.parts and not f.key.endswith(IN_EARLIER) and f.value in (True, False) for f in cond
    )
    if 1 < len(cond) <= MOST_PARTS and plain:
        return frozenset({_clause(*(Fact(fact.key, not fact.value) for fact in cond))})
    return negate(cond)


K = TypeVar("K")


def join_maps(a: Mapping[K, Cond], a_path: Cond, b: Mapping[K, Cond], b_path: Cond) -> dict[K, Cond]:
    """The join of two records of conditions, each made on its own path since the paths parted.

    What only one path has holds only there; what both have the same way needs no path. What cannot hold on the paths that
    know of it (an answer that a question got in an earlier round of a loop, and not in this one) is gone.
    """
    if a == b:
        return dict(a)
    joined: dict[K, Cond] = {}
    for key, cond in a.items():
        other = b.get(key)
        if other is None:
            on_path = both(cond, a_path)
            if on_path is not None:
                joined[key] = on_path
        elif other == cond:
            joined[key] = cond
        else:
            left, right = both(cond, a_path), both(other, b_path)
            weaker = maybe_weaker(left, right)
            if weaker is not None:
                joined[key] = weaker
    for key, cond in b.items():
        if key not in a:
            on_path = both(cond, b_path)
            if on_path is not None:
                joined[key] = on_path
    return joined


def add_to(record: dict[K, Cond], key: K, cond: Cond) -> None:
    """Record that ``key`` also holds under ``cond``."""
    old = record.get(key)
    record[key] = cond if old is None else either(old, cond)


def decisive(cond: Cond) -> Cond:
    """The facts of ``cond`` that depend on a caller."""
    return frozenset(fact for fact in cond if fact.decisive) if cond else TRUE


def decisive_texts(cond: Cond) -> tuple[str, ...]:
    """The assumptions in ``cond`` that depend on a caller, as sentences in a stable order."""
    return tuple(sorted({fact.text for fact in cond if fact.decisive and fact.text}))
