# verdict: raises IPL401@5
import torch
a = torch.ones(4, requires_grad=True) * 2
for row in a.view(2, 2):
    row += 1
