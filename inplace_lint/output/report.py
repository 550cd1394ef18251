"""What an output format is given, and helpers that formats share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..diagnostics import Diagnostic, Severity

Lines = Callable[[str], Sequence[str]]


def no_lines(filename: str) -> Sequence[str]:
    """A source of lines that has none, for formats that print no code."""
    return ()


@dataclass(frozen=True)
class Report:
    """Everything about a run that a format may print.

    ``lines`` gives a file's lines without their ends, none where the file cannot be read. ``checked`` is the number of
    files that were looked at, ``failed`` the number of those on which the analysis broke down. ``summary`` asks for a
    closing line. ``directory`` is what file names are shown relative to. ``fixed`` are findings that are gone, None where
    fixing was not asked for; ``show_fixes`` asks for a list of them, and ``unsafe_fixes`` says whether unsafe ones are made.
    ``baselined`` are findings that the baseline knows: not among ``diagnostics``, and hidden but where a format can mark them.
    """

    diagnostics: Sequence[Diagnostic]
    lines: Lines = no_lines
    checked: int = 0
    failed: int = 0
    color: bool = False
    width: int = 100
    summary: bool = True
    directory: str = field(default_factory=os.getcwd)
    fixed: Sequence[Diagnostic] | None = None
    show_fixes: bool = False
    unsafe_fixes: bool = False
    baselined: Sequence[Diagnostic] = ()

    def shown(self, filename: str) -> str:
        """The file's name as people read it: relative where the file lies below the directory."""
        if not os.path.isabs(filename):
            return filename
        try:
            relative = os.path.relpath(filename, self.directory)
        except ValueError:  # another drive
            return filename
        return filename if relative.startswith(os.pardir + os.sep) or relative == os.pardir else relative


def plural(count: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def is_fixable(found: Diagnostic, unsafe: bool) -> bool:
    """Whether ``--fix`` would change the code, with unsafe fixes allowed or not."""
    fix = found.fix
    return fix is not None and bool(fix.edits) and (fix.applicability == "safe" or (unsafe and _is_unsafe(found)))


def _is_unsafe(found: Diagnostic) -> bool:
    return found.fix is not None and bool(found.fix.edits) and found.fix.applicability == "unsafe"


def closing(report: Report) -> str:
    """What follows the findings: the list of fixes and the summary, as far as they are asked for."""
    parts: list[str] = []
    if report.show_fixes and report.fixed:
        parts.append(_list_of_fixes(report, report.fixed) + ("\n" if report.summary else ""))
    if report.summary:
        parts.append(summary(report))
    return "\n".join(parts)


def _list_of_fixes(report: Report, fixed: Sequence[Diagnostic]) -> str:
    """What was fixed, file by file, the most frequent rule first."""
    lines = [f"Fixed {plural(len(fixed), 'error')}:"]
    names = sorted({found.span.filename for found in fixed})
    width = 0
    for name in names:
        counts = Counter((found.code, found.name) for found in fixed if found.span.filename == name)
        width = max(width, *(len(str(count)) for count in counts.values()))
    for name in names:
        lines.append(f"- {report.shown(name)}:")
        counts = Counter((found.code, found.name) for found in fixed if found.span.filename == name)
        for (code, rule), count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
            lines.append(f"    {count:>{width}} × {code} ({rule})")
    return "\n".join(lines)


def summary(report: Report) -> str:
    """The closing lines: how many findings of each severity there were, how many are fixed, and how many could be."""
    fixed = report.fixed or ()
    counts = Counter(diagnostic.severity for diagnostic in (*report.diagnostics, *fixed))
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    found = [plural(counts[severity], noun) for severity, noun in nouns.items() if counts[severity]]
    if not found:
        if report.failed:
            return f"{plural(report.failed, 'file')} could not be checked."
        return "All checks passed!" if report.checked else "No Python files found."
    total = f"{' and '.join(found) if len(found) < 3 else ', '.join(found[:-1]) + ' and ' + found[-1]}"
    done = f" ({len(fixed)} fixed, {len(report.diagnostics)} remaining)" if fixed else ""
    hint = _hint(report)
    return f"Found {total}{done}." + (f"\n{hint}" if hint else "")


def _hint(report: Report) -> str:
    """How many findings ``--fix`` would mend, and how many more with ``--unsafe-fixes``."""
    # After fixing, what is left could not be fixed.
    ready = sum(is_fixable(found, report.unsafe_fixes) for found in report.diagnostics) if report.fixed is None else 0
    hidden = 0 if report.unsafe_fixes else sum(map(_is_unsafe, report.diagnostics))
    more = f"{hidden} unsafe {'fix' if hidden == 1 else 'fixes'} available with `--fix --unsafe-fixes`"
    if ready:
        return f"[*] {ready} fixable with `--fix`{f' ({more})' if hidden else ''}."
    return f"{more}." if hidden else ""


def diff_summary(fixed: Sequence[Diagnostic], left: Sequence[Diagnostic], unsafe_fixes: bool) -> str:
    """The closing line of a run that only shows what it would fix; empty where there is nothing to say."""
    hidden = 0 if unsafe_fixes else sum(map(_is_unsafe, left))
    if fixed:
        more = f" ({hidden} additional {'fix' if hidden == 1 else 'fixes'} available with `--unsafe-fixes`)"
        return f"Would fix {plural(len(fixed), 'error')}{more if hidden else ''}."
    word = "fix" if hidden == 1 else "fixes"
    return f"No errors would be fixed ({hidden} {word} available with `--unsafe-fixes`)." if hidden else ""
