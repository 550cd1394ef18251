"""From events to findings: every rule is asked about every event, and the best finding at each place is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..diagnostics import Diagnostic, Position
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
    return sorted(_first_of_chains(kept.values()), key=lambda found: found.sort_key)


def _first_of_chains(found: Collection[Diagnostic]) -> list[Diagnostic]:
    """The findings without the later writes of a chain of calls (``x.add_(1).mul_(2)``): without the first one they are none."""
    first: dict[tuple[str, str, Position], Diagnostic] = {}
    for one in found:
        known = first.get(_beginning(one))
        if known is None or one.span.end < known.span.end:
            first[_beginning(one)] = one
    return [one for one in found if one is first[_beginning(one)] or one.severity > first[_beginning(one)].severity]


def _beginning(found: Diagnostic) -> tuple[str, str, Position]:
    return found.code, found.span.filename, found.span.start
