"""Diagnostics made by hand, for tests of what formats make of them."""

from __future__ import annotations

from inplace_lint.diagnostics import Diagnostic, Fix, Position, Related, Severity, Span
from inplace_lint.output import Report

CODE = ["def clip(w):", "    y = w.exp()", "", "    y += 1", "\ty.sum().backward()"]


def span(row: int, column: int, end_column: int, filename: str = "train.py") -> Span:
    return Span(filename, Position(row, column), Position(row, end_column))


FOUND = Diagnostic(
    code="IPL202",
    name="saved-result-overwritten",
    severity=Severity.ERROR,
    message="`y += 1` overwrites `y`",
    span=span(4, 5, 11),
    related=(
        Related("saved here", span(2, 9, 16)),
        Related("overwritten here", span(4, 5, 11)),
        Related("backward here", span(5, 2, 20)),
    ),
    assumptions=("argument `w` of `clip` requires grad",),
    torch_error="one of the variables needed",
    fix=Fix("display-only", "Do it out of place"),
    suggestion="y = y + 1",
    suggestion_span=span(4, 5, 11),
    noqa_row=4,
    url="https://example.org",
)


def report(*found: Diagnostic, color: bool = False, lines: list[str] = CODE, summary: bool = True) -> Report:
    return Report(found, lambda filename: lines, checked=1, color=color, summary=summary)
