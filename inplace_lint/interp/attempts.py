"""The attempts at an entry point: first with two rounds for loops of unknown length, then to their fixpoint.

Two rounds cost a fraction where loops are nested, as those of training scripts are: epochs, batches, steps within a batch. They
show nearly all that more rounds show, so where they show nothing, that is the answer. What they do show may rest on an order
that only a fixpoint forgets (which layer of an unknown number is the last one), so it has to come out there too, unless that
costs too much. What others begin with, a module's names or a built instance, is always taken from a fixpoint if that can be had.
"""

from __future__ import annotations

from dataclasses import dataclass

from inplace_lint import ir
from inplace_lint.domain.objects import WAY
from inplace_lint.domain.state import State
from inplace_lint.events import GaveUp, SavedOverwritten
from inplace_lint.interp.machine import Pending

TWO_ROUNDS = "it takes more steps than the analysis may, so loops are followed for two rounds only"
"""What is said of an entry point whose loops could not be run to their fixpoint."""


@dataclass(slots=True)
class Attempt:
    """What one run of an entry point came to.

    end: the state after it. visited: the definitions that ran. complete: it got to its end.
    """

    end: State | None
    pending: list[Pending]
    visited: set[ir.Code]
    complete: bool

    @property
    def found(self) -> bool:
        """Whether it found anything."""
        return any(not isinstance(one.event, GaveUp) for one in self.pending)

    @property
    def whole(self) -> bool:
        """Whether nothing of it was left out."""
        return self.complete and not any(isinstance(one.event, GaveUp) for one in self.pending)


def told_by_rounds(pending: list[Pending]) -> list[Pending]:
    """What two rounds of loops show, without what rests on the order of layers that such loops put together."""
    return [one for one in pending if not _rests_on_order(one)]


def _rests_on_order(one: Pending) -> bool:
    # An optimizer's step writes to all parameters, in whatever order they come.
    by_result = isinstance(one.event, SavedOverwritten) and not one.event.parameter
    return by_result and any(fact.key.startswith(WAY) for fact in one.cond)


def together(first: Attempt, second: Attempt) -> Attempt:
    """Two attempts at one entry point as one: all that either found, and what the one says that got farther."""
    found = [one for one in first.pending if not isinstance(one.event, GaveUp)]
    better = second if second.complete or not first.complete else first
    visited = first.visited | second.visited if first.complete == second.complete else better.visited
    end = second.end if better is second and second.end is not None else first.end
    return Attempt(end, [*found, *second.pending], visited, better.complete)
