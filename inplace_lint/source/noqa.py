"""``# noqa`` comments changed: rules taken out of one, or put into a line. Text around them stays as it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..diagnostics import LINE_END, Diagnostic
from . import suppressions
from .suppressions import Directive, Unused

_FIRST_RULE = re.compile(r":\s*(?=[A-Za-z])")


class LineEdit(NamedTuple):
    """What takes the place of the columns, from 1, ``start`` up to but not including ``end``. None: the line goes."""

    start: int
    end: int
    content: str | None


def without(unused: Unused) -> LineEdit:
    """The edit that takes the unused rules out of their comment, and the whole comment where nothing else is in it."""
    line = unused.line
    before, old, after = (
        line[: unused.column - 1],
        line[unused.column - 1 : unused.end_column - 1],
        line[unused.end_column - 1 :],
    )
    if unused.kept:
        head = old[: _after_colon(old)]
        return LineEdit(unused.column, unused.end_column, head + ", ".join(unused.kept))
    code = before.rstrip()
    rest = after.strip()
    if not rest:
        return (
            LineEdit(1, len(line) + 1, None if unused.ended else "")
            if not code
            else LineEdit(len(code) + 1, len(line) + 1, "")
        )
    # What follows the rules is a reason, or another comment, and stays.
    content = rest if rest.startswith("#") else f"# {rest}"
    return LineEdit(unused.column, len(line) + 1, content)


def _after_colon(comment: str) -> int:
    """Where the rules of a comment begin: after the last colon that rules follow (``inplace-lint: noqa: ...`` has two)."""
    return max(match.end() for match in _FIRST_RULE.finditer(comment))


class Unsuitable(Exception):
    """No comment can be put there, for the reason given."""


def suppressing(source: str, found: Sequence[Diagnostic], reason: str = "") -> tuple[str, int, list[Diagnostic]]:
    """The source with comments that suppress the findings, on how many lines, and the findings for which none works.

    Raises ``Unsuitable`` as ``with_noqa`` does.
    """
    comments = suppressions.parse(source)
    # Where nothing suppresses so far, the parser has not looked for lines that belong together.
    rows = comments if comments.directives else suppressions.parse(f"{source}\n# noqa")
    codes: dict[int, set[str]] = {}
    for one in found:
        codes.setdefault(rows.comment_row(one.noqa_row), set()).add(one.code)
    after = with_noqa(source, codes, reason)
    works = suppressions.parse(after)
    missed = [one for one in found if not works.suppresses(one.code, one.name, one.noqa_rows or {one.noqa_row})]
    return after, len(codes), missed


def with_noqa(source: str, codes: Mapping[int, Iterable[str]], reason: str = "") -> str:
    """The source with a comment for each row that suppresses the rules given for it, in the form that Ruff writes.

    Rows must be those at whose end a comment works (see ``Suppressions.comment_row``). Rules are added to a comment that is there
    already; ``reason`` goes behind new ones. Raises ``Unsuitable`` where the program would not be the same with the comments.
    """
    ends = list(LINE_END.finditer(source))
    starts = [0, *(match.end() for match in ends)]
    known: dict[int, list[Directive]] = {}
    for directive in suppressions.parse(source).directives:
        if not directive.is_file_level and directive.codes is not None:
            known.setdefault(directive.row, []).append(directive)
    pieces: list[str] = []
    last = 0
    for row in sorted(codes):
        start = starts[row - 1]
        end = ends[row - 1].start() if row <= len(ends) else len(source)
        line = source[start:end]
        pieces += [source[last:start], _line_with(line, sorted(set(codes[row])), known.get(row, []), reason)]
        last = end
    after = "".join([*pieces, source[last:]])
    if not _same_program(source, after):
        raise Unsuitable("a comment there would change the program")
    return after


def _line_with(line: str, codes: Sequence[str], directives: Sequence[Directive], reason: str) -> str:
    if directives:
        directive = directives[-1]
        assert directive.codes is not None
        new = [code for code in codes if code not in directive.codes]
        at = directive.end_column - 1
        return f"{line[:at]}{''.join(f', {code}' for code in new)}{line[at:]}"
    comment = f"# noqa: {', '.join(codes)}{f' {reason}' if reason else ''}"
    return f"{line.rstrip()}  {comment}"


def _same_program(before: str, after: str) -> bool:
    try:
        return ast.dump(ast.parse(before)) == ast.dump(ast.parse(after))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
