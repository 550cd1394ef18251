"""Files checked again after some of them changed: only those that a change can reach."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from .checking import Failure
from .settling import FileReport

Check = Callable[[Sequence[str], Mapping[str, str]], Iterable[FileReport | Failure]]
"""What files show, in their order, when texts, by absolute path, stand for what lies on disk."""


class Rechecker:
    """The files of a run, ``names``, with what each showed at first."""

    def __init__(self, names: Sequence[str], check: Check, overlay: Mapping[str, str] | None = None) -> None:
        self._names = tuple(names)
        self._check = check
        self._overlay = dict(overlay or {})
        self.reports = dict(zip(self._names, check(self._names, self._overlay), strict=True))
        """What each file shows as it lies on disk, by name."""
        self._last: tuple[Mapping[str, str], dict[str, FileReport | Failure]] = {}, self.reports

    def with_texts(self, texts: Mapping[str, str]) -> dict[str, FileReport | Failure]:
        """What each file shows when the texts, by name, stand for what they name."""
        if not texts:
            return self.reports
        if texts == self._last[0]:
            return self._last[1]
        affected = self._affected(texts)
        overlay = self._overlay | {os.path.abspath(name): text for name, text in texts.items()}
        shown = self.reports | dict(zip(affected, self._check(affected, overlay), strict=True))
        self._last = dict(texts), shown
        return shown

    def _affected(self, changed: Iterable[str]) -> list[str]:
        """The files whose findings may depend on what is in the changed ones."""
        keys = {os.path.abspath(name) for name in changed}
        todo = list(keys)
        while todo:
            for importer in self._importers.get(todo.pop(), ()):
                if importer not in keys:
                    keys.add(importer)
                    todo.append(importer)
        return [name for name in self._names if os.path.abspath(name) in keys]

    @cached_property
    def _importers(self) -> dict[str, list[str]]:
        """For each module those that import it, or something in it where it is a package."""
        if len(self._names) == 1:
            return {}
        from .project import Project

        project = Project(self._overlay)
        keys = [os.path.abspath(name) for name in self._names]
        seen, todo = set(keys), list(keys)
        importers: dict[str, list[str]] = {}
        while todo:
            key = todo.pop()
            for other in project.imports(key):
                importers.setdefault(other, []).append(key)
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return importers
