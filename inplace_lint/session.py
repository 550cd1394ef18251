"""Files that are linted again and again while they change: an editor's open buffers, or a folder that is watched.

Only what changed, and what imports it, is analysed again; what the findings of all files come to is decided anew each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .assumptions import Assumptions
from .baseline import Baseline
from .checking import Checker, Failure
from .choosing import assumed_in, chosen, selection
from .diagnostics import Diagnostic
from .fixing.documents import Document
from .fixing.rounds import Fixer
from .judging import judge, with_failures
from .naming import Names
from .settings import SettingsSource
from .settling import FileReport
from .source import discovery
from .source.mentions import is_mentioned
from .sources import Sources


@dataclass(frozen=True)
class Shown:
    """What a run of the session shows: the findings of each file, by name, and the files on which the analysis broke down."""

    found: Mapping[str, Sequence[Diagnostic]] = field(default_factory=dict)
    failures: Sequence[Failure] = ()


class Session:
    """Texts by absolute path, which stand for the files' own, and what the check of each came to last time."""

    def __init__(self) -> None:
        self._parts: dict[str, FileReport | Failure] = {}
        self._assumed: dict[str, Assumptions] = {}
        self._mentioned: dict[str, bool] = {}

    def lint(self, texts: Mapping[str, str], changed: Collection[str] | None, settings: SettingsSource) -> Shown:
        """The findings in the texts, which are all that is open.

        ``changed`` are the files, open or not, that are not what they were at the last call, or no longer open; None where
        everything may have changed, settings included. Excluded files have no findings, even though they are named. Raises
        ``SettingsError``.
        """
        names = [name for name in texts if not _is_excluded(name, settings)]
        assumed = assumed_in(names, settings)
        if changed is None or assumed != self._assumed:
            self._parts.clear()
        # Who imports a file is looked up on disk, among what is not open: a walk through the project, not for every keystroke.
        if changed is None or self._parts.keys() != set(names) or not set(changed) <= set(names):
            self._mentioned.clear()
        self._assumed = assumed
        checker = Checker(texts, assumed)
        again = _affected(checker, names, changed or ())
        parts = {
            name: checker.file(Path(name)) if name in again or name not in self._parts else self._parts[name]
            for name in names
        }
        self._parts = parts
        found = chosen(self._judged(parts, texts, settings), settings)
        by_file: dict[str, list[Diagnostic]] = {name: [] for name in texts}
        for one in Sources(texts).spelt(found):
            by_file.setdefault(one.span.filename, []).append(one)
        return Shown(by_file, [it for it in parts.values() if isinstance(it, Failure)])

    def fixed(self, name: str, texts: Mapping[str, str], settings: SettingsSource) -> str:
        """The text of one file with all that can be fixed safely in it, each fix linted again."""
        names = list(texts)
        assumed = assumed_in(names, settings)

        def lint(changed: Mapping[str, str]) -> list[Diagnostic]:
            overlay = {**texts, **changed}
            checker = Checker(overlay, assumed)
            parts = {it: checker.file(Path(it)) for it in _affected(checker, names, [name])}
            return self._judged(parts, overlay, settings)

        def load(wanted: str) -> Document:
            return Document.of(wanted, texts[wanted].encode())

        fixer = Fixer([name], load, lint, partial(chosen, settings=settings), unsafe=False)
        outcome = fixer.run(lint({}))
        return next((change.after for group in outcome.groups for change in group), texts[name])

    def _judged(
        self, parts: Mapping[str, FileReport | Failure], texts: Mapping[str, str], settings: SettingsSource
    ) -> list[Diagnostic]:
        """What stands of all files."""
        naming = Names(parts)
        whole = {name: naming.report(it) for name, it in with_failures(parts).items()}
        path = settings.run.baseline
        baseline = None if path is None else Baseline.read(path)
        return judge(whole, self._seen_in_part(parts), baseline, Sources(texts).lines).found

    def _seen_in_part(self, names: Collection[str]) -> Callable[[str], bool]:
        """Asks of a file whether others import it that are not open."""

        def seen(name: str) -> bool:
            if name not in self._mentioned:
                self._mentioned[name] = is_mentioned(name, names)
            return self._mentioned[name]

        return seen


def _affected(checker: Checker, names: Sequence[str], changed: Iterable[str]) -> set[str]:
    """Those of the files that changed, or that lead to one that did."""
    there = set(changed)
    return {name for name in names if name in there or not there.isdisjoint(_reached(checker, name))}


def _reached(checker: Checker, name: str) -> set[str]:
    """The files that a file imports, and those that these do, with the packages that they lie in."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        for found in checker.project.imports(todo.pop()):
            if found not in seen:
                seen.add(found)
                todo.append(found)
    return seen


def _is_excluded(name: str, settings: SettingsSource) -> bool:
    return discovery.is_excluded(Path(name), lambda folder: selection(settings.of(os.path.abspath(folder))))
