import torch
from torch import nn

torch.manual_seed(14)


class Autocomplete(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 5)
        self.body = nn.ModuleDict({"up": nn.Linear(5, 10), "down": nn.Linear(10, 5)})
        self.out = nn.Linear(5, 7, bias=False)
        self.out.weight = self.embed.weight
        for p in self.body["up"].parameters():
            p.requires_grad = False

    def forward(self, x):
        h = self.embed(x)
        h = h + self.body["down"](torch.relu(self.body["up"](h)))
        return self.out(h)


model = Autocomplete()
opt = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-2)
x = torch.tensor([[0, 1, 2, 3]])
for _ in range(5):
    out = model(x[:, :-1])
    loss = nn.functional.cross_entropy(out.reshape(-1, 7), x[:, 1:].reshape(-1))
    opt.zero_grad()
    loss.backward()
    opt.step()
