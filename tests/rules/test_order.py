"""The order that works, where steps and backwards stand in the wrong one: the edits that are shown, and where there are none."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic
from tools.truth.fixes import applied

HEAD = """import torch
from torch import nn

net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.ones(2, 3)
"""


def only(source: str) -> Diagnostic:
    (found,) = check_source(source, "program.py")
    return found


def fixed(body: str) -> str:
    """The body with the edits made; they are only shown, and linting finds nothing afterwards."""
    found = only(HEAD + body)
    assert found.fix is not None and found.fix.applicability == "display-only"
    after = applied(HEAD + body, found.fix.edits)
    assert not check_source(after, "program.py"), after
    return after.removeprefix(HEAD)


def test_an_update_moves_behind_the_backward_with_its_block() -> None:
    body = "loss = net(x).sum()\nwith torch.no_grad():\n    net[2].weight.zero_()\nprint(1)\nloss.backward()\n"
    assert fixed(body) == (
        "loss = net(x).sum()\nprint(1)\nloss.backward()\nwith torch.no_grad():\n    net[2].weight.zero_()\n"
    )


def test_a_loss_is_computed_anew_where_gradients_are_reset_in_between() -> None:
    body = "y = net(x)\na = y.sum()\nb = y.exp().sum()\n"
    body += "a.backward(retain_graph=True)\nopt.step()\nopt.zero_grad()\nb.backward()\n"
    assert fixed(body) == (
        "y = net(x)\na = y.sum()\na.backward(retain_graph=True)\nopt.step()\ny = net(x)\nb = y.exp().sum()\n"
        "opt.zero_grad()\nb.backward()\n"
    )


def test_the_second_call_of_a_helper_gets_a_loss_of_its_own() -> None:
    helper = "def train(loss):\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n\n\n"
    body = helper + "a = net(x).sum()\nb = net(x).exp().sum()\ntrain(a)\ntrain(b)\n"
    assert fixed(body) == helper + "a = net(x).sum()\ntrain(a)\nb = net(x).exp().sum()\ntrain(b)\n"


def test_a_loop_over_losses_resets_before_and_steps_behind() -> None:
    loop = "for loss in (a, b):\n"
    body = "    loss.sum().backward(retain_graph=True)\n"
    before = f"a, b = net(x).split(1)\n{loop}    opt.zero_grad()\n{body}    opt.step()\n"
    assert fixed(before) == f"a, b = net(x).split(1)\nopt.zero_grad()\n{loop}{body}opt.step()\n"


@pytest.mark.parametrize(
    ("start", "made", "line"),
    [
        ("h = torch.zeros(2, 3)", "h = net(x + h)", "h = h.detach()"),
        ("h = 0", "h = h + net(x)", "h = h.detach()"),
        ("h = (torch.zeros(2, 3), x)", "h = net(x + h[0]), net(x + h[1])", "h = tuple(part.detach() for part in h)"),
    ],
)
def test_a_state_is_detached_behind_the_backward(start: str, made: str, line: str) -> None:
    loss = "h[0].sum()" if "tuple" in line else "h.sum()"
    body = f"{start}\nfor _ in range(3):\n    {made}\n    loss = {loss}\n    loss.backward()\n    opt.step()\n"
    assert fixed(body) == body.replace("    opt.step()", f"    {line}\n    opt.step()")


def test_what_was_computed_before_the_loop_is_computed_in_each_round() -> None:
    body = "y = net(x)\nloss = y.sum()\nfor _ in range(3):\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"
    assert fixed(body) == (
        "for _ in range(3):\n    y = net(x)\n    loss = y.sum()\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"
    )


def test_without_a_step_the_graph_may_be_kept() -> None:
    body = "loss = net(x).sum()\nfor _ in range(3):\n    loss.backward()\n"
    assert fixed(body) == body.replace("backward()", "backward(retain_graph=True)")


def test_a_state_that_may_be_left_over_is_not_detached() -> None:
    body = "for i in range(4):\n    if i % 2 == 0:\n        loss = net(x).sum()\n    loss.backward()\n    opt.step()\n"
    found = only(HEAD + body)
    assert found.code == "IPL501" and found.fix is not None and not found.fix.edits


def test_a_gradient_is_asked_for_where_the_tensor_is_made() -> None:
    body = "h = net(x)\nh.sum().backward()\nprint(h.grad)\n"
    assert fixed(body) == "h = net(x)\nh.retain_grad()\nh.sum().backward()\nprint(h.grad)\n"
