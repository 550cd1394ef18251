"""The oracle on programs whose verdict is known by hand."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.truth.oracle import Oracle
from tools.truth.verdict import Verdict

TEXT = (Path(__file__).parent / "cases.txt").read_text(encoding="utf-8")
CASES = [tuple(part.split("\n", 1)) for part in TEXT.split("==== ")[1:]]
"""Each case's head (its name, the verdict, then code@line pairs) and its program, whose lines count from 1."""


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle(limit=5.0) as pool:
        yield pool


def summary(verdict: Verdict) -> list[str]:
    return [verdict.kind, *(f"{one.code}@{one.line}" for one in verdict.findings)]


@pytest.mark.parametrize(("head", "source"), CASES, ids=[head.split(":")[0] for head, _ in CASES])
def test_verdict(head: str, source: str, oracle: Oracle) -> None:
    assert summary(oracle.judge(source)) == head.split(": ")[1].split()


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("import torch\ntorch.ones(3) @ torch.ones(4)\n", "RuntimeError"),
        ("print(undefined)\n", "NameError"),
        ("def f(:\n", "does not compile"),
        ("while True: pass\n", "took more than"),
        ("import os\nos._exit(3)\n", "died"),
    ],
)
def test_invalid(source: str, note: str, oracle: Oracle) -> None:
    verdict = oracle.judge(source)
    assert verdict.kind == "invalid"
    assert note in verdict.note
    assert not verdict.decided


def test_one_program_does_not_affect_the_next(oracle: Oracle) -> None:
    assert oracle.judge("import torch\ntorch.set_grad_enabled(False)\ntorch.add = None\n").kind == "clean"
    bad = "import torch\ny = torch.ones(2, requires_grad=True).exp()\ny = torch.add(y, 0)\ny.sum().backward()\n"
    assert oracle.judge(bad).kind == "clean"


def test_caught_errors_are_found(oracle: Oracle) -> None:
    source = textwrap.dedent(
        """
        import torch
        w = torch.ones(2, requires_grad=True)
        def attempt(write):
            try:
                write()
            except RuntimeError as error:
                print(error)
        attempt(lambda: w.add_(1))
        attempt(lambda: w[0].mul_(2))
        """
    )
    assert summary(oracle.judge(source)) == ["raises", "IPL101@9", "IPL102@10"]


def test_errors_carry_every_line_they_pass(oracle: Oracle) -> None:
    verdict = oracle.judge("import torch\ndef f(t):\n    t += 1\nf(torch.ones(2, requires_grad=True))\n")
    assert [line for line, _ in verdict.errors] == [3, 4]
    assert verdict.findings[0].raised == 3


def test_a_sequentials_parts_have_two_places(oracle: Oracle) -> None:
    source = textwrap.dedent(
        """
        import torch
        from torch import nn
        net = nn.Sequential(
            nn.Sigmoid(),
            nn.ReLU(inplace=True),
        )
        out = net(torch.ones(2, requires_grad=True))
        out.sum().backward()
        """
    )
    assert oracle.judge(source).findings[0].places == (8, 6)


def test_many_in_order() -> None:
    sources = [f"raise ValueError({number})" for number in range(6)]
    with Oracle(2) as pool:
        assert [verdict.note for verdict in pool.judge_all(sources)] == [f"ValueError: {number}" for number in range(6)]
