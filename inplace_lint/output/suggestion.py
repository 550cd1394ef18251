"""A fix as a small diff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from ..diagnostics import LINE_END, Diagnostic
from .places import joined
from .report import Report
from .style import Style

TAB = 4
"""Columns between tab stops."""

# A change of so few lines is shown with those that stay; of a longer one, only what changes.
_SHORT = 3


@dataclass(frozen=True)
class Change:
    """Lines from ``row`` on, and those that take their place. Without old lines, code whose place is not known."""

    row: int
    old: Sequence[str]
    new: Sequence[str]

    @property
    def last_row(self) -> int:
        """The last of the old rows."""
        return self.row + max(len(self.old) - 1, 0)


def suggested(found: Diagnostic, report: Report) -> Change | None:
    """What the fix does to the file: by its edits where it has some, else by the code that the rule suggests."""
    edit = joined(found.fix.edits, report) if found.fix and found.fix.edits else None
    if edit is not None and edit.span.filename == found.span.filename:
        start, end = edit.span.start, edit.span.end
        old = report.lines(edit.span.filename)[start.row - 1 : end.row]
        if len(old) == end.row - start.row + 1:
            text = old[0][: start.column - 1] + edit.content + old[-1][end.column - 1 :]
            return Change(start.row, list(map(visible, old)), list(map(visible, LINE_END.split(text))))
    if not found.suggestion:
        return None
    new = found.suggestion.split("\n")
    span = found.suggestion_span
    lines = report.lines(span.filename) if span else ()
    if span is None or span.end.row > len(lines):
        return Change(1, (), list(map(visible, new)))
    old = list(map(visible, lines[span.start.row - 1 : span.end.row]))
    indent = old[0][: len(old[0]) - len(old[0].lstrip())]
    return Change(span.start.row, old, [visible(f"{indent}{line}") for line in new])


def drawn(change: Change, width: int, style: Style) -> Iterable[str]:
    """The change as lines, with the old rows' numbers in a column of that width."""
    old, new = change.old, change.new
    for kind, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            for offset in range(start, end if len(old) <= _SHORT else start):
                yield style.frame(f"{change.row + offset:>{width}}") + f"   {old[offset]}".rstrip()
            continue
        for offset in range(start, end):
            yield style.frame(f"{change.row + offset:>{width}} ") + style.removed(f"- {old[offset]}".rstrip())
        for line in new[new_start:new_end]:
            yield style.frame(f"{'':>{width}} ") + style.added(f"+ {line}".rstrip())


def visible(line: str) -> str:
    """A line as a terminal can show it: tabs as spaces, and characters that would move the cursor as pictures."""
    return line.expandtabs(TAB).rstrip().translate(_PICTURES)


_PICTURES = (
    {number: 0x2400 + number for number in range(0x20)} | {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
)
