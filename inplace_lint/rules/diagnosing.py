"""From events to findings: every rule is asked about every event, and the best finding at each place is kept."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic
from ..events import Event, LeafWritten, Site
from . import runs
from .base import RuleContext
from .lifetime import without_consequences
from .registry import all_rules


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
