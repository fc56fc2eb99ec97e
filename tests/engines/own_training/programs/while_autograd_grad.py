import torch

torch.manual_seed(12)
theta = torch.randn(3, requires_grad=True)
target = torch.tensor([1.0, -2.0, 0.5])
step, loss = 0, torch.tensor(1.0)
while loss > 1e-3 and step < 8:
    loss = ((theta - target) ** 2).sum()
    (grad,) = torch.autograd.grad(loss, theta)
    theta = (theta - 0.3 * grad).detach().requires_grad_()
    step += 1
print(step, loss.item())
