from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    lr: float = 0.01
    epochs: int = 2


class Trainer:
    def __init__(self, model, config):
        self.model, self.config = model, config
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=config.lr, momentum=0.9)
        self.criterion = nn.CrossEntropyLoss()
        self.history = []

    def training_step(self, batch):
        x, y = batch
        loss = self.criterion(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, batches):
        for epoch in range(self.config.epochs):
            for batch in batches:
                self.history.append(self.training_step(batch))
            print(f"epoch {epoch}: {self.history[-1]:.3f}")


def main():
    torch.manual_seed(9)
    batches = [(torch.randn(8, 5), torch.randint(0, 3, (8,))) for _ in range(3)]
    trainer = Trainer(nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)), Config())
    trainer.fit(batches)


if __name__ == "__main__":
    main()
