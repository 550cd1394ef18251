"""Weights that a node saves and uses for its input's gradient alone: what overwrites them silently is wrong only then."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source

PROGRAM = """
import torch
from torch import nn

x = torch.randn(2, 3, 5, 5, requires_grad={needed})
layer = {layer}
y = layer(x)
layer.weight.data.mul_(2)
y.sum().backward()
"""


@pytest.mark.parametrize("layer", ["nn.Conv2d(3, 3, 3)", "nn.BatchNorm2d(3)", "nn.LayerNorm(5)", "nn.GroupNorm(3, 3)"])
def test_a_silent_write_to_a_weight_counts_where_its_input_requires_grad(layer: str) -> None:
    assert [it.code for it in check_source(PROGRAM.format(layer=layer, needed=True))] == ["IPL301"]
    assert check_source(PROGRAM.format(layer=layer, needed=False)) == []
