# verdict: raises IPL201@4
import torch
x = torch.randn(3, requires_grad=True) * 2
x *= x
x.sum().backward()
