"""Calls as nobody should write them, of all whose meaning is a function of its own: no arguments, too many, by odd names."""

from __future__ import annotations

import keyword

import pytest

import inplace_lint.interp.roots  # noqa: F401  (the tables fill themselves)
from inplace_lint.api import check_source
from inplace_lint.interp import module_methods
from inplace_lint.interp.registry import METHODS, SYMBOLS, TENSOR_METHODS

ARGUMENTS = (
    "",
    "x",
    "x, x, x, x, x",
    "*x",
    "**x",
    "input=x, other=x, dim=0",
    "x, *x, **x",
    "what=x, ever=x",
    "None",
    "'a', 1, None, [x]",
    "[], (), {}",
)
RECEIVERS = {"list": "[x]", "tuple": "(x,)", "dict": "{'a': x}", "set": "{x}", "deque": "collections.deque([x])"}


def program(calls: list[str]) -> str:
    """A function for each call, of a tensor that requires grad, since what follows a raise would not be looked at."""
    head = "import collections, copy, functools, itertools, math, operator, random\nimport einops, numpy, torch\n\n"
    lines = [
        "def f{}(n):",
        "    x = 2 * torch.ones(n, requires_grad=True)",
        "    y = {}",
        "    z = x.exp()",
        "    z += 1",
    ]
    body = "\n".join([*lines, "    return y, z", ""])
    return head + "\n".join(body.format(number, call) for number, call in enumerate(calls))


def is_name(part: str) -> bool:
    return part.isidentifier() and not keyword.iskeyword(part)


def named(path: str) -> str:
    return path.removeprefix("builtins.")


def look_at(calls: list[str]) -> None:
    """Lint the calls, some at a time: a file's budget is not for hundreds."""
    for start in range(0, len(calls), 50):
        found = check_source(program(calls[start : start + 50]), "odd.py")
        # What follows a call is looked at, unless the call raises.
        codes = {one.code for one in found}
        assert "IPL202" in codes and "IPL000" not in codes


@pytest.mark.parametrize("given", ARGUMENTS)
def test_functions(given: str) -> None:
    paths = [path for path in SYMBOLS if all(map(is_name, path.split(".")))]
    assert len(paths) > 100
    look_at([f"{named(path)}({given})" for path in paths])


@pytest.mark.parametrize("given", ARGUMENTS)
def test_methods(given: str) -> None:
    calls = [f"x.{name}({given})" for name in TENSOR_METHODS]
    calls += [f"torch.nn.Linear(2, 2).{name}({given})" for name in module_methods.TABLE]
    calls += [f"{RECEIVERS[kind]}.{name}({given})" for kind, name in METHODS if kind in RECEIVERS]
    calls += [f"torch.optim.SGD([x], 0.1).{name}({given})" for kind, name in METHODS if kind == "optimizer"]
    assert len(calls) > 100
    look_at(calls)
