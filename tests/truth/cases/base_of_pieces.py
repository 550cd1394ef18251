# verdict: raises IPL401@5
import torch
a = torch.ones(4, requires_grad=True) * 2
p, q = a.chunk(2)
a += 1
(p * 2).sum().backward()
