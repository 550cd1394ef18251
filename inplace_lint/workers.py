"""The files of a run, checked in this process or by several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .assumptions import Assumptions
from .checking import Checker, Failure
from .settling import FileReport

Progress = Callable[[int, int], None]
"""Is told how many files are done, and out of how many."""

# Fewer files than this are checked faster than further processes start.
_WORTH_PROCESSES = 24


def checked(
    files: Sequence[Path],
    jobs: int,
    names: Sequence[str],
    overlay: Mapping[str, str] | None,
    assumed: Mapping[str, Assumptions],
    progress: Progress = lambda done, total: None,
) -> Iterable[FileReport | Failure]:
    """What each file shows, in the order of the files, which are all of the run's ``names`` or some."""
    start = (names, overlay, assumed)
    if jobs <= 1 or len(files) < _WORTH_PROCESSES:
        return _one_by_one(Checker(*start), files, progress)
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done: list[FileReport | Failure] = []
    try:
        with ProcessPoolExecutor(min(jobs, len(files)), initializer=_begin, initargs=start) as pool:
            for part in pool.map(_file, files, chunksize=4):
                done.append(part)  # what came before a break counts
                progress(len(done), len(files))
    except BrokenProcessPool:
        # A process died, out of memory or of stack. One process a file shows on which, and keeps the others.
        done.extend(_alone(path, start) for path in files[len(done) :])
    return done


def _one_by_one(checker: Checker, files: Sequence[Path], progress: Progress) -> Iterator[FileReport | Failure]:
    for number, path in enumerate(files, 1):
        yield checker.file(path)
        progress(number, len(files))


_CHECKERS: list[Checker] = []
"""The checker of this process, where it is one of several."""


_Start = tuple[Sequence[str], "Mapping[str, str] | None", Mapping[str, Assumptions]]
"""What a checker is made of."""


def _begin(*start: Any) -> None:
    _CHECKERS[:] = [Checker(*start)]


def _file(path: Path) -> FileReport | Failure:
    return _CHECKERS[0].file(path)


def _alone(path: Path, start: _Start) -> FileReport | Failure:
    """What a file shows, in a process that nothing else depends on."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(1, initializer=_begin, initargs=start) as pool:
        try:
            return pool.submit(_file, path).result()
        except BrokenProcessPool as error:
            return Failure(str(path), "the process that analysed it died", str(error))
