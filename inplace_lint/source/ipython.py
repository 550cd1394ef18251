"""What IPython reads besides Python, put aside in comments so that the rows stay, and brought back.

    %matplotlib inline      ->  pass  # ipython> %matplotlib inline
    files = !ls             ->  files = None  # ipython> !ls
    %%bash                  ->  # ipython> %%bash        and so every row of the cell

Cells that are plain Python are left alone. Inside brackets and strings a row that begins with a percent sign is no magic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .syntax import parsed

_NOTE = "# ipython> "
_HIDDEN = re.compile(rf"^(?P<code>.*?)(?P<stand_in>pass  |None  |){re.escape(_NOTE)}(?P<magic>.*)$", re.MULTILINE)

# Cell magics whose cell is Python all the same.
_PYTHON_CELLS = frozenset({"capture", "prun", "pypy", "python", "python3", "time", "timeit"})
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w*)")
_ESCAPE = re.compile(r"^(?P<code>\s*)(?P<magic>[%!?/,;].*)$")
_ASSIGNED = re.compile(r"^(?P<code>\s*[A-Za-z_][\w.,\s\[\]'\"()*]*=\s*)(?P<magic>[%!].*)$")
_HELP = re.compile(r"^(?P<code>\s*)(?P<magic>[%\w.*\[\]'\"]+\?{1,2}\s*)$")
_TOKEN = re.compile(
    r"""
      (?P<comment>\#.*) | (?P<long>\"{3}|'{3}) | "(?:[^"\\]|\\.)*"? | '(?:[^'\\]|\\.)*'?
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    """,
    re.VERBOSE,
)


def hidden(cell: str) -> str:
    """A cell as Python, row by row."""
    if not any(sign in cell for sign in "%!?/,;") or _is_python(cell):
        return cell
    rows = cell.split("\n")
    first = next((number for number, row in enumerate(rows) if row.strip()), 0)
    magic = _CELL_MAGIC.match(rows[first])
    if magic:
        kept = rows[first + 1 :] if magic["name"] in _PYTHON_CELLS else []
        aside = rows[first : len(rows) - len(kept)]
        rest = hidden("\n".join(kept)).split("\n") if kept else []
        return "\n".join([*rows[:first], *(f"{_NOTE}{row}" for row in aside), *rest])
    return "\n".join(_rows(rows))


def shown(cell: str) -> str:
    """The cell as it was before ``hidden``."""
    return _HIDDEN.sub(lambda match: match["code"] + match["magic"], cell) if _NOTE in cell else cell


def _rows(rows: list[str]) -> Iterator[str]:
    before, in_magic = _Before(), False
    for row in rows:
        if in_magic:
            # A magic goes on after a backslash.
            yield f"{_NOTE}{row}"
            in_magic = row.endswith("\\")
            continue
        match = (_ESCAPE.match(row) or _ASSIGNED.match(row) or _HELP.match(row)) if before.ended else None
        if match is None:
            yield row
            before = before.and_row(row)
        else:
            stand_in = "None" if match.re is _ASSIGNED else "pass"
            yield f"{match['code']}{stand_in}  {_NOTE}{match['magic']}"
            in_magic = row.endswith("\\")


@dataclass(frozen=True)
class _Before:
    """What the rows so far leave open: brackets, a string over several rows, a backslash at the end."""

    depth: int = 0
    quote: str = ""
    joint: bool = False

    @property
    def ended(self) -> bool:
        """Whether a new statement begins here."""
        return not (self.depth > 0 or self.quote or self.joint)

    def and_row(self, row: str) -> _Before:
        """The same with one row more."""
        depth, quote, at = self.depth, self.quote, 0
        while at < len(row):
            if quote:
                closing = re.compile(rf"(?:[^\\]|\\.)*?{quote}").match(row, at)
                if closing is None:
                    return _Before(depth, quote)
                quote, at = "", closing.end()
                continue
            token = _TOKEN.search(row, at)
            if token is None:
                break
            if token["comment"]:
                return _Before(depth)
            quote, at = token["long"] or "", token.end()
            depth += bool(token["open"]) - bool(token["close"])
        return _Before(depth, quote, row.endswith("\\"))


def _is_python(cell: str) -> bool:
    return not isinstance(parsed(cell), SyntaxError)
