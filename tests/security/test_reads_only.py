"""The linter never runs what it reads: a project full of traps is linted, and no trap leaves its trace."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from inplace_lint.cli import main; sys.argv[0] = 'inplace-lint'; main()"
# Written as a library would write it, so that the whole analysis passes through the traps.
TRAINS = "import torch\nw = torch.ones(3, requires_grad=True)\ny = w.exp()\ny += 1\ny.sum().backward()\n"
NAMES = (
    *("setup.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "noxfile.py", "package/__init__.py"),
    *("package/__main__.py", "package/model.py"),
)
SHADOWS = (
    *("torch", "libcst", "click", "json", "ast", "pathlib", "sqlite3", "tomllib", "pathspec", "concurrent"),
    "multiprocessing",
)


def set_traps(project: Path) -> Path:
    """Fills a project with files that leave a file behind if they are run; returns that file's path."""
    trace = project.parent / "trace"
    trap = f"open({str(trace)!r}, 'a').write(__name__ + ' ')\n"
    decorated = (
        f"def leave(it): open({str(trace)!r}, 'a').write('decorator ')\n"
        f"@leave\nclass Net(torch.nn.Module):\n    @leave\n    def forward(self, x=open({str(trace)!r}, 'a')):\n"
        "        y = x.exp()\n        y += 1\n        return y\n"
    )
    for name in NAMES:
        (project / name).parent.mkdir(exist_ok=True, parents=True)
        (project / name).write_text(trap + TRAINS + decorated)
    (project / "train.py").write_text("from package.model import Net, leave\nimport setup, conftest\n" + trap + TRAINS)
    (project / "run.pth").write_text("import os; " + trap)
    for number in range(30):  # enough for several processes
        (project / f"module_{number}.py").write_text(trap + TRAINS)
    return trace


def set_shadows(project: Path) -> None:
    """Files named as modules that the linter imports."""
    for name in SHADOWS:
        (project / f"{name}.py").write_text((project / "setup.py").read_text())


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def run(command: Sequence[str], project: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, env=environment(**more))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """What pip installs as `inplace-lint`: a script in a folder of its own."""
    path = tmp_path / "bin" / "inplace-lint"
    path.parent.mkdir()
    path.write_text(COMMAND + "\n")
    return path


def test_traps_are_traps(project: Path) -> None:
    # The control: run by Python, they do leave a trace.
    trace = set_traps(project)
    run([sys.executable, "setup.py"], project)
    assert trace.exists()


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "--jobs", "2"], ["check", "--diff", "--unsafe-fixes", "train.py"]]
)
def test_command_leaves_no_trace(project: Path, script: Path, arguments: list[str]) -> None:
    trace = set_traps(project)
    set_shadows(project)
    done = run([sys.executable, str(script), *arguments], project)
    assert done.returncode == 1, done.stderr
    assert "y += 1" in done.stdout  # the files were analysed, not passed by
    assert not trace.exists()


def test_module_leaves_no_trace(project: Path) -> None:
    # Python looks in the current folder first on `-m`; the linter takes that back before it imports anything.
    trace = set_traps(project)
    set_shadows(project)
    done = run([sys.executable, "-m", "inplace_lint", "check", "--no-cache", "train.py"], project)
    assert done.returncode == 1, done.stderr
    assert "IPL202" in done.stdout
    assert not trace.exists()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 always looks in the current folder")
def test_processes_that_start_anew_leave_no_trace(project: Path, tmp_path: Path) -> None:
    # As on macOS and Windows, and everywhere from Python 3.14 on.
    trace = set_traps(project)
    set_shadows(project)
    script = tmp_path / "bin" / "run.py"
    script.parent.mkdir()
    script.write_text(
        "import multiprocessing\nfrom inplace_lint.cli import main\n"
        "if __name__ == '__main__':\n    multiprocessing.set_start_method('spawn')\n    main()\n"
    )
    done = run([sys.executable, str(script), "check", "--no-cache", "--jobs", "2"], project)
    assert done.returncode == 1, done.stderr
    assert "IPL202" in done.stdout
    assert not trace.exists()


class Leaves:
    """An object that runs code when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch {self.trace}",))


def test_cache_of_others_is_only_data(project: Path, script: Path) -> None:
    trace = set_traps(project)
    bad = pickle.dumps(Leaves(trace))
    run([sys.executable, str(script), "check", "train.py"], project)
    (database,) = (project / ".inplace_lint_cache").glob("*.db")
    with sqlite3.connect(database) as entries:
        assert entries.execute("UPDATE entries SET data = ?", (bad,)).rowcount > 0
    entries.close()
    done = run([sys.executable, str(script), "check", "train.py"], project)
    assert "IPL202" in done.stdout
    assert not trace.exists()
    database.write_bytes(bad)
    done = run([sys.executable, str(script), "check", "train.py"], project)
    assert "IPL202" in done.stdout
    assert not trace.exists()


@pytest.mark.parametrize(
    "settings",
    [
        "plugins = ['package']",
        "extend = 'setup.py'",
        "output-format = 'package.model'",
        "select = [\"__import__('package')\"]",
        "baseline = 'setup.py'",
    ],
)
def test_settings_of_others_are_only_data(project: Path, script: Path, settings: str) -> None:
    trace = set_traps(project)
    (project / "inplace-lint.toml").write_text(settings + "\n")
    done = run([sys.executable, str(script), "check", "--no-cache", "train.py"], project)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not trace.exists()


def test_nothing_but_the_cache_is_written(project: Path, script: Path) -> None:
    set_traps(project)
    before = {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()}
    run([sys.executable, str(script), "check"], project, PYTHONDONTWRITEBYTECODE="1")
    after = {path: path.read_bytes() for path in project.parent.rglob("*") if path.is_file()}
    cache = project / ".inplace_lint_cache"
    assert {path: text for path, text in after.items() if cache not in path.parents} == before


def test_a_program_that_calls_the_linter_keeps_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from inplace_lint.cli import main

    monkeypatch.setattr(sys, "argv", ["inplace-lint", "--version"])
    before = dict(os.environ)
    with pytest.raises(SystemExit):
        main()
    assert dict(os.environ) == before
