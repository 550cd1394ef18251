"""A change as a unified diff."""

from __future__ import annotations

import difflib
import re

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def unified(before: str, after: str, name: str) -> list[str]:
    """The lines of a diff, each with its end, that ``patch`` and ``git apply`` can read."""
    out: list[str] = []
    for line in difflib.unified_diff(_LINE.findall(before), _LINE.findall(after), name, name):
        out.append(line if line.endswith("\n") else f"{line}\n")
        if not line.endswith("\n"):
            out.append("\\ No newline at end of file\n")
    return out
