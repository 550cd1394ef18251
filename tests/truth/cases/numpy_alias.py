# verdict: wrong-gradients IPL302@6
import torch
a = torch.randn(3, requires_grad=True)
b = a.sin() * 2
c = b.cos(); n = b.detach().numpy()
n[0] = 7
c.sum().backward()
