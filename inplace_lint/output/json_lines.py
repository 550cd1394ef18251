"""One JSON object a line, for programs that read as the lines come."""

from __future__ import annotations

import json

from .json import as_object
from .report import Report


def render(report: Report) -> str:
    """The objects of the format ``json``, each on a line of its own."""
    return "".join(
        json.dumps(as_object(found), ensure_ascii=False, separators=(",", ":")) + "\n" for found in report.diagnostics
    )
