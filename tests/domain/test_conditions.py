"""Conditions against truth tables."""

from __future__ import annotations

import itertools

from domain_strategies import (
    KEYS,
    WORLDS,
    conditions,
    fact,
    holds,
    implies,
    law,
    map_below,
    maybe_conditions,
    meaning,
    possible,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from inplace_lint.domain.conditions import (
    LIMIT,
    TRUE,
    Cond,
    Fact,
    add_alternative,
    add_to,
    both,
    complementary,
    decisive_texts,
    either,
    join_maps,
    maybe_both,
    maybe_either,
    maybe_weaker,
    negate,
)

records = st.dictionaries(st.integers(0, 3), conditions, max_size=3)
MANY_KEYS = tuple(f"k{n}" for n in range(LIMIT + 2))
long_conditions = st.dictionaries(st.sampled_from(MANY_KEYS), st.booleans(), min_size=LIMIT - 2, max_size=LIMIT).map(
    lambda answers: frozenset(fact(key, value) for key, value in answers.items())
)


@law
@given(conditions, conditions)
def test_both_is_the_conjunction(a: Cond, b: Cond) -> None:
    together = both(a, b)
    for world in WORLDS:
        assert holds(together, world) == (holds(a, world) and holds(b, world))
    assert (together is None) == (not possible(a, b))
    assert both(b, a) == together
    assert both(a, a) == a
    assert both(a, TRUE) == a


@law
@given(long_conditions, long_conditions)
def test_both_stays_small_and_only_weakens(a: Cond, b: Cond) -> None:
    together = both(a, b)
    contradict = any(Fact(f.key, not f.value) in b for f in a)
    assert (together is None) == contradict
    if together is None:
        return
    assert len(together) <= LIMIT
    assert {f for f in together if f.key != "..."} <= a | b
    if len(a | b) <= LIMIT:
        assert together == a | b
    else:
        assert decisive_texts(together)
    assert both(b, a) == together


@law
@given(maybe_conditions, maybe_conditions)
def test_maybe_both_knows_what_never_holds(a: Cond | None, b: Cond | None) -> None:
    for world in WORLDS:
        assert holds(maybe_both(a, b), world) == (holds(a, world) and holds(b, world))


@law
@given(conditions, conditions, conditions)
def test_either_is_the_strongest_conjunction_above_both(a: Cond, b: Cond, other: Cond) -> None:
    joined = either(a, b)
    assert implies(a, TRUE, joined) and implies(b, TRUE, joined)
    if implies(a, TRUE, other) and implies(b, TRUE, other):
        assert implies(joined, TRUE, other)
    assert either(b, a) == joined
    assert either(a, a) == a
    left, right = either(either(a, b), other), either(a, either(b, other))
    assert meaning({0: left}) == meaning({0: right})


@law
@given(conditions, conditions)
def test_what_is_no_longer_said_still_rests_on_a_caller(a: Cond, b: Cond) -> None:
    joined = either(a, b)
    # The two answers to one question cover it: there nothing rests on it any more.
    if decisive_texts(a) and decisive_texts(b) and not (a <= b or b <= a) and complementary(a, b) is None:
        assert decisive_texts(joined)


@law
@given(maybe_conditions, maybe_conditions)
def test_a_weaker_condition_holds_wherever_one_of_both_does(a: Cond | None, b: Cond | None) -> None:
    weaker = maybe_weaker(a, b)
    for world in WORLDS:
        if holds(a, world) or holds(b, world):
            assert holds(weaker, world)
    assert (weaker is None) == (a is None and b is None)
    assert maybe_weaker(b, a) == weaker
    assert maybe_weaker(a, a) == a


@law
@given(conditions, conditions)
def test_complementary_conditions_are_two_answers_to_one_question(a: Cond, b: Cond) -> None:
    shared = complementary(a, b)
    assert complementary(b, a) == shared
    if shared is not None:
        assert not possible(a, b)
        for world in WORLDS:
            assert holds(shared, world) == (holds(a, world) or holds(b, world))


@law
@given(conditions, st.sampled_from(KEYS))
def test_the_two_sides_of_a_question_are_complementary(common: Cond, key: str) -> None:
    assume(all(f.key != key for f in common))
    assert complementary(common | {fact(key, True)}, common | {fact(key, False)}) == common


@law
@given(st.lists(conditions, max_size=7), st.integers(1, 4))
def test_alternatives_cover_all_that_was_added(added: list[Cond], most: int) -> None:
    known: tuple[Cond, ...] = ()
    for cond in added:
        known = add_alternative(known, cond, most)
        assert len(known) <= most
    for world in WORLDS:
        if any(holds(cond, world) for cond in added):
            assert any(holds(cond, world) for cond in known)
    for one, other in itertools.permutations(known, 2):
        assert not one <= other


@law
@given(st.lists(conditions, max_size=4))
def test_alternatives_are_exact_as_long_as_there_is_room(added: list[Cond]) -> None:
    known: tuple[Cond, ...] = ()
    for cond in added:
        known = add_alternative(known, cond, 100)
    for world in WORLDS:
        assert any(holds(cond, world) for cond in known) == any(holds(cond, world) for cond in added)


@law
@given(maybe_conditions, maybe_conditions)
def test_maybe_either_is_enough_for_one_of_both(a: Cond | None, b: Cond | None) -> None:
    """It keeps the simpler of two assumptions, so it may forget worlds, but invents none."""
    kept = maybe_either(a, b)
    for world in WORLDS:
        if holds(kept, world):
            assert holds(a, world) or holds(b, world)
    assert (kept is None) == (a is None and b is None)
    assert maybe_either(b, a) == kept
    assert maybe_either(a, a) == a


@law
@given(conditions)
def test_negate_holds_wherever_the_condition_does_not(cond: Cond) -> None:
    opposite = negate(cond)
    for world in WORLDS:
        assert holds(cond, world) or holds(opposite, world)
    assert (opposite is None) == (cond == TRUE)
    if len(cond) == 1 and opposite is not None:
        assert not possible(cond, opposite)


@law
@given(records, conditions, records, conditions)
def test_joined_records_cover_each_side_on_its_path(
    a: dict[int, Cond], a_path: Cond, b: dict[int, Cond], b_path: Cond
) -> None:
    joined = join_maps(a, a_path, b, b_path)
    assert map_below(a, a_path, joined)
    assert map_below(b, b_path, joined)
    for key in set(a) | set(b):
        sides = [(cond, path) for cond, path in ((a.get(key), a_path), (b.get(key), b_path)) if cond is not None]
        # Gone is what cannot hold on the paths that know of it, and nothing else.
        there = a.get(key) == b.get(key) or any(both(cond, path) is not None for cond, path in sides)
        assert (key in joined) == there
    assert join_maps(b, b_path, a, a_path) == joined


@law
@given(records, conditions, conditions)
def test_joining_a_record_with_itself_changes_nothing(a: dict[int, Cond], a_path: Cond, b_path: Cond) -> None:
    assert join_maps(a, a_path, a, b_path) == a


@law
@given(records, st.sampled_from(["p", "q"]))
def test_what_one_side_alone_has_contradicts_the_other(a: dict[int, Cond], key: str) -> None:
    joined = join_maps(a, frozenset({fact(key, True)}), {}, frozenset({fact(key, False)}))
    for number, cond in a.items():
        if possible(cond, frozenset({fact(key, True)})):
            assert both(joined[number], frozenset({fact(key, False)})) is None


@law
@given(records, st.integers(0, 3), conditions)
def test_adding_to_a_record_only_weakens(record: dict[int, Cond], key: int, cond: Cond) -> None:
    before = dict(record)
    add_to(record, key, cond)
    assert map_below(before, TRUE, record)
    assert implies(cond, TRUE, record[key])


@law
@given(conditions)
def test_only_facts_about_callers_are_told(cond: Cond) -> None:
    assert decisive_texts(cond) == tuple(sorted(f.text for f in cond if f.key == "p"))


def test_several_facts_taken_together_never_contradict() -> None:
    together = both(*(frozenset(fact(key, True) for key in keys) for keys in (MANY_KEYS[:2], MANY_KEYS[2:])))
    assert together is not None
    many = frozenset(f for f in together if f.key == "...")
    assert len(many) == 1
    assert negate(many) == TRUE


def q(key: str, value: bool = True) -> Cond:
    return frozenset({Fact(key, value)})


def nested() -> Cond:
    """What is left where an ``if b`` within an ``if a`` was not taken: not a, or a and not b."""
    return either(q("a", False), q("a") | q("b", False))


def test_a_clause_contradicts_both_questions_of_nested_branches_together() -> None:
    assert both(nested(), q("a") | q("b")) is None
    assert both(both(nested(), q("a")) or TRUE, q("b")) is None
    for answers in (q("a"), q("b"), q("a", False), q("a") | q("b", False), q("a", False) | q("b")):
        assert both(nested(), answers) is not None


def test_clauses_decide_each_other() -> None:
    chain = both(either(q("a", False), q("a") | q("b")), either(q("b", False), q("b") | q("c")))
    assert chain is not None
    assert both(chain, q("a") | q("c", False)) is None
    assert both(chain, q("a") | q("c")) is not None


def test_a_clause_is_kept_by_what_implies_it() -> None:
    clause = nested()
    assert either(clause, q("a", False)) == clause
    assert either(q("a") | q("b", False), clause) == clause
    assert either(clause, q("c")) == TRUE


def test_a_clause_is_no_assumption_and_its_opposite_says_nothing() -> None:
    assert decisive_texts(nested()) == ()
    assert negate(nested()) == TRUE


def chosen(number: int, key: str = "choice") -> Cond:
    return frozenset({Fact(key, number)})


def test_one_of_several_choices_contradicts_the_others() -> None:
    first_or_third = either(chosen(0), chosen(2))
    assert both(first_or_third, chosen(1)) is None
    assert both(first_or_third, chosen(2)) is not None
    assert both(first_or_third, either(chosen(1), chosen(3))) is not None  # not worked out, hence possible
    assert both(either(first_or_third, chosen(1)), chosen(1)) is not None
    assert both(either(first_or_third, chosen(1)), chosen(3)) is None


def test_choices_are_told_apart_beside_other_facts() -> None:
    joined = either(chosen(0) | q("a"), chosen(2) | q("b"))
    assert both(joined, chosen(1)) is None
    assert both(joined, q("a", False) | q("b", False)) is not None


def test_a_clause_of_fewer_choices_implies_one_of_more() -> None:
    more = either(either(chosen(0), chosen(1)), chosen(2))
    assert either(more, either(chosen(0), chosen(2))) == more
    assert either(chosen(1), more) == more
