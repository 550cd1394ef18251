"""Values: unions, restriction to a condition, and new names."""

from __future__ import annotations

from domain_strategies import BOXES, TENSORS, WORLDS, conditions, holds, law, meaning, possible, value_below, values
from hypothesis import given
from hypothesis import strategies as st

from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.values import (
    Const,
    Renaming,
    Unknown,
    Value,
    const,
    constant_of,
    known,
    references,
    under,
    union,
)

NUMBERS = [*TENSORS, *BOXES]
renamings = st.builds(
    Renaming,
    st.dictionaries(st.sampled_from(NUMBERS), st.sampled_from([-n for n in NUMBERS] + NUMBERS), max_size=4),
    st.dictionaries(st.sampled_from(["f:x", "f:y"]), st.sampled_from(["f:x~", "f:y~"]), max_size=2),
)


@law
@given(st.lists(values, max_size=3))
def test_a_union_is_any_of_its_values(parts: list[Value]) -> None:
    joined = union(parts)
    assert all(value_below(part, TRUE, joined) for part in parts)
    assert set(joined) == {atom for part in parts for atom in part}
    assert meaning(union(reversed(parts))) == meaning(joined)
    assert meaning(union([joined, *parts])) == meaning(joined)


@law
@given(values, conditions)
def test_a_value_under_a_condition_is_what_is_left_there(value: Value, cond: Cond) -> None:
    left = under(value, cond)
    for atom, own in value.items():
        for world in WORLDS:
            assert holds(left.get(atom), world) == (holds(own, world) and holds(cond, world))
        assert (atom in left) == possible(own, cond)
    assert under(left, cond) == left
    assert under(value, TRUE) == value


@law
@given(values, renamings)
def test_renaming_reaches_every_reference(value: Value, names: Renaming) -> None:
    renamed = names.value(value)
    assert set(references(renamed)) == {names.number(oid) for oid in references(value)}
    assert {names.atom(atom) for atom in value} == set(renamed)


@law
@given(st.lists(values, max_size=3), renamings)
def test_renaming_distributes_over_union(parts: list[Value], names: Renaming) -> None:
    assert meaning(names.value(union(parts))) == meaning(union(names.value(part) for part in parts))


@law
@given(values)
def test_renaming_nothing_gives_the_same_value(value: Value) -> None:
    assert Renaming({}, {}).value(value) is value
    assert Renaming({99: -99}, {"other": "name"}).value(value) is value


@law
@given(values)
def test_renaming_to_free_names_can_be_undone(value: Value) -> None:
    away = Renaming({n: n + 1000 for n in NUMBERS} | {-n: -n - 1000 for n in NUMBERS}, {"f:x": "g:x"})
    back = Renaming({new: old for old, new in away.ids.items()}, {"g:x": "f:x"})
    assert back.value(away.value(value)) == value


@law
@given(st.frozensets(st.sampled_from(NUMBERS)), renamings)
def test_sets_and_records_of_numbers_are_renamed_alike(ids: frozenset[int], names: Renaming) -> None:
    assert names.numbers(ids) == frozenset(names.keys(dict.fromkeys(ids, TRUE)))


def test_literals_are_told_apart_by_kind() -> None:
    assert len({Const(1, "int"), Const(1.0, "float"), Const(True, "bool")}) == 3
    assert const(1) != const(True)
    assert constant_of(const(None)) is None
    assert constant_of(None) is ...
    assert known({**const(1), **const(2)}) is None
    assert constant_of({Unknown("f:x"): TRUE}, "nothing") == "nothing"
