"""From paths or text to diagnostics: the whole pipeline, without a command line.

Files are found here, checked one by one (see ``checking``), by several processes where there are many, and what they found is
settled between them (see ``settling``) and selected. ``check_source`` is for one text, ``check_paths`` for files and folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from . import rules
from .checking import Checker, Failure
from .diagnostics import Diagnostic, Severity
from .settings import Settings
from .settling import FileReport, settle
from .source import discovery

# Fewer files than this are checked faster than further processes start.
_WORTH_PROCESSES = 24

__all__ = ["Failure", "Result", "check_paths", "check_source", "check_text"]


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
    return _chosen(settle([Checker([filename], overlay).source(source, filename)]), settings)


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
    return _gather([Checker([filename], overlay).guarded(source, filename)], settings or Settings())


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


def _checked(files: Sequence[Path], jobs: int) -> Iterable[FileReport | Failure]:
    """What each file shows, in the order of the files."""
    names = [str(path) for path in files]
    if jobs <= 1 or len(files) < _WORTH_PROCESSES:
        return map(Checker(names).file, files)
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done: list[FileReport | Failure] = []
    try:
        with ProcessPoolExecutor(min(jobs, len(files)), initializer=_begin, initargs=(names,)) as pool:
            for part in pool.map(_file, files, chunksize=4):
                done.append(part)  # noqa: PERF402 - what came before a break counts
    except BrokenProcessPool:
        # A process died, out of memory or of stack. One process a file shows on which, and keeps the others.
        done.extend(_alone(path, names) for path in files[len(done) :])
    return done


_CHECKERS: list[Checker] = []
"""The checker of this process, where it is one of several."""


def _begin(names: Sequence[str]) -> None:
    _CHECKERS[:] = [Checker(names)]


def _file(path: Path) -> FileReport | Failure:
    return _CHECKERS[0].file(path)


def _alone(path: Path, names: Sequence[str]) -> FileReport | Failure:
    """What a file shows, in a process that nothing else depends on."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1, initializer=_begin, initargs=(names,)) as pool:
        try:
            return pool.submit(_file, path).result()
        except BrokenProcessPool as error:
            return Failure(str(path), "the process that analysed it died", str(error))


def _gather(parts: Iterable[FileReport | Failure], settings: Settings) -> Result:
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
    return Result(shown, failures, len(failures) + len(reports), hidden)


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
