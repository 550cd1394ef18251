"""Patterns of files: with a slash for an absolute path, without one for a name; ``*`` goes across folders, as in Ruff."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from glob import escape

_NEVER = r"(?!)"


class Patterns:
    """Several patterns, of which one has to match. Those with a slash are relative to the working directory unless absolute."""

    def __init__(self, patterns: Iterable[str]) -> None:
        here = escape(os.getcwd().replace(os.sep, "/")).rstrip("/")
        names: list[str] = []
        paths: list[str] = []
        for written in patterns:
            for pattern in alternatives(written.rstrip("/") or written):
                if "/" not in pattern:
                    names.append(pattern)
                elif os.path.isabs(pattern):
                    paths.append(pattern)
                else:
                    paths.append(f"{here}/{pattern.removeprefix('./')}")
        self._names = _either(names)
        self._paths = _either(paths) if paths else None

    def match(self, name: str, path: str) -> bool:
        """Whether one matches a file or folder of that name, at that path (relative to the working directory, or absolute)."""
        if self._names.match(name):
            return True
        return self._paths is not None and bool(self._paths.match(os.path.abspath(path).replace(os.sep, "/")))


@lru_cache(maxsize=256)
def compiled(patterns: tuple[str, ...]) -> Patterns:
    """The same patterns are compiled once."""
    return Patterns(patterns)


def _either(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_translated, patterns)) or _NEVER)


def _translated(pattern: str) -> str:
    """The pattern as a regular expression. A folder of two stars stands for any number of folders, none included."""
    parts = pattern.split("**/")
    return "(?:.*/)?".join([*(_bare(part) for part in parts[:-1]), fnmatch.translate(parts[-1])])


def _bare(pattern: str) -> str:
    """The translation without the end of the text, which only the last part has."""
    whole = fnmatch.translate(pattern)
    return re.sub(r"^\(\?s:(.*)\)\\[Zz]$", r"(?s:\1)", whole, flags=re.DOTALL)


def alternatives(pattern: str) -> list[str]:
    """The patterns that one with ``{a,b}`` stands for."""
    opening = pattern.find("{")
    if opening < 0:
        return [pattern]
    depth, cuts = 0, [opening]
    for index in range(opening, len(pattern)):
        character = pattern[index]
        depth += (character == "{") - (character == "}")
        if depth == 1 and character == ",":
            cuts.append(index)
        elif depth == 0:
            parts = [pattern[a + 1 : b] for a, b in zip(cuts, [*cuts[1:], index], strict=True)]
            return [it for part in parts for it in alternatives(pattern[:opening] + part + pattern[index + 1 :])]
    return [pattern]
