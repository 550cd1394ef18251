"""``# noqa`` comments."""

from __future__ import annotations

import pytest

from inplace_lint.source.suppressions import Unused, parse

CODE, NAME = "IPL201", "saved-input-overwritten"


@pytest.mark.parametrize(
    ("comment", "suppressed"),
    [
        ("# noqa", True),
        ("#noqa", True),
        ("# NOQA", True),
        ("# NoQA:IPL201", True),
        ("# noqa: IPL201", True),
        ("# noqa : ipl201", True),
        ("# noqa: IPL301,IPL201", True),
        ("# noqa: IPL301 IPL201", True),
        ("# noqa: F401, IPL201", True),
        ("# noqa: IPL201 because it is fine", True),
        ("# noqa: saved-input-overwritten", True),
        ("# noqa: E501, saved-input-overwritten", True),
        ("# a reason  # noqa: IPL201", True),
        ("# type: ignore[x] # noqa", True),
        ("# noqa: F401", False),
        ("# noqa: IPL301", False),
        ("# noqa: IPL2011", False),
        ("# noqa: IPL20", False),
        ("# noqa: saved-result-overwritten", False),
        ("# noqa:", False),
        ("# noqa: the reason is long", False),
        ("# noqability", False),
        ("# see noqa", False),
        ("# inplace-lint: noqa", False),
    ],
)
def test_comments_at_the_end_of_a_line(comment: str, suppressed: bool) -> None:
    source = f"x = 1\ny += 1  {comment}\nz = 2\n"
    found = parse(source)
    assert found.suppresses(CODE, NAME, [2]) is suppressed
    assert not found.suppresses(CODE, NAME, [1]) and not found.suppresses(CODE, NAME, [3])


@pytest.mark.parametrize(
    ("comment", "suppressed"),
    [
        ("# inplace-lint: noqa", True),
        ("#inplace-lint:noqa", True),
        ("    # Inplace-Lint: NOQA: IPL201", True),
        ("# inplace-lint: noqa: saved-input-overwritten", True),
        ("# inplace-lint: noqa: IPL301", False),
        ("# inplace-lint: noqa:", False),
        ("x = 1  # inplace-lint: noqa", False),
        ("# flake8: noqa", False),
        ("# ruff: noqa", False),
    ],
)
def test_comments_for_the_file(comment: str, suppressed: bool) -> None:
    assert parse(f"y += 1\n{comment}\n").suppresses(CODE, NAME, [1]) is suppressed


@pytest.mark.parametrize(
    "text",
    [
        'x = "# noqa"',
        "x = '# noqa' + '\\' # noqa'",
        'x = """\n# noqa\n"""',
        "x = '''# noqa\n# inplace-lint: noqa\n'''",
        'x = f"{y} # noqa"',
        'x = r"\\\\" + "# noqa"',
        'x = "a\\\n# noqa"',
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_strings_are_no_comments(text: str, newline: str) -> None:
    source = text.replace("\n", newline)
    found = parse(source)
    assert found.directives == ()
    assert not found.suppresses(CODE, NAME, range(1, 10))


def test_multi_line_strings_and_backslashes_take_the_comment_at_their_end() -> None:
    source = 'x = """\na\n"""  # noqa\ny = 1 + \\\n    2 + \\\n    3  # noqa: IPL201\nz = (1,\n    2)  # noqa\n'
    found = parse(source)
    assert [row for row in range(1, 9) if found.suppresses(CODE, NAME, [row])] == [1, 2, 3, 4, 5, 6, 8]
    assert [found.comment_row(row) for row in range(1, 9)] == [3, 3, 3, 6, 6, 6, 7, 8]
    assert found.suppresses(CODE, NAME, [7, 8])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_rows_and_columns_are_those_of_the_file(newline: str) -> None:
    source = newline.join(["ä = 'ö'", "\x0cb += 1  # why # noqa: IPL201, E501 trailing", "c"])
    (directive,) = parse(source).directives
    assert (directive.row, directive.column, directive.end_column) == (2, 16, 36)
    assert source.split(newline)[1][15:35] == "# noqa: IPL201, E501"


def test_what_suppresses_nothing_is_known() -> None:
    source = (
        "a += 1  # noqa: IPL201, IPL301, F401\n"
        "b += 1  # noqa: saved-input-overwritten, some-other-tool\n"
        "c += 1  # noqa\n"
        "d += 1  # noqa: F401\n"
        "# inplace-lint: noqa: IPL501\n"
    )
    found = parse(source)
    assert found.suppresses("IPL301", "x", [1])
    assert not found.suppresses("IPL301", "x", [2])
    lines = source.splitlines()
    assert found.unused({NAME}) == [
        Unused(1, 9, 37, ("IPL201",), ("IPL301", "F401"), lines[0]),
        Unused(2, 9, 57, (NAME,), ("some-other-tool",), lines[1]),
        Unused(5, 1, 29, ("IPL501",), (), lines[4]),
    ]
    assert found.suppresses(CODE, NAME, [1, 2])
    assert found.unused({NAME}) == [Unused(5, 1, 29, ("IPL501",), (), lines[4])]
    assert len(found.fresh().unused({NAME})) == 3


def test_both_comments_that_suppress_are_used() -> None:
    found = parse("# inplace-lint: noqa: IPL201\nx += 1  # noqa: IPL201\n")
    assert len(found.unused()) == 2
    assert found.suppresses(CODE, NAME, [2])
    assert found.unused() == []


def test_broken_source_is_read_as_far_as_it_goes() -> None:
    assert parse("x = 'open\ny += 1  # noqa\nz = '''never closed\n").suppresses(CODE, NAME, [2])
