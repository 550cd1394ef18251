"""Fixtures of several files: a folder with a ``main.py``, run in torch as a script and linted as a whole.

The comments on the lines are those of ``fixtures``, in every file of the folder. Torch is asked once, by running ``main.py``: a
``# torch:`` comment says that the exception passes that line with that text in it; without any the program has to run to its end.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from inplace_lint.api import check_paths
from inplace_lint.diagnostics import Severity
from tools.truth.fixtures import Fixture, check_linter
from tools.truth.oracle import ROOT
from tools.truth.statements import Statements

PROJECTS = ROOT / "fixtures" / "projects"
LIMIT = 120.0


@dataclass(frozen=True)
class ProjectFixture:
    """A folder, and what the lines of its files say."""

    folder: Path
    files: tuple[Fixture, ...]

    @property
    def name(self) -> str:
        """How to speak of it."""
        return self.folder.name


@dataclass(frozen=True)
class Ran:
    """What running ``main.py`` showed: the exception's text, if any, and the (file, line) that it passed."""

    error: str | None
    passed: tuple[tuple[str, int], ...] = ()


def load_projects(root: Path = PROJECTS) -> Iterator[ProjectFixture]:
    """The fixtures of several files, by name."""
    for main in sorted(root.glob("*/main.py")):
        files = sorted(main.parent.rglob("*.py"))
        yield ProjectFixture(
            main.parent, tuple(Fixture.parse(file.read_text(encoding="utf-8"), file) for file in files)
        )


def _script(folder: str, answer: Connection) -> None:
    """Run ``main.py`` in a forked process, where torch is imported already."""
    import runpy

    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    warnings.simplefilter("ignore")
    ran = Ran(None)
    try:
        runpy.run_path(os.path.join(folder, "main.py"), run_name="__main__")
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        passed = tuple((frame.filename, frame.lineno or 0) for frame in frames if frame.filename.startswith(folder))
        ran = Ran(f"{type(error).__name__}: {error}", passed)
    answer.send(ran)
    answer.close()


def run(project: ProjectFixture) -> Ran:
    """Run a project's ``main.py`` under torch. Raises ``RuntimeError`` where it does not end in time."""
    import torch

    torch.set_num_threads(1)  # a fork must not inherit a pool of threads
    context = get_context("fork")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_script, args=(str(project.folder), send))
    process.start()
    send.close()
    try:
        if not receive.poll(LIMIT):
            raise RuntimeError(f"{project.name} does not end")
        answer = receive.recv()
        assert isinstance(answer, Ran)
        return answer
    finally:
        process.kill()
        process.join()


def check_run(project: ProjectFixture, ran: Ran) -> list[str]:
    """Where the comments and torch disagree, a sentence each."""
    noted = [(file, line, text) for file in project.files for line, text in file.torch]
    problems: list[str] = []
    for file, line, text in noted:
        lines = Statements(file.source)
        passes = any(path == str(file.path) and lines.same(line, at) for path, at in ran.passed)
        if ran.error is None or text not in ran.error or not passes:
            problems.append(f"{file.path.name}:{line}: torch does not raise `{text}` here (but {ran.error})")
    if not noted and ran.error is not None:
        problems.append(f"main.py does not run: {ran.error}")
    return problems


def check_findings(project: ProjectFixture) -> list[str]:
    """Where the comments and the linter disagree, a sentence each."""
    result = check_paths([project.folder])
    problems = [failure.error for failure in result.failures]
    for file in project.files:
        found = [
            (it.span.start.row, it.code)
            for it in result.diagnostics
            if os.path.abspath(it.span.filename) == str(file.path) and it.severity >= Severity.WARNING
        ]
        problems += [f"{file.path.name}: {problem}" for problem in check_linter(file, found)]
    return problems
