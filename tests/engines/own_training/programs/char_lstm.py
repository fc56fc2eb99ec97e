import torch
from torch import nn

torch.manual_seed(2)
text = "hello world"
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])


class CharLSTM(nn.Module):
    def __init__(self, vocab, hidden=12):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, vocab)

    def forward(self, x, state=None):
        out, state = self.lstm(self.embed(x), state)
        return self.fc(out), state


net = CharLSTM(len(chars))
opt = torch.optim.RMSprop(net.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(6):
    state = None
    x, y = data[:-1].unsqueeze(0), data[1:].unsqueeze(0)
    logits, state = net(x, state)
    loss = loss_fn(logits.view(-1, len(chars)), y.view(-1))
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    print("epoch", epoch, "loss", loss.item())
