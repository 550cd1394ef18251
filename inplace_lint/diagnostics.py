"""The diagnostic: what rules produce and every output format prints. Imports nothing of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Literal

UNREADABLE = "IPL000"
"""The code of what cannot be read or parsed."""
LINE_END = re.compile(r"\r\n|\r|\n")
"""Where Python ends a line, and rows count on; ``str.splitlines`` splits at more."""


class Severity(IntEnum):
    """How sure and how bad: ``ERROR`` raises or is wrong as written, ``WARNING`` under a stated assumption, ``INFO`` style."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @classmethod
    def parse(cls, word: str) -> Severity:
        """The severity of that lower-case name; ``KeyError`` where there is none."""
        return cls[word.upper()]

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Row and column, both from 1; columns count characters."""

    row: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file, from ``start`` up to but not including ``end``."""

    filename: str
    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Related:
    """One step of the finding's story. ``cell`` is set by output: see ``Diagnostic``."""

    message: str
    span: Span
    cell: int | None = None


Applicability = Literal["safe", "unsafe", "display-only"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what ``span`` covers by ``content``. ``cell`` is set by output: see ``Diagnostic``."""

    content: str
    span: Span
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """How to write it instead. A fix without edits is advice with an example in ``message``."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """What a run shows of a finding, so that PyTorch's message can be held against it.

    raised: where PyTorch raises; None where that is not known, as for a result that is handed out to be trained.
    node, role: of an overwritten saved tensor, the node that saved it as PyTorch names it (``ReluBackward0``), and whether
    as its input or as its result. saved: where that ran, where it is known. shape: the tensor's sizes, None for one that
    is unknown. interior: an operation made it, so that it has a node. form, write: what kind of write it is (``method``,
    ``step``) and how it is spelt (``add_``). tracked: in grad mode.
    """

    raised: Span | None = None
    node: str | None = None
    role: Literal["input", "result"] | None = None
    saved: Span | None = None
    shape: tuple[int | None, ...] | None = None
    interior: bool = True
    form: str | None = None
    write: str | None = None
    tracked: bool = True
    in_loop: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, complete: nothing else is needed to print it.

    ``suggestion`` is the rewrite in code, as the user would type it, in place of the statement at ``suggestion_span``
    where that is set. ``cell`` is the cell of a notebook, which output fills in: until then rows count through all cells (see
    ``source/notebook.py``). ``noqa_row`` is the row on which a
    suppression comment counts (the last row of the statement that holds the finding's start). ``traces``
    are for those who hold a traceback against it: one for each way in which it comes about.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    related: tuple[Related, ...] = ()
    assumptions: tuple[str, ...] = ()
    torch_error: str | None = None
    fix: Fix | None = None
    suggestion: str | None = None
    noqa_row: int = 0
    cell: int | None = None
    url: str = ""
    noqa_rows: frozenset[int] = field(default_factory=frozenset)
    suggestion_span: Span | None = None
    traces: tuple[Trace, ...] = ()

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Orders findings as a reader meets them: by file, place, then code."""
        return (self.span.filename, self.span.start, self.code, self.message)

    def merged(self, other: Diagnostic | None) -> Diagnostic:
        """This finding with the traces of another one, of the same code at the same place."""
        if other is None or set(other.traces) <= set(self.traces):
            return self
        return replace(self, traces=tuple(dict.fromkeys((*self.traces, *other.traces))))
