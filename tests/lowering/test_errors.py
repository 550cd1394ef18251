"""Text that cannot be lowered, and text that is hard to."""

from __future__ import annotations

import subprocess
import sys

import libcst as cst
import pytest
from lowered import codes

from inplace_lint import ir
from inplace_lint.lowering import LoweringError, lower, units


@pytest.mark.parametrize(
    ("source", "message", "row", "column"),
    [
        ("x = 1\ndef f(:\n    pass\n", "invalid syntax", 2, 7),
        ("if x:\ny", "expected an indented block after 'if' statement on line 1", 2, 1),
        ("x = 'ä' +\n", "invalid syntax", 1, 10),
        ("print 'x'", "Missing parentheses in call to 'print'", 1, 1),
        ("(" * 201 + ")" * 201, "too many nested parentheses", 1, 201),
        ("x = 1\n" + "f(" * 3000 + ")" * 3000, "too many nested parentheses", 2, 402),
    ],
)
def test_a_syntax_error_says_where_it_is(source: str, message: str, row: int, column: int) -> None:
    with pytest.raises(LoweringError) as caught:
        lower(source, "x.py")
    assert message in caught.value.message
    assert caught.value.row == row
    if sys.version_info[:2] == (3, 11):  # columns moved from version to version
        assert caught.value.column == column


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = " + " + ".join(["a"] * 2000), id="sum"),
        pytest.param("x = " + " and ".join(["a"] * 3000), id="and"),
        pytest.param("x = " + " < ".join(["a"] * 3000), id="comparisons"),
        pytest.param("x = " + "-" * 1500 + "a", id="signs"),
        pytest.param("x = " + '"a" ' * 1500, id="strings"),
        pytest.param("x = " + "f(" * 190 + ")" * 190, id="calls"),
        pytest.param("x = a" + ".b()" * 500, id="methods"),
        pytest.param("x = " + "lambda: " * 500 + "1", id="lambdas"),
        pytest.param("if a: x = 1\n" + "elif b: x = 2\n" * 1500, id="elif"),
        pytest.param("x = '" + "(" * 5000 + "'", id="brackets in a string"),
    ],
)
@pytest.mark.parametrize("inside", ["", "def f():\n    "])
def test_deep_syntax_is_lowered(source: str, inside: str) -> None:
    module = lower(inside + source.replace("\n", "\n    " if inside else "\n").rstrip(" "), "x.py")
    # Nested regions are as deep as the syntax, so that what comes out is looked at one level deep.
    region = module.code.body
    if inside:
        (made, _) = region
        assert isinstance(made, ir.MakeFunction)
        region = made.code.body
    assert not any(isinstance(instr, ir.Unknown) for instr in region)
    assert module.problems == []
    span = module.span(region[-1].origin)
    assert span.end_row == len(module.source.rstrip("\n").split("\n"))


def test_the_parser_does_not_end_the_process() -> None:
    program = (
        "from inplace_lint.lowering import lower\n"
        "for text in ('[' * 100_000, '(' * 9_000 + ')' * 9_000, '{' * 201 + '}' * 201):\n"
        "    try:\n"
        "        lower(text, 'x.py')\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "LoweringError\n" * 3), done.stderr


def test_a_body_that_libcst_cannot_parse_is_unknown_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = lower("def f():\n    x = 1\n    y = 2\n\ndef g():\n    return 1\n", "x.py")

    def fails(text: str) -> cst.Module:
        raise LoweringError("syntax that libcst cannot parse", 3, 5)

    (f, _, g, _) = module.code.body
    assert isinstance(f, ir.MakeFunction) and isinstance(g, ir.MakeFunction)
    with monkeypatch.context() as patched:
        patched.setattr(units, "parse", fails)
        (unknown,) = f.code.body
    assert isinstance(unknown, ir.Unknown)
    assert [(p.message, p.row, p.column) for p in module.problems] == [("syntax that libcst cannot parse", 3, 5)]
    assert isinstance(g.code.body[-1], ir.Return)


@pytest.mark.parametrize("source", ["", "\n", "# only a comment", "\ufeffx = 1\n", "\x0cx = 1\n", "x = 1\\\n\n"])
def test_odd_but_valid_files(source: str) -> None:
    module = lower(source, "x.py")
    assert [code.kind for code in codes(module.code)] == ["module"]
    assert module.problems == []


def test_text_with_our_own_marker_is_parsed_whole() -> None:
    module = lower("def f():\n    __inplace_lint_body_0\n", "x.py")
    (f, _) = module.code.body
    assert isinstance(f, ir.MakeFunction)
    assert ir.format_region(f.code.body) == "Load dst=0 name=__inplace_lint_body_0 scope=global"


@pytest.mark.parametrize("thing", ["(a if b else c)", "(lambda: a)", "(\n    a\n    if b\n    else c\n)"])
@pytest.mark.parametrize(
    "form", ["return%s", "assert%s", "raise%s", "if%s: a()", "while%s: a()", "x = not%s", "x = a and%sor b", "for x in%s: a()"]
)
def test_keywords_may_stand_right_before_parentheses(form: str, thing: str) -> None:
    """libcst's parser, asked alone, refuses these."""
    (made, _) = lower("def f():\n    " + form.replace("%s", thing) + "\n", "x.py").code.body
    assert isinstance(made, ir.MakeFunction)
    assert not any(isinstance(instr, ir.Unknown) for instr in made.code.body)


def test_what_libcst_fails_at_is_an_error_with_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str) -> cst.Module:
        raise cst.CSTValidationError("never heard of it")

    monkeypatch.setattr(cst, "parse_module", refuse)
    with pytest.raises(LoweringError, match="syntax that libcst cannot parse"):
        lower("x = 1\n", "x.py")
