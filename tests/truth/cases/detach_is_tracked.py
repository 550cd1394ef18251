# verdict: raises IPL203@5
import torch
a = torch.randn(3, requires_grad=True)
b = a * a
a.detach().fill_(10.0)
b.sum().backward()
