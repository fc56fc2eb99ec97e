"""Reads PyTorch's own autograd graph of a training listing, without a change to the listing."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from contextlib import nullcontext
from itertools import count
from typing import Any

from engines.graphs.autograd import StepGraph
from engines.graphs.passes import Passes
from engines.graphs.torch_recorder import Recorder
from engines.listing import Listing

FULL_GRAPH = (
    "A function that was compiled with fullgraph=True cannot be recorded, because the recorder has "
    "to see each of its operations. Call the function itself, or compile it without fullgraph."
)


def record(
    steps: Any, *, wanted: Container[int] | None = None, source: str | None = None
) -> Iterator[StepGraph]:
    """Run a training listing and yield its steps, each when it is complete.

    steps: a generator, such as an engine's `train` returns. It yields once in each pass of its
    loop; what it does between that and the next pass is still that step (`engines.graphs.passes`),
    and what it does after its last loop is still the last. It is closed in the end.
    wanted: the numbers of the steps to read, None for all. The others run at their usual speed.
    source: the whole text the listing was compiled from, where Python cannot find it by itself.

    Functions compiled by `torch.compile` run operation by operation; NotImplementedError is raised
    where one must not, because it was compiled with fullgraph=True.
    If the listing raises, the step it was in is the last, wanted or not, and its last event
    says so.
    """
    wanted = range(sys.maxsize) if wanted is None else wanted
    recorder = _OfGenerator(Listing(steps.gi_code, source))
    try:
        for passed in count():
            # The step before is needed too: its nodes are freed during this one. So is the pass
            # after, in which a step ends.
            watch = any(number in wanted for number in (passed - 1, passed, passed + 1))
            complete = recorder.advance(steps, passed, watch=watch)
            yield from (step for step in complete if step.step in wanted or step.error)
            if steps.gi_frame is None:
                return
    finally:
        steps.close()


class _OfGenerator(Recorder):
    """Cuts what a generator does into steps, by its yields."""

    def __init__(self, listing: Listing) -> None:
        super().__init__(listing)
        self._passes = Passes(listing.code)
        self._yielded: int | None = None  # the instruction of the last yield, in this pass

    def advance(self, steps: Any, step: int, *, watch: bool) -> list[StepGraph]:
        """Let the listing run to the yield of this step. Returns the steps that became complete."""
        self._yielded = steps.gi_frame.f_lasti if step else None
        try:
            with self if watch else nullcontext():
                next(steps)
            if self._yielded is not None:  # the loop begins with its yield
                self._turn()
            if not watch:
                self._begin(step)
        except StopIteration:
            if self._complete:
                self._complete[-1].absorb(self._step)
            else:
                self._turn()
        except Exception as error:
            if self.is_own(error):
                raise
            if type(error).__module__ == "torch._dynamo.exc":
                raise NotImplementedError(FULL_GRAPH) from error
            self._fail(error)
        complete, self._complete = self._complete, []
        return [builder.finish() for builder in complete]

    def _move_to(self, spot: int) -> None:
        """Where this is in the next pass of the listing's loop, a step has ended."""
        super()._move_to(spot)
        if self._yielded is not None and self._passes.ended(self._yielded, spot):
            self._turn()

    def _turn(self) -> None:
        self._yielded = None
        super()._turn()

    def _fail(self, error: Exception) -> None:
        trace: Any = error.__traceback__  # from `advance`, so the listing's frame is the next
        self._move_to(trace.tb_next.tb_lasti)
        self._event("error", message=f"{type(error).__name__}: {error}")
        self._turn()
