"""From paths or text to diagnostics: the whole pipeline, without a command line.

Files are found here, checked one by one (see ``checking``), by several processes where there are many, and what they found is
settled between them (see ``settling``) and selected. ``check_source`` is for one text, ``check_paths`` for files and folders.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from . import rules
from .checking import Checker, Failure
from .diagnostics import Diagnostic, Severity
from .fixing import documents, rounds, writing
from .fixing.documents import Change, Document, Unfixable
from .fixing.imports import Speller
from .fixing.rounds import NotFixed
from .fixing.writing import Written
from .rechecking import Rechecker
from .settings import Settings
from .settling import FileReport, settle
from .source import discovery, text

# Fewer files than this are checked faster than further processes start.
_WORTH_PROCESSES = 24

__all__ = [
    "Failure",
    "Fixed",
    "Result",
    "check_paths",
    "check_source",
    "check_text",
    "files_in",
    "fix_paths",
    "fix_text",
]


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
    overlay = {os.path.abspath(filename): source}
    found = _chosen(settle([Checker([filename], overlay).source(source, filename)]), settings)
    return _spelt(found, {filename: source})


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
    overlay = {os.path.abspath(filename): source}
    return _gather([Checker([filename], overlay).guarded(source, filename)], settings or Settings(), {filename: source})


def files_in(paths: Iterable[str | os.PathLike[str]], settings: Settings) -> list[Path]:
    """The files that ``check_paths`` checks."""
    return _files(paths, settings)[0]


@dataclass(frozen=True)
class Fixed:
    """What fixing came to. ``result`` is what remains, with the files as they are now.

    fixed: the findings that are gone. changes: what was, or would be, written. not_fixed: findings whose fix was not made, and
    why. written: what became of writing. capped: there were more fixes than rounds.
    """

    result: Result
    fixed: list[Diagnostic]
    changes: list[Change]
    not_fixed: list[NotFixed]
    written: Written
    capped: bool = False


def fix_paths(
    paths: Iterable[str | os.PathLike[str]],
    settings: Settings | None = None,
    jobs: int = 1,
    *,
    unsafe: bool = False,
    dry: bool = False,
) -> Fixed:
    """As ``check_paths``, and fixes what it finds: with unsafe fixes too if ``unsafe``, and writing nothing if ``dry``."""
    settings = settings or Settings()
    rules.active(settings.select, settings.extend_select, settings.ignore)
    files, missing = _files(paths, settings)
    names = [str(path) for path in files]
    signatures = {name: documents.signature(name) for name in names}
    runs = Rechecker(names, lambda some, overlay: _checked([Path(it) for it in some], jobs, names, overlay))

    def load(name: str) -> Document:
        if documents.signature(name) != signatures[name]:
            raise Unfixable("the file changed while it was checked")
        return Document.read(name)

    fixed = _fixed(runs, names, load, settings, unsafe, None if dry else writing.write)
    shown = sorted([*_chosen(missing, settings), *fixed.result.diagnostics], key=_order)
    return replace(fixed, result=replace(fixed.result, diagnostics=shown))


def fix_text(data: bytes, filename: str, settings: Settings | None = None, *, unsafe: bool = False) -> Fixed:
    """As ``fix_paths``, for one file's content that is at hand, such as standard input; nothing is written.

    Raises ``documents.Unfixable`` for what is no text.
    """
    settings = settings or Settings()
    document = Document.of(filename, data)

    def check(names: Sequence[str], overlay: Mapping[str, str]) -> Iterable[FileReport | Failure]:
        return [Checker([filename], overlay).guarded(overlay[os.path.abspath(name)], name) for name in names]

    runs = Rechecker([filename], check, {os.path.abspath(filename): document.text})
    return _fixed(runs, [filename], lambda name: document, settings, unsafe, None, {filename: document.text})


def _fixed(
    runs: Rechecker,
    names: Collection[str],
    load: rounds.Load,
    settings: Settings,
    unsafe: bool,
    write: Callable[[Sequence[Sequence[Change]]], Written] | None,
    texts: Mapping[str, str] | None = None,
) -> Fixed:
    real = {name: os.path.realpath(name) for name in names}
    # A file that goes by several names is changed under the first one.
    first = {path: name for name, path in reversed(real.items())}
    others = {name: first[path] for name, path in real.items() if first[path] != name}

    def reports(texts: Mapping[str, str]) -> Collection[FileReport | Failure]:
        linked = {name: texts[to] for name, to in others.items() if to in texts}
        return runs.with_texts({**texts, **linked}).values()

    def shown(found: Iterable[Diagnostic]) -> list[Diagnostic]:
        return _chosen((it for it in found if it.span.filename not in others), settings)

    fixer = rounds.Fixer(first.values(), load, lambda texts: _settled(reports(texts)), shown, unsafe)
    outcome = fixer.run(_settled(runs.reports.values()))
    changes = [change for group in outcome.groups for change in group]
    written = write(outcome.groups) if write is not None else Written([change.name for change in changes])
    after = {change.name: change.after for change in changes if change.name in written.names}
    result = _gather(reports(after), settings, {**(texts or {}), **after})
    fixed = [found for found in outcome.fixed if not _lies_in(found, written.failures)]
    return Fixed(result, fixed, changes, outcome.not_fixed, written, outcome.capped)


def _settled(parts: Collection[FileReport | Failure]) -> list[Diagnostic]:
    """All findings; a file on which the analysis breaks down has one that says so."""
    broken = (FileReport.plain(rules.unreadable(it.filename, it.error)) for it in parts if isinstance(it, Failure))
    return settle([*(it for it in parts if isinstance(it, FileReport)), *broken])


def _lies_in(found: Diagnostic, names: Collection[str]) -> bool:
    """Whether the place of a finding, or of its fix, is in one of the files."""
    edits = found.fix.edits if found.fix else ()
    return any(span.filename in names for span in (found.span, *(edit.span for edit in edits)))


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


def _checked(
    files: Sequence[Path], jobs: int, names: Sequence[str] = (), overlay: Mapping[str, str] | None = None
) -> Iterable[FileReport | Failure]:
    """What each file shows, in the order of the files, which are all of the run's ``names`` or some."""
    names = names or [str(path) for path in files]
    if jobs <= 1 or len(files) < _WORTH_PROCESSES:
        return map(Checker(names, overlay).file, files)
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done: list[FileReport | Failure] = []
    try:
        with ProcessPoolExecutor(min(jobs, len(files)), initializer=_begin, initargs=(names, overlay)) as pool:
            for part in pool.map(_file, files, chunksize=4):
                done.append(part)  # noqa: PERF402 - what came before a break counts
    except BrokenProcessPool:
        # A process died, out of memory or of stack. One process a file shows on which, and keeps the others.
        done.extend(_alone(path, names, overlay) for path in files[len(done) :])
    return done


_CHECKERS: list[Checker] = []
"""The checker of this process, where it is one of several."""


def _begin(names: Sequence[str], overlay: Mapping[str, str] | None = None) -> None:
    _CHECKERS[:] = [Checker(names, overlay)]


def _file(path: Path) -> FileReport | Failure:
    return _CHECKERS[0].file(path)


def _alone(path: Path, names: Sequence[str], overlay: Mapping[str, str] | None) -> FileReport | Failure:
    """What a file shows, in a process that nothing else depends on."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1, initializer=_begin, initargs=(names, overlay)) as pool:
        try:
            return pool.submit(_file, path).result()
        except BrokenProcessPool as error:
            return Failure(str(path), "the process that analysed it died", str(error))


def _gather(
    parts: Iterable[FileReport | Failure], settings: Settings, texts: Mapping[str, str] | None = None
) -> Result:
    """What the parts of a run come to; ``texts``, by name, stand for what lies on disk."""
    failures: list[Failure] = []
    reports: list[FileReport] = []
    for part in parts:
        if isinstance(part, Failure):
            failures.append(part)
        else:
            reports.append(part)
    found = settle(reports)
    shown = _chosen(found, settings)
    hidden = len(_chosen(found, replace(settings, severity=Severity.INFO))) - len(shown)
    return Result(_spelt(shown, texts or {}), failures, len(failures) + len(reports), hidden)


def _spelt(found: Iterable[Diagnostic], texts: Mapping[str, str]) -> list[Diagnostic]:
    """The findings, each with its fix in the words of the file that it is for."""

    def source(name: str) -> str:
        try:
            return texts[name] if name in texts else text.read(Path(name))
        except text.SourceError:  # the file is gone by now; nothing can be put into an empty one
            return ""

    speller = Speller(source)
    return [speller.spelt(one) for one in found]


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
