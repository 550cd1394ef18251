"""``--output-format FORMAT:PATH`` and ``--output-file``: what is written where, and what must not be lost."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from inplace_lint.output import formats

BROKEN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"


def run(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "broken.py").write_text(BROKEN)
    return tmp_path


def test_every_format_in_one_run(project: Path) -> None:
    arguments = [it for name in formats() for it in ("--output-format", f"{name}:out/{name}")]
    done = run(*arguments, "--output-format", "concise", "broken.py", cwd=project)
    assert done.stdout.startswith("broken.py:4:1: IPL101 [*] ")
    assert (done.returncode, done.stderr) == (1, "")
    written = {path.name: path.read_text(encoding="utf-8") for path in (project / "out").iterdir()}
    assert set(written) == set(formats())
    assert all("IPL101" in text for text in written.values())


def test_the_help_names_every_format(project: Path) -> None:
    text = " ".join(run("--help", cwd=project).stdout.split())
    listed = text.split("--output-format FORMAT[:PATH] ")[1].split(";")[0]
    assert set(listed.replace("(the default)", "").replace(" or ", ", ").replace(" ", "").split(",")) == set(formats())


def test_the_output_file_is_for_formats_without_a_path(project: Path) -> None:
    done = run("--output-format", "json:a.json", "--output-format", "concise", "-o", "b.txt", cwd=project)
    assert done.stdout == ""
    assert json.loads((project / "a.json").read_text())[0]["code"] == "IPL101"
    assert (project / "b.txt").read_text().startswith("broken.py:4:1: IPL101")


def test_a_file_that_cannot_be_written_shows_before_the_work(project: Path) -> None:
    done = run("--output-format", "json:broken.py/a.json", "--verbose", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot write broken.py/a.json: " in done.stderr and "checked" not in done.stderr


def test_what_was_there_is_replaced_as_a_whole_and_keeps_its_mode(project: Path) -> None:
    report = project / "report.json"
    report.write_text("x" * 10_000)
    report.chmod(0o640)
    (project / "link.json").symlink_to(report)
    assert run("--output-format", "json:link.json", cwd=project).returncode == 1
    assert json.loads(report.read_text())[0]["code"] == "IPL101"
    assert stat.S_IMODE(report.stat().st_mode) == 0o640
    assert (project / "link.json").is_symlink()
    left = {path.name for path in project.iterdir()} - {".inplace_lint_cache"}
    assert left == {"broken.py", "link.json", "report.json"}


def test_a_device_and_a_pipe_are_written_to_and_not_replaced(project: Path) -> None:
    done = run("--output-format", "json:/dev/stdout", cwd=project)
    assert json.loads(done.stdout)[0]["code"] == "IPL101"
    done = run("-o", "/dev/stderr", "--output-format", "pylint", cwd=project)
    assert done.stderr.startswith("broken.py:4: [IPL101]")


def test_a_file_name_that_is_no_utf8(project: Path) -> None:
    name = os.path.join(os.fsencode(project), b"tr\xe4in.py")
    with open(name, "w") as file:
        file.write(BROKEN)
    arguments = [it for one in formats() for it in ("--output-format", f"{one}:out/{one}")]
    done = run(*arguments, cwd=project)
    assert (done.returncode, done.stderr) == (1, "")
    assert "tr%E4in.py" in (project / "out" / "sarif").read_text(encoding="utf-8")
    assert "tr\ufffdin.py:4:1: " in (project / "out" / "concise").read_text(encoding="utf-8")


def test_standard_input_that_is_fixed_keeps_findings_off_standard_output(project: Path) -> None:
    done = run("-", "--fix", "--output-format", "json", "--ignore", "IPL101", cwd=project, stdin=BROKEN)
    assert (done.stdout, done.stderr) == (BROKEN, "[]\n")
