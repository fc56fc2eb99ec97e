import torch
from torch import nn


class Accelerator:
    def __init__(self, accumulate=1):
        self.accumulate = accumulate

    def prepare(self, *things):
        return things

    def backward(self, loss, **kw):
        (loss / self.accumulate).backward(**kw)

    def clip(self, params, norm):
        return nn.utils.clip_grad_norm_(params, norm)


class LitModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
        self.head = nn.Linear(8, 1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = nn.functional.mse_loss(self.head(self.layer(x).mean(1)), y)
        return {"loss": loss, "log": {"train_loss": loss.detach()}}

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def fit(module, data, max_epochs):
    accelerator = Accelerator()
    opt = module.configure_optimizers()
    module, opt, data = accelerator.prepare(module, opt, data)
    for epoch in range(max_epochs):
        for batch_idx, batch in enumerate(data):
            result = module.training_step(batch, batch_idx)
            opt.zero_grad()
            accelerator.backward(result["loss"])
            accelerator.clip(module.parameters(), 1.0)
            opt.step()
    return result["log"]["train_loss"].item()


torch.manual_seed(0)
data = [(torch.randn(2, 5, 8), torch.randn(2, 1)) for _ in range(3)]
print(fit(LitModel(), data, 2))
