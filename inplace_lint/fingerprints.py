"""What a finding is recognised by from run to run: the file, the rule, the definition and the text it points at, not its line.

A finding keeps its identity when lines move, when comments or indentation change, and when other findings come or go. It loses
it when the text itself is edited, which is when somebody should look again. Equal ones in one definition are numbered.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .diagnostics import Diagnostic, Span

Lines = Callable[[str], Sequence[str]]
"""A file's lines without their ends, by the name that findings carry; none where it cannot be read."""

_HEAD = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)")


@dataclass(frozen=True, order=True)
class Identity:
    """One finding, apart from where its lines are.

    path: the file, relative to some root, with ``/``. scope: the names of the definitions around it, joined by dots; empty at
    module level. text: what it points at, in one line. occurrence: counts from 1 those that are the same in all else.
    """

    path: str
    code: str
    scope: str
    text: str
    occurrence: int = 1

    @property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that stand for the identity."""
        parts = "\0".join((self.path, self.code, self.scope, self.text, str(self.occurrence)))
        return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()[:32]


def identities(found: Iterable[Diagnostic], lines: Lines, root: str | None = None) -> list[Identity]:
    """The identity of each finding, in their order; ``root`` is what paths are relative to, the working directory by default."""
    base = os.path.abspath(root or os.getcwd())
    given = list(found)
    made: dict[int, Identity] = {}
    seen: Counter[Identity] = Counter()
    # Numbered in the order of the file, in whichever order they come.
    for index in sorted(range(len(given)), key=lambda it: given[it].sort_key):
        one = given[index]
        text = lines(one.span.filename)
        first = Identity(relative(one.span.filename, base), one.code, scope(text, one.span), pointed(text, one.span))
        seen[first] += 1
        made[index] = Identity(first.path, first.code, first.scope, first.text, seen[first])
    return [made[index] for index in range(len(given))]


def fingerprints(found: Iterable[Diagnostic], lines: Lines, root: str | None = None) -> list[str]:
    """The fingerprint of each finding, in their order; see ``identities``."""
    return [identity.fingerprint for identity in identities(found, lines, root)]


def relative(filename: str, root: str) -> str:
    """The way to a file from an absolute folder, with ``/`` on every system; standard input is called ``-``."""
    if filename == "-":
        return filename
    path = os.path.abspath(filename)
    with suppress(ValueError):  # another drive
        path = os.path.relpath(path, root)
    return path.replace(os.sep, "/")


def pointed(lines: Sequence[str], span: Span) -> str:
    """The text that a span covers, with each run of white space as one blank; empty where the file has no such place."""
    start, end = span.start, span.end
    rows = list(lines[start.row - 1 : end.row])
    if not rows:
        return ""
    if end.row == start.row + len(rows) - 1:
        rows[-1] = rows[-1][: end.column - 1]
    rows[0] = rows[0][start.column - 1 :]
    return " ".join(" ".join(rows).split())


def scope(lines: Sequence[str], span: Span) -> str:
    """The names of the definitions around a span, joined by dots, as indentation tells them: no parser is needed for that."""
    if span.start.row > len(lines):
        return ""
    names: list[str] = []
    inner = _indent(lines[span.start.row - 1])
    for row in range(span.start.row - 2, -1, -1):
        if not inner:
            break
        line = lines[row].strip()
        indent = _indent(lines[row])
        if indent >= inner or not line or line[0] in "#)]}":
            continue
        inner = indent
        head = _HEAD.match(line)
        if head:
            names.append(head[1])
    return ".".join(reversed(names))


def _indent(line: str) -> int:
    text = line.expandtabs(8)
    return len(text) - len(text.lstrip())
