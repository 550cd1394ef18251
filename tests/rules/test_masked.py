"""Masked updates out of place compute what the writes meant: real torch is the judge, for values and for gradients."""

from __future__ import annotations

import pytest
import torch

from inplace_lint.api import check_source
from inplace_lint.fixing.edits import Text, apply
from tools.truth.oracle import judge

SOURCE = """\
import torch

w = torch.tensor([[1.0, -2.0], [3.0, -4.0]], requires_grad=True)
z = torch.tensor([[5.0, 6.0], [7.0, 8.0]])
y = w.exp() - 1
s = y.pow(2)
{write}
(y * s).sum().backward()
"""


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        ("y[y < 0] = 0", "y = y.masked_fill(y < 0, 0)"),
        ("y[y < 0] *= 0.1", "y = torch.where(y < 0, y * 0.1, y)"),
        ("y[y.abs() > 1] -= 3", "y = torch.where(y.abs() > 1, y - 3, y)"),
        ("y[y < 0] = z[y < 0]", "y = torch.where(y < 0, z, y)"),
        ("y[~torch.isfinite(y)] = 0", "y = y.masked_fill(~torch.isfinite(y), 0)"),
    ],
)
def test_the_fix_keeps_values_and_gradients(write: str, expected: str) -> None:
    source = SOURCE.format(write=write)
    (found,) = check_source(source, "f.py")
    assert found.fix is not None
    after = apply(source, map(Text(source).replacement, found.fix.edits))
    assert expected in after
    assert judge(source).bad
    assert not judge(after).bad
    names: dict[str, torch.Tensor] = {}
    exec(after, names)
    reference: dict[str, torch.Tensor] = {}
    exec(source.replace(write, f"y = y.clone()\n{write}"), reference)
    assert names["w"].grad is not None and reference["w"].grad is not None
    assert torch.equal(names["y"], reference["y"])
    assert torch.equal(names["w"].grad, reference["w"].grad)


def test_a_mask_of_fewer_dimensions_is_left_to_a_clone() -> None:
    source = SOURCE.format(write="y[z[0] > 5] = 0")
    (found,) = check_source(source, "f.py")
    assert found.fix is not None
    after = apply(source, map(Text(source).replacement, found.fix.edits))
    assert "y = y.clone()\ny[z[0] > 5] = 0" in after
    assert not judge(after).bad
