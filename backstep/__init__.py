"""See your own PyTorch training: its graph, its gradients and every step, played and stepped back.

python -m backstep play my_training.py        # in a terminal: opens the page in a browser

from backstep import play                     # in a notebook
play(train)

for step in backstep.steps(range(100)):       # in a program: each pass is a step
"""

from typing import Any

from engines.own_training.marks import steps

__all__ = ["play", "steps"]


def play(training: Any, *arguments: Any, **how: Any) -> Any:
    """Record a training and show it in a notebook; see `backstep.notebook.play`."""
    from backstep import notebook  # noqa: PLC0415  # a program that only marks its steps needs none

    return notebook.play(training, *arguments, **how)
