"""Lints only the files with judged findings again: a quick look at whether a change took wrong findings or true ones away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.corpus.findings import Finding
from tools.corpus.libraries import Library
from tools.corpus.run import lint
from tools.corpus.verdicts import Verdict


@dataclass(frozen=True)
class Recheck:
    """What became of a library's judged findings; ``fresh`` are those in the same files that nobody judged."""

    library: Library
    still: tuple[Verdict, ...] = ()
    gone: tuple[Verdict, ...] = ()
    fresh: tuple[Finding, ...] = ()
    failure: str | None = None


def recheck(
    libraries: Iterable[Library],
    judged: Iterable[Verdict],
    cache: Path,
    limit: float,
    jobs: int,
    sources: Callable[[Library, Path], Path],
) -> Iterator[Recheck]:
    """Each library with verdicts, in order."""
    by_library: dict[str, list[Verdict]] = {}
    for verdict in judged:
        by_library.setdefault(verdict.library, []).append(verdict)

    def one(library: Library) -> Recheck:
        verdicts = by_library[library.name]
        folder = sources(library, cache)
        paths = sorted({folder / verdict.path for verdict in verdicts})
        done = lint(library, folder, paths, cache / "results" / f"{library.name}.recheck", limit)
        if done.failure is not None:
            return Recheck(library, failure=done.failure)
        now = {it.fingerprint: it for it in done.findings if it.severity in ("error", "warning")}
        known = {it.fingerprint for it in verdicts}
        return Recheck(
            library,
            tuple(it for it in verdicts if it.fingerprint in now),
            tuple(it for it in verdicts if it.fingerprint not in now),
            tuple(it for key, it in now.items() if key not in known),
        )

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, [it for it in libraries if it.name in by_library])
