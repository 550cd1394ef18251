"""What a definition that nobody in sight calls says by its name of whether its result is trained."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source

BODY = """\
import torch


class Stack(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(3)

    def {name}(self, m: torch.Tensor):
        m[0:2] += self.norm(m[0:2])
        return m
"""


@pytest.mark.parametrize("name", ["update", "attested", "contest"])
def test_results_may_be_trained(name: str) -> None:
    assert [found.code for found in check_source(BODY.format(name=name), "stack.py")] == ["IPL201"]


@pytest.mark.parametrize("name", ["inference_forward", "run_eval", "test"])
def test_results_of_inference_are_not(name: str) -> None:
    assert check_source(BODY.format(name=name), "stack.py") == []
