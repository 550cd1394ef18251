"""What several formats say of a finding in plain text."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Span
from ..source.markdown import is_markdown
from .report import Report


def on_one_line(text: str) -> str:
    """The text without line breaks, for formats that have a line for each finding."""
    return " ".join(text.split("\n")) if "\n" in text else text


def sentence(found: Diagnostic) -> str:
    """The message and what it assumes: all that a format without a place for assumptions has to say, on one line."""
    assumed = f" [assuming {'; '.join(found.assumptions)}]" if found.assumptions else ""
    return on_one_line(f"{found.message}{assumed}")


def place(found: Diagnostic, report: Report) -> str:
    """``path:row:column`` as people read it, with the cell of a notebook as Ruff writes it (``path:cell 2:row:column``)."""
    return f"{report.shown(found.span.filename)}:{within(found)}"


def within(found: Diagnostic) -> str:
    """The part of a place that follows the file's name."""
    return _within(found.cell, found.span)


def _within(cell: int | None, span: Span) -> str:
    place = f"{span.start.row}:{span.start.column}"
    return place if cell is None else f"cell {cell}:{place}"


def caution(found: Diagnostic) -> str | None:
    """What to know before a fix is applied; None where there is no code to apply, or nothing to fear."""
    fix = found.fix
    if fix is None or not (fix.edits or found.suggestion) or fix.applicability == "safe":
        return None
    if is_markdown(found.span.filename):
        return "This fix is only shown: blocks in Markdown are never written to"
    if fix.applicability == "unsafe" and fix.edits:
        return "This is an unsafe fix and may change runtime behavior"
    return "This is a display-only fix and is never applied: the code does not tell what was meant"


def advice(found: Diagnostic, *, code: bool = True) -> list[str]:
    """How to write it instead, as lines: the reason, the code where it is asked for, and a word of caution."""
    if found.fix is None:
        return []
    lines = [f"help: {found.fix.message}"]
    if found.suggestion and code:
        lines += [f"    {line}".rstrip() for line in found.suggestion.split("\n")]
    note = caution(found)
    return [*lines, f"note: {note}"] if note else lines


def story(found: Diagnostic, report: Report) -> list[str]:
    """The steps that lead to the finding, as numbered lines, each with its place."""
    return [
        f"{number}. {report.shown(step.span.filename)}:{_within(step.cell, step.span)}: {step.message}"
        for number, step in enumerate(found.related, 1)
    ]
