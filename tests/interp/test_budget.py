"""A definition that takes more than its budget is told so; nothing else is lost by it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_checks import program

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic, Severity
from inplace_lint.interp import budget, roots

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
    monkeypatch.setattr(roots, "FIRST", 1)
    monkeypatch.setattr(roots, "FIRST_UNTRAINED", 1)
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


COSTLY = program(
    "class Large(torch.nn.Module):\n"
    "    def forward(self, x):\n"
    + "        x = x + 1\n" * 100
    + """\
        return x

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.large = Large()

    def forward(self, x):
        before = x.exp()
        before += 1
        y = self.large(x)
        z = y.tanh()
        z += 1
        return before + z + self.large(z)
"""
)


@pytest.mark.usefixtures("small_budget")
def test_a_call_that_costs_too_much_is_left_out_and_its_caller_goes_on() -> None:
    notes = [one for one in check(COSTLY) if one.code == "IPL001"]
    assert [
        ("`Net.forward` does not follow `Large.forward`" in one.message) for one in notes if one.span.start.row > 104
    ] == [True]
    rows = [row for row, code in found(COSTLY) if code == "IPL202"]
    assert rows == [
        COSTLY[: COSTLY.index("before += 1")].count("\n") + 1,
        COSTLY[: COSTLY.index("z += 1")].count("\n") + 1,
    ]


@pytest.mark.usefixtures("small_budget")
def test_a_constructor_that_costs_too_much_leaves_unknown_attributes() -> None:
    source = program(
        "class Large:\n    def __init__(self, n):\n" + "        self.a = n + 1\n" * 100 + "        self.scale = 2\n\n"
        "def f(x: torch.Tensor):\n    big = Large(3)\n    y = x.exp() * big.scale\n    z = w.exp()\n"
        "    z += 1\n    (y.sum() + z.sum()).backward()\n"
    )
    assert [code for _, code in found(source)] == ["IPL001", "IPL001", "IPL202"]


NESTED = program(
    "def train(epochs, loader, state):\n"
    "    for epoch in range(epochs):\n        for x in loader:\n            for part in x:\n"
    "                state = state * part\n"
    + "                part = part + 1\n"
    * 20
    + "                y = w.exp()\n"
    "                y += 1\n                (y.sum() + state.sum()).backward()\n"
)


def test_nested_loops_that_cost_too_much_are_followed_for_two_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [row for row, code in found(NESTED) if code == "IPL202"]
    monkeypatch.setattr(roots, "STEPS", 2_000)
    monkeypatch.setattr(roots, "FIRST", 1)
    notes = [one for one in check(NESTED) if one.code == "IPL001"]
    assert ["two rounds" in one.message for one in notes] == [True]
    assert [row for row, code in found(NESTED) if code == "IPL202"] == usual == [29]


def test_a_call_that_costs_too_much_is_followed_for_two_rounds_of_its_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    source = NESTED.replace("w.exp()", "state.exp()") + "train(int(input()), input(), w)\n"
    monkeypatch.setattr(roots, "MODULE_STEPS", 2_500)
    monkeypatch.setattr(roots, "FIRST", 1)
    severities = [one.severity for one in check(source) if one.code == "IPL202"]
    assert severities == [Severity.ERROR]


def test_once_a_file_has_had_its_share_further_entry_points_get_little(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "".join(f"    x = x * {n}\n" for n in range(60))
    source = program("".join(f"def f{n}(x):\n{body}    x += 1\n    return x\n\n" for n in range(12)))
    assert not [code for _, code in found(source) if code == "IPL001"]
    monkeypatch.setattr(budget, "FILE_STEPS", 1_000)
    monkeypatch.setattr(budget, "LINE_STEPS", 1)
    monkeypatch.setattr(roots, "STEPS", roots.FIRST_UNTRAINED * 320)
    given_up = [row for row, code in found(source) if code == "IPL001"]
    assert given_up and given_up[0] > source[: source.index("def f2")].count("\n")


def test_a_file_that_trains_gets_more_for_the_first_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "".join(f"    x = x * {n}\n" for n in range(60))
    source = program(f"def f(x):\n{body}    x += 1\n    return x\n")
    monkeypatch.setattr(roots, "STEPS", roots.FIRST_UNTRAINED * 200)
    assert [code for _, code in found(source)] == ["IPL001"]
    assert [code for _, code in found(source + "w.sum().backward()\n")] == []


def test_what_the_rounds_of_a_loop_showed_is_told_if_it_costs_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    source = program(
        "from data import loader\n"
        "for x in loader:\n" + "    x = x * 2\n" * 20 + "    y = w.exp()\n"
        "    y += 1\n"
        "    y.sum().backward()\n"
        "    z = w.exp().detach()\n"
        "    z += 1\n" + "    x = x * 2\n" * 60
    )
    monkeypatch.setattr(roots, "MODULE_STEPS", 600)
    monkeypatch.setattr(roots, "FIRST", 1)
    monkeypatch.setattr(budget, "FILE_STEPS", 10)
    monkeypatch.setattr(budget, "LINE_STEPS", 0)
    codes = found(source)
    assert "IPL001" in {code for _, code in codes}
    assert [row for row, code in codes if code != "IPL001"] == [source[: source.index("y += 1")].count("\n") + 1]
