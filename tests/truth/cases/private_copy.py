# verdict: clean
import torch
h = torch.randn(3, requires_grad=True) * 2
h *= torch.randn(3, requires_grad=True)
h += 1
h.sum().backward()
