import torch
from torch import nn

torch.manual_seed(8)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(4):
    optimizer.zero_grad()
    for micro in range(3):
        loss = model(torch.randn(4, 3)).pow(2).mean() / 3
        loss.backward()
    optimizer.step()
