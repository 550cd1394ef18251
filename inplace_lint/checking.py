"""One file, from its text to its findings: screened, lowered, interpreted with what it imports, put to the rules.

What a caller in another file settles cannot be decided here, so findings go out with the entry points that they came from; see
``settling``.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import rules
from .assumptions import USUAL, Assumptions
from .diagnostics import LINE_END, UNREADABLE, Diagnostic, Position, Span
from .settling import Entry, FileReport
from .source import notebook, screen, suppressions, text
from .source.markdown import blocks, is_markdown, only_code
from .source.syntax import parsed

if TYPE_CHECKING:
    from .lowering import LoweredModule
    from .project import Project


@dataclass(frozen=True)
class Failure:
    """The analysis of one file broke down: a fault of ours, not of the file. ``trace`` is for a bug report."""

    filename: str
    error: str
    trace: str


Used = tuple["bytes | None", dict[str, "bytes | None"], set[str]]
"""What a report rests on: the digest of the file, those of other files by their paths, and folders."""


class Checker:
    """Checks files of one run, each under the name that it is given; others go by the way to them from here.

    ``assumed`` says what is taken for granted in files, by name, where that is not the usual.
    """

    def __init__(
        self,
        overlay: Mapping[str, str] | None = None,
        assumed: Mapping[str, Assumptions] | None = None,
    ) -> None:
        self._assumed = dict(assumed or {})
        self._overlay = dict(overlay or {})
        self._digest: bytes | None = None

    @cached_property
    def project(self) -> Project:
        """What the files import from; made late, since most runs on small files need none of it."""
        from .project import Project

        return Project(self._overlay)

    def file(self, path: Path) -> FileReport | Failure:
        """What one file shows; what cannot be read or parsed is a finding."""
        filename = str(path)
        self._digest = None
        if "project" in self.__dict__:
            self.project.start()
        held = self._overlay.get(os.path.abspath(filename))
        if held is not None:
            return self.guarded(held, filename)
        try:
            data = text.read_bytes(path)
            self._digest = text.digest(data)
            source = text.decode(data, filename)
        except text.SourceError as error:
            return FileReport.plain(rules.unreadable(filename, error.message, error.row, error.column))
        return self.guarded(source, filename)

    def used(self) -> Used:
        """What the last file's report rests on besides the folders that were looked through: the digest of the file itself as it
        was read, None where it could not be, and those of other files."""
        files, folders = self.project.used() if "project" in self.__dict__ else ({}, set())
        return self._digest, files, folders

    def guarded(self, source: str, filename: str) -> FileReport | Failure:
        """What a text shows, or the fault that kept us from it."""
        try:
            return self.source(source, filename)
        except Exception as error:  # whatever it is must not lose the other files' findings
            return Failure(filename, f"{type(error).__name__}: {error}", traceback.format_exc())

    def source(self, source: str, filename: str) -> FileReport:
        """What a text shows, before comments and selection; any exception is a fault of the analysis."""
        if is_markdown(filename):
            return self._markdown(source, filename)
        report = self._analysed(source, filename)
        if notebook.is_notebook(filename) and any(it.code == UNREADABLE for e in report.entries for it in e.found):
            source, report = self._without_broken_cells(source, filename, report)
        comments = suppressions.parse(source)
        return replace(report, comments=comments) if comments.directives else report

    def _without_broken_cells(self, source: str, filename: str, report: FileReport) -> tuple[str, FileReport]:
        """A notebook's program and what it shows, where a cell that nobody can read hides no other one."""
        rest, broken = notebook.readable(source)
        if not broken:
            return source, report
        wrong = (rules.unreadable(filename, f"cannot be parsed: {it.message}", it.row, it.column) for it in broken)
        return rest, FileReport((*FileReport.plain(*wrong).entries, *self._analysed(rest, filename).entries))

    def _markdown(self, source: str, filename: str) -> FileReport:
        """What the blocks of a Markdown file show, each a program of its own; sketches that are no Python are passed by."""
        comments = suppressions.parse(only_code(source))
        entries: list[Entry] = []
        for block in blocks(source):
            if _syntax_error(block.program, filename) is None:
                report = self._analysed(block.program, filename, f"{os.path.abspath(filename)}:{block.row}")
                moved = partial(_in_block, filename=filename, columns=block.indent)
                entries += (replace(it, found=tuple(map(moved, it.found))) for it in report.entries)
        return FileReport(tuple(entries), comments if comments.directives else None)

    def _analysed(self, source: str, filename: str, key: str | None = None) -> FileReport:
        key = key or os.path.abspath(filename)
        if not screen.may_concern(source.encode(errors="replace"), _package(key)):
            wrong = _syntax_error(source, filename)
            return FileReport.plain(*([wrong] if wrong else []))
        index = screen.index(source)
        if index is not None and not self.project.concerns(key, index):
            # Without torch nothing is known to be a tensor, and without a write in sight nothing happens to one.
            return FileReport()
        wrong = _syntax_error(source, filename) if index is None else None
        # A syntax newer than the Python that runs us is no error as long as libcst knows it.
        if wrong is not None and sys.version_info >= (3, 14):
            return FileReport.plain(wrong)
        from .interp import analyse
        from .lowering import LoweringError, lower
        from .lowering.room import with_room

        try:
            module = lower(source, key, None if index is None else index.tree)
        except LoweringError as error:
            return FileReport.plain(wrong or rules.unreadable(filename, error.message, error.row, error.column))
        self.project.put(key, module)
        context = rules.RuleContext(_Files(self.project, {key: filename}))
        entries = [
            Entry(
                root.definition,
                tuple(rules.diagnose(root.events, context)),
                root.ran if _settles(key) else frozenset(it for it in root.ran if it[0] == key),
                root.forward,
                root.complete,
            )
            # Generated code nests deeper than the interpreter's own stack: thousands of ``elif``, for one.
            for root in with_room(lambda: analyse(module, self.project, self._assumed.get(filename, USUAL)))
        ]
        problems = [rules.incomplete(filename, it.message, it.row, it.column) for it in module.problems]
        return FileReport((*FileReport.plain(*problems).entries, *entries))


def _settles(key: str) -> bool:
    """Whether the calls in a file show how the definitions of other files are used; tests try what nobody trains with."""
    name = os.path.basename(key)
    return not (name.startswith("test_") or name.endswith("_test.py"))  # as pytest finds them


def _package(key: str) -> str | None:
    """The name of the top-level package that a file belongs to, or of the folder that it lies in."""
    folder = os.path.dirname(key)
    while os.path.lexists(os.path.join(folder, "__init__.py")) and os.path.lexists(
        os.path.join(os.path.dirname(folder), "__init__.py")
    ):
        folder = os.path.dirname(folder)
    return os.path.basename(folder) or None


def _in_block(found: Diagnostic, filename: str, columns: int) -> Diagnostic:
    """The finding of a block of Markdown at its place in the file; its fix is there to be read, since others surround it."""

    def moved(span: Span) -> Span:
        if span.filename != filename or not columns:
            return span
        start, end = (Position(it.row, it.column + columns) for it in (span.start, span.end))
        return Span(filename, start, end)

    return replace(
        found,
        span=moved(found.span),
        related=tuple(replace(step, span=moved(step.span)) for step in found.related),
        fix=found.fix and replace(found.fix, applicability="display-only", edits=()),
        suggestion_span=found.suggestion_span and moved(found.suggestion_span),
    )


def _syntax_error(source: str, filename: str) -> Diagnostic | None:
    """The finding that a text is no valid Python, by the parser of the Python that runs us."""
    wrong = parsed(source)
    if not isinstance(wrong, SyntaxError):
        return None
    return rules.unreadable(filename, f"cannot be parsed: {wrong.msg}", wrong.lineno or 1, wrong.offset or 1)


class _Files(Mapping[str, "_Lowered"]):
    """The modules that an analysis has touched, by key, as the rules see them: under the names that the user knows."""

    def __init__(self, project: Project, names: Mapping[str, str]) -> None:
        self._project = project
        self._names = names
        self._known: dict[str, _Lowered] = {}

    def __getitem__(self, key: str) -> _Lowered:
        known = self._known.get(key)
        if known is None:
            module = self._project.module(key)
            if module is None:
                raise KeyError(key)
            known = self._known[key] = _Lowered(module, self._names.get(key) or _relative(key))
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _relative(key: str) -> str:
    """A file that the user did not name: by the way to it from here where it lies below."""
    here = os.getcwd()
    return os.path.relpath(key, here) if key.startswith(here + os.sep) else key


@dataclass(frozen=True)
class _Lowered:
    """A lowered module as the rules see it."""

    module: LoweredModule
    filename: str

    @cached_property
    def lines(self) -> Sequence[str]:
        return LINE_END.split(self.module.source)

    def span(self, origin: int) -> Span:
        return self._span(*self.module.span(origin))

    def statement_span(self, origin: int) -> Span:
        return self._span(*self.module.statement_span(origin))

    def _span(self, row: int, column: int, end_row: int, end_column: int) -> Span:
        return Span(self.filename, Position(row, column), Position(end_row, end_column))
