"""What several chapters of the page keep for all visitors."""

from __future__ import annotations

import re

from engines.custom_relu_backward import design, one_pass
from engines.custom_relu_backward.design import Design
from views.player import cached

watch = cached(one_pass.watch)
check = cached(design.check)
design.check(Design("true"))  # the first check by gradcheck loads what it needs


def code_of(source: str) -> str:
    """A listing without the sentences in it: on a stage the story has the words."""
    return re.sub(r'^ *"""[^"]*"""\n', "", source, flags=re.MULTILINE)
