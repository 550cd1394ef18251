"""Ask real torch: `judge` runs a program in a warm worker process and says what autograd thought of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.truth.verdict import Finding, Kind, Verdict

__all__ = ["Finding", "Kind", "Oracle", "Verdict", "judge"]

ROOT = Path(__file__).resolve().parents[2]


class _Worker:
    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.truth.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the oracle's worker ended; is torch installed?")
        said = json.loads(answer)
        assert isinstance(said, dict)
        return said

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Oracle:
    """A pool of warm workers. Use it as a context manager; `judge` may be called from several threads."""

    def __init__(self, workers: int = 1, limit: float = 20.0) -> None:
        self.limit = limit
        self._workers = [_Worker() for _ in range(workers)]
        self._free = list(self._workers)
        self._gate = threading.Condition()

    def judge(self, source: str) -> Verdict:
        """Run ``source`` in torch and say what happened. Raises ``RuntimeError`` only if the worker itself is gone."""
        return Verdict.from_json(self._ask({"source": source}))

    def rerun(self, original: str, fixed: str, others: bool) -> dict[str, Any]:
        """Run a program before and after a fix; what `rerun.compare` says, or what kept it from saying so."""
        return self._ask({"source": original, "fixed": fixed, "others": others})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._gate:
            self._gate.wait_for(lambda: bool(self._free))
            worker = self._free.pop()
        try:
            return worker.ask({**request, "limit": self.limit})
        finally:
            with self._gate:
                self._free.append(worker)
                self._gate.notify()

    def judge_all(self, sources: Iterable[str]) -> Iterator[Verdict]:
        """The verdicts on many programs, in their order."""
        with ThreadPoolExecutor(len(self._workers)) as pool:
            yield from pool.map(self.judge, sources)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_shared: Oracle | None = None


def judge(source: str) -> Verdict:
    """`Oracle.judge` with one worker that lives as long as this process."""
    global _shared
    if _shared is None:
        _shared = Oracle()
    return _shared.judge(source)
