# verdict: wrong-gradients IPL302@9
import torch
from torch import nn
norm = nn.BatchNorm1d(3)
x = torch.randn(5, 3, requires_grad=True)
norm.eval()
y = norm(x)
norm.train()
norm(x + 1)
(y * y).sum().backward()
