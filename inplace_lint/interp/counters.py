"""The counters of loops of unknown length, and what tells the last round from the others.

``for i in range(n)`` with ``if i < n - 1``: nothing is known of ``n``, but a test of the counter against a bound that is no
literal sets the last round apart; so does one against the last number of a range that ends at a literal. The
answer is a fact of the round: rounds that another one follows are not the last.

``xs[i] = f(xs[i])``: what a sequence holds carries the fact whether it was put there at the counter's position, in this round or
in one before, so that a round does not work on what another one left elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inplace_lint.domain.conditions import TRUE, Cond, Fact, add_to, both, decisive
from inplace_lint.domain.objects import Container, Place
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Const, Unknown, Value, const, constant_of, one
from inplace_lint.interp.keys import COUNTER, ELEMENT, ELSEWHERE, LAST, NOW, SLOT, UNDER_KEY
from inplace_lint.interp.machine import Machine

_BEFORE_LAST = frozenset({"<", "<=", "!=", "is not"})
_AT_LAST = frozenset({">", ">=", "==", "is"})
_AT_FIRST, _PAST_FIRST = frozenset({"==", "<=", "is"}), frozenset({"!=", ">", "is not"})
_LESS_ONE, _PLUS_ONE = " - 1", " + 1"
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def counter(m: Machine, state: State, origin: int, word: str, start: object = None) -> Unknown:
    """A number that counts the rounds of whatever loop goes over it, upwards. start: where it begins, if that is a literal."""
    atom = m.fresh(state, origin, word, "no", False)
    m.counters[atom.tag] = None
    if isinstance(start, int):
        m.first_numbers[atom.tag] = start
    return atom


def end_before(m: Machine, number: Unknown, stop: Value) -> None:
    """Note the literals and the unknown numbers that a counter may stop before, where it goes by one."""
    lasts = {a.value - 1 for a in stop if isinstance(a, Const) and isinstance(a.value, int)}
    if lasts:
        m.last_numbers[number.tag] = frozenset(lasts)
    stops = {a.tag for a in stop if isinstance(a, Unknown) and a.tag}
    if stops:
        m.stops_before[number.tag] = frozenset(stops)


def counted(m: Machine, state: State, origin: int, numbers: Sequence[Value] | None) -> Value | None:
    """A counter in place of known numbers that follow each other, where a loop is not run for each of them."""
    literals = [constant_of(number) for number in numbers or ()]
    first = literals[0] if literals else None
    if not isinstance(first, int) or len(literals) < 2 or literals != list(range(first, first + len(literals))):
        return None
    number = counter(m, state, origin, COUNTER, first)
    m.last_numbers[number.tag] = frozenset({first + len(literals) - 1})
    return one(number)


def renamed(m: Machine, counts: Unknown, new: Unknown) -> None:
    """The counter of one round has a name of its own, and counts as the other does."""
    if counts.tag in m.counters:
        m.counters[new.tag] = None
        if (first := m.first_numbers.get(counts.tag)) is not None:
            m.first_numbers[new.tag] = first
        if (lasts := m.last_numbers.get(counts.tag)) is not None:
            m.last_numbers[new.tag] = lasts
        if (stops := m.stops_before.get(counts.tag)) is not None:
            m.stops_before[new.tag] = stops


def start_round(m: Machine, state: State, element: Value, loop: Place) -> None:
    """Note to which loop the counters among a round's element belong, and what holds when the round begins."""
    m.round_path[loop] = state.path
    for atom in element:
        if isinstance(atom, Unknown) and atom.tag in m.counters:
            m.counters[atom.tag] = loop
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.kind == "tuple" and box.items:
            for first in box.items[0]:
                if isinstance(first, Unknown) and first.tag in m.counters:
                    m.counters[first.tag] = loop


def is_counter(m: Machine, value: Value) -> bool:
    """Whether a value counts rounds."""
    return any(isinstance(atom, Unknown) and atom.tag in m.counters for atom in value)


def moved(m: Machine, base: Unknown, op: str, result: Unknown) -> None:
    """``i + 1`` counts as ``i`` does."""
    if op in ("+", "-") and result.tag and (loop := m.counters.get(base.tag)) is not None:
        m.counters[result.tag] = loop


def follows(m: Machine, made: Unknown, parts: Iterable[Value]) -> None:
    """A text that was made from a loop's counter, or from what it goes over, is another one in each round."""
    for part in parts:
        (atom,) = part if len(part) == 1 else (None,)
        loop = _loop_of_key(m, atom) if isinstance(atom, Unknown) else None
        if loop is not None:
            m.counters[made.tag] = loop


def _loop_counted(m: Machine, atom: Unknown) -> Place | None:
    """The loop whose rounds a number counts, be it downwards."""
    loop = m.counters.get(atom.tag)
    return m.loop_of(atom.tag) if loop is None and atom.tag.startswith(f"#{COUNTER}") else loop


def _loop_of_key(m: Machine, atom: Unknown) -> Place | None:
    """The loop of which each round has another key: one that counts, or goes over names."""
    loop = _loop_counted(m, atom)
    return m.loop_of(atom.tag) if loop is None and atom.tag.startswith(ELEMENT) else loop


def compared(m: Machine, op: str, left: object, right: object) -> Value | None:
    """What a comparison of a counter with a bound that is no literal says of the round; None where it is another one."""
    if isinstance(right, Unknown) and m.counters.get(right.tag) is not None and not _is_end(m, left, right):
        left, right, op = right, left, _MIRRORED.get(op, op)
    if not isinstance(left, Unknown) or op not in _BEFORE_LAST | _AT_LAST or left.tag in m.patterns:
        return None
    if isinstance(right, Const):
        answer = _about_first(m, left, op, right.value)
        if answer is not None:
            return const(answer)
        if not _sets_last_apart(m, left, op, right.value):
            return None
    loop = m.counters.get(left.tag)
    if loop is None:
        return None
    if isinstance(right, Unknown) and m.counters.get(right.tag) is not None and not _is_end(m, left, right):
        return None
    yes, no = _last(m, loop)
    if yes is None and no is None:
        return None
    answers = (yes, no) if op in _AT_LAST else (no, yes)
    return {Const(b, "bool"): cond for b, cond in zip((True, False), answers, strict=True) if cond is not None}


def is_first(m: Machine, number: Unknown) -> bool | None:
    """Whether a counter that began at a literal is in its first round; None where that is not known."""
    loop = m.counters.get(number.tag)
    if loop is None or number.tag not in m.first_numbers:
        return None
    return m.first_round.get(loop) if ("loop", loop) in m.ctx else m.first_visit.get(loop)


def is_true(m: Machine, number: Unknown) -> bool | None:
    """Whether a counter is true: one that began at zero is not in the first round."""
    first = is_first(m, number) if m.first_numbers.get(number.tag) == 0 else None
    return None if first is None else not first


def _about_first(m: Machine, number: Unknown, op: str, bound: object) -> bool | None:
    """What a comparison with the number that a counter began at says; None for another one."""
    first = is_first(m, number) if m.first_numbers.get(number.tag) == bound and bound is not True else None
    if first is None or op not in _AT_FIRST | _PAST_FIRST:
        return None
    return first if op in _AT_FIRST else not first


def _is_end(m: Machine, left: object, right: Unknown) -> bool:
    """Whether a number, itself counted by another loop, is the last of what ``left`` counts, or ends it: ``range(i - j)``."""
    if not isinstance(left, Unknown):
        return False
    if right.tag.endswith(_LESS_ONE):
        return right.tag.removesuffix(_LESS_ONE) in m.stops_before.get(left.tag, ())
    return right.tag in m.stops_before.get(left.tag.removesuffix(_PLUS_ONE), ())


def _sets_last_apart(m: Machine, left: Unknown, op: str, bound: object) -> bool:
    """Whether a comparison with a literal asks for the last round: where the counter's end is a literal as well."""
    if not isinstance(bound, int):
        return False
    last = bound + 1 if op in ("<=", ">") else bound
    return last in m.last_numbers.get(left.tag, frozenset())


def element(m: Machine, order: Order | None, index: Value) -> Value | None:
    """The element of a sequence at a loop's counter: its last one in the loop's last round. None where nothing is known."""
    (atom,) = index if len(index) == 1 else (None,)
    if order is None or len(order.elements()) < 2 or not isinstance(atom, Unknown) or " " in atom.tag:
        return None
    loop = m.counters.get(atom.tag)
    yes, no = (None, None) if loop is None else _last(m, loop)
    if yes is None and no is None:
        return None
    found: dict[Atom, Cond] = {}
    for before, after in order.edges:
        cond = yes if after is None else no
        if before is not None and cond is not None:
            add_to(found, before, cond)
    return found


def slot(m: Machine, index: Value, by_element: bool = False) -> str | None:
    """The key of the facts about what lies at a counter's position in a sequence, while its loop runs; None for another index.

    by_element: the index may be something that the loop goes over: hardly any loop picks the same thing twice.
    """
    (atom,) = index if len(index) == 1 else (None,)
    loop = None
    if isinstance(atom, Unknown):
        loop = _loop_of_key(m, atom) if by_element else _loop_counted(m, atom)
    if loop is None or not isinstance(atom, Unknown) or ("loop", loop) not in m.ctx or atom.tag.endswith("~"):
        return None
    key = f"{SLOT}{atom.tag}"
    m.note_tag_of(key, loop)
    return key


def at_slot(m: Machine, held: Value, index: Value, by_element: bool = False) -> Value:
    """What of a sequence or a dict may lie at an index: a counter never comes back to where it was.

    What was there before the loop lies in one place, so it is met in one round; that it was this one is a fact.
    """
    key = slot(m, index, by_element)
    if key is None:
        return held
    here: dict[Atom, Cond] = {}
    for atom, cond in held.items():
        answers = [fact for fact in cond if fact.key == key]
        if not answers and isinstance(atom, int):
            seat = f"{key} of {atom}"
            m.note_tag_of(seat, m.loop_of(key))
            add_to(here, atom, cond | {Fact(seat, NOW)})
        elif not answers or answers[0].value == NOW:
            add_to(here, atom, cond.difference(answers))
    return here or held


def put_at_slot(held: Value, key: str, value: Value) -> Value:
    """What a sequence holds after a write at that position."""
    after: dict[Atom, Cond] = {}
    for atom, cond in held.items():
        answers = [fact for fact in cond if fact.key == key]
        if not answers:
            add_to(after, atom, cond | {Fact(key, ELSEWHERE)})
        elif answers[0].value != NOW:
            add_to(after, atom, cond)
    for atom, cond in value.items():
        add_to(after, atom, cond | {Fact(key, NOW)})
    return after


def _keys_of(m: Machine, index: Value) -> list[str]:
    """The keys of the facts about what lies in a dict under a key of which only its identity is known, for the round of the
    innermost running loop and for those of the loops around it; none for another index.

    It may be one of several, of which the conditions tell which one.
    """
    tags = sorted(atom.tag if isinstance(atom, Unknown) else "" for atom in index)
    conds = list(index.values())
    if not tags or not all(tag and not tag.endswith("~") for tag in tags):
        return []
    if any(both(cond, other) is not None for n, cond in enumerate(conds) for other in conds[:n]):
        return []
    keys = []
    for depth in range(len(m.loops), -1, -1):
        keys.append(f"{UNDER_KEY}{' or '.join(tags)} {m.number_of(m.loops[:depth])}")
        if depth:
            m.note_tag_of(keys[-1], m.loops[depth - 1])
    return keys


def key_to_put(m: Machine, state: State, index: Value) -> str | None:
    """The key of the facts about what is put into a dict. None also where a caller decides, in this round, whether it is.

    What that leaves of what was there before would rest on the caller, or on the key's being another one.
    """
    begun = m.round_path.get(m.loops[-1], TRUE) if m.loops else TRUE
    keys = [] if decisive(state.path - begun) else _keys_of(m, index)
    return keys[0] if keys else None


def under_key(m: Machine, held: Value, index: Value) -> Value:
    """What of a dict may lie under a key: what was put there last, if that was in this round."""
    keys = _keys_of(m, index)
    here: dict[Atom, Cond] = {}
    for atom, cond in held.items() if keys else ():
        answers = [fact for fact in cond if fact.key in keys]
        if all(fact.value == NOW for fact in answers):
            add_to(here, atom, cond.difference(answers))
    return here or held


def _last(m: Machine, loop: Place) -> tuple[Cond | None, Cond | None]:
    """When a running round of a loop is its last, and when it is not; None for never."""
    known = m.last_visit.get(loop)
    if known is not None:
        return known
    tag = _last_tag(m, loop)
    if tag is None:
        return None, None
    m.asked_last.add(tag)
    return frozenset({Fact(tag, True)}), frozenset({Fact(tag, False)})


def _last_tag(m: Machine, loop: Place) -> str | None:
    if ("loop", loop) not in m.ctx:
        return None
    inside = m.ctx[: m.ctx.index(("loop", loop)) + 1]
    return m.tag_of_loop(f"{LAST}{loop[0]}:{loop[1]}", inside, loop)


def last_asked(m: Machine, loop: Place) -> str | None:
    """The question whether a round of the running loop is its last, where something asked it."""
    tag = _last_tag(m, loop)
    return tag if tag in m.asked_last else None


def is_last(m: Machine, loop: Place, answer: bool) -> Cond:
    """The fact that a round of the running loop is, or is not, its last."""
    tag = _last_tag(m, loop)
    return TRUE if tag is None else frozenset({Fact(tag, answer)})
