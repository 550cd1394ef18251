"""Where control goes from inside a region, other than to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from inplace_lint import ir
from inplace_lint.domain.conditions import Cond
from inplace_lint.domain.objects import Place
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value

Resume = Callable[[State, Value, Place], "State | None"]
"""What happens at the place of a yield, with what is yielded: the state in which the generator goes on."""


@dataclass(slots=True)
class Flow:
    """Where control goes from inside a region, and the frame that it runs in.

    Regions append the states that leave them; whoever runs the region takes them up.
    """

    frame: int
    module: int
    code: ir.Code
    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)
    returns: list[tuple[State, Value]] = field(default_factory=list)
    raises: list[State] = field(default_factory=list)
    yields: list[Value] = field(default_factory=list)
    modes: list[dict[str, Cond]] = field(default_factory=list)
    waiting: list[State] = field(default_factory=list)
    resume: Resume | None = None

    def in_loop(self) -> Flow:
        """The flow of a loop's body: only break and continue are its own."""
        return replace(self, breaks=[], continues=[])

    def in_try(self) -> Flow:
        """The flow of a try body: only raises are its own."""
        return replace(self, raises=[])

    def apart(self) -> Flow:
        """A flow with no exit shared, for the body of a try with ``finally``."""
        return replace(self, breaks=[], continues=[], returns=[], raises=[])
