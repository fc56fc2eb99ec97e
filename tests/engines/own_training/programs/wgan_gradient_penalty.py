import torch
from torch import nn
torch.manual_seed(0)
D = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)); G = nn.Linear(3, 2)
oD = torch.optim.Adam(D.parameters(), 1e-3); oG = torch.optim.Adam(G.parameters(), 1e-3)
def gradient_penalty(real, fake):
    a = torch.rand(real.size(0), 1)
    x = (a*real + (1-a)*fake).requires_grad_(True)
    g = torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]
    return ((g.norm(2, dim=1) - 1)**2).mean()
for it in range(4):
    for _ in range(2):
        real = torch.randn(6, 2); fake = G(torch.randn(6, 3)).detach()
        lossD = D(fake).mean() - D(real).mean() + 10*gradient_penalty(real, fake)
        oD.zero_grad(); lossD.backward(); oD.step()
    lossG = -D(G(torch.randn(6, 3))).mean()
    oG.zero_grad(); lossG.backward(); oG.step()
