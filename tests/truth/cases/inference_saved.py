# verdict: raises IPL404@5
import torch
with torch.inference_mode():
    v = torch.ones(3)
y = torch.ones(3, requires_grad=True) * v
