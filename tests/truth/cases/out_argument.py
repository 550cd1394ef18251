# verdict: raises IPL103@4
import torch
w = torch.ones(4, requires_grad=True)
torch.add(w, 1, out=torch.zeros(4))
