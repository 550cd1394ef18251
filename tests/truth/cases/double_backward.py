# verdict: raises IPL201@6
import torch
p = torch.ones(3, requires_grad=True)
h = p.sin()
g, = torch.autograd.grad(h.pow(3).sum(), p, create_graph=True)
h.clamp_(-1, 1)
(g ** 2).sum().backward()
