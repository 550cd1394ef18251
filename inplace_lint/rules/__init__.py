"""Rules: events in, diagnostics out.

To add one, write a subclass of ``Rule`` in the file of its family; it is found by itself. What it must say about
itself, and what its docstring holds, is written in ``base.py`` and ``docs.py``.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic
from ..events import Event, LeafWritten, Site
from . import runs
from .base import Rule, RuleContext, SourceFile
from .docs import Documentation, documentation, page
from .lifetime import without_consequences
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


def diagnose(events: Iterable[Event], ctx: RuleContext) -> list[Diagnostic]:
    """The findings that the events make, each code once at each place, in reading order.

    Where several events make the same finding, the one that assumes least and tells most is kept.
    """
    best: dict[tuple[object, ...], tuple[tuple[object, ...], Diagnostic]] = {}
    sites: dict[tuple[object, ...], Site] = {}
    for event in without_consequences(events, ctx):
        for rule in all_rules():
            if not isinstance(event, rule.handles):
                continue
            found = rule.check(event, ctx)
            if found is None:
                continue
            key = (found.code, found.span)
            worth = (-found.severity, len(found.assumptions), -len(found.related), found.message)
            known = best.get(key)
            if isinstance(event, LeafWritten):
                sites[key] = event.write.site
            if known is None or worth < known[0]:
                best[key] = (worth, found.merged(known[1] if known else None))
            else:
                best[key] = (known[0], known[1].merged(found))
    kept = runs.joined({key: found for key, (_, found) in best.items()}, sites, ctx)
    return sorted(kept.values(), key=lambda found: found.sort_key)
