"""A rule's documentation, taken from its docstring.

The docstring's first line says what the rule finds. Sections follow, each under a ``##`` heading. The section
*Example* holds two fenced ``python`` blocks, the bad code and the good; in the bad one a comment with the rule's code
marks the line that is found.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

from .base import Rule

_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Documentation:
    """A rule's documentation in parts: ``summary``, ``sections`` by heading, and the two examples where it has them."""

    summary: str
    text: str
    sections: dict[str, str]
    bad: str | None
    good: str | None


def documentation(rule: Rule) -> Documentation:
    """Reads a rule's docstring."""
    text = inspect.cleandoc(type(rule).__doc__ or "")
    parts = _HEADING.split(text)
    sections = {heading: body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}
    examples = _FENCE.findall(sections.get("Example", "") + "\n")
    return Documentation(
        summary=parts[0].strip().splitlines()[0],
        text=text,
        sections=sections,
        bad=examples[0] if examples else None,
        good=examples[1] if len(examples) > 1 else None,
    )


def page(rule: Rule) -> str:
    """The documentation as Markdown, with the rule's name, code and severity on top."""
    usual = f"Severity: {rule.severity}"
    if str(rule.severity) == "error":
        usual += " (a warning where something had to be assumed about a caller)"
    return f"# {rule.name} ({rule.code})\n\n{usual}\n\n{documentation(rule).text}\n\nRead more: {rule.url}\n"
