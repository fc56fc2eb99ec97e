import torch

import backstep

torch.manual_seed(13)
w = torch.randn(2, requires_grad=True)


def descend(loss):
    loss.backward()
    w.data -= 0.1 * w.grad
    w.grad = None


for step in backstep.steps(range(4)):
    for half in range(2):
        descend((w * (half + 1)).pow(2).sum())
