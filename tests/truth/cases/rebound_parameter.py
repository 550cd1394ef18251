# verdict: warns IPL503@6
import torch
w = torch.randn(3, requires_grad=True)
for i in range(3):
    (w * 2).pow(2).sum().backward()
    w = w - 0.1 * w.grad
