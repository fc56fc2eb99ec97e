import torch

torch.manual_seed(10)
x = torch.linspace(0, 1, 20)
y = torch.sin(6 * x)
a = torch.nn.Parameter(torch.randn(4))
optimizer = torch.optim.LBFGS([a], max_iter=3)
for step in range(3):

    def closure():
        optimizer.zero_grad()
        loss = ((a[0] + a[1] * x + a[2] * x**2 + a[3] * x**3 - y) ** 2).mean()
        loss.backward()
        return loss

    loss = optimizer.step(closure)
    print(loss.item())
