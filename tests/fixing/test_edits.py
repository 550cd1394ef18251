"""Edits put into a text: places by row and column, line ends, overlaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inplace_lint.diagnostics import Edit, Position, Span
from inplace_lint.fixing.edits import Misplaced, Replacement, Text, apply, moved

SOURCE = "a\r\nbb \n\tccc\rdddd"


def edit(content: str, start: tuple[int, int], end: tuple[int, int]) -> Edit:
    return Edit(content, Span("f.py", Position(*start), Position(*end)))


def after(source: str, *edits: Edit) -> str:
    text = Text(source)
    return apply(source, [text.replacement(it) for it in edits])


@pytest.mark.parametrize(
    ("one", "result"),
    [
        (edit("X", (1, 1), (1, 2)), "X\r\nbb \n\tccc\rdddd"),
        (edit("X", (2, 1), (2, 3)), "a\r\nX \n\tccc\rdddd"),
        (edit("X", (3, 2), (3, 5)), "a\r\nbb \n\tX\rdddd"),
        (edit("X", (4, 5), (4, 5)), "a\r\nbb \n\tccc\rddddX"),
        (edit("X\nY", (1, 1), (1, 2)), "X\r\nY\r\nbb \n\tccc\rdddd"),
        (edit("X\nY", (3, 2), (3, 5)), "a\r\nbb \n\tX\rY\rdddd"),
        (edit("X\nY", (4, 1), (4, 5)), "a\r\nbb \n\tccc\rX\rY"),
        (edit("a\nbb \n\tXXX", (1, 1), (3, 5)), "a\r\nbb \n\tXXX\rdddd"),
        (edit("a\nnew\nbb \n\tccc", (1, 1), (3, 5)), "a\r\nnew\r\nbb \n\tccc\rdddd"),
    ],
)
def test_each_line_keeps_its_own_end_and_new_ones_take_that_of_the_place(one: Edit, result: str) -> None:
    assert after(SOURCE, one) == result


@pytest.mark.parametrize("place", [(0, 1), (1, 0), (1, 3), (2, 5), (4, 6), (5, 1)])
def test_a_place_that_the_text_lacks_is_refused(place: tuple[int, int]) -> None:
    with pytest.raises(Misplaced):
        Text(SOURCE).offset(Position(*place))


def test_a_file_that_ends_with_a_line_end_has_a_place_after_it() -> None:
    assert after("a\r\n", edit("b\n", (2, 1), (2, 1))) == "a\r\nb\r\n"
    assert after("", edit("b\n", (1, 1), (1, 1))) == "b\n"


def test_what_collides() -> None:
    assert Replacement(0, 3, "x").collides(Replacement(2, 4, "y"))
    assert not Replacement(0, 3, "x").collides(Replacement(3, 4, "y"))
    assert not Replacement(0, 3, "x").collides(Replacement(0, 3, "x"))
    assert Replacement(3, 3, "x").collides(Replacement(3, 3, "y"))
    assert Replacement(0, 3, "x").collides(Replacement(1, 1, "y"))


@given(st.lists(st.sampled_from(["x = 1", "\t y", "", " # é"]), min_size=1), st.data())
def test_what_no_edit_names_stays(lines: list[str], data: st.DataObject) -> None:
    ends = [data.draw(st.sampled_from(["\n", "\r\n"])) for _ in lines]
    source = "".join(line + end for line, end in zip(lines, ends, strict=True))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(source)), min_size=2, max_size=6)))
    pairs = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    replacements = [Replacement(a, b, f"<{number}>") for number, (a, b) in enumerate(pairs)]
    result = apply(source, replacements)
    rest, at = [], 0
    for start, end in moved(replacements):
        rest.append(result[at:start])
        at = end
    rest.append(result[at:])
    kept, at = [], 0
    for start, end in pairs:
        kept.append(source[at:start])
        at = end
    assert rest == [*kept, source[at:]]
