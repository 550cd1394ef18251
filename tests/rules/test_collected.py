"""A tensor that a loop fills row by row becomes a list that is stacked: when, into what, and when it is left to a clone."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source
from inplace_lint.fixing.edits import Text, apply
from tools.truth.oracle import judge

HEAD = "import torch\n\nw = torch.ones(3, requires_grad=True)\n\n\ndef f(x, n):\n"
TAIL = "    return y.sum()\n\n\nf(w * 2, 4).backward()\n"


def fixed(body: str) -> str:
    """The function's body after the only fix."""
    source = HEAD + body + TAIL
    (found,) = check_source(source, "f.py")
    assert found.fix is not None
    after = apply(source, map(Text(source).replacement, found.fix.edits))
    assert judge(source).bad
    assert not judge(after).bad
    return after.removeprefix(HEAD).removesuffix(TAIL)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "    y = torch.zeros(n + 1, 3)\n    y[0] = x\n    for t in range(n):\n        y[t + 1] = y[t] * y[t]  # next\n",
            "    y = [x]\n    for t in range(n):\n        y.append(y[t] * y[t])  # next\n    y = torch.stack(y)\n",
        ),
        (
            "    y = x.new_zeros((n, 3))  # all\n    y[0] = x\n    for t in range(n - 1):\n        z = y[t].exp()\n"
            "        y[t + 1] = z * y[t]\n",
            "    y = []  # all\n    y.append(x)\n    for t in range(n - 1):\n        z = y[t].exp()\n"
            "        y.append(z * y[t])\n    y = torch.stack(y)\n",
        ),
        (
            "    y, s = None, 0\n    y = torch.empty([n, 3])\n    for t in range(n):\n        y[t] = x * t\n"
            "        s = s + y[t] * y[t]\n    y = y + s\n",
            "    y, s = None, 0\n    y = []\n    for t in range(n):\n        y.append(x * t)\n"
            "        s = s + y[t] * y[t]\n    y = torch.stack(y)\n    y = y + s\n",
        ),
        (
            "    y = torch.zeros(n, 3)\n    y[0] = x\n    for t in range(1, n):\n        y[t] = y[t - 1] * y[t - 1]\n",
            "    y = [x]\n    for t in range(1, n):\n        y.append(y[t - 1] * y[t - 1])\n    y = torch.stack(y)\n",
        ),
    ],
    ids=["one row is given", "with a comment", "read after it is set", "from one on"],
)
def test_rows_are_collected(body: str, expected: str) -> None:
    assert fixed(body) == expected


@pytest.mark.parametrize(
    "loop",
    [
        "    for t in range(n):\n        y[t + 1] = y[t] * y[t]\n        if t > 8:\n            break\n",
        "    for t in range(n):\n        y[t + 1] = y[t] * y[: t + 1].sum()\n",
        "    for t in range(n):\n        y[t + 1] = y[t] * y[t + 1]\n",
        "    for t in range(n - 1):\n        y[t + 1] = y[t] * y[t]\n",
        "    for t in range(n):\n        y[t + 1] = y[t] * y[t]\n        y = y * 1\n",
        "    for t in range(2, n + 1):\n        y[t] = y[t - 2] * y[t - 1]\n",
    ],
    ids=[
        "left early",
        "slices are read",
        "read before it is set",
        "a row is left over",
        "bound anew",
        "a row is left out",
    ],
)
def test_what_is_not_filled_in_order_is_written_to_a_copy(loop: str) -> None:
    assert "y = y.clone()" in fixed("    y = torch.zeros(n + 1, 3)\n    y[0] = x\n" + loop)


def test_a_number_is_no_row() -> None:
    body = (
        "    y = torch.ones(n, 3)\n    y[0] = 1.5\n    for t in range(1, n):\n        y[t] = y[t - 1] * y[t - 1] * x\n"
    )
    assert "y = y.clone()" in fixed(body)
