# verdict: raises IPL201@6
import torch
p = torch.ones(3, requires_grad=True)
h = torch.selu(p)
g, = torch.autograd.grad(h.prod(), p, create_graph=True)
h.clamp_(-1, 1)
(g ** 2).sum().backward()
