"""A recurrent cell reads a word: how long its graph is, and which way it goes, the word decides.

The same three parameters u, w and b serve at every letter. The loop and the `if` are Python's own:
PyTorch sees only the operations that they lead to, so each word has a graph of its own.

Source: experiment E9, "a loop whose length depends on the data".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from engines.differences import jacobian, relative_error
from engines.graphs.autograd import Graph
from engines.graphs.read_torch import record

LONGEST = 59  # letters: a graph of 300 nodes
ALPHABET, VOWELS = "abcdefghijklmnopqrstuvwxyz", "aeiou"
NUDGE = 1e-6


def read(word: str, u: Any, w: Any, b: Any) -> Iterator[float]:
    """Read a word, fill in the gradients of u, w and b, and yield the loss.

    u, w, b: leaves of shape (2, 3), (3, 3) and (3,), float64.
    """
    h = torch.zeros(1, 3, dtype=torch.float64)
    for x_t in encode(word):
        h = torch.tanh(x_t @ u + h @ w + b)

    # A question about a detached h makes no node. Its answer says which comes next.
    if torch.sum(h.detach()).item() > 0:
        loss = torch.sum(torch.pow(h, 2))
    else:
        loss = torch.sum(torch.abs(h))

    loss.backward()
    yield loss.item()


def encode(word: str) -> Any:
    """The letters of a word as numbers, shape (letters, 1, 2), float64.

    The first says where in the alphabet a letter stands, from -1 for a to 1 for z, capital or not.
    The second is 1 for a vowel and 0 for all else. A character of another alphabet stands where
    the remainder of its code point by 26 puts it. Raises ValueError for less than 1 character and
    for more than 59.
    """
    if not 1 <= len(word) <= LONGEST:
        raise ValueError(f"a word has 1 to {LONGEST} letters, not {len(word)}")
    letters = [ALPHABET.find(letter.lower()) for letter in word]
    places = [ord(word[i]) % 26 if at < 0 else at for i, at in enumerate(letters)]
    vowels = [float(at >= 0 and ALPHABET[at] in VOWELS) for at in letters]
    pairs = [[2 * place / 25 - 1, vowel] for place, vowel in zip(places, vowels, strict=True)]
    return torch.tensor(pairs, dtype=torch.float64)[:, None]


def parameters() -> dict[str, Any]:
    """New leaves u, w and b with the values that all words share."""
    random = torch.Generator().manual_seed(2)
    shapes = {"u": (2, 3), "w": (3, 3), "b": (3,)}
    return {
        name: torch.randn(shape, generator=random, dtype=torch.float64).requires_grad_()
        for name, shape in shapes.items()
    }


def arrays(word: str) -> tuple[Any, ...]:
    """The letters of a word, u, w and b, as NumPy arrays. Raises ValueError as `encode` does."""
    return encode(word).numpy(), *(leaf.detach().numpy() for leaf in parameters().values())


def read_and_check(word: str) -> tuple[Graph, float]:
    """The graph that reading the word built, and the relative error of the gradients in it.

    They are checked against `central_differences`. Raises ValueError as `encode` does.
    """
    encode(word)
    [step] = record(read(word, **parameters()))
    grads = {leaf.name: leaf.gradient for leaf in step.graph.leaves}
    return step.graph, largest_error(grads, central_differences(word))


def central_differences(word: str) -> dict[str, Any]:
    """For each entry of each parameter, how fast the loss changes when only that entry moves."""

    def loss(name: str, values: Any) -> float:
        moved = torch.tensor(values, requires_grad=True)
        [loss] = read(word, **{**parameters(), name: moved})
        return loss

    return {
        name: jacobian(partial(loss, name), leaf.detach().numpy(), NUDGE)
        for name, leaf in parameters().items()
    }


def largest_error(grads: dict[str, Any], measured: dict[str, Any]) -> float:
    """The largest, over the parameters, of |grad - measured| over the longer of the two."""
    errors = [relative_error(grad.ravel(), measured[name].ravel()) for name, grad in grads.items()]
    return float(max(errors))
