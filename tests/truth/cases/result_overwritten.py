# verdict: raises IPL202@4
import torch
y = torch.ones(3, requires_grad=True).exp()
y += 1
y.sum().backward()
