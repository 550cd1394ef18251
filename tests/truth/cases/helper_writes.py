# verdict: raises IPL201@4
import torch
def halve(t):
    t *= 0.5
    return t
h = torch.randn(3, requires_grad=True) * 2
z = h.sin()
halve(h)
z.sum().backward()
