# verdict: raises IPL202@4
import torch
y = torch.randn(3, requires_grad=True).tanh()
y += 1
y *= 2
y.sum().backward()
