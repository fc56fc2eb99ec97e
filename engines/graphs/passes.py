"""Where one pass of a listing's loop ends and the next begins, read from its bytecode.

A listing yields once in each pass. What follows the yield is still that pass, until the loop begins
again or another loop that yields is entered. Which of these it is cannot be told by lines: a loop
may stand on one, and the test of a `while` is run where the loop ends.

Source: the documentation of the module `dis`.
"""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType

ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE")


class Passes:
    """The loops of one generator and its yields, as offsets of instructions in bytes."""

    def __init__(self, code: CodeType) -> None:
        """code: of the generator."""
        self._instructions = list(dis.get_instructions(code))
        self._yields = [one.offset for one in self._instructions if one.opname == "YIELD_VALUE"]
        # `yield from` also jumps back, to ask again: that is no loop of the listing.
        ends = {  # by where it begins; of several jumps back to there, as by `continue`, the last
            one.argval: one.offset
            for one in self._instructions
            if "JUMP_BACKWARD" in one.opname and "NO_INTERRUPT" not in one.opname
        }
        self._loops = sorted(ends.items(), key=lambda loop: loop[1] - loop[0])
        self._goes_on = lru_cache(maxsize=None)(self._reaches_another)

    def ended(self, yielded: int, now: int) -> bool:
        """Whether the pass that yielded at one instruction is over at another, reached since.

        Also where the listing, without a loop, goes straight to another yield: that is then the
        next step.
        """
        if now <= yielded or self._goes_on(yielded):
            return True
        return any(
            first <= now <= last and not first <= yielded <= last
            for first, last in self._loops
            if any(first <= one <= last for one in self._yields)
        )

    def _reaches_another(self, yielded: int) -> bool:
        """Whether another yield of the same loop, or of none, follows without a jump back."""
        loop = self._innermost(yielded)
        following = {one.offset: one for one in self._instructions if one.offset > yielded}
        reached, nearest = set(), min(following, default=None)
        open_ends = [nearest]
        while open_ends:
            offset = open_ends.pop()
            if offset is None or offset in reached or offset not in following:
                continue
            reached.add(offset)
            one = following[offset]
            if one.opname in ENDS or "JUMP_BACKWARD" in one.opname:
                continue
            jumps = one.opcode in dis.hasjrel or one.opcode in dis.hasjabs
            if jumps:
                open_ends.append(one.argval)
            if one.opname != "JUMP_FORWARD":
                open_ends.append(min((k for k in following if k > offset), default=None))
        return any(one in reached and self._innermost(one) == loop for one in self._yields)

    def _innermost(self, offset: int) -> tuple[int, int] | None:
        return next((loop for loop in self._loops if loop[0] <= offset <= loop[1]), None)
