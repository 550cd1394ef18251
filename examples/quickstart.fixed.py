"""The layer of quickstart.py, repaired."""

import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)

    def forward(self, x):
        out = self.inner(x)
        out += x  # fine: a linear layer needs its input for backward, not its result
        gate = torch.sigmoid(self.gate(x))
        gate = gate * 2
        return out * gate


layer = Gated(8)
loss = layer(torch.randn(4, 8)).pow(2).mean()
loss.backward()
