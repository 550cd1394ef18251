# verdict: raises IPL402@6
import torch
a = torch.ones(4, requires_grad=True) * 2
with torch.no_grad():
    v = a[:2]
a.mul_(2)
print(v.sum())
