"""Runs the linter over libraries, each in a process with a time limit, and keeps this run's and the last run's findings."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools.corpus import findings
from tools.corpus.findings import Finding
from tools.corpus.libraries import CorpusError, Library, torch_lines

ROOT = Path(__file__).resolve().parents[2]
WORKER = ("-m", "tools.corpus.worker")


@dataclass(frozen=True)
class Outcome:
    """What a run over one library gave. ``gone`` lists what the last run found and this one does not."""

    library: Library
    lines: int = 0
    seconds: float = 0.0
    findings: Sequence[Finding] = ()
    new: frozenset[str] = frozenset()
    gone: Sequence[Finding] = ()
    given_up: int = 0
    failures: Sequence[str] = field(default_factory=tuple)


def run(
    libraries: Iterable[Library], cache: Path, limit: float, jobs: int, sources: Callable[[Library, Path], Path]
) -> Iterator[Outcome]:
    """Lints the libraries, ``jobs`` at a time, and gives each one's outcome in order as it is there.

    ``sources`` says where a library's files are. What cannot be had, crashes or takes longer than ``limit`` seconds is an
    outcome with a failure.
    """
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda library: _one(library, cache, limit, sources), libraries)


def _one(library: Library, cache: Path, limit: float, sources: Callable[[Library, Path], Path]) -> Outcome:
    try:
        folder = sources(library, cache)
    except CorpusError as error:
        return Outcome(library, failures=(str(error),))
    lines = torch_lines(folder)
    output = cache / "results" / f"{library.name}.jsonl"
    fresh = output.with_suffix(".fresh")
    done = lint(library, folder, [folder], fresh, limit)
    if done.failure is not None:
        return Outcome(library, lines, done.seconds, failures=(done.failure,))
    before = findings.read(output) if output.exists() else None
    fresh.replace(output)
    known = {it.fingerprint for it in before or ()}
    now = {it.fingerprint for it in done.findings}
    return Outcome(
        library,
        lines,
        done.seconds,
        done.findings,
        frozenset(now - known) if before is not None else frozenset(),
        [it for it in before or () if it.fingerprint not in now],
        done.given_up,
        done.faults,
    )


@dataclass(frozen=True)
class Linted:
    """What the process that lints gave: findings, or why there are none. ``faults`` are files that it could not analyse."""

    seconds: float
    findings: Sequence[Finding] = ()
    given_up: int = 0
    faults: Sequence[str] = ()
    failure: str | None = None


def lint(library: Library, folder: Path, paths: Sequence[Path], output: Path, limit: float) -> Linted:
    """Lints paths in a library's folder in a process of its own, which leaves its findings in ``output``."""
    output.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *WORKER, library.name, str(folder), str(output), *map(str, paths)]
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=limit)
    except subprocess.TimeoutExpired:
        return Linted(limit, failure=f"not done after {limit:.0f} s")
    seconds = time.monotonic() - start
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Linted(seconds, failure=f"the process ended with {done.returncode}: {last}")
    notes = json.loads(output.with_suffix(".notes").read_text(encoding="utf-8"))
    return Linted(seconds, findings.read(output), notes["given_up"], notes["failures"])


def last_findings(cache: Path, library: Library) -> list[Finding]:
    """What the last run found in a library; nothing where it was not run."""
    output = cache / "results" / f"{library.name}.jsonl"
    return findings.read(output) if output.exists() else []
