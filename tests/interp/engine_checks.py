"""Helpers: what the linter reports on a small source whose first lines are always the same."""

from __future__ import annotations

import textwrap

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic, Severity
from inplace_lint.interp.reveal import check

HEAD = "import torch\nw = torch.randn(3, requires_grad=True)\n"


def program(source: str) -> str:
    """A source after the common head."""
    return HEAD + textwrap.dedent(source)


def diagnostics(source: str) -> list[Diagnostic]:
    """All findings but those of style."""
    return [found for found in check_source(program(source), "program.py") if found.severity >= Severity.WARNING]


def disagreements(source: str) -> list[str]:
    """Where findings differ from the comments ``# CODE`` on the lines, and states from the reveal comments."""
    text = program(source)
    wanted = set()
    for row, line in enumerate(text.splitlines(), 1):
        for comment in line.split("#")[1:]:
            if comment.strip().startswith("IPL"):
                wanted |= {(row, code) for code in comment.replace(",", " ").split()}
    found = {(one.span.start.row, one.code) for one in diagnostics(source)}
    problems = [f"line {row}: {code} is not reported" for row, code in sorted(wanted - found)]
    problems += [f"line {row}: {code} is reported" for row, code in sorted(found - wanted)]
    return problems + check(text, "program.py")
