"""The state's laws: joins, names, age, forgetting, copies and writes."""

from __future__ import annotations

from dataclasses import replace

from domain_strategies import (
    BOXES,
    FRAMES,
    NODES,
    PLACES,
    TENSORS,
    conditions,
    fact,
    law,
    map_below,
    object_below,
    parted_states,
    states,
    tensors,
    value_below,
)
from hypothesis import given
from hypothesis import strategies as st

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Frame, Node, Obj, Saved, Tensor, WriteRecord, reachable_from
from inplace_lint.domain.renaming import rename_object
from inplace_lint.domain.state import State, assume, join_all
from inplace_lint.domain.values import Renaming, one, references

sites = st.sampled_from([*TENSORS, *NODES, *BOXES])
WRITE = WriteRecord(PLACES[3], "operator", "+=", "y", False, None, (), None)


def below(state: State, joined: State) -> bool:
    """Whether ``joined`` stands for ``state``."""
    path = state.path
    return (
        joined.path <= path
        and map_below(state.mode, path, joined.mode)
        and all(object_below(obj, path, joined.heap[oid]) for oid, obj in state.heap.items())
        and all(value_below(v, path, joined.registers[-1].get(reg, {})) for reg, v in state.registers[-1].items())
        and indexed(joined)
    )


def indexed(state: State) -> bool:
    """Whether every save is found by each storage that it lies on."""
    return all(
        oid in state.heap.saving_on([storage])
        for oid, obj in state.heap.items()
        if isinstance(obj, Node)
        for saved in obj.saved
        for storage in saved.storages
    )


def reachable(state: State, roots: list[int]) -> set[int]:
    todo = [*roots, *(oid for regs in state.registers for value in regs.values() for oid in references(value))]
    seen: set[int] = set()
    while todo:
        oid = todo.pop()
        if oid in state.heap and oid not in seen:
            seen.add(oid)
            todo.extend(reachable_from(state.heap[oid]))
    return seen


def same_facts(a: State, b: State) -> bool:
    return set(a.heap) == set(b.heap) and a.mode == b.mode and a.registers == b.registers and a.path == b.path


@law
@given(parted_states())
def test_both_states_lie_below_their_join(pair: tuple[State, State]) -> None:
    a, b = pair
    joined = a.join(b)
    assert below(a, joined) and below(b, joined)
    assert indexed(joined)


@law
@given(parted_states())
def test_joining_in_the_other_order_gives_the_same(pair: tuple[State, State]) -> None:
    a, b = pair
    assert same_facts(a.join(b), b.join(a))


@law
@given(states())
def test_joining_a_state_with_itself_changes_nothing(state: State) -> None:
    joined = state.join(state.copy())
    assert joined.same_as(state)
    assert joined.path == state.path


@law
@given(parted_states())
def test_a_join_is_stable_under_joining_again(pair: tuple[State, State]) -> None:
    a, b = pair
    joined = a.join(b)
    again = joined.join(joined.copy())
    assert again.same_as(joined)
    both = join_all([a, b])
    assert both is not None and both.same_as(joined)


def test_the_join_of_nothing_is_not_reached() -> None:
    assert join_all([]) is None


@law
@given(states(), sites)
def test_age_folds_the_newest_into_the_summary(state: State, oid: int) -> None:
    newest, older = state.heap.get(oid), state.heap.get(-oid)
    state.age(oid)
    assert oid not in state.heap
    assert oid not in reachable(state, [*FRAMES])
    names = Renaming({oid: -oid}, {})
    for obj in (newest, older):
        if obj is not None:
            assert object_below(rename_object(obj, names), TRUE, state.heap[-oid])
    assert indexed(state)


@law
@given(states(), sites, tensors())
def test_allocating_again_keeps_what_was_there(state: State, oid: int, made: Tensor) -> None:
    before = state.heap.get(oid)
    state.allocate(oid, made)
    assert state.heap[oid] == made
    if before is not None:
        assert object_below(rename_object(before, Renaming({oid: -oid}, {})), TRUE, state.heap[-oid])


@law
@given(states(), st.dictionaries(st.sampled_from([*TENSORS]), st.sampled_from([*TENSORS, *(-n for n in TENSORS)])))
def test_renaming_joins_what_gets_one_name(state: State, ids: dict[int, int]) -> None:
    names = Renaming(ids, {})
    before = state.copy()
    state.rename(names)
    for oid, obj in before.heap.items():
        assert object_below(rename_object(obj, names), TRUE, state.heap[names.number(oid)])
    assert set(state.heap) == {names.number(oid) for oid in before.heap}
    assert indexed(state)


@law
@given(states(), sites, tensors())
def test_a_summary_only_grows(state: State, oid: int, new: Tensor) -> None:
    before = state.heap.get(-oid)
    state.put(-oid, new)
    if isinstance(before, Tensor):
        assert object_below(before, TRUE, state.heap[-oid])
    if before is None or isinstance(before, Tensor):
        assert object_below(new, TRUE, state.heap[-oid])


@law
@given(states(), st.lists(st.sampled_from([*FRAMES]), max_size=2))
def test_collecting_drops_what_nothing_reaches_and_no_more(state: State, roots: list[int]) -> None:
    before = state.copy()
    state.collect(roots)
    wanted = reachable(before, roots)
    assert set(state.heap) == wanted
    assert all(state.heap[oid] is before.heap[oid] for oid in wanted)
    assert indexed(state)
    assert state.registers == before.registers


@law
@given(states())
def test_storages_of_what_is_reachable_are_kept(state: State) -> None:
    """A number may be given again only when nothing lies on the storage that bears it."""
    state.collect([FRAMES[0]])
    for obj in list(state.heap.values()):
        if isinstance(obj, Tensor):
            assert obj.storages & set(state.heap) <= reachable(state, [FRAMES[0]])


@law
@given(states(), sites, tensors(), conditions)
def test_a_copy_can_be_changed_alone(state: State, oid: int, made: Tensor, cond: Cond) -> None:
    before = (dict(state.heap), [dict(r) for r in state.registers], dict(state.mode), state.path)
    twin = state.copy()
    twin.allocate(oid, made)
    twin.registers[-1][0] = one(oid)
    twin.mode["no_grad"] = cond
    twin.path = cond
    twin.record_write(frozenset(TENSORS), lambda saved: replace(saved, writes={WRITE: TRUE}))
    twin.collect([])
    twin.map_conditions(lambda _: TRUE)
    assert (dict(state.heap), state.registers, state.mode, state.path) == before
    assert indexed(state)


@law
@given(states(), st.frozensets(st.sampled_from([*TENSORS]), max_size=2))
def test_a_write_reaches_exactly_the_saves_on_its_counter(state: State, counters: frozenset[int]) -> None:
    before = dict(state.heap)
    offered: list[Saved] = []

    def mark(saved: Saved) -> Saved | None:
        offered.append(saved)
        return replace(saved, writes={**saved.writes, WRITE: TRUE}) if saved.counters & counters else None

    state.record_write(counters, mark)
    assert all(saved.storages & counters for saved in offered)
    for oid, obj in before.items():
        now: Obj = state.heap[oid]
        if not isinstance(obj, Node):
            assert now is obj
            continue
        assert isinstance(now, Node)
        for old, new in zip(obj.saved, now.saved, strict=True):
            assert (WRITE in new.writes) == bool(old.counters & counters) or WRITE in old.writes
            assert new is old or replace(new, writes=old.writes) == old


@law
@given(states(), st.sampled_from(["p", "q"]), st.booleans())
def test_assuming_a_fact_narrows_the_path_or_ends_it(state: State, key: str, value: bool) -> None:
    path = state.path
    after = assume(state, fact(key, value))
    if fact(key, not value) in path:
        assert after is None
    else:
        assert after is state and after.path == path | {fact(key, value)}


@law
@given(states())
def test_forgetting_answers_weakens_every_condition(state: State) -> None:
    before = state.copy()

    def forget(cond: Cond) -> Cond:
        return frozenset(f for f in cond if f.key != "q")

    state.map_conditions(forget)
    before.path = TRUE
    state.path = TRUE
    assert below(before, state)
    for obj in state.heap.values():
        if isinstance(obj, Frame):
            assert all(f.key != "q" for v in obj.names.values() for cond in v.values() for f in cond)
