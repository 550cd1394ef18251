# verdict: raises IPL501@5
import torch
loss = (torch.ones(4, requires_grad=True) * 2).sum()
loss.backward()
loss.backward()
