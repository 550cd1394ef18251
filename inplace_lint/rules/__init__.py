"""Rules: events in, diagnostics out.

To add one, write a subclass of ``Rule`` in the file of its family; it is found by itself. What it must say about
itself, and what its docstring holds, is written in ``base.py`` and ``docs.py``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Rule, RuleContext, SourceFile
    from .diagnosing import diagnose
    from .docs import Documentation, documentation, page
    from .meta import incomplete, unreadable, unused_suppression
    from .registry import UnknownRule, active, all_rules, find_rule, select, strength

__all__ = [
    "Documentation",
    "Rule",
    "RuleContext",
    "SourceFile",
    "UnknownRule",
    "active",
    "all_rules",
    "diagnose",
    "documentation",
    "find_rule",
    "incomplete",
    "page",
    "select",
    "strength",
    "unreadable",
    "unused_suppression",
]

_HOMES = {
    "base": ("Rule", "RuleContext", "SourceFile"),
    "diagnosing": ("diagnose",),
    "docs": ("Documentation", "documentation", "page"),
    "meta": ("incomplete", "unreadable", "unused_suppression"),
    "registry": ("UnknownRule", "active", "all_rules", "find_rule", "select", "strength"),
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for: a run that finds nothing needs no rule, and all of them take as long as Python's own start."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
