"""What counts of the findings of all files: settled between callers, without those that a comment suppresses, and with those that
comments themselves deserve.

Which rules are on plays no part here: a suppression is used where its rule would find something, whether it is on or off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from . import rules
from .baseline import Baseline, Comparison, Entry, merged
from .checking import Failure
from .diagnostics import UNREADABLE, Diagnostic
from .fingerprints import Lines
from .settling import FileReport, settle
from .source.suppressions import Suppressions

INCOMPLETE, UNUSED = "IPL001", "IPL900"

Files = Mapping[str, "FileReport | Failure"]
"""What the check of each file came to, by its name."""


@dataclass(frozen=True)
class Judged:
    """What stands, of every rule and severity.

    found: the findings, in reading order. suppressed: those that a comment silences. comparison: those that the baseline knows,
    and the rest of it. finished: the files, as absolute paths, of which nothing can have been missed.
    """

    found: list[Diagnostic] = field(default_factory=list)
    suppressed: list[Diagnostic] = field(default_factory=list)
    comparison: Comparison = field(default_factory=Comparison)
    finished: frozenset[str] = frozenset()


def with_failures(files: Files) -> dict[str, FileReport]:
    """What each file shows; one on which the analysis breaks down has a finding that says so."""
    return {
        name: it
        if isinstance(it, FileReport)
        else FileReport.plain(rules.unreadable(name, f"could not be checked: {it.error}"))
        for name, it in files.items()
    }


def judge(
    files: Files, seen_in_part: Callable[[str], bool], baseline: Baseline | None = None, lines: Lines = lambda name: ()
) -> Judged:
    """The findings of a run. ``seen_in_part`` says of a file whether callers of it may lie in files that were not looked at: what
    is suppressed for their sake shows no use here, and is not judged. ``lines`` gives the files' lines, for the baseline."""
    reports = {os.path.abspath(name): report for name, report in files.items() if isinstance(report, FileReport)}
    names = {os.path.abspath(name): name for name in files}
    comments = {key: it.comments.fresh() for key, it in reports.items() if it.comments is not None}
    unfinished = _unfinished(reports)
    judged = Judged(finished=frozenset(reports.keys() - unfinished))
    for found in settle(reports.values()):
        here = comments.get(os.path.abspath(found.span.filename))
        hidden = (
            found.code != UNREADABLE
            and here is not None
            and here.suppresses(found.code, found.name, found.noqa_rows or {found.span.start.row})
        )
        (judged.suppressed if hidden else judged.found).append(found)
    for key, here in comments.items():
        if key not in unfinished:
            idle = _unused(names[key], here)
            if idle and not seen_in_part(names[key]):
                judged.found.extend(idle)
    judged.found.sort(key=lambda found: found.sort_key)
    if baseline is None:
        return judged
    comparison = baseline.compare(judged.found, lines)
    known = {id(one) for one, _, _ in comparison.known}
    new = [one for one in judged.found if id(one) not in known]
    return replace(judged, found=new, comparison=comparison)


def _unfinished(reports: dict[str, FileReport]) -> set[str]:
    """The files in which something may have been missed."""
    missed: set[str] = set()
    for key, report in reports.items():
        for entry in report.entries:
            if not entry.complete or any(it.code in (UNREADABLE, INCOMPLETE) for it in entry.found):
                missed |= {key, *(file for file, _ in entry.ran)}
    return missed


def _unused(filename: str, comments: Suppressions) -> list[Diagnostic]:
    """A finding for each comment that suppresses nothing, or not all that it says. Such a finding can be suppressed, too."""
    found: list[Diagnostic] = []
    names = {rule.name for rule in rules.all_rules()}
    own = rules.find_rule(UNUSED)
    for unused in comments.unused(names):
        others = tuple(code for code in unused.codes if code.upper() != own.code and code != own.name)
        # The mention of this rule is used by what it silences, if there is anything.
        if (others or not unused.codes) and comments.names(own.code, own.name, unused.row):
            continue
        found.append(rules.unused_suppression(filename, unused))
    return found


@dataclass(frozen=True)
class Compared:
    """A baseline, and a run that was held against it.

    stale: entries that match nothing any more. kept: those that match nothing either, in files that were not, or not fully, seen.
    """

    baseline: Baseline
    comparison: Comparison
    stale: list[Entry]
    kept: list[Entry]

    def pruned(self) -> Baseline:
        """The baseline without what is stale; what was renamed goes by its new name."""
        known = [(identity, reason) for _, identity, reason in self.comparison.known]
        return self.baseline.updated(merged(known, self.kept))

    def with_new(self, shown: Iterable[Diagnostic]) -> Baseline:
        """The same with the findings that are shown and that it does not know yet."""
        wanted = {(one.code, one.span) for one in shown}
        new = [(identity, "") for one, identity in self.comparison.new if (one.code, one.span) in wanted]
        known = [(identity, reason) for _, identity, reason in self.comparison.known]
        return self.baseline.updated(merged([*known, *new], self.kept))


def compared(baseline: Baseline, judged: Judged, names: Iterable[str], in_part: Callable[[str], bool]) -> Compared:
    """An entry is stale if it matches nothing in a file of which nothing can have been missed, or that is gone."""
    named = {os.path.abspath(name): name for name in names}
    stale: list[Entry] = []
    kept: list[Entry] = []
    for entry in judged.comparison.unmatched:
        path = os.path.abspath(os.path.join(baseline.root, entry.path))
        seen = path in judged.finished and not in_part(named[path])
        (stale if seen or not os.path.lexists(path) else kept).append(entry)
    return Compared(baseline, judged.comparison, stale, kept)
