"""A definition that takes more than its budget is told so; nothing else is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_checks import program

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic, Severity
from inplace_lint.interp import roots

SOURCE = program(
    """\
def before(x: torch.Tensor):
    y = w.exp()
    y += 1
    y.sum().backward()

def long(x: torch.Tensor):
    y = w.tanh()
    y += 1
    y.sum().backward()
"""
    + "    x = x + 1\n" * 200
    + """\
    z = w.exp()
    z += 1
    z.sum().backward()

def after(x: torch.Tensor):
    y = w.exp()
    y += 1
    y.sum().backward()
"""
)


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(roots, "STEPS", 150)
    yield


def found(source: str) -> list[tuple[int, str]]:
    return [(one.span.start.row, one.code) for one in check(source)]


def check(source: str) -> list[Diagnostic]:
    from inplace_lint.settings import Settings

    return check_source(source, "program.py", Settings(severity=Severity.INFO))


def test_with_the_usual_budget_all_is_found() -> None:
    assert found(SOURCE) == [(5, "IPL202"), (10, "IPL202"), (213, "IPL202"), (218, "IPL202")]


@pytest.mark.usefixtures("small_budget")
def test_a_small_budget_costs_only_what_comes_after_it() -> None:
    given_up = [one for one in check(SOURCE) if one.code == "IPL001"]
    assert [(one.span.start.row, one.severity) for one in given_up] == [(8, Severity.INFO)]
    assert "`long`" in given_up[0].message
    assert [pair for pair in found(SOURCE) if pair[1] != "IPL001"] == [(5, "IPL202"), (10, "IPL202"), (218, "IPL202")]


def test_deep_recursion_ends() -> None:
    source = program(
        "def f(x, n):\n    y = x.exp()\n    y += 1\n    return f(y, n - 1) + f(y, n - 2) if n else y\nf(w, 9).sum().backward()\n"
    )
    assert (5, "IPL202") in found(source)
