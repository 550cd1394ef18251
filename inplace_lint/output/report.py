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
    closing line. ``directory`` is what file names are shown relative to.
    """

    diagnostics: Sequence[Diagnostic]
    lines: Lines = no_lines
    checked: int = 0
    failed: int = 0
    color: bool = False
    width: int = 100
    summary: bool = True
    directory: str = field(default_factory=os.getcwd)

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


def summary(report: Report) -> str:
    """The closing line: how many findings of each severity there are."""
    counts = Counter(diagnostic.severity for diagnostic in report.diagnostics)
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    found = [plural(counts[severity], noun) for severity, noun in nouns.items() if counts[severity]]
    if not found:
        if report.failed:
            return f"{plural(report.failed, 'file')} could not be checked."
        return "All checks passed!" if report.checked else "No Python files found."
    return f"Found {' and '.join(found) if len(found) < 3 else ', '.join(found[:-1]) + ' and ' + found[-1]}."
