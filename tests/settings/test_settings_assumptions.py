"""The settings that say what the analysis takes for granted."""

from __future__ import annotations

from typing import Any

import pytest

from inplace_lint import api
from inplace_lint.diagnostics import Severity
from inplace_lint.settings import Settings

ARGUMENT = "import torch\ndef f(x, v):\n    y = x.exp()\n    y += 1\n    (y.sum() + v.exp().sum()).backward()\n"
FORWARD = """\
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)
    def forward(self, x):
        y = self.fc(x).sigmoid()
        y += 1
        return y
"""
RESULT = "import torch\nw = torch.ones(3, requires_grad=True)\ndef f():\n    y = w.exp()\n    y += 1\n    return y\n"
UNKNOWN = """\
import torch
w = torch.ones(3, requires_grad=True)
y = w * 2
z = mystery(y)
y += 1
z.sum().backward()
"""


def found(source: str, **settings: Any) -> list[tuple[str, Severity, int]]:
    """Code, severity and number of assumptions of each finding."""
    shown = Settings(severity=Severity.INFO, **settings)
    return [(it.code, it.severity, len(it.assumptions)) for it in api.check_source(source, "program.py", shown)]


@pytest.mark.parametrize(
    ("belief", "expected"),
    [("stated", [("IPL202", Severity.WARNING, 1)]), ("yes", [("IPL202", Severity.ERROR, 0)]), ("no", [])],
)
def test_whether_arguments_require_grad(belief: str, expected: list[tuple[str, Severity, int]]) -> None:
    assert found(ARGUMENT, assume_arguments_require_grad=belief) == expected


def test_whether_what_forward_returns_is_trained() -> None:
    assert found(FORWARD) == [("IPL202", Severity.ERROR, 0)]
    assert found(FORWARD, assume_forward_is_trained=False) == []
    backward = FORWARD + "Net()(torch.ones(3)).sum().backward()\n"
    assert found(backward, assume_forward_is_trained=False) == [("IPL202", Severity.ERROR, 0)]


@pytest.mark.parametrize(
    ("belief", "expected"),
    [("stated", [("IPL202", Severity.WARNING, 1)]), ("yes", [("IPL202", Severity.ERROR, 0)]), ("no", [])],
)
def test_whether_other_results_are_trained(belief: str, expected: list[tuple[str, Severity, int]]) -> None:
    assert found(RESULT, assume_results_are_trained=belief) == expected


def test_whether_unknown_calls_save() -> None:
    assert found(UNKNOWN) == []
    shown = Settings(assume_unknown_calls_save=True)
    (one,) = api.check_source(UNKNOWN, "program.py", shown)
    assert (one.code, one.severity, one.span.start.row) == ("IPL201", Severity.WARNING, 5)
    assert "an unknown call saves its arguments" in one.assumptions


@pytest.mark.parametrize("severity", list(Severity))
def test_how_severe_a_finding_under_assumptions_is(severity: Severity) -> None:
    assert found(ARGUMENT, assume_severity=severity) == [("IPL202", severity, 1)]
    assert found(FORWARD, assume_severity=severity) == [("IPL202", Severity.ERROR, 0)]


def test_assumptions_hold_file_by_file_in_several_processes_too(tmp_path: Any, inplace_lint: Any) -> None:
    for number in range(30):
        folder = tmp_path / ("old" if number % 2 else "new")
        folder.mkdir(exist_ok=True)
        (folder / f"m{number}.py").write_text(ARGUMENT)
    (tmp_path / "old" / "inplace-lint.toml").write_text("assume-arguments-require-grad = 'no'\n")
    ran = inplace_lint("check", "--jobs", "2", "--output-format", "concise")
    assert ran.status == 1 and ran.out.count("IPL202") == 15 and "old/" not in ran.out
