"""The order of sequences of unknown length: what it allows covers every sequence that it was made from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Fact
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.values import Renaming, one

SAMPLES = [items for length in range(4) for items in itertools.product((1, 2), repeat=length)]


def order(items: Sequence[int]) -> Order:
    made = sequences.of([one(item) for item in items])
    assert made is not None
    return made


def allows(some: Order, items: Sequence[int]) -> bool:
    steps = itertools.pairwise([None, *items, None])
    return all(step in some.edges for step in steps)


@pytest.mark.parametrize("items", SAMPLES)
def test_a_sequence_is_allowed_by_its_own_order_and_by_joins(items: tuple[int, ...]) -> None:
    assert allows(order(items), items)
    for other in SAMPLES:
        joined = sequences.joined(order(items), TRUE, order(other), TRUE)
        assert joined is not None
        assert allows(joined, items) and allows(joined, other)
        both = sequences.concatenated(order(items), order(other))
        assert both is not None and allows(both, [*items, *other])


@pytest.mark.parametrize("items", SAMPLES)
def test_cutting_and_turning(items: tuple[int, ...]) -> None:
    assert allows(sequences.backwards(order(items)), items[::-1])
    assert allows(sequences.beheaded(order(items)), items[1:])
    assert allows(sequences.curtailed(order(items)), items[:-1])


def test_what_follows_what_is_kept_through_a_loop() -> None:
    """``[linear, relu] * n``: it ends in relu, and no linear follows a linear."""
    grown = sequences.joined(order([]), TRUE, order([1, 2]), TRUE)
    assert grown is not None
    again = sequences.concatenated(grown, order([1, 2]))
    assert again is not None
    assert set(again.lasts()) == {2} and set(again.firsts()) == {1}
    assert (1, 1) not in again.edges


def test_conditions_stay_on_their_pairs() -> None:
    """``if norm: layers.append(norm)`` between two others."""
    norm, plain = frozenset({Fact("norm", True)}), frozenset({Fact("norm", False)})
    parted = sequences.joined(order([1, 2]), norm, order([1]), plain)
    assert parted is not None
    grown = sequences.appended(parted, one(3))
    assert grown is not None
    assert grown.edges[(1, 2)] == norm and grown.edges[(1, 3)] == plain and grown.edges[(2, 3)] == norm
    assert set(grown.lasts()) == {3}


def test_renaming_joins_what_gets_one_name() -> None:
    both = sequences.renamed(order([1, 2, 1]), Renaming({1: -1, 2: -1}, {}))
    assert set(both.edges) == {(None, -1), (-1, -1), (-1, None)}


@pytest.mark.parametrize("items", [(1, 2, 3), (1, 2, 1, 2), (1, 1), (1, 2, 2, 3)])
def test_a_walk_has_no_cycles_and_goes_through_the_sequence(items: tuple[int, ...]) -> None:
    visits = sequences.walk(order(items))
    assert all(source is None or source < number for number, s in enumerate(visits.steps) for source, _ in s.before)

    def ways(at: int | None, rest: Sequence[int]) -> bool:
        if not rest:
            return any(source == at for source, _ in visits.ends)
        return any(
            ways(number, rest[1:])
            for number, s in enumerate(visits.steps)
            if s.element == rest[0] and any(source == at for source, _ in s.before)
        )

    assert ways(None, items)


def test_side_by_side() -> None:
    names: dict[tuple[object, ...], int] = {}
    zipped = sequences.side_by_side([order([1, 2]), order([3, 4, 5])], lambda pair: names.setdefault(pair, len(names)))
    assert zipped is not None
    assert set(names) == {(1, 3), (2, 4)}
    assert allows(zipped, [names[(1, 3)], names[(2, 4)]])
