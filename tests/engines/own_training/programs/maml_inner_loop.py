import torch
from torch import nn
import torch.nn.functional as F


def net(x, params):
    w1, b1, w2, b2 = params
    return F.linear(torch.relu(F.linear(x, w1, b1)), w2, b2)


torch.manual_seed(0)
meta = [nn.Parameter(torch.randn(8, 1) * 0.5), nn.Parameter(torch.zeros(8)), nn.Parameter(torch.randn(1, 8) * 0.5), nn.Parameter(torch.zeros(1))]
meta_opt = torch.optim.Adam(meta, lr=1e-2)


def task():
    amplitude, phase = torch.rand(2)
    def sample(n):
        x = torch.rand(n, 1) * 6 - 3
        return x, amplitude * torch.sin(x + phase)
    return sample


for it in range(4):
    meta_loss = 0.0
    for _ in range(2):
        sample = task()
        x, y = sample(5)
        fast = meta
        for _ in range(2):
            inner = F.mse_loss(net(x, fast), y)
            grads = torch.autograd.grad(inner, fast, create_graph=True)
            fast = [p - 0.01 * g for p, g in zip(fast, grads)]
        xq, yq = sample(5)
        meta_loss = meta_loss + F.mse_loss(net(xq, fast), yq)
    meta_opt.zero_grad()
    meta_loss.backward()
    meta_opt.step()
    print(it, meta_loss.item())
