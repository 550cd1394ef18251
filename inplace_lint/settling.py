"""What callers settle: findings of a definition that was analysed for unknown callers, where real callers are known.

A definition that nobody in its own file calls is analysed with unknown arguments. Where another definition, of any file, calls it
and was analysed to its end, that call has shown what really comes in: whether grad mode is on, who requires grad, who is trained.
Then only what was found through callers counts. This is decided once all files are in, so that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .diagnostics import Diagnostic
from .source.suppressions import Suppressions

Definition = tuple[str, int]


@dataclass(frozen=True)
class Entry:
    """What the analysis from one entry point found.

    definition: the entry point, None for a module's own statements or for what needs no analysis. ran: the definitions that ran
    on the way. forward: what it returns is trained whoever calls it. complete: the analysis got to its end.
    """

    definition: Definition | None
    found: tuple[Diagnostic, ...]
    ran: frozenset[Definition] = frozenset()
    forward: bool = False
    complete: bool = True


@dataclass(frozen=True)
class FileReport:
    """What the check of one file found, entry point by entry point; ``comments`` are its ``# noqa``, if it has any."""

    entries: tuple[Entry, ...] = ()
    comments: Suppressions | None = None

    @classmethod
    def plain(cls, *found: Diagnostic) -> FileReport:
        """A report of findings that rest on no analysis."""
        return cls((Entry(None, found),) if found else ())


def settle(reports: Iterable[FileReport]) -> list[Diagnostic]:
    """The findings that stand, each code once at each place, in reading order: of several, the one that assumes least."""
    entries = [entry for report in reports for entry in report.entries]
    called: set[Definition] = set()
    for entry in entries:
        if entry.complete:
            called |= entry.ran
    best: dict[tuple[object, ...], Diagnostic] = {}
    for entry in entries:
        settled = entry.definition in called
        for found in entry.found:
            # A forward is trained whoever calls it, so there only stated assumptions are settled.
            if settled and (not entry.forward or found.assumptions):
                continue
            key = (found.code, found.span)
            known = best.get(key)
            if known is None or worth(found) < worth(known):
                best[key] = found.merged(known)
            else:
                best[key] = known.merged(found)
    return sorted(best.values(), key=lambda found: found.sort_key)


def worth(found: Diagnostic) -> tuple[object, ...]:
    """Orders findings of one place: the surest first, then what assumes least and tells most."""
    return (-found.severity, len(found.assumptions), -len(found.related), found.message)
