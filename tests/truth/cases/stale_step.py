# verdict: raises IPL203@7
import torch
a = torch.randn(3, requires_grad=True)
optimizer = torch.optim.Adam([a], lr=0.1)
loss = (a * a).sum()
loss.backward(retain_graph=True)
optimizer.step()
loss.backward()
