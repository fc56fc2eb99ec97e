import torch
from torch import nn

torch.manual_seed(3)
cell = nn.RNNCell(4, 8)
head = nn.Linear(8, 4)
params = list(cell.parameters()) + list(head.parameters())
opt = torch.optim.SGD(params, lr=0.1)
seq = torch.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3, 0, 1]]

for it in range(5):
    h = torch.zeros(1, 8)
    loss = 0
    for t in range(len(seq) - 1):
        h = cell(seq[t : t + 1], h)
        loss = loss + nn.functional.cross_entropy(head(h), seq[t + 1 : t + 2].argmax(1))
    opt.zero_grad()
    loss.backward()
    opt.step()
