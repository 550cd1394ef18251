"""Suggestions in code: what is written instead of what, for the shapes in which people write in place."""

from __future__ import annotations

import pytest
import torch
from handmade import HandmadeFile

from inplace_lint.events import Write, WriteForm
from inplace_lint.rules import RuleContext, rewrite


def suggest(statement: str, form: WriteForm, at: str | None = None, prefix: str = "") -> str | None:
    file = HandmadeFile(prefix + statement + "\n")
    new = rewrite.out_of_place(RuleContext({"train.py": file}), Write(file.site(at or statement), form, "?"))
    return new.code if new else None


@pytest.mark.parametrize(
    ("statement", "form", "expected"),
    [
        ("y += 1", "operator", "y = y + 1"),
        ("y *= a + b", "operator", "y = y * (a + b)"),
        ("y *= (a + b)", "operator", "y = y * (a + b)"),
        ("y *= (a) + (b)", "operator", "y = y * ((a) + (b))"),
        ("y -= a - b", "operator", "y = y - (a - b)"),
        ("y += a * b", "operator", "y = y + a * b"),
        ("y /= a if b else c", "operator", "y = y / (a if b else c)"),
        ("y **= -2", "operator", "y = y ** -2"),
        ("operator.iadd(y, z + 1)", "operator", "y = operator.add(y, z + 1)"),
        ("operator.iand(self.m, z)", "operator", "self.m = operator.and_(self.m, z)"),
        ("v = operator.imul(y, 2) + 1", "operator", "v = operator.mul(y, 2) + 1"),
        ("operator.isub(f(y), 2)", "operator", None),
        ("self.h += 1", "operator", "self.h = self.h + 1"),
        ("y[0] += 1", "operator", "y = y.clone()\ny[0] += 1"),
        ("y.mul_(z)", "method", "y = y.mul(z)"),
        ("self.h.mul_(z)", "method", "self.h = self.h.mul(z)"),
        ("y[0].mul_(z)", "method", "y = y.clone()\ny[0].mul_(z)"),
        ("y.view(-1).add_(1)", "method", "y = y.clone()\ny.view(-1).add_(1)"),
        ("x = conv(x).relu_()", "method", "x = conv(x).relu()"),
        ("return y.clamp_(min=0)", "method", "return y.clamp(min=0)"),
        ("y.zero_()", "method", "y = torch.zeros_like(y)"),
        ("y.fill_(3)", "method", "y = torch.full_like(y, 3)"),
        ("y.copy_(a + b)", "method", "y = (a + b).clone()"),
        ("y.resize_(3)", "method", "y = y.clone()\ny.resize_(3)"),
        ("y[i] = v", "item", "y = y.clone()\ny[i] = v"),
        ("y[i] = f(y[i - 1])", "item", "value = f(y[i - 1])\ny = y.clone()\ny[i] = value"),
        ("y[i] *= y[i - 1] + 1", "operator", "value = y[i] * (y[i - 1] + 1)\ny = y.clone()\ny[i] = value"),
        ("y[0].mul_(y[1])", "method", None),
        ("y.add_(1).mul_(2)", "method", "y = y.clone()\ny.add_(1).mul_(2)"),
        ("m.inplace = True", "module", "m.inplace = False"),
        ("y[y > 0] = 0", "item", "y = y.masked_fill(y > 0, 0)"),
        ("y[(y.abs() < 1) | y.isnan()] = -1.", "item", "y = y.masked_fill((y.abs() < 1) | y.isnan(), -1.)"),
        ("y[~torch.isfinite(y)] = 0", "item", "y = y.masked_fill(~torch.isfinite(y), 0)"),
        ("y[y < 0] *= 0.1", "operator", "y = torch.where(y < 0, y * 0.1, y)"),
        ("y[0 > y] -= -1", "operator", "y = torch.where(0 > y, y - -1, y)"),
        ("y[y < 0] = z[y < 0]", "item", "y = torch.where(y < 0, z, y)"),
        ("y[n > 0] = 0", "item", "y = y.clone()\ny[n > 0] = 0"),
        ("y[y > n] = 0", "item", "y = y.clone()\ny[y > n] = 0"),
        ("y[y > 0] *= z", "operator", "y = y.clone()\ny[y > 0] *= z"),
        ("y[y < 0] = z[z < 0]", "item", "y = y.clone()\ny[y < 0] = z[z < 0]"),
        ("y[y.sum(0) < 0] = 0", "item", "y = y.clone()\ny[y.sum(0) < 0] = 0"),
        ("self.y[i] = v", "item", "self.y = self.y.clone()\nself.y[i] = v"),
        ("x = F.relu(x, inplace=True)", "function", "x = F.relu(x)"),
        ("F.relu(x, inplace=True)", "function", "x = F.relu(x)"),
        ("x = F.dropout(x, 0.5, inplace=True, training=t)", "function", "x = F.dropout(x, 0.5, training=t)"),
        ("x = F.relu((x), inplace=True)", "function", "x = F.relu((x))"),
        ("x = F.relu(x, True)", "function", "x = F.relu(x)"),
        ("torch.relu_(x)", "function", "x = torch.relu(x)"),
        ("torch.add(a, b, out=y)", "out", "y = torch.add(a, b)"),
        ("torch.add(a, b, out=y[0])", "out", None),
        ("opt.step()", "step", None),
    ],
)
def test_out_of_place(statement: str, form: WriteForm, expected: str | None) -> None:
    prefix = "def f():\n    " if statement.startswith("return") else ""
    assert suggest(statement, form, prefix=prefix) == expected


def test_the_site_chooses_among_several_calls() -> None:
    assert suggest("z = x.add_(1) + y.mul_(2)", "method", at="y.mul_(2)") == "z = x.add_(1) + y.mul(2)"
    assert suggest("x = x.add_(1).mul_(2)", "method", at="x.add_(1)") == "x = x.add(1).mul_(2)"
    assert suggest("x.add_(1).mul_(2)", "method", at="x.add_(1)") == "x = x.add(1).mul_(2)"


def test_columns_count_characters_and_later_lines_move_left_with_the_first() -> None:
    assert suggest('y["é"] += f("ü")', "operator") == 'y = y.clone()\ny["é"] += f("ü")'
    statement = "y += f(\n        a,\n        b,\n    )"
    assert suggest(statement, "operator", prefix="if c:\n    ") == "y = y + f(\n    a,\n    b,\n)"


def test_a_header_of_a_compound_statement_gets_no_suggestion() -> None:
    file = HandmadeFile("for row in y.add_(1):\n    pass\n")
    write = Write(file.site("y.add_(1)"), "method", "add_", "y")
    assert rewrite.under_no_grad(RuleContext({"train.py": file}), write) is None


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("y.data.add_(1)", "y.detach().add_(1)"),
        ("y.data[0] = 1", "y.detach()[0] = 1"),
        ("y.data += 1", "with torch.no_grad():\n    y += 1"),
        ("y.data = z + 1", "with torch.no_grad():\n    y.copy_(z + 1)"),
        ("y.add_(1)", None),
    ],
)
def test_without_data(statement: str, expected: str | None) -> None:
    file = HandmadeFile(statement + "\n")
    write = Write(file.site(statement), "method", "?")
    new = rewrite.without_data(RuleContext({"train.py": file}), write)
    assert (new.code if new else None) == expected


def test_every_in_place_method_without_a_twin_is_known() -> None:
    """The table of exceptions is held against the methods that the installed PyTorch has."""
    methods = {name for name in dir(torch.Tensor) if name.endswith("_") and not name.startswith("_")}
    without = {name for name in methods if not hasattr(torch.Tensor, name.rstrip("_"))}
    assert without <= set(rewrite.WITHOUT_TWIN)
