import math

import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        T = x.shape[1]
        att = self.q(x) @ self.k(x).transpose(-2, -1) / math.sqrt(x.shape[-1])
        att = att.masked_fill(torch.tril(torch.ones(T, T)) == 0, float("-inf"))
        return F.softmax(att, dim=-1) @ self.v(x)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.attn, self.ln1, self.ln2 = Head(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.Sequential(
            nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * d, d)
        )

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class TinyGPT(nn.Module):
    def __init__(self, vocab=11, d=16, n_layers=3, block_size=8):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d), nn.Embedding(block_size, d)
        self.layers = nn.ModuleList(Block(d) for _ in range(n_layers))
        self.ln_f = nn.LayerNorm(d)
        self.head = nn.Linear(d, vocab)

    def forward(self, idx, targets=None):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        for layer in self.layers:
            x = layer(x)
        logits = self.head(self.ln_f(x))
        loss = (
            F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            if targets is not None
            else None
        )
        return logits, loss


def get_batch():
    x = torch.randint(0, 11, (4, 8))
    return x, x.roll(-1, 1)


def main():
    torch.manual_seed(1337)
    model = TinyGPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(4):
        xb, yb = get_batch()
        logits, loss = model(xb, yb)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        print(step, loss.item())


if __name__ == "__main__":
    main()
