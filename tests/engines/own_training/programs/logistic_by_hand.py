import torch

torch.manual_seed(1)
x = torch.randn(100, 2)
y = (x[:, 0] + x[:, 1] > 0).float()
w = torch.zeros(2, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.5
losses = []
for i in range(10):
    p = torch.sigmoid(x @ w + b)
    loss = -(y * torch.log(p + 1e-9) + (1 - y) * torch.log(1 - p + 1e-9)).mean()
    loss.backward()
    with torch.no_grad():
        for param in (w, b):
            param -= lr * param.grad
            param.grad.zero_()
    losses.append(loss.item())
print(losses[-1])
