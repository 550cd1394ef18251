"""One line a finding, as compilers print them: for logs, editors and grep."""

from __future__ import annotations

from .report import Report, summary
from .style import Style


def render(report: Report) -> str:
    """``path:row:column: CODE message``, with what had to be assumed, and a closing line."""
    style = Style(report.color)
    out: list[str] = []
    for found in report.diagnostics:
        start = found.span.start
        place = f"{style.strong(report.shown(found.span.filename))}:{start.row}:{start.column}:"
        assumed = f" [assuming {'; '.join(found.assumptions)}]" if found.assumptions else ""
        out.append(f"{place} {style.severity(found.severity, found.code)} {found.message}{assumed}")
    if report.summary:
        out.append(summary(report))
    return "".join(line + "\n" for line in out)
