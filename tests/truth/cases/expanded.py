# verdict: raises IPL403@4
import torch
v = torch.ones(3, 1).expand(3, 4)
v += 1
