"""The fixes' own truth: the edits of the fixtures' findings, applied one by one, and what torch makes of the programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inplace_lint.diagnostics import Edit, Position, Span
from tools.truth import fixes
from tools.truth.fixtures import load
from tools.truth.generate import programs
from tools.truth.oracle import Oracle

FAULTY = """import torch
w = torch.ones(3, requires_grad=True)
y = w.exp()
y += 1
y.sum().backward()
"""


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as pool:
        yield pool


def edit(content: str, row: int, column: int, end: int) -> Edit:
    return Edit(content, Span("program.py", Position(row, column), Position(row, end)))


def test_safe_fixes_hold(oracle: Oracle) -> None:
    cases = [(case.name, case.source) for case in load() if case.runs and (case.expected or case.false_alarms)]
    cases += [(f"{one.topic}/{one.producer}/{one.seed}", one.source) for one in programs(0, 100)]
    report = fixes.run(cases, oracle)
    assert [one.describe() for one in report.broken] == []
    assert sum(one.applied for one in report.trials) > 0.75 * len(report.trials)


def test_edits_are_made_from_the_end_and_torch_is_imported_where_they_need_it() -> None:
    source = "from __future__ import annotations\nfrom torch import nn\na = 1\n"
    new = fixes.applied(source, [edit("b", 3, 1, 2), edit("torch.ones(2)", 3, 5, 6)])
    assert new == "from __future__ import annotations\nimport torch\nfrom torch import nn\nb = torch.ones(2)\n"


@pytest.mark.parametrize(
    ("fixed", "runs", "gradients"),
    [
        (FAULTY.replace("y += 1", "y = y + 1"), True, True),
        (FAULTY.replace("y += 1", "y = y * 2"), True, False),
        (FAULTY.replace("y += 1", "y *= 2"), False, False),
    ],
)
def test_torch_tells_a_cure_from_none(oracle: Oracle, fixed: str, runs: bool, gradients: bool) -> None:
    said = oracle.rerun(FAULTY, fixed, False)
    assert (said["runs"], said["reference"], said["gradients"]) == (runs, True, gradients)


def test_a_leaf_has_the_value_that_was_meant(oracle: Oracle) -> None:
    leaf = "import torch\nw = torch.ones(3, requires_grad=True)\n{}\n(w * w).sum().backward()\n"
    meant = leaf.format("w += 1")
    assert oracle.rerun(meant, leaf.format("with torch.no_grad():\n    w += 1"), False)["gradients"]
    assert not oracle.rerun(meant, leaf.format("with torch.no_grad():\n    w += 2"), False)["gradients"]
