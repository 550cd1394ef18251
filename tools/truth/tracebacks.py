"""What real torch prints when a fixture fails, with and without anomaly mode, and whether ``explain-error`` finds the culprit.

A worker keeps torch imported and runs each fixture in a fork of itself. It reads one JSON object a line (``path``, ``anomaly``)
and answers with one (``text``: what the fixture printed on standard error).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.truth.fixtures import NOT_RUN, Fixture
from tools.truth.oracle import ROOT
from tools.truth.statements import Statements


class Tracebacks:
    """Runs fixtures; to be used as a context, which ends the worker."""

    def __enter__(self) -> Tracebacks:
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "tools.truth.tracebacks"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait()

    def of(self, path: Path, anomaly: bool) -> str:
        """What a program prints on standard error, its uncaught exception included."""
        assert self._worker.stdin is not None and self._worker.stdout is not None
        self._worker.stdin.write(json.dumps({"path": str(path), "anomaly": anomaly}) + "\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        if not line:
            raise RuntimeError("the worker ended; is torch installed?")
        text = json.loads(line)["text"]
        assert isinstance(text, str)
        return text


@dataclass(frozen=True)
class Explained:
    """What ``explain-error`` makes of a fixture's traceback. ``first``: the culprit is ranked first. ``kind``: of the error,
    None where none is recognised."""

    fixture: Fixture
    kind: str | None
    first: bool
    ranked: tuple[tuple[int, int, str], ...] = ()


def failing(fixtures: Iterator[Fixture]) -> Iterator[Fixture]:
    """The fixtures that torch refuses, and that say which line is to blame."""
    return (it for it in fixtures if it.expected and any(text != NOT_RUN for _, text in it.torch))


def explain(case: Fixture, text: str) -> Explained:
    """Ranks the findings in a fixture against what torch printed; each is (score, row, code)."""
    from inplace_lint import api
    from inplace_lint.diagnostics import Severity
    from inplace_lint.explain import match, places
    from inplace_lint.explain.traceback import NoError, parse
    from inplace_lint.settings import Settings

    error = parse(text)
    if isinstance(error, NoError):
        return Explained(case, None, False)
    lines = case.source.split("\n")
    found = api.check_source(case.source, str(case.path), Settings(severity=Severity.INFO))
    finder = places.Finder([str(case.path)], lambda filename: lines)
    ranked = match.rank(error, match.Stacks(finder.places(error.raised), finder.places(error.forward)), found)
    rows = tuple((it.score, it.finding.span.start.row, it.finding.code) for it in ranked)
    same = Statements(case.source).same
    first = bool(rows) and any(same(rows[0][1], line) for line, _ in case.expected)
    return Explained(case, error.kind, first, rows)


def _run(path: str, anomaly: bool, out: int) -> None:
    """Runs a program as a script, with its standard error going to a file; for a fork that ends afterwards."""
    import torch

    os.dup2(out, 2)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"], sys.argv = module, [path]
    torch.autograd.set_detect_anomaly(anomaly)
    try:
        exec(compile(Path(path).read_text(encoding="utf-8"), path, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()


def main() -> None:
    """Serve until standard input closes."""
    import torch
    import torch.utils.checkpoint

    torch.set_num_threads(1)
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.TemporaryFile() as printed:
            child = os.fork()
            if child == 0:
                try:
                    _run(request["path"], request["anomaly"], printed.fileno())
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            printed.seek(0)
            text = printed.read().decode(errors="replace")
        print(json.dumps({"text": text}), flush=True)


if __name__ == "__main__":
    main()
