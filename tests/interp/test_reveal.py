"""Reveal comments: those in the fixtures hold, and the facility itself tells right from wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from inplace_lint.interp.reveal import RevealError, check, expectations, reveal_at

FIXTURES = Path(__file__).parents[2] / "fixtures"
REVEALING = [path for path in sorted(FIXTURES.rglob("*.py")) if "reveal:" in path.read_text(encoding="utf-8")]
PROGRAM = """\
import torch
w = torch.randn(3, requires_grad=True)
y = w.exp()
v = y[0]
v.mul_(2)
y.sum().backward()
def unused(x: torch.Tensor):
    return 1
"""


def commented(line: int, words: str) -> str:
    lines = PROGRAM.splitlines()
    lines[line - 1] += f"  # reveal: {words}"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", REVEALING, ids=[f"{path.parent.name}/{path.stem}" for path in REVEALING])
def test_fixtures_reveal_what_they_say(path: Path) -> None:
    assert check(path.read_text(encoding="utf-8"), path.name) == []


def test_fixtures_do_reveal() -> None:
    assert sum(len(expectations(path.read_text(encoding="utf-8"))) for path in REVEALING) > 25


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (2, "w leaf fresh no-view unsaved settled grad tensor"),
        (3, "y interior saved-by exp intact fresh"),
        (4, "v interior view-of y shares y saved-by exp view"),
        (4, "y no-view shares v"),
        (5, "y saved-by exp overwritten exp"),
        (6, "y unsaved"),
        (6, "w.grad tensor constant"),
    ],
)
def test_a_true_comment_is_confirmed(line: int, words: str) -> None:
    assert check(commented(line, words), "program.py") == []


@pytest.mark.parametrize(
    ("line", "words", "problem"),
    [
        (2, "w interior", "expected interior, not leaf"),
        (2, "w constant leaf", "expected constant, leaf, not leaf"),
        (2, "w no_grad", "expected no_grad, not grad"),
        (2, "w literal", "expected literal, not tensor"),
        (2, "w saved-by exp", "expected saved-by exp, not nothing"),
        (3, "y unsaved", "expected saved-by nothing, not exp"),
        (3, "y overwritten exp", "expected overwritten exp, not nothing"),
        (5, "y intact", "expected overwritten nothing, not exp"),
        (3, "y view", "expected view"),
        (4, "y fresh", "expected fresh"),
        (4, "v no-view", "expected no-view"),
        (4, "v view-of w", "expected view-of w, not y"),
        (4, "v shares w", "expected shares w, not y"),
        (3, "y assumed", "expected assumed"),
        (3, "z tensor", "not bound there"),
        (8, "x tensor", "not bound there, or the line is never reached"),
    ],
)
def test_a_false_comment_is_refuted(line: int, words: str, problem: str) -> None:
    (found,) = check(commented(line, words), "program.py")
    assert problem in found


@pytest.mark.parametrize("words", ["y", "y frozen", "y saved-by", "1 leaf", "y[ leaf", ""])
def test_a_comment_without_meaning_is_refused(words: str) -> None:
    with pytest.raises(RevealError, match="line 1"):
        expectations(f"y = 1  # reveal: {words}\n")


def test_a_comment_on_no_statement_is_refused() -> None:
    with pytest.raises(RevealError, match="no statement"):
        check("y = 1\n\n# reveal: y literal\n", "program.py")


def test_comments_share_a_line_with_others() -> None:
    (one, two) = expectations("y += 1  # expect: IPL202  # reveal: y interior saved-by exp  # reveal: x[0].a leaf\n")
    assert (one.line, one.name, one.words) == (1, "y", (("interior", ""), ("saved-by", "exp")))
    assert (two.name, two.words) == ("x[0].a", (("leaf", ""),))


def test_a_line_that_runs_twice_reveals_both() -> None:
    source = (
        "import torch\ndef f(x):\n    return 1 if x is None else 2\ndef g(x):\n    y = x\ng(torch.ones(2))\ng(None)\n"
    )
    revealed = reveal_at(source, "program.py", 5, "y")
    assert revealed is not None
    assert revealed.kinds == {"tensor", "None"}


def test_what_is_revealed_reads_as_words() -> None:
    revealed = reveal_at(PROGRAM, "program.py", 4, "v")
    assert str(revealed) == "tensor interior grad saved-by exp view-of y shares y view settled"
