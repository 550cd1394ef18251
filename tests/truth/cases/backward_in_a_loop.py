# verdict: raises IPL203@7
import torch
w = torch.ones(3, requires_grad=True)
h = torch.zeros(3)
for t in range(2):
    h = torch.tanh(h * w)
    if t: w.detach().add_(1)
    h.sum().backward(retain_graph=True)
