"""From paths or text to diagnostics: the whole pipeline, without a command line.

Reading, screening, lowering, interpreting, rules, suppressions and selection happen here in this order; see
``check_source`` for one text and ``check_paths`` for files and folders.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import rules
from .diagnostics import Diagnostic, Position, Severity, Span
from .settings import Settings
from .source import discovery, screen, suppressions, text

if TYPE_CHECKING:
    from .lowering import LoweredModule

# Fewer files than this are checked faster than further processes start.
_WORTH_PROCESSES = 24
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Failure:
    """The analysis of one file broke down: a fault of ours, not of the file. ``trace`` is for a bug report."""

    filename: str
    error: str
    trace: str


@dataclass(frozen=True)
class Result:
    """What a run found. ``hidden`` counts findings below the severity that is shown."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checked: int = 0
    hidden: int = 0

    def fails(self, settings: Settings) -> bool:
        """Whether anything was found that should make a CI job fail."""
        return any(found.severity >= settings.fail_on for found in self.diagnostics)


def check_source(source: str, filename: str = "<string>", settings: Settings | None = None) -> list[Diagnostic]:
    """The findings in a text, sorted; ``filename`` is the name they carry.

    A text that is no valid Python makes an ``IPL000`` finding. Raises ``rules.UnknownRule`` where the settings select
    a rule that does not exist; any other exception is a fault of the analysis.
    """
    settings = settings or Settings()
    return _chosen(_suppressed(_analysed(source, filename), source), settings)


def check_paths(paths: Iterable[str | os.PathLike[str]], settings: Settings | None = None, jobs: int = 1) -> Result:
    """Checks files, and the Python files below folders.

    What cannot be read, found or parsed is a finding and stops nothing; neither does a fault of ours, which is kept in
    ``Result.failures``. ``jobs`` is the number of processes. Raises ``rules.UnknownRule`` as ``check_source`` does.
    """
    settings = settings or Settings()
    rules.active(settings.select, settings.extend_select, settings.ignore)
    files, found = _files(paths, settings)
    result = _gather(_checked(files, jobs), settings)
    return replace(result, diagnostics=sorted([*_chosen(found, settings), *result.diagnostics], key=_order))


def check_text(source: str, filename: str, settings: Settings | None = None) -> Result:
    """As ``check_paths``, for one text that is at hand already, such as standard input."""
    return _gather([_guarded(source, filename)], settings or Settings())


def _files(paths: Iterable[str | os.PathLike[str]], settings: Settings) -> tuple[list[Path], list[Diagnostic]]:
    """The files to check, and a finding for each path that is not there or cannot be listed."""
    present: list[str | os.PathLike[str]] = []
    found: list[Diagnostic] = []
    for path in paths:
        if os.path.lexists(path):
            present.append(path)
        else:
            found.append(rules.unreadable(os.fspath(path), "cannot be read: no such file or directory"))

    def unlisted(error: OSError) -> None:
        found.append(rules.unreadable(str(error.filename), f"cannot be listed: {error.strerror or error}"))

    exclude = discovery.DEFAULT_EXCLUDE if settings.exclude is None else settings.exclude
    files = list(discovery.discover(present, exclude, settings.extend_exclude, on_error=unlisted))
    return files, found


def _checked(files: Sequence[Path], jobs: int) -> Iterable[list[Diagnostic] | Failure]:
    """Each file's findings before selection, in the order of the files."""
    if jobs <= 1 or len(files) < _WORTH_PROCESSES:
        return map(_file, files)
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done: list[list[Diagnostic] | Failure] = []
    try:
        with ProcessPoolExecutor(min(jobs, len(files))) as pool:
            for part in pool.map(_file, files, chunksize=4):
                done.append(part)  # noqa: PERF402 - what came before a break counts
    except BrokenProcessPool:
        # A process died, out of memory or of stack. One process a file shows on which, and keeps the others.
        done.extend(map(_alone, files[len(done) :]))
    return done


def _alone(path: Path) -> list[Diagnostic] | Failure:
    """``_file`` in a process that nothing else depends on."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1) as pool:
        try:
            return pool.submit(_file, path).result()
        except BrokenProcessPool as error:
            return Failure(str(path), "the process that analysed it died", str(error))


def _gather(parts: Iterable[list[Diagnostic] | Failure], settings: Settings) -> Result:
    result = Result()
    checked = hidden = 0
    for part in parts:
        checked += 1
        if isinstance(part, Failure):
            result.failures.append(part)
            continue
        shown = _chosen(part, settings)
        hidden += len(_chosen(part, replace(settings, severity=Severity.INFO))) - len(shown)
        result.diagnostics.extend(shown)
    return replace(result, checked=checked, hidden=hidden)


def _file(path: Path) -> list[Diagnostic] | Failure:
    """One file's findings before selection. Runs in a process of its own where there are many files."""
    filename = str(path)
    try:
        data = text.read_bytes(path)
        source = text.decode(data, filename)
    except text.SourceError as error:
        return [rules.unreadable(filename, error.message, error.row, error.column)]
    return _guarded(source, filename)


def _guarded(source: str, filename: str) -> list[Diagnostic] | Failure:
    """The findings in a text, or the fault that kept us from them."""
    try:
        return _suppressed(_analysed(source, filename), source)
    except Exception as error:  # whatever it is must not lose the other files' findings
        return Failure(filename, f"{type(error).__name__}: {error}", traceback.format_exc())


def _knows_torch(index: screen.ModuleIndex) -> bool:
    """Whether a module imports torch or something built on it, or may have it from a star import of its project."""
    if any("torch" in name for name in index.imports):
        return True
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names) for node in index.tree.body
    )


def _analysed(source: str, filename: str) -> list[Diagnostic]:
    """Screens, lowers and interprets a text, and asks the rules what its events mean."""
    if not screen.may_concern(source.encode(errors="replace")):
        wrong = _syntax_error(source, filename)
        return [wrong] if wrong else []
    index = screen.index(source)
    if index is not None and not (index.is_telling and _knows_torch(index)):
        # Without an import of torch, or of something built on it, nothing in a single file is known to be a tensor.
        return []
    wrong = _syntax_error(source, filename) if index is None else None
    # A syntax newer than the Python that runs us is no error as long as libcst knows it.
    if wrong is not None and sys.version_info >= (3, 14):
        return [wrong]
    from .interp import analyse
    from .lowering import LoweringError, lower

    try:
        module = lower(source, filename)
    except LoweringError as error:
        return [wrong or rules.unreadable(filename, error.message, error.row, error.column)]
    found = rules.diagnose(analyse(module), rules.RuleContext({filename: _Lowered(module, filename)}))
    return found + [rules.incomplete(filename, it.message, it.row, it.column) for it in module.problems]


def _syntax_error(source: str, filename: str) -> Diagnostic | None:
    """The finding that a text is no valid Python, by the parser of the Python that runs us."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        return rules.unreadable(filename, f"cannot be parsed: {error.msg}", error.lineno or 1, error.offset or 1)
    except (ValueError, RecursionError, MemoryError) as error:
        return rules.unreadable(filename, f"cannot be parsed: {error or 'nested too deeply'}")
    return None


def _suppressed(found: Sequence[Diagnostic], source: str) -> list[Diagnostic]:
    """The findings that no comment suppresses."""
    if not found:
        return []
    comments = suppressions.parse(source)
    return [it for it in found if not comments.suppresses(it.code, it.name, it.noqa_rows or {it.span.start.row})]


def _chosen(found: Iterable[Diagnostic], settings: Settings) -> list[Diagnostic]:
    """The findings of the rules that are on, from the severity that is shown, in reading order."""
    codes = _active(settings.select, settings.extend_select, settings.ignore)
    return sorted((it for it in found if it.code in codes and it.severity >= settings.severity), key=_order)


@cache
def _active(select: tuple[str, ...], extend_select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    """``rules.active``, once a run instead of once a file."""
    return rules.active(select, extend_select, ignore)


def _order(found: Diagnostic) -> tuple[object, ...]:
    return found.sort_key


@dataclass(frozen=True)
class _Lowered:
    """A lowered module as the rules see it."""

    module: LoweredModule
    filename: str

    @cached_property
    def lines(self) -> Sequence[str]:
        return _LINE_END.split(self.module.source)

    def span(self, origin: int) -> Span:
        return self._span(*self.module.span(origin))

    def statement_span(self, origin: int) -> Span:
        return self._span(*self.module.statement_span(origin))

    def _span(self, row: int, column: int, end_row: int, end_column: int) -> Span:
        return Span(self.filename, Position(row, column), Position(end_row, end_column))
