"""Pipes that close, devices that are full, terminals with a progress bar, shells that complete."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = "import torch\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
COMMAND = f"{sys.executable} -m inplace_lint"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(BROKEN)
    return tmp_path


def shell(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    "script",
    [
        "{} check a.py | head -1",
        "{} rule --all | head -1",
        "{} config | head -1",
        "{} check a.py 2>&1 | true",
        "{} check gone.py --verbose 2>&1 | true",
        "{} check a.py >&-",
        "{} check gone.py 2>&-",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_error(project: Path, script: str) -> None:
    assert shell(script.format(COMMAND), project).stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_output_that_cannot_be_written_is_said(project: Path) -> None:
    done = shell(f"{COMMAND} check a.py > /dev/full", project)
    assert (done.returncode, done.stderr) == (2, "Error: cannot write the output: No space left on device\n")


def on_a_terminal(cwd: Path, patience: float, *args: str) -> tuple[str, str]:
    """Standard output, which is a pipe, and what was shown on standard error, which is a terminal."""
    program = (
        f"import sys; from inplace_lint.cli import main, progress\nprogress.PATIENCE = {patience}\n"
        f"sys.argv = ['inplace-lint', *{list(args)!r}]\nmain()"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", program], cwd=cwd, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            shown += part
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(ours)
    return out.decode(), shown.decode()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_long_run_shows_how_far_it_is_and_takes_it_back(project: Path, jobs: str) -> None:
    for number in range(30):
        (project / f"b{number}.py").write_text("x = 1\n")
    out, shown = on_a_terminal(project, 0.0, "check", "--output-format", "concise", "--jobs", jobs)
    assert "a.py:3:1: IPL101" in out and "Checking" not in out
    assert "Checking" in shown and "31/31" in shown and shown.endswith("\x1b[1A\r\x1b[K")
    assert "Checking" not in on_a_terminal(project, 0.0, "check", "--quiet", "--jobs", jobs)[1]


def test_a_short_run_shows_nothing(project: Path) -> None:
    assert on_a_terminal(project, 1000.0, "check")[1] == ""


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_shells_can_complete(project: Path, name: str) -> None:
    source = shell(COMMAND, project, _INPLACE_LINT_COMPLETE=f"{name}_source").stdout
    assert "_INPLACE_LINT_COMPLETE=" in source
    words = {"COMP_WORDS": "inplace-lint check --fail-on ", "COMP_CWORD": "3"}
    done = shell(COMMAND, project, _INPLACE_LINT_COMPLETE="bash_complete", **words)
    assert done.stdout.split() == ["plain,error", "plain,warning", "plain,info"]


def test_clean_drops_the_cache_of_the_settings_and_nothing_else(project: Path) -> None:
    for name in (".inplace_lint_cache", "source", "tagged"):
        (project / name).mkdir()
        (project / name / "x").write_text("")
    assert shell(f"{COMMAND} clean", project).stdout == "Removed .inplace_lint_cache\n"
    (project / "inplace-lint.toml").write_text("cache-dir = 'source'\n")
    done = shell(f"{COMMAND} clean", project)
    assert done.returncode == 2 and "does not look like a cache" in done.stderr and (project / "source" / "x").exists()
    (project / "tagged" / "CACHEDIR.TAG").write_text("")
    (project / "inplace-lint.toml").write_text("cache-dir = 'tagged'\n")
    assert shell(f"{COMMAND} clean", project).stdout == "Removed tagged\n"
    assert not (project / "tagged").exists()
