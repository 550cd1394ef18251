"""One line a finding, as compilers print them: for logs, editors and grep."""

from __future__ import annotations

from .report import Report, closing, is_fixable
from .style import Style


def render(report: Report) -> str:
    """``path:row:column: CODE message``, a star where ``--fix`` would mend it, with what is assumed, and a closing line."""
    style = Style(report.color)
    out: list[str] = []
    for found in report.diagnostics:
        start = found.span.start
        place = f"{style.strong(report.shown(found.span.filename))}:{start.row}:{start.column}:"
        assumed = f" [assuming {'; '.join(found.assumptions)}]" if found.assumptions else ""
        # What fixing has left could not be fixed.
        star = " [*]" if report.fixed is None and is_fixable(found, report.unsafe_fixes) else ""
        out.append(f"{place} {style.severity(found.severity, found.code)}{star} {found.message}{assumed}")
    end = closing(report)
    if end:
        # A list of fixes stands apart from the findings.
        out.append(end if not (report.show_fixes and report.fixed) else f"\n{end}")
    return "".join(line + "\n" for line in out)
