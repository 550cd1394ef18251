"""The files of a run: what is known of them from earlier runs, and the others checked, in this process or by several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .assumptions import Assumptions
from .checking import Checker, Failure, Used
from .garbage import collect_seldom
from .naming import Names
from .settling import FileReport
from .source import suppressions, text

if TYPE_CHECKING:
    from .caching import Cache

Progress = Callable[[int, int], None]
"""Is told how many files are done, and out of how many."""

Report = FileReport | Failure

# Fewer files than this are checked faster than further processes start.
_WORTH_PROCESSES = 24


def checked(
    files: Sequence[Path],
    jobs: int,
    names: Sequence[str],
    overlay: Mapping[str, str] | None,
    assumed: Mapping[str, Assumptions],
    progress: Progress = lambda done, total: None,
    cache: Cache | None = None,
) -> Iterable[Report]:
    """What each file shows, in the order of the files, which are all of the run's ``names`` or some.

    ``cache`` is used, and filled, where no text stands for a file.
    """
    known = {} if cache is None or overlay else _known(cache, files)
    missing = [path for path in files if path not in known]
    naming = Names(names)
    fresh = _fresh(missing, jobs, overlay, assumed)
    done = len(known)
    try:
        for path in files:
            report: Report | None = known.get(path)
            if report is None:
                report, used = next(fresh)
                done += 1
                if cache is not None and not overlay and isinstance(report, FileReport):
                    cache.keep(str(path), report.entries, *used)
            yield naming.report(report) if isinstance(report, FileReport) else report
            if missing:
                progress(done, len(files))
    finally:  # what was done before an interruption counts
        if cache is not None:
            cache.save()


def checked_text(source: str, filename: str, overlay: Mapping[str, str], assumed: Mapping[str, Assumptions]) -> Report:
    """What a text shows that goes by a file's name, when texts, by absolute path, stand for files."""
    report = Checker(overlay, assumed).guarded(source, filename)
    return Names([filename]).report(report) if isinstance(report, FileReport) else report


def _known(cache: Cache, files: Sequence[Path]) -> dict[Path, FileReport]:
    """What is known of files from earlier runs, with the comments that are in them now."""
    known: dict[Path, FileReport] = {}
    entries = cache.known(str(path) for path in files)
    for path in files:
        found = entries.get(str(path))
        if found is None:
            continue
        try:
            comments = suppressions.parse(text.decode(text.read_bytes(path), str(path)))
        except text.SourceError:  # as the entries say
            known[path] = FileReport(found)
            continue
        known[path] = replace(FileReport(found), comments=comments if comments.directives else None)
    return known


def _fresh(
    files: Sequence[Path],
    jobs: int,
    overlay: Mapping[str, str] | None,
    assumed: Mapping[str, Assumptions],
) -> Iterator[tuple[Report, Used]]:
    """What files show, checked one by one or by several processes, and what that rests on."""
    start = (overlay, assumed)
    if jobs <= 1 or len(files) < _WORTH_PROCESSES:
        checker = Checker(*start)
        for path in files:
            yield checker.file(path), checker.used()
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done = 0
    try:
        with ProcessPoolExecutor(min(jobs, len(files)), initializer=_begin, initargs=start) as pool:
            for part in pool.map(_file, files, chunksize=4):
                yield part  # what came before a break counts
                done += 1
    except BrokenProcessPool:
        # A process died, out of memory or of stack. One process a file shows on which, and keeps the others.
        for path in files[done:]:
            yield _alone(path, start)


_CHECKERS: list[Checker] = []
"""The checker of this process, where it is one of several."""


_Start = tuple["Mapping[str, str] | None", Mapping[str, Assumptions]]
"""What a checker is made of."""


def _begin(*start: Any) -> None:
    collect_seldom()
    _CHECKERS[:] = [Checker(*start)]


def _file(path: Path) -> tuple[Report, Used]:
    return _CHECKERS[0].file(path), _CHECKERS[0].used()


def _alone(path: Path, start: _Start) -> tuple[Report, Used]:
    """What a file shows, in a process that nothing else depends on."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1, initializer=_begin, initargs=start) as pool:
        try:
            return pool.submit(_file, path).result()
        except BrokenProcessPool as error:
            return Failure(str(path), "the process that analysed it died", str(error)), (None, {}, set())
