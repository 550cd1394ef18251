"""Code that nobody writes by hand, and code that machines write: all of it is met without a crash and in seconds.

Each program ends with the same small bug, which must still be found where the budget allows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inplace_lint.api import check_paths, check_source
from inplace_lint.diagnostics import Severity
from inplace_lint.settings import Settings

SECONDS = 240
"""CPU seconds that one monster may take: a guard against hangs, no measure. What takes 25 on one machine took 60 on a busy one.
Most take one; half of what the largest take is their parsing."""

BUG = """

def bug():
    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    y += 1
    y.sum().backward()
"""


def recursion() -> str:
    return """
def f(x, n):
    y = x.exp()
    return f(y, n - 1) + f(y, n - 2) + f(y, n - 3) if n else y

def even(x, n):
    return x if n == 0 else odd(x * 2, n - 1)

def odd(x, n):
    for _ in range(n):
        x = even(x, n) + odd(x, n)
    return x

class Tree(torch.nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.children_ = torch.nn.ModuleList([Tree(depth - 1) for _ in range(3)] if depth else [])
        self.left = Tree(depth - 1)
        self.right = Tree(depth - 1)

    def forward(self, x):
        for child in self.children_:
            x = child(x)
        return self.left(x) + self.right(x)

    def __getattr__(self, name):
        return getattr(self, name)

    def __call__(self, x):
        return self(x)

Y = lambda g: (lambda h: g(lambda *a: h(h)(*a)))(lambda h: g(lambda *a: h(h)(*a)))
fact = Y(lambda self: lambda n: n * self(n - 1) if n else 1)
f(torch.ones(3), 30)
even(torch.ones(3), 7)
"""


def enormous_list() -> str:
    return "TABLE = [\n" + "    0.125, -3, 'name', (1, 2),\n" * 5_000 + "]\nT = torch.tensor(TABLE)\n"


def enormous_dict() -> str:
    return "TABLE = {\n" + "".join(f"    'key{n}': [{n}, {{'a': {n}}}],\n" for n in range(4_000)) + "}\n"


def enormous_text() -> str:
    return "TEXT = '''" + "lorem ipsum\n" * 100_000 + "'''\nBLOB = b'" + "\\x00" * 200_000 + "'\n"


def many_functions() -> str:
    return "".join(
        f"\n\ndef step_{n}(x, y):\n    z = x * y\n    z += {n}\n    if z.sum() > {n}:\n        z.mul_(2)\n    return z\n"
        for n in range(1_500)
    )


def many_statements() -> str:
    return "".join(f"v{n} = torch.ones({n % 7})\nv{n}.add_({n})\n" for n in range(6_000))


def one_large_function() -> str:
    return "\n\ndef large(x):\n    y = x\n" + "".join(
        f"    a{n} = y.exp()\n    y = a{n} * x\n    y += {n}\n" for n in range(6_000)
    )


def one_large_class() -> str:
    return "\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n" + (
        "".join(
            f"        self.layer{n} = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), torch.nn.BatchNorm2d(3))\n"
            for n in range(3_000)
        )
        + "    def forward(self, x):\n"
        + "".join(f"        x = self.layer{n}(x)\n        x += {n}\n" for n in range(800))
        + "        return x\n"
    )


def many_branches() -> str:
    return (
        "\n\ndef pick(x, k):\n    if k == 0:\n        y = x\n"
        + "".join(f"    elif k == {n}:\n        y = x.exp() + {n}\n        y += x\n" for n in range(1, 150))
        + "    return y\n\ndef flags(x, k):\n"
        + "".join(f"    if k[{n}]:\n        x = x * {n}\n        x += k\n" for n in range(100))
        + "    return x\n"
    )


def deep_expressions() -> str:
    return (
        "def deep(x):\n    a = " + "(" * 90 + "x" + ")" * 90
        + "\n    b = " + "x" + " + x" * 3_000
        + "\n    c = x" + ".t()" * 900
        + "\n    d = " + "torch.exp(" * 80 + "x" + ")" * 80
        + "\n    e = " + "[" * 80 + "x" + "]" * 80
        + "\n    f = " + "not " * 900 + "x"
        + "\n    g = " + "lambda: " * 80 + "x"
        + "\n    h = x" + "[0]" * 900
        + "\n    i = " + " if x else ".join(["x"] * 80)
        + "\n    j = " + " and ".join(["x"] * 2_000)
        + "\n    return " + "-" * 900 + "x\n"
    )  # fmt: skip


def deep_statements() -> str:
    blocks = ["if x:", "for i in x:", "while x:", "with x:", "try:"]
    parts = ["def deep(x):\n"]
    depth = 1
    for n in range(18):
        parts.append("    " * depth + blocks[n % len(blocks)] + "\n")
        depth += 1
    parts.append("    " * depth + "x += x.exp()\n")
    for n in reversed(range(18)):
        depth -= 1
        if blocks[n % len(blocks)] == "try:":
            parts.append("    " * depth + "finally:\n" + "    " * (depth + 1) + "x.add_(1)\n")
    return "".join(parts)


def deep_definitions() -> str:
    functions = "".join("    " * n + f"def f{n}(x):\n" for n in range(80)) + "    " * 80 + "return x.exp()\n"
    functions += "".join("    " * n + f"return f{n}\n" for n in range(79, 0, -1))
    classes = "".join("    " * n + f"class C{n}(torch.nn.Module):\n" for n in range(80)) + "    " * 80 + "pass\n"
    return functions + classes + "f0(torch.ones(3))" + "(torch.ones(3))" * 20 + "\n"


def nested_loops() -> str:
    return (
        "def loops(x, ys):\n"
        + "".join("    " * (n + 1) + f"for y{n} in ys:\n" for n in range(15))
        + "    " * 16 + "x += y0 * x.exp()\n"
        + "    return [" + "x * a0 " + " ".join(f"for a{n} in ys" for n in range(40)) + "]\n"
    )  # fmt: skip


def growing_state() -> str:
    return """
def grow(xs, flags):
    box = {}
    for i in range(100000):
        box[i] = [xs] * i
        box = {"a": box, "b": box}
        xs = xs, xs
        while flags:
            f = lambda y, xs=xs: (xs, f)
            box[f] = f
            flags = flags[1:] or box
            flags.append(flags)
    return box
"""


def operator_that_never_returns() -> str:
    return """
class Spin:
    def __add__(self, other):
        while True:
            pass

def spun(xs, total=Spin()):
    for x in xs:
        if x:
            total = total + x
    return total
"""


def networks_in_themselves() -> str:
    """What a recursive function built: all that is known of its results is that they hold each other."""
    return """from torch import nn


def rebuild(model, names, path):
    made = nn.ModuleDict()
    for name, child in model.named_children():
        if name in names:
            inner = rebuild(child, names, path + name)
            made[name] = nn.Sequential(inner, child) if len(names) > 3 else inner
        elif isinstance(child, nn.Sequential):
            made.update({name: rebuild(child, names, path)})
        else:
            made[name] = child
    return nn.Sequential(*made.values())


class Teacher(nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model = rebuild(model, names, "")
        for name in names:
            self.model = nn.Sequential(self.model, rebuild(self.model, names, name))
        self.heads = nn.ModuleList([rebuild(self.model, names, name) for name in names])
        for p in self.parameters():
            p.requires_grad = False

    def forward(self, x):
        for head in self.heads:
            x = x + head(self.model(x))
        return x
"""


def containers_in_themselves() -> str:
    return """
def nest(n):
    nested = (torch.ones(3, requires_grad=True),)
    for _ in range(n):
        nested = (nested, torch.ones(3, requires_grad=True) * 2)
    return nested

def differentiate(n):
    return torch.func.grad(lambda parts: 0.0)(nest(n)), torch.func.vmap(lambda parts: parts)(nest(n))
"""


MONSTERS: list[Callable[[], str]] = [
    recursion, enormous_list, enormous_dict, enormous_text, many_functions, many_statements, one_large_function,
    one_large_class, many_branches, deep_expressions, deep_statements, deep_definitions, nested_loops, growing_state,
    operator_that_never_returns, networks_in_themselves, containers_in_themselves,
]  # fmt: skip


@pytest.mark.parametrize("monster", MONSTERS, ids=lambda monster: monster.__name__)
def test_a_monster_is_met(monster: Callable[[], str]) -> None:
    source = f"import torch\n{monster()}{BUG}"
    begun = time.process_time()
    found = check_source(source, "monster.py", Settings(severity=Severity.INFO))
    assert time.process_time() - begun < SECONDS
    row = source[: source.rindex("y += 1")].count("\n") + 1
    assert ("IPL202", row) in [(it.code, it.span.start.row) for it in found]


def test_a_display_of_many_texts_is_read_in_linear_time(tmp_path: Path) -> None:
    words = ", ".join(f'"w{n}"' for n in range(20_000))
    (tmp_path / "words.py").write_text(f"WORDS = [{words}]\n", encoding="utf-8")
    user = tmp_path / "user.py"
    user.write_text(
        "import torch\nfrom words import WORDS\n\nsize = torch.zeros(len(WORDS)).exp_()\n", encoding="utf-8"
    )
    start = time.process_time()
    assert list(check_paths([str(user)], Settings(), jobs=1).failures) == []
    assert time.process_time() - start < 20
