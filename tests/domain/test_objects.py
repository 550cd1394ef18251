"""Objects on the heap: joins lie above both sides, new names reach everything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from domain_strategies import (
    PLACES,
    TENSORS,
    conditions,
    fact,
    implies,
    law,
    object_below,
    objects,
    saves,
    value_below,
    values,
)
from hypothesis import given
from hypothesis import strategies as st

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import (
    INTERIOR,
    MOST_LITERALS,
    Container,
    Instance,
    Node,
    Obj,
    Opaque,
    Saved,
    Status,
    Tensor,
    WriteRecord,
    contents,
    join_objects,
    join_values,
    of_one_side,
    reachable_from,
    widened,
)
from inplace_lint.domain.renaming import rename_object
from inplace_lint.domain.values import Const, Renaming, Unknown, Value, const, union

KINDS = sorted(objects)
P, NOT_P, Q = frozenset({fact("p", True)}), frozenset({fact("p", False)}), frozenset({fact("q", True)})


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data(), a_path=conditions, b_path=conditions)
def test_both_sides_lie_below_their_join(kind: str, data: st.DataObject, a_path: Cond, b_path: Cond) -> None:
    a, b = data.draw(objects[kind]), data.draw(objects[kind])
    joined = join_objects(a, a_path, b, b_path)
    assert object_below(a, a_path, joined)
    assert object_below(b, b_path, joined)


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data(), a_path=conditions, b_path=conditions)
def test_the_join_with_oneself_is_oneself(kind: str, data: st.DataObject, a_path: Cond, b_path: Cond) -> None:
    a = data.draw(objects[kind])
    assert join_objects(a, a_path, a, b_path) is a
    assert join_objects(a, a_path, replace(a), b_path) == a


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data(), a_path=conditions, b_path=conditions)
def test_a_join_does_not_depend_on_the_order(kind: str, data: st.DataObject, a_path: Cond, b_path: Cond) -> None:
    """But for the story: where something was made is told by the first."""
    a, b = data.draw(objects[kind]), data.draw(objects[kind])
    left, right = join_objects(a, a_path, b, b_path), join_objects(b, b_path, a, a_path)
    assert _plain(left) == _plain(right)


def _plain(obj: Obj) -> object:
    if isinstance(obj, Tensor):
        return replace(obj, made=PLACES[0], made_by="", expanded=obj.expanded and PLACES[0])
    if isinstance(obj, Node):
        saved = sorted((replace(s, is_result=False) for s in obj.saved), key=lambda s: (s.role, s.tensor))
        return replace(obj, place=PLACES[0], saved=tuple(saved))
    return replace(obj, made=PLACES[0]) if isinstance(obj, Instance) else obj


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in KINDS for b in KINDS if a < b])
@law
@given(data=st.data())
def test_things_of_different_kinds_join_to_the_unknown(one: str, other: str, data: st.DataObject) -> None:
    assert join_objects(data.draw(objects[one]), TRUE, data.draw(objects[other]), TRUE) == Opaque()


def test_a_list_and_a_dict_join_to_the_unknown() -> None:
    assert join_objects(Container("list"), TRUE, Container("dict", (), {}), TRUE) == Opaque()


@pytest.mark.parametrize("kind", KINDS)
@law
@given(data=st.data(), ids=st.dictionaries(st.sampled_from([*TENSORS]), st.sampled_from([-n for n in TENSORS])))
def test_new_names_reach_every_reference(kind: str, data: st.DataObject, ids: dict[int, int]) -> None:
    obj, names = data.draw(objects[kind]), Renaming(ids, {})
    assert reachable_from(rename_object(obj, names)) == {names.number(oid) for oid in reachable_from(obj)}
    assert rename_object(obj, Renaming({}, {})) == obj


@law
@given(st.sampled_from(["list", "tuple"]), st.lists(values, max_size=3), values)
def test_contents_is_any_element(kind: str, items: list[Value], rest: Value) -> None:
    exact, loose = Container(kind, tuple(items)), Container(kind, None, None, rest)  # type: ignore[arg-type]
    assert all(value_below(item, TRUE, contents(exact)) for item in items)
    assert contents(loose) == rest


@law
@given(values, conditions, values, conditions)
def test_joined_values_cover_both(a: Value, a_path: Cond, b: Value, b_path: Cond) -> None:
    joined = join_values(a, a_path, b, b_path)
    assert value_below(a, a_path, joined) and value_below(b, b_path, joined)
    assert join_values(b, b_path, a, a_path) == joined


@law
@given(values, st.integers(0, 3 * MOST_LITERALS))
def test_widening_bounds_literals_and_loses_nothing_else(value: Value, count: int) -> None:
    counted = union([value, *(const(n) for n in range(count))])
    wide = widened(counted)
    assert value_below(counted, TRUE, wide)
    assert widened(wide) == wide
    literals = [atom for atom in wide if isinstance(atom, Const) and atom.value is not None]
    assert len(literals) <= MOST_LITERALS
    assert {a for a in counted if not isinstance(a, Const)} <= set(wide)
    if count > MOST_LITERALS + 1:
        assert Unknown("", "no", False) in wide


def test_counting_ends() -> None:
    value: Value = const(0)
    for number in range(1, 50):
        following = join_values(value, TRUE, const(number), TRUE)
        if following == value:
            break
        value = following
    assert len(value) <= MOST_LITERALS + 1


@law
@given(saves(), saves(), conditions)
def test_two_saves_of_one_tensor_in_one_role_both_survive_a_join(one: Saved, other: Saved, path: Cond) -> None:
    """Aging gives the newest tensor and the older ones one name, so a node may keep it twice in one role."""
    node = Node(
        PLACES[0], "mul", None, {}, (one, replace(other, role=one.role, tensor=one.tensor)), True, (), frozenset()
    )
    joined = join_objects(node, path, replace(node, saved=()), TRUE)
    assert object_below(node, path, joined)


def tensor(status: Status) -> Tensor:
    return Tensor(PLACES[0], "zeros", frozenset({1}), frozenset({1}), status)


def test_a_joined_status_holds_wherever_one_of_both_does() -> None:
    one, other = tensor(Status(constant=TRUE, interior=P)), tensor(Status(constant=TRUE, interior=Q))
    joined = join_objects(one, TRUE, other, TRUE)
    assert isinstance(joined, Tensor)
    assert implies(P, TRUE, joined.status.interior) and implies(Q, TRUE, joined.status.interior)


def test_a_status_on_both_sides_of_one_question_needs_no_condition() -> None:
    joined = join_objects(tensor(INTERIOR), P, tensor(Status(interior=TRUE, constant=None)), NOT_P)
    assert isinstance(joined, Tensor)
    assert joined.status == INTERIOR


def test_records_of_writes_keep_their_place() -> None:
    write = WriteRecord(PLACES[1], "method", "add_", None, False, None, (), None)
    save = Saved("self", False, 1, frozenset({1}), frozenset({1}), (), TRUE, None)
    written = replace(save, writes={write: TRUE})
    node = Node(PLACES[0], "mul", None, {}, (save,), True, (), frozenset())
    joined = join_objects(node, P, replace(node, saved=(written,)), NOT_P)
    assert isinstance(joined, Node)
    assert dict(joined.saved[0].writes) == {write: NOT_P}


@law
@given(data=st.data())
def test_what_one_side_alone_saved_is_saved_there_only(data: st.DataObject) -> None:
    node = data.draw(objects["node"])
    assert isinstance(node, Node)
    for before, after in zip(node.saved, of_one_side(node, P, TRUE).saved, strict=True):
        assert after == (before if before.cond >= NOT_P else replace(before, cond=before.cond | P))
    assert of_one_side(node, TRUE, TRUE) is node
