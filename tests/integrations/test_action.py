"""``action.yml``: its steps, run as GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, LINT = ACTION["runs"]["steps"]
BROKEN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


def run(step: dict[str, Any], cwd: Path, temp: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Runs a step with the inputs given, and the defaults of the others."""
    values = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    defaults = {f"inputs.{name}": str(it["default"]) for name, it in ACTION["inputs"].items()}
    known = {"github.action_path": str(ROOT), **defaults, **values}
    filled = {key: _EXPRESSION.sub(lambda it: known[it[1]], value) for key, value in step["env"].items()}
    folder = _EXPRESSION.sub(lambda it: known[it[1]], step.get("working-directory", "."))
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=cwd / folder,
        env={**os.environ, **filled, "RUNNER_TEMP": str(temp)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """The runner's folder as the first step leaves it, with this checkout for what it installs."""
    script = tmp_path / "runner" / "inplace-lint" / "bin" / "inplace-lint"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m inplace_lint "$@"\n')
    script.chmod(0o755)
    return tmp_path / "runner"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "my code").mkdir(parents=True)
    (folder / "my code" / "train.py").write_text(BROKEN)
    (folder / "clean.py").write_text("import torch\n")
    return folder


def test_it_is_a_composite_action_whose_scripts_take_no_text_from_inputs() -> None:
    assert ACTION["runs"]["using"] == "composite"
    for step in (INSTALL, LINT):
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        named = _EXPRESSION.findall(" ".join(map(str, [*step["env"].values(), step.get("working-directory", "")])))
        assert {it.removeprefix("inputs.") for it in named if it.startswith("inputs.")} <= set(ACTION["inputs"])
    assert all(it["description"].endswith(".") for it in ACTION["inputs"].values() if "(" not in it["description"])


def test_findings_become_annotations_and_fail_the_job(project: Path, temp: Path) -> None:
    done = run(LINT, project, temp)
    assert done.stdout.startswith("::error title=inplace-lint (IPL101),file=")
    assert ",line=4,col=1,endLine=4,endColumn=7::my code/train.py:4:1: IPL101 " in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


def test_clean_code_passes(project: Path, temp: Path) -> None:
    done = run(LINT, project, temp, src="clean.py\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_inputs(project: Path, temp: Path) -> None:
    done = run(
        LINT,
        project,
        temp,
        src="clean.py\nmy code\n",
        sarif_file="out/found.sarif",
        args="  --ignore IPL2\n --exit-zero ",
    )
    assert (done.returncode, done.stderr) == (0, "")
    (run_,) = json.loads((project / "out" / "found.sarif").read_text(encoding="utf-8"))["runs"]
    assert [it["ruleId"] for it in run_["results"]] == ["IPL101"]
    assert run_["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20code/train.py"
    assert run(LINT, project, temp, working_directory="my code").stdout.count("::error ") == 1


def test_input_is_never_code(project: Path, temp: Path) -> None:
    odd = "$(touch hacked); `touch hacked`"
    done = run(LINT, project, temp, src=odd)
    assert done.returncode == 1 and "IPL000" in done.stdout
    assert run(LINT, project, temp, args=odd).returncode in (1, 2)
    assert run(LINT, project, temp, src="--version").returncode == 1
    assert not (project / "hacked").exists()
