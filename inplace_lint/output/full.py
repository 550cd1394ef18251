"""The finding as a story: code with carets, the steps in order, PyTorch's own words, and what to write instead."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Span
from .report import Report, closing, is_fixable
from .style import Style
from .suggestion import TAB, drawn, suggested, visible
from .words import caution, within

# Lines between two marked ones are printed where there are no more than this; else three dots stand for them.
_CLOSE = 2


@dataclass(frozen=True)
class _Mark:
    """A stretch of code to underline, with what is said of it."""

    span: Span
    label: str
    primary: bool


CELLS = "files"


def render(report: Report) -> str:
    """Every finding in full, an empty line between two, and a closing line."""
    style = Style(report.color)
    blocks = ["\n".join(_finding(found, report, style)) for found in report.diagnostics]
    end = closing(report)
    if end:
        blocks.append(end)
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _finding(found: Diagnostic, report: Report, style: Style) -> Iterable[str]:
    # What fixing has left could not be fixed.
    star = "[*]" if report.fixed is None and is_fixable(found, report.unsafe_fixes) else ""
    severity = style.severity(found.severity, f"{found.severity}[{found.code}]{star}")
    yield f"{severity}: {style.strong(found.message)}"
    marks = _marks(found)
    change = suggested(found, report)
    rows = [mark.span.start.row for mark in marks]
    gutter = " " * len(str(max(rows if change is None else [*rows, change.last_row])))
    bar = style.frame(f"{gutter} |")
    for filename in dict.fromkeys([found.span.filename, *(mark.span.filename for mark in marks)]):
        yield from _frame(
            filename, found, [it for it in marks if it.span.filename == filename], len(gutter), report, style
        )
    yield bar
    if found.torch_error:
        yield from _note(gutter, "PyTorch", found.torch_error, report, style)
    for assumption in found.assumptions:
        yield from _note(gutter, "assuming", assumption, report, style)
    if found.fix is not None:
        head, *rest = textwrap.wrap(found.fix.message, max(report.width - 6, 40), break_on_hyphens=False) or [""]
        yield f"{style.help('help')}: {head}"
        yield from (" " * 6 + line for line in rest)
        if change is not None:
            yield bar
            yield from drawn(change, len(gutter), style)
            yield bar
        note = caution(found)
        if note:
            yield f"{style.help('note')}: {note}"


def _marks(found: Diagnostic) -> list[_Mark]:
    """The story's steps, numbered where the order of rows would tell it wrongly, and the finding's own place."""
    places = [(step.span.filename, step.span.start) for step in found.related]
    in_order = len({filename for filename, _ in places}) <= 1 and places == sorted(places)
    marks = [
        _Mark(step.span, step.message if in_order else f"{number}. {step.message}", step.span == found.span)
        for number, step in enumerate(found.related, 1)
    ]
    if not any(mark.primary for mark in marks):
        marks.append(_Mark(found.span, "", True))
    return marks


def _frame(
    filename: str, found: Diagnostic, marks: list[_Mark], width: int, report: Report, style: Style
) -> Iterable[str]:
    """One file's part of the story."""
    here = filename == found.span.filename
    place = marks[0].span.start
    arrow = style.frame(f"{' ' * width}{'-->' if here else ':::'}")
    yield f"{arrow} {report.shown(filename)}:{within(found) if here else f'{place.row}:{place.column}'}"
    lines = report.lines(filename)
    if not any(mark.span.start.row <= len(lines) for mark in marks):
        return
    bar = style.frame(f"{' ' * width} |")
    yield bar
    by_row: dict[int, list[_Mark]] = {}
    for mark in marks:
        by_row.setdefault(mark.span.start.row, []).append(mark)
    previous: int | None = None
    for row in sorted(by_row):
        if row > len(lines):
            continue
        if previous is not None and row - previous - 1 > _CLOSE:
            yield style.frame("...")
        else:
            for between in range((previous or row) + (previous is not None), row):
                yield _code(between, lines, width, style)
        yield _code(row, lines, width, style)
        for mark in by_row[row]:
            yield f"{bar} {_underline(mark, lines[row - 1], found, style)}"
        previous = row


def _code(row: int, lines: Sequence[str], width: int, style: Style) -> str:
    text = visible(lines[row - 1])
    return f"{style.frame(f'{row:>{width}} |')} {text}".rstrip()


def _underline(mark: _Mark, line: str, found: Diagnostic, style: Style) -> str:
    """Carets or dashes below the marked text, followed by the label."""
    start, end = mark.span.start.column - 1, mark.span.end.column - 1
    if mark.span.end.row > mark.span.start.row:
        end = len(line.rstrip())
    before = _columns(line[:start])
    length = max(_columns(line[:end]) - before, 1)
    text = f"{('^' if mark.primary else '-') * length} {mark.label}".rstrip()
    return " " * before + (style.severity(found.severity, text) if mark.primary else style.step(text))


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    shown = text.expandtabs(TAB)
    return len(shown) if shown.isascii() else sum(map(_width, shown))


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _note(gutter: str, word: str, text: str, report: Report, style: Style) -> Iterable[str]:
    """A note below the frame, wrapped under itself."""
    head = f"{gutter} = {word}: "
    indent = " " * len(head)
    wrapped = textwrap.wrap(text, max(report.width - len(head), 40), break_long_words=False, break_on_hyphens=False)
    yield f"{style.frame(f'{gutter} =')} {style.strong(word)}: {wrapped[0] if wrapped else ''}"
    for line in wrapped[1:]:
        yield indent + line
