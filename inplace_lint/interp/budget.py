"""What the analysis of one entry point may cost, and which call is left out when it costs too much.

Cost is counted, not timed, so that results are the same on every machine: an instruction is one, and work that grows with the
heap (joins, copies, renamings, a backward through a large graph) is added in proportion to the time that it was measured to take.

When the budget is used up, the innermost call that took at least half of it is the one that costs too much: it is given up, its
result is unknown, and the caller goes on with half of what remains. Where no single call is to blame, the entry point ends there.
"""

from __future__ import annotations

from inplace_lint.domain.heap import Effort

PASSED_PER_STEP = 5
"""Objects passed over that cost as much as one instruction."""
FILE_STEPS, LINE_STEPS = 150_000, 250
"""Work for one file: at least so much, and more for a long one. Half of the files of a library need less than 100 a line."""
SHARES = (4, 16)
"""Once a file has had its share, each further entry point gets a fourth of what it would else have got, and once it has had
twice as much, a sixteenth: a file of hundreds of functions that each build a large model shows in the first of them what there is
to see."""
STEPS = 132_000
"""Work for one entry point, in instructions: about three seconds where the project is developed, half as much again for what goes
on after calls that were given up. With half of it, real training scripts lost their findings."""


class BudgetExceeded(Exception):
    """The analysis costs too much. ``depth``: the number of the followed call that is given up, -1 for the entry point."""

    def __init__(self, depth: int) -> None:
        super().__init__(depth)
        self.depth = depth


class Budget:
    """Counts the work of one run. ``own``: how many of the outermost followed calls are the entry point itself."""

    __slots__ = ("_end", "_passed", "_since", "_stop", "entered", "limit", "own", "steps")

    def __init__(self, limit: int = STEPS, own: int = 0) -> None:
        self.limit = limit
        self.own = own
        self.steps = 0
        self.entered: list[int] = []
        """What was spent when each of the running calls began, outermost first."""
        self._passed = Effort.passed
        self._since = 0
        self._stop = limit
        self._end = limit + limit // 2

    @property
    def spent(self) -> int:
        """The work done so far."""
        return self.steps + (Effort.passed - self._passed) // PASSED_PER_STEP

    def step(self) -> None:
        """Count one instruction. Raises ``BudgetExceeded``."""
        self.steps += 1
        if self.steps + (Effort.passed - self._passed) // PASSED_PER_STEP > self._stop:
            self._over()

    def forgive(self, passed: int) -> None:
        """Work of that much counts for nobody."""
        self._passed += passed

    def enter(self) -> int:
        """A call is followed; returns its number."""
        self.entered.append(self.spent)
        return len(self.entered) - 1

    def leave(self, depth: int) -> None:
        """The call of that number is over, and with it all that it called."""
        del self.entered[depth:]

    def _over(self) -> None:
        spent = self.spent
        half = (spent - self._since) // 2
        for depth in range(len(self.entered) - 1, self.own - 1, -1):
            if spent - self.entered[depth] >= half:
                raise BudgetExceeded(depth)
        raise BudgetExceeded(-1)

    def give_up(self, depth: int) -> bool:
        """The call of that number was given up: some work more is allowed. Returns whether it was large in itself."""
        spent = self.spent
        large = spent - self.entered[depth] >= self.limit // 2
        self._since = spent
        self._stop = spent + max(self._end - spent, 0) // 2
        if self._end - spent < self.limit // 50:
            self.own = 1 << 30  # nothing more is given up one by one
        return large


class FileBudget:
    """What the entry points of one file may cost together. ``lines``: the file's."""

    __slots__ = ("share", "spent")

    def __init__(self, lines: int) -> None:
        self.share = max(FILE_STEPS, lines * LINE_STEPS)
        self.spent = 0

    def part(self, limit: int) -> int:
        """What the next entry point may cost that would get ``limit`` alone."""
        over, (some, least) = self.spent - self.share, SHARES
        if over <= 0:
            return min(limit, max(-over, limit // some))
        return limit // (some if over < self.share else least)
