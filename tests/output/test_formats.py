"""The output formats, on diagnostics made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from output_samples import FOUND, report, span

from inplace_lint.diagnostics import Edit, Fix, Position, Related, Severity, Span
from inplace_lint.output import Report, formats, render
from inplace_lint.output.full import _columns


def test_formats_are_found() -> None:
    assert {"full", "concise", "json"} <= set(formats())


def test_full_shows_the_story_in_its_frame() -> None:
    assert render("full", report(FOUND)) == (
        "error[IPL202]: `y += 1` overwrites `y`\n"
        " --> train.py:4:5\n"
        "  |\n"
        "2 |     y = w.exp()\n"
        "  |         ------- saved here\n"
        "3 |\n"
        "4 |     y += 1\n"
        "  |     ^^^^^^ overwritten here\n"
        "5 |     y.sum().backward()\n"
        "  |     ------------------ backward here\n"
        "  |\n"
        "  = PyTorch: one of the variables needed\n"
        "  = assuming: argument `w` of `clip` requires grad\n"
        "help: Do it out of place\n"
        "  |\n"
        "4 -     y += 1\n"
        "  +     y = y + 1\n"
        "  |\n"
        "note: This is a display-only fix and is never applied: the code does not tell what was meant\n"
        "\n"
        "Found 1 error.\n"
    )


def test_full_numbers_the_steps_when_lines_tell_another_order() -> None:
    out = render("full", report(replace(FOUND, related=(FOUND.related[1], FOUND.related[0]))))
    assert "^^^^^^ 1. overwritten here" in out
    assert "------- 2. saved here" in out


def test_full_shows_other_files_in_frames_of_their_own_and_gaps_as_dots() -> None:
    lines = [f"line {number}" for number in range(1, 121)]
    steps = (Related("made here", span(99, 1, 5, "other.py")), Related("saved", span(1, 1, 3)), FOUND.related[1])
    out = render("full", report(replace(FOUND, span=span(120, 1, 5), related=steps), lines=lines))
    assert "   --> train.py:120:1\n" in out
    assert "   ::: other.py:99:1\n    |\n 99 | line 99\n    | ---- 1. made here\n" in out
    assert "\n...\n" in out


def test_full_underlines_a_statement_of_several_lines_on_its_first() -> None:
    several = replace(FOUND, span=Span("train.py", Position(2, 5), Position(4, 11)), related=())
    assert "2 |     y = w.exp()\n  |     ^^^^^^^^^^^\n" in render("full", report(several))


def test_full_without_the_file_still_says_what_and_where() -> None:
    out = render("full", report(replace(FOUND, suggestion=None), lines=[]))
    assert out.startswith("error[IPL202]: `y += 1` overwrites `y`\n --> train.py:4:5\n  |\n  = PyTorch")


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("\tx", 5), ("日\tx", 6), ("a\u200db", 2)]
)
def test_carets_stand_below_what_they_mark(text: str, width: int) -> None:
    assert _columns(text) == width


def test_colour_only_where_asked_for() -> None:
    assert "\x1b[" not in render("full", report(FOUND))
    colored = render("full", report(FOUND, color=True))
    assert "\x1b[1;31merror[IPL202]\x1b[0m" in colored


def test_concise_is_one_line_a_finding() -> None:
    out = render("concise", report(FOUND, replace(FOUND, severity=Severity.WARNING, assumptions=())))
    assert out.splitlines() == [
        "train.py:4:5: IPL202 `y += 1` overwrites `y` [assuming argument `w` of `clip` requires grad]",
        "train.py:4:5: IPL202 `y += 1` overwrites `y`",
        "Found 1 error and 1 warning.",
    ]
    assert render("concise", report(FOUND, summary=False)).count("\n") == 1


def test_json_has_the_shape_that_tools_rely_on(tmp_path: Path) -> None:
    name = str(tmp_path / "train.py")
    edit = Edit("y = y + 1", span(4, 5, 11, name))
    found = replace(FOUND, span=span(4, 5, 11, name), related=(), fix=Fix("safe", "Do it", (edit,)), suggestion=None)
    (entry,) = json.loads(render("json", report(found)))
    assert entry == {
        "code": "IPL202",
        "name": "saved-result-overwritten",
        "severity": "error",
        "message": "`y += 1` overwrites `y`",
        "filename": name,
        "cell": None,
        "location": {"row": 4, "column": 5},
        "end_location": {"row": 4, "column": 11},
        "related": [],
        "assumptions": ["argument `w` of `clip` requires grad"],
        "torch_error": "one of the variables needed",
        "fix": {
            "applicability": "safe",
            "message": "Do it",
            "edits": [
                {
                    "content": "y = y + 1",
                    "location": {"row": 4, "column": 5},
                    "end_location": {"row": 4, "column": 11},
                }
            ],
        },
        "noqa_row": 4,
        "url": "https://example.org",
    }


def test_json_tells_the_story_and_the_suggested_code() -> None:
    (entry,) = json.loads(render("json", report(FOUND)))
    assert [step["message"] for step in entry["related"]] == ["saved here", "overwritten here", "backward here"]
    assert entry["related"][0]["location"] == {"row": 2, "column": 9}
    assert entry["fix"]["message"] == "Do it out of place:\ny = y + 1"
    assert Path(entry["filename"]).is_absolute()


def test_nothing_found() -> None:
    assert json.loads(render("json", report())) == []
    assert render("concise", report()) == render("full", report()) == "All checks passed!\n"
    assert render("full", Report(())) == "No Python files found.\n"


def test_full_shows_only_what_changes_of_a_long_statement() -> None:
    lines = ["net = Sequential(", "    Linear(4, 4),", "    ReLU(inplace=True),", "    Linear(4, 4),", ")"]
    whole = Span("train.py", Position(1, 1), Position(5, 2))
    suggestion = "\n".join(lines).replace("inplace=True", "")
    out = render("full", report(replace(FOUND, suggestion=suggestion, suggestion_span=whole), lines=lines))
    assert "  |\n3 -     ReLU(inplace=True),\n  +     ReLU(),\n  |\n" in out


def test_full_shows_a_line_put_in_front_of_one_that_stays() -> None:
    one = replace(FOUND, suggestion="y = y.clone()\ny += 1")
    assert "  |\n  +     y = y.clone()\n4       y += 1\n  |\n" in render("full", report(one))


def test_full_says_how_far_a_fix_may_be_applied() -> None:
    edit = Edit("y = y + 1", span(4, 5, 11))
    safe = replace(FOUND, fix=Fix("safe", "Do it out of place", (edit,)))
    unsafe = replace(FOUND, fix=Fix("unsafe", "Do it out of place", (edit,)))
    out = render("full", report(safe))
    assert out.startswith("error[IPL202][*]: ") and "note: " not in out
    out = render("full", report(unsafe))
    assert out.startswith("error[IPL202]: ") and "note: This is an unsafe fix and may change runtime behavior\n" in out
    assert out.endswith("Found 1 error.\n1 unsafe fix available with `--fix --unsafe-fixes`.\n")
    out = render("full", replace(report(unsafe), unsafe_fixes=True))
    assert out.startswith("error[IPL202][*]: ") and "note: This is an unsafe fix" in out
    out = render("full", report(replace(FOUND, fix=Fix("display-only", "Think of it"), suggestion=None)))
    assert "help: Think of it\n" in out and "note: " not in out


def test_what_would_move_the_cursor_is_shown_as_a_picture() -> None:
    out = render("full", report(replace(FOUND, related=(), span=span(1, 3, 5)), lines=["\x0c\x1bab"]))
    assert "1 | ␌␛ab\n  |   ^^\n" in out


def test_a_place_in_a_notebook_has_its_cell() -> None:
    found = replace(FOUND, span=span(4, 5, 11, "n.ipynb"), related=(), cell=2)
    assert " --> n.ipynb:cell 2:4:5\n" in render("full", report(found))
    assert render("concise", report(found)).startswith("n.ipynb:cell 2:4:5: IPL202 ")


def test_concise_has_one_line_whatever_the_message_holds() -> None:
    out = render("concise", report(replace(FOUND, message="one\ntwo", span=span(4, 5, 11, "a\nb.py")), summary=False))
    assert out == "a b.py:4:5: IPL202 one two [assuming argument `w` of `clip` requires grad]\n"


@pytest.mark.parametrize("name", formats())
def test_every_format_can_be_stored_whatever_the_name_of_the_file(name: str) -> None:
    """A byte of a file name that is no UTF-8 is half of a character to Python, which cannot be written."""
    odd = replace(FOUND, span=span(4, 5, 11, "tr\udce4in.py"), related=(), message="<b>&amp;\r\n\x00]]>")
    assert render(name, report(odd)).encode("utf-8")
    assert "\ud800" not in render(name, report(replace(odd, message="\ud800")))


@pytest.mark.parametrize("name", formats())
def test_every_format_ends_with_a_line_end_or_is_empty(name: str) -> None:
    for found in ((), (FOUND,), (FOUND, replace(FOUND, severity=Severity.INFO))):
        out = render(name, report(*found))
        assert out == "" or (out.endswith("\n") and not out.endswith("\n\n"))


def test_full_shows_what_the_edits_do_to_the_lines() -> None:
    lines = ["import os", "", "y = w.exp(); y += 1  # as before", "y.sum().backward()"]
    write = Edit("y = y + 1", span(3, 14, 20))
    found = replace(FOUND, span=span(3, 14, 20), related=(), fix=Fix("safe", "Do it", (write,)))
    out = render("full", report(found, lines=lines))
    assert "  |\n3 - y = w.exp(); y += 1  # as before\n  + y = w.exp(); y = y + 1  # as before\n  |\n" in out
    both = (Edit("import torch\n", span(2, 1, 1)), write)
    out = render("full", report(replace(found, fix=Fix("safe", "Do it", both)), lines=lines))
    assert "  |\n  + import torch\n2\n3 - y = w.exp()" in out
    elsewhere = replace(write, span=span(1, 1, 1, "other.py"))
    out = render("full", report(replace(found, fix=Fix("safe", "Do it", (elsewhere,))), lines=lines))
    assert "4 - y.sum().backward()\n  + y = y + 1\n" in out
