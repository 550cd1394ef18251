# verdict: warns IPL502@5
import torch
h = torch.randn(3, requires_grad=True) * 2
h.sum().backward()
print(h.grad)
