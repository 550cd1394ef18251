"""What is seen while the states of a loop are still iterated.

It is told again, with better conditions, once they have converged. Where the analysis ends before, since it costs too much, it is
all there is: a round that was followed is one that the code can go through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inplace_lint.interp.machine import Pending

MOST = 200
"""Events that are kept of one entry point."""


class Iterated:
    """The events of rounds that are not reported. ``loops``: how many loops are being iterated around what is running."""

    __slots__ = ("events", "loops")

    def __init__(self) -> None:
        self.loops = 0
        self.events: list[Pending] = []

    def box(self, muted: int, pending: list[Pending]) -> list[Pending] | None:
        """Where an event goes that happens under so many reasons not to report it: ``pending`` where there is none."""
        if not muted:
            return pending
        return self.events if muted == self.loops and len(self.events) < MOST else None

    def missed(self, pending: list[Pending]) -> list[Pending]:
        """The events of places that none of the reported ones speaks of, each once."""
        known = {_place(one) for one in pending}
        found: list[Pending] = []
        for one in self.events:
            if _place(one) not in known:
                known.add(_place(one))
                found.append(one)
        return found


def _place(one: Pending) -> object:
    write = getattr(one.event, "write", None)
    return type(one.event), getattr(one.event, "site", None) if write is None else write.site
