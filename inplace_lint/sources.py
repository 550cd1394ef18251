"""The texts of a run's files, for those who print, compare or repair findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .diagnostics import LINE_END, Diagnostic
from .fixing.imports import Speller
from .source import text


class Sources:
    """The texts of a run's files: those given, by name, and else what lies on disk. Each is read once."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})
        self._lines: dict[str, Sequence[str]] = {}

    def text(self, name: str) -> str:
        """A file's text; nothing where it cannot be read."""
        if name not in self._texts:
            try:
                self._texts[name] = text.read(Path(name))
            except text.SourceError:  # the file is gone by now; nothing can be put into an empty one
                self._texts[name] = ""
        return self._texts[name]

    def lines(self, name: str) -> Sequence[str]:
        """A file's lines, without their ends."""
        if name not in self._lines:
            self._lines[name] = LINE_END.split(self.text(name))
        return self._lines[name]

    def spelt(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings, each with its fix in the words of the file that it is for."""
        speller = Speller(self.text)
        return [speller.spelt(one) for one in found]
