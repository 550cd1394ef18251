"""A finding as the corpus keeps it: with the code it is about, and a fingerprint that outlives moved lines."""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from inplace_lint.diagnostics import Diagnostic

_AROUND = 6


@dataclass(frozen=True)
class Place:
    """A step of the finding's story: where, what happens there, and the line itself."""

    path: str
    row: int
    message: str
    text: str


@dataclass(frozen=True)
class Finding:
    """One finding in one library. ``path`` is relative to the library's folder, ``function`` the dotted definition."""

    fingerprint: str
    library: str
    path: str
    row: int
    code: str
    severity: str
    message: str
    function: str
    text: str
    assumptions: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    context: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Finding:
        """The finding that `to_json` wrote."""
        places = tuple(Place(**place) for place in data["places"])
        lists = {name: tuple(data[name]) for name in ("assumptions", "context")}
        return cls(**{**data, **lists, "places": places})


def write(findings: Iterable[Finding], path: Path) -> None:
    """Writes findings, one a line."""
    path.write_text("".join(json.dumps(it.to_json()) + "\n" for it in findings), encoding="utf-8")


def read(path: Path) -> list[Finding]:
    """The findings that `write` wrote."""
    return [Finding.from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def collect(diagnostics: Iterable[Diagnostic], library: str, folder: Path) -> list[Finding]:
    """Diagnostics of the files below a folder as findings, in the order given."""
    seen: Counter[str] = Counter()
    return [_finding(it, library, folder, seen) for it in diagnostics]


def _finding(found: Diagnostic, library: str, folder: Path, seen: Counter[str]) -> Finding:
    path = relative(found.span.filename, folder)
    row = found.span.start.row
    lines = _lines(found.span.filename)
    text = _line(lines, row)
    function = enclosing(found.span.filename, row)
    key = fingerprint(library, path, found.code, function, text)
    seen[key] += 1
    if seen[key] > 1:
        # The same words again in the same function: only their order tells them apart.
        key = fingerprint(library, path, found.code, function, text, str(seen[key]))
    places = tuple(
        Place(
            relative(it.span.filename, folder),
            it.span.start.row,
            it.message,
            _line(_lines(it.span.filename), it.span.start.row),
        )
        for it in found.related
    )
    first = max(row - _AROUND, 1)
    context = tuple(
        f"{number:5} {'>' if number == row else ' '} {_raw(lines, number)}"
        for number in range(first, min(row + _AROUND, len(lines)) + 1)
    )
    return Finding(
        key,
        library,
        path,
        row,
        found.code,
        str(found.severity),
        found.message,
        function,
        text,
        found.assumptions,
        places,
        context,
    )


def fingerprint(*parts: str) -> str:
    """A short name for a finding, out of what stays when lines move and messages are reworded."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def enclosing(filename: str, row: int) -> str:
    """The dotted name of the innermost definition that holds a row, empty at the top level or where unknown."""
    spans = [it for it in _definitions(filename) if it[0] <= row <= it[1]]
    return max(spans)[2] if spans else ""


@lru_cache(maxsize=64)
def _definitions(filename: str) -> Sequence[tuple[int, int, str]]:
    """First row, last row and dotted name of every function and class of a file."""
    try:
        tree = ast.parse(Path(filename).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found: list[tuple[int, int, str]] = []
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, outer = pending.pop()
        for child in ast.iter_child_nodes(node):
            name = outer
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{outer}.{child.name}" if outer else child.name
                found.append((child.lineno, child.end_lineno or child.lineno, name))
            pending.append((child, name))
    return found


@lru_cache(maxsize=64)
def _lines(filename: str) -> Sequence[str]:
    try:
        return Path(filename).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ()


def _raw(lines: Sequence[str], row: int) -> str:
    return lines[row - 1].rstrip() if 0 < row <= len(lines) else ""


def _line(lines: Sequence[str], row: int) -> str:
    return " ".join(_raw(lines, row).split())


def relative(filename: str, folder: Path) -> str:
    """A file's path below a folder, with forward slashes; its bare name where it lies elsewhere."""
    path = Path(filename)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
