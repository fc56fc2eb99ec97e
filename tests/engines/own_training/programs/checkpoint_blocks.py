import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Dropout(0.2), nn.Linear(d, d))

    def forward(self, x):
        return x + self.net(x)


class Deep(nn.Module):
    def __init__(self, d=8, n=3):
        super().__init__()
        self.inp = nn.Linear(4, d)
        self.blocks = nn.ModuleList(Block(d) for _ in range(n))
        self.tail = nn.Sequential(*[nn.Linear(d, d) for _ in range(4)])
        self.head = nn.Linear(d, 1)

    def forward(self, x):
        x = self.inp(x)
        for i, block in enumerate(self.blocks):
            x = checkpoint(block, x, use_reentrant=i == 2)
        x = checkpoint_sequential(self.tail, 2, x, use_reentrant=False)
        return self.head(x)


torch.manual_seed(0)
model = Deep()
opt = torch.optim.NAdam(model.parameters(), lr=1e-2)
for i in range(4):
    x = torch.randn(5, 4)
    loss = (model(x) - x.sum(1, keepdim=True)).abs().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
