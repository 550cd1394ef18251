# verdict: wrong-gradients IPL301@5
import torch
a = torch.randn(3, requires_grad=True)
b = a * a
a.data.fill_(3.0)
b.sum().backward()
