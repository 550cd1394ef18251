# verdict: clean
import torch
h = torch.randn(3, requires_grad=True) * 2
h.retain_grad()
h.sum().backward()
print(h.grad)
