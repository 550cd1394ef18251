"""Networks, losses and weights that come from outside: what they must be for the program to fail is said as an assumption."""

from __future__ import annotations

from engine_checks import diagnostics

TRAINER = """\
from losses import AdversarialLoss
from models import Critic, Painter

def fit(loader):
    painter, critic = Painter(4), Critic()
    rule = AdversarialLoss()
    opt_p = torch.optim.Adam(painter.parameters())
    opt_c = torch.optim.Adam(critic.parameters())
    for low, high in loader:
        made = painter(low)
        opt_c.zero_grad()
        fake = critic({given}).mean()
        c_loss = 1 - critic(high).mean() + fake
        c_loss.backward(retain_graph=True)
        opt_c.step()
        opt_p.zero_grad()
        p_loss = rule({scored}, made) + 0.1 * rule(made, high)
        p_loss.backward()
        opt_p.step()
"""


def test_a_backward_goes_on_through_a_loss_that_nobody_knows() -> None:
    (found,) = diagnostics(TRAINER.format(given="made", scored="fake"))
    assert (found.code, found.span.start.row) == ("IPL203", 17)
    assert found.assumptions == ("`critic` is a network of two layers or more",)


def test_scores_made_afresh_are_no_stale_graph() -> None:
    assert diagnostics(TRAINER.format(given="made", scored="critic(made)")) == []


def test_detached_samples_are_no_graph_either() -> None:
    assert diagnostics(TRAINER.format(given="made.detach()", scored="critic(made)")) == []


def test_weights_of_a_network_from_outside() -> None:
    source = """\
from zoo import build

def edit(name, pairs, delta):
    model = build(name)
    model.eval()
    for i, (layer, unit) in enumerate(pairs):
        model.body.encoder.layer[layer].output.dense.weight[:, unit] -= delta[i]
    with torch.no_grad():
        model.head.bias[0] = 0
    model.head.weight.data[0] = 0
"""
    (found,) = diagnostics(source)
    assert (found.code, found.span.start.row) == ("IPL102", 9)
    assert found.assumptions == ("`weight` is a Parameter here",)


def test_members_of_a_module_list_are_networks() -> None:
    source = """\
from extension import FastConv

class Stack(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        convs = []
        for _ in range(n):
            convs.append(FastConv(3, 3))
        self.convs = torch.nn.ModuleList(convs)

    def load_from(self, other):
        for i in range(len(self.convs)):
            self.convs[i].bias[:] = other.convs[i][0].bias[:]
"""
    (found,) = diagnostics(source)
    assert (found.code, found.span.start.row) == ("IPL101", 15)


def test_a_weight_of_something_that_may_be_no_module() -> None:
    source = """\
def reweigh(batch, graph):
    batch.weight[batch.mask] = 0
    graph.bias += 1
"""
    assert diagnostics(source) == []
