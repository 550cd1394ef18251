"""Findings under the names by which the user knows the files.

The check of one file calls every other file by the way to it from here, so that what it finds does not depend on which files
are checked beside it. Once all are in, those that the user named get that name, and findings in files that were not named go.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace

from .diagnostics import Diagnostic, Span
from .settling import Entry, FileReport


class Names:
    """The files of a run, as the user named them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._spelled = {os.path.abspath(name): name for name in names}
        self._known: dict[str, str | None] = {}

    def report(self, report: FileReport) -> FileReport:
        """The report with the user's names, without what lies elsewhere."""
        return replace(report, entries=tuple(self._entry(entry) for entry in report.entries))

    def _entry(self, entry: Entry) -> Entry:
        if not entry.found:
            return entry
        shown = (renamed(it, self._shown) for it in entry.found if self._name(it.span.filename) is not None)
        return replace(entry, found=tuple(shown))

    def _name(self, filename: str) -> str | None:
        if filename not in self._known:
            self._known[filename] = self._spelled.get(os.path.abspath(filename))
        return self._known[filename]

    def _shown(self, filename: str) -> str:
        return self._name(filename) or filename


def renamed(found: Diagnostic, name: Callable[[str], str]) -> Diagnostic:
    """A finding with every place in it under another name."""

    def span(old: Span) -> Span:
        new = name(old.filename)
        return old if new == old.filename else replace(old, filename=new)

    def maybe(old: Span | None) -> Span | None:
        return None if old is None else span(old)

    fix = found.fix
    if fix is not None and fix.edits:
        fix = replace(fix, edits=tuple(replace(edit, span=span(edit.span)) for edit in fix.edits))
    return replace(
        found,
        span=span(found.span),
        related=tuple(replace(it, span=span(it.span)) for it in found.related),
        fix=fix,
        suggestion_span=maybe(found.suggestion_span),
        traces=tuple(replace(it, raised=maybe(it.raised), saved=maybe(it.saved)) for it in found.traces),
    )
