# verdict: clean
import torch
a = torch.randn(3, requires_grad=True)
a.data.fill_(3.0)
(a * a).sum().backward()
