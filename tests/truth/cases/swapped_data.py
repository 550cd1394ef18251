# verdict: wrong-gradients IPL301@5
import torch
w = torch.randn(3, requires_grad=True)
loss = (w * w).sum()
w.data = torch.zeros(3)
loss.backward()
