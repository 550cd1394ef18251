"""The layers of a heap are seen by nobody: whatever is frozen when, every operation gives the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from domain_strategies import (
    BOXES,
    FRAMES,
    NODES,
    TENSORS,
    conditions,
    fact,
    law,
    parted_states,
    states,
    tensors,
)
from hypothesis import given
from hypothesis import strategies as st

from inplace_lint.domain import heap as heap_module
from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.heap import Heap
from inplace_lint.domain.objects import Frame, Node, Opaque, Tensor, mentions
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Renaming, one

numbers = st.sampled_from([*TENSORS, *NODES, *BOXES])


def frozen(state: State, also: Tensor | None = None) -> State:
    """The same state, of which all lies in a layer; ``also`` came and went on top of it."""
    twin = state.copy()
    if also is not None:
        twin.heap[99] = also
    twin.heap.freeze()
    if also is not None:
        del twin.heap[99]
    return twin


def same(a: State, b: State) -> bool:
    return (
        dict(a.heap) == dict(b.heap)
        and a.heap.same_as(b.heap)
        and b.heap.same_as(a.heap)
        and (a.registers, a.mode, a.path) == (b.registers, b.mode, b.path)
    )


@law
@given(states(), tensors())
def test_freezing_changes_nothing(state: State, also: Tensor) -> None:
    twin = frozen(state, also)
    assert same(state, twin)
    assert len(twin.heap) == len(state.heap) and set(twin.heap) == set(state.heap)
    assert 99 not in twin.heap and twin.heap.get(99) is None
    with pytest.raises(KeyError):
        twin.heap[99]


def renamed(state: State) -> None:
    state.rename(Renaming({1: -1, 2: 3, 11: -11}, {"f:x": "f:x~"}))


def forgotten(state: State) -> None:
    state.map_conditions(lambda cond: frozenset(f for f in cond if f.key != "q"), {"q"})


def written(state: State) -> None:
    state.record_write(frozenset({1, 2}), lambda s: replace(s, through_view=not s.through_view))


def aged(state: State) -> None:
    for oid in (*TENSORS, *NODES):
        if oid in state.heap:
            state.age(oid)


CHANGES: list[Callable[[State], None]] = [renamed, forgotten, written, aged]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_the_same_on_any_layer(change: Callable[[State], None]) -> None:
    @law
    @given(states(), tensors())
    def check(state: State, also: Tensor) -> None:
        twin = frozen(state, also)
        layer = dict(twin.heap.layer.objects)
        change(state)
        change(twin)
        assert same(state, twin)
        assert twin.heap.layer.objects == layer
        assert twin.heap.saving_on([*TENSORS, *(-n for n in TENSORS)]) >= {
            oid for oid, obj in state.heap.items() if isinstance(obj, Node) and obj.saved
        }

    check()


@law
@given(parted_states(), st.integers(0, 2))
def test_joins_are_the_same_on_any_layers(pair: tuple[State, State], which: int) -> None:
    a, b = pair
    left = frozen(a) if which != 1 else a.copy()
    right = frozen(b) if which != 0 else b.copy()
    assert same(a.join(b), left.join(right))


@law
@given(states(), tensors(), tensors(), conditions)
def test_branches_of_one_layer_join_as_any_others(state: State, one_way: Tensor, other_way: Tensor, cond: Cond) -> None:
    def branch(start: State, new: Tensor, answer: bool) -> State:
        side = start.copy()
        side.path = frozenset({fact("p", answer)})
        side.allocate(1, new)
        side.heap.pop(FRAMES[0], None)
        if answer:
            side.heap.freeze()
            side.heap[FRAMES[0]] = Frame({"x": {2: cond}}, None)
        return side

    plain = [branch(state, one_way, True), branch(state, other_way, False)]
    layered = [branch(frozen(state), one_way, True), branch(frozen(state), other_way, False)]
    assert same(plain[0].join(plain[1]), layered[0].join(layered[1]))


@law
@given(states(), st.lists(st.sampled_from([*FRAMES]), max_size=2))
def test_collecting_on_a_layer_keeps_what_it_mentions(state: State, roots: list[int]) -> None:
    state.heap.freeze()
    layer = dict(state.heap)
    state.heap[50] = Frame({"x": one(51)}, None)
    state.heap[51] = Opaque()
    state.heap[52] = Opaque()
    state.registers = [{0: one(50)}]
    state.collect(roots)
    assert dict(state.heap) == {**layer, 50: Frame({"x": one(51)}, None), 51: Opaque()}


@law
@given(states(), numbers)
def test_the_index_finds_all_who_mention(state: State, oid: int) -> None:
    wanted = {key for key, obj in state.heap.items() if oid in mentions(obj).ids}
    assert wanted <= frozen(state).heap.users({oid})
    assert state.heap.users({oid}) == wanted
    tagged = {key for key, obj in state.heap.items() if "f:x" in mentions(obj).tags}
    assert tagged <= frozen(state).heap.tagged({"f:x"}) and tagged == state.heap.tagged({"f:x"})
    asking = {key for key, obj in state.heap.items() if "q" in mentions(obj).facts}
    assert asking <= frozen(state).heap.asking({"q"}) and asking == state.heap.asking({"q"})


def test_a_heap_that_grew_is_frozen_when_it_is_copied() -> None:
    heap = Heap()
    for oid in range(1, heap_module.MOST_OWN + 3):
        heap[oid] = Frame({}, None)
    twin = heap.copy()
    assert twin.layer is heap.layer and not twin.own and len(twin) == len(heap)
    twin[1] = Opaque()
    assert heap[1] == Frame({}, None)
    joined = heap.join(TRUE, twin, TRUE)
    assert joined[1] == Opaque() and joined[2] is heap[2]
