"""One line a finding, as compilers print them: for logs, editors and grep."""

from __future__ import annotations

from .report import Report, closing, is_fixable
from .style import Style
from .words import on_one_line, sentence, within

CELLS = "files"


def render(report: Report) -> str:
    """``path:row:column: CODE message``, a star where ``--fix`` would mend it, with what is assumed, and a closing line."""
    style = Style(report.color)
    out: list[str] = []
    for found in report.diagnostics:
        place = f"{style.strong(on_one_line(report.shown(found.span.filename)))}:{within(found)}:"
        # What fixing has left could not be fixed.
        star = " [*]" if report.fixed is None and is_fixable(found, report.unsafe_fixes) else ""
        out.append(f"{place} {style.severity(found.severity, found.code)}{star} {sentence(found)}")
    end = closing(report)
    if end:
        # A list of fixes stands apart from the findings.
        out.append(end if not (report.show_fixes and report.fixed) else f"\n{end}")
    return "".join(line + "\n" for line in out)
