"""How often each rule was hit: what ``--statistics`` prints instead of the findings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .report import Report, closing, is_fixable

FORMATS = ("full", "concise", "json")


@dataclass
class _Count:
    """How many findings a rule has, and how many of them ``--fix`` would mend."""

    code: str
    name: str
    count: int = 0
    fixable: int = 0

    @property
    def mark(self) -> str:
        return "[ ]" if not self.fixable else "[*]" if self.fixable == self.count else "[-]"


def render(name: str, report: Report) -> str:
    """The counts as a table or as JSON, the most frequent rule first; ``name`` is one of ``FORMATS``."""
    counts = _counts(report)
    if name == "json":
        objects = [
            {
                "code": it.code,
                "name": it.name,
                "count": it.count,
                "fixable": it.fixable == it.count,
                "fixable_count": it.fixable,
            }
            for it in counts
        ]
        return json.dumps(objects, indent=2) + "\n"
    width = len(str(counts[0].count)) if counts else 0
    marked = any(it.fixable for it in counts)
    lines = [f"{it.count:>{width}}\t{it.code}\t{it.mark + ' ' if marked else ''}{it.name}" for it in counts]
    end = closing(report)
    return "".join(f"{line}\n" for line in [*lines, *([end] if end else [])])


def _counts(report: Report) -> list[_Count]:
    known: dict[str, _Count] = {}
    for found in report.diagnostics:
        it = known.setdefault(found.code, _Count(found.code, found.name))
        it.count += 1
        # What fixing has left could not be fixed.
        it.fixable += report.fixed is None and is_fixable(found, report.unsafe_fixes)
    return sorted(known.values(), key=lambda it: (-it.count, it.code))
