"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"<!-- output: inplace-lint (.+?) -->\n```(?:text|diff)\n(.*?)```", README, re.DOTALL)


def test_the_readme_shows_output() -> None:
    assert SHOWN


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_output_shown_is_the_real_one(command: str, output: str) -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.stdout == output
    assert (done.returncode, done.stderr) == (1, "")


def run_example(name: str) -> None:
    path = ROOT / "examples" / name
    torch.manual_seed(0)
    exec(compile(path.read_text(encoding="utf-8"), name, "exec"), {"__name__": "__main__"})


def test_the_example_fails_in_pytorch_as_the_output_says_and_its_repair_does_not() -> None:
    (_, output), *_ = SHOWN
    with pytest.raises(RuntimeError, match="which is output 0 of Sigmoid, is at version 1"):
        run_example("quickstart.py")
    assert "which is output 0 of Sigmoid, is at version" in " ".join(output.split())
    run_example("quickstart.fixed.py")


def test_the_code_in_the_readme_that_installs_and_tests_is_one_line_each() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert any(block.count("\n") == 1 and "pip install . && inplace-lint check" in block for block in blocks)
    (test,) = re.findall(r"<!-- test command -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert test.count("\n") == 1 and test.strip().endswith("&& pytest")


def test_ci_finds_the_test_command() -> None:
    line = next(line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.startswith("tests=$("))
    done = subprocess.run(
        ["bash", "-c", f'{line}\necho "$tests"'], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("&& pytest") and done.stdout.count("\n") == 1
