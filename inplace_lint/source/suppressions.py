"""``# noqa`` comments.

    y[0] = 1  # noqa                        every finding on this line
    y[0] = 1  # noqa: IPL201, IPL301        these rules, by code or by name; codes of other tools are left alone
    # inplace-lint: noqa                    every finding in the file, on a line of its own
    # inplace-lint: noqa: IPL201            these rules in the whole file

As with Ruff, the comment belongs on the line where the finding is. In a multi-line string or after a backslash no
comment fits, so that there it goes at the end of the last line. The caller may name further lines that count, such
as the last one of the statement. A colon that no rule follows makes a comment void instead of silencing everything.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..diagnostics import LINE_END


class Unused(NamedTuple):
    """A suppression, or a part of one, that suppressed nothing: where its comment stands and which rules it named.

    kept: the other rules of the comment, of ours or of other tools. line: the text of the row. ended: another row follows.
    """

    row: int
    column: int
    end_column: int
    codes: tuple[str, ...]
    kept: tuple[str, ...] = ()
    line: str = ""
    ended: bool = True


@dataclass(slots=True)
class Directive:
    """One suppressing comment; ``codes`` is None where it suppresses everything."""

    row: int
    column: int
    end_column: int
    codes: tuple[str, ...] | None
    is_file_level: bool
    line: str = ""
    ended: bool = True
    used: set[str] = field(default_factory=set)

    def matches(self, code: str, name: str) -> bool:
        """Whether this comment suppresses a rule; remembers that it did."""
        if self.codes is None:
            self.used.add(code)
            return True
        hits = [written for written in self.codes if written.upper() == code or written == name]
        self.used.update(hits)
        return bool(hits)


class Suppressions:
    """The suppressing comments of one file."""

    def __init__(self, directives: Iterable[Directive], joined: Iterable[tuple[int, int]]) -> None:
        self.directives = tuple(directives)
        self._file_level = [d for d in self.directives if d.is_file_level]
        self._by_row: dict[int, list[Directive]] = {}
        for directive in self.directives:
            if not directive.is_file_level:
                self._by_row.setdefault(directive.row, []).append(directive)
        self._joined = tuple(joined)
        self._last_row = {row: last for first, last in self._joined for row in range(first, last)}

    def fresh(self) -> Suppressions:
        """The same comments, of which none has suppressed anything yet."""
        return Suppressions((replace(d, used=set()) for d in self.directives), self._joined)

    def suppresses(self, code: str, name: str, rows: Iterable[int]) -> bool:
        """Whether a finding of the rule ``code``, called ``name``, on any of ``rows`` is suppressed.

        Every comment that says so counts as used.
        """
        hits = [d for d in self._file_level if d.matches(code, name)]
        for row in {self.comment_row(row) for row in rows} | set(rows):
            hits.extend(d for d in self._by_row.get(row, ()) if d.matches(code, name))
        return bool(hits)

    def names(self, code: str, name: str, row: int) -> bool:
        """Whether a comment on the row, or one for the file, suppresses the rule by naming it; such a comment counts as used."""
        named = [d for d in (*self._file_level, *self._by_row.get(row, ())) if d.codes is not None]
        hits = [d for d in named if d.matches(code, name)]
        return bool(hits)

    def comment_row(self, row: int) -> int:
        """The row at whose end a comment for ``row`` must stand."""
        seen = row
        while seen in self._last_row:
            seen = self._last_row[seen]
        return seen

    def unused(self, names: Collection[str] = ()) -> list[Unused]:
        """What suppressed nothing so far, in the order of the file.

        Only our own codes, and the rule names given, are judged: a bare ``# noqa`` may be there for another tool.
        """
        found: list[Unused] = []
        for d in self.directives:
            if d.codes is None:
                if d.is_file_level and not d.used:
                    found.append(Unused(d.row, d.column, d.end_column, (), (), d.line, d.ended))
                continue
            idle = tuple(c for c in d.codes if (_OWN_CODE.fullmatch(c) or c in names) and c not in d.used)
            if idle:
                kept = tuple(c for c in d.codes if c not in idle)
                found.append(Unused(d.row, d.column, d.end_column, idle, kept, d.line, d.ended))
        return found


_OWN_CODE = re.compile(r"IPL\d{3}", re.IGNORECASE)
_MENTION = re.compile(r"noqa", re.IGNORECASE)

# Strings are matched only in order to be passed by. A backslash keeps the next character from ending any string.
_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\r\n]*)
    | (?P<string>\"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3}
        | "(?:[^"\\\r\n]|\\\r\n|\\.)*" | '(?:[^'\\\r\n]|\\\r\n|\\.)*')
    | (?P<joint>\\(?:\r\n|\r|\n))
    """,
    re.VERBOSE | re.DOTALL,
)
_RULE = r"(?:[A-Za-z]+[0-9]+|[a-z][a-z0-9]*(?:-[a-z0-9]+)+)"
_RULES = rf"{_RULE}(?:[\s,]+{_RULE})*(?![\w-])"
_NOQA = re.compile(
    rf"\#\s*(?P<file>inplace-lint\s*:\s*)?noqa\b(?:\s*(?P<colon>:)\s*(?P<rules>{_RULES})?)?", re.IGNORECASE
)
_RULE_ALONE = re.compile(_RULE)


def parse(source: str) -> Suppressions:
    """Find the suppressing comments of a source. Text that is no valid Python is read as far as it makes sense."""
    if not _MENTION.search(source):
        return Suppressions((), ())
    starts = [0, *(match.end() for match in LINE_END.finditer(source))]
    directives: list[Directive] = []
    joined: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(source):
        first = bisect_right(starts, match.start())
        if match["comment"] is None:
            last = bisect_right(starts, match.end() - 1) if match["joint"] is None else first + 1
            if last > first:
                joined.append((first, last))
            continue
        column = match.start() - starts[first - 1]
        before = source[starts[first - 1] : match.start()]
        directives.extend(_directives(match["comment"], first, column, before, first < len(starts)))
    return Suppressions(directives, joined)


def _directives(comment: str, row: int, column: int, before: str, ended: bool) -> Iterator[Directive]:
    for match in _NOQA.finditer(comment):
        is_file_level = match["file"] is not None
        if (is_file_level and before.strip()) or (match["colon"] and not match["rules"]):
            continue
        rules = match["rules"]
        codes = None if rules is None else tuple(_RULE_ALONE.findall(rules))
        start, end = column + match.start() + 1, column + match.end() + 1
        yield Directive(row, start, end, codes, is_file_level, before + comment, ended)
