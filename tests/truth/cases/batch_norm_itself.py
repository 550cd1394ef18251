# verdict: clean
import torch
from torch import nn
net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
net(torch.randn(5, 3)).sum().backward()
