"""The comparison's own arithmetic, the shrinker, and the linter against torch on a fixed budget of random programs."""

from __future__ import annotations

import ast

import pytest

from tools.truth.compare import Comparison, Found, Report, compare, run
from tools.truth.generate import Program, programs
from tools.truth.oracle import Oracle
from tools.truth.shrink import minimise, shrink
from tools.truth.statements import Statements
from tools.truth.verdict import Finding, Verdict

SOURCE = "y = (\n    1\n)\nif y:\n    y = 2\n"
PROGRAM = Program(0, "topic", "producer", SOURCE)
BAD = Verdict("raises", (Finding("IPL202", 1, 5, "error", ("IPL201",)),))
GOOD = Verdict("clean")


@pytest.mark.parametrize(
    ("verdict", "found", "disagreement"),
    [
        (BAD, [(3, "IPL202")], ""),
        (BAD, [(1, "IPL201")], ""),
        (BAD, [(1, "IPL203")], "wrong-code"),
        (BAD, [(5, "IPL202")], "wrong-line"),
        (BAD, [], "missed"),
        (GOOD, [], ""),
        (GOOD, [(1, "IPL202")], "false-alarm"),
    ],
)
def test_disagreements(verdict: Verdict, found: Found, disagreement: str) -> None:
    assert compare(PROGRAM, verdict, lambda _: found).disagreement == disagreement


def test_a_crash_is_a_disagreement() -> None:
    def broken(source: str) -> Found:
        raise IndexError("tuple index out of range")

    one = compare(PROGRAM, GOOD, broken)
    assert one.disagreement == "crash"
    assert "IndexError" in one.describe()


def test_statements() -> None:
    lines = Statements(SOURCE)
    assert lines.same(1, 3)
    assert not lines.same(4, 5)
    assert lines.start(5) == 5
    assert lines.start(99) == 99


def test_report() -> None:
    def one(verdict: Verdict, *found: tuple[int, str]) -> Comparison:
        return Comparison(PROGRAM, verdict, found)

    report = Report(
        [one(BAD, (1, "IPL202")), one(BAD, (5, "IPL404")), one(BAD), one(GOOD), one(GOOD, (1, "IPL101"))], 2
    )
    assert report.recall == pytest.approx(2 / 3)
    assert report.specificity == pytest.approx(1 / 2)
    assert report.balanced_accuracy == pytest.approx(7 / 12)
    assert report.line_share == pytest.approx(1 / 2)
    assert report.code_share == pytest.approx(1 / 2)
    assert report.by_code() == {"IPL101": (0, 0, 1), "IPL202": (3, 1, 0), "IPL404": (0, 0, 1)}
    assert len(report.disagreements) == 3
    assert "2 undecided" in report.text()


def test_minimise_keeps_what_is_interesting() -> None:
    source = "a = 1\nfor i in range(3):\n    if i:\n        b = 2\n        keep = 3\nc = 4\n"
    assert minimise(source, lambda text: "keep = 3" in text) == "keep = 3"
    assert minimise(source, lambda text: False) == source


def test_shrinking_keeps_the_disagreement() -> None:
    source = (
        "import torch\nx = torch.ones(3, requires_grad=True)\nn = 4\ny = x.exp()\nz = torch.zeros(2)\nz += n\n"
        "if n:\n    y += 1\n    print(n)\ny.sum().backward()\n"
    )
    with Oracle() as oracle:
        blind = compare(Program(0, "t", "p", source), oracle.judge(source), lambda _: [])
        small = shrink(blind, oracle, lambda _: [])
    assert small.disagreement == "missed"
    assert len(ast.parse(small.program.source).body) == 5
    assert "torch.zeros" not in small.program.source


def test_linter_agrees_with_torch() -> None:
    """A fixed budget; `python -m tools.truth random` runs more, and shows and shrinks what disagrees."""
    with Oracle() as oracle:
        report = run(programs(90_000, 250), oracle)
    assert not [one.crash for one in report.comparisons if one.crash], report.text()
    assert report.balanced_accuracy >= 0.96, report.text()
    assert report.specificity >= 0.98, report.text()
    assert report.line_share >= 0.98, report.text()
    assert report.code_share >= 0.97, report.text()
