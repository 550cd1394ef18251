"""Counters and flags of an object have the values of ``__init__`` until the first call only."""

from __future__ import annotations

from engine_checks import diagnostics

AGENT = """\
class Buffer:
    def __init__(self):
        self.size = 0
        self.limit = 100

    def push(self, item):
        self.size = min(self.size + 1, self.limit)

class Agent:
    def __init__(self):
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.buffer = Buffer()
        self.warm = False

    def finish_warmup(self):
        self.warm = True

    def train(self, x):
        {guard}:
            return None
        first = self.net(x).mean()
        second = self.net(x + 1).mean()
        self.opt.zero_grad()
        first.backward()
        self.opt.step()
        second.backward()
        self.opt.step()
"""


def test_a_buffer_is_filled_some_day() -> None:
    (found,) = diagnostics(AGENT.format(guard="if self.buffer.size < 10"))
    assert (found.code, found.span.start.row) == ("IPL203", 28)


def test_a_flag_is_switched_some_day() -> None:
    (found,) = diagnostics(AGENT.format(guard="if not self.warm"))
    assert (found.code, found.span.start.row) == ("IPL203", 28)


def test_what_no_method_assigns_stays() -> None:
    assert diagnostics(AGENT.format(guard="if self.buffer.limit > 10")) == []
