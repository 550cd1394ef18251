"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import torch

from inplace_lint.explain.traceback import TorchError, parse

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
    # Three dots on a line of their own stand for lines that are left out, where they are no output themselves.
    parts = [output] if done.stdout == output else output.split("\n...\n")
    assert done.stdout.startswith(parts[0]) and done.stdout.endswith(parts[-1])
    assert len(parts) <= 2
    assert (done.returncode, done.stderr) == (0 if command.startswith("explain-error") else 1, "")


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


def test_the_traceback_of_the_example_is_what_pytorch_prints() -> None:
    written = parse((ROOT / "examples" / "quickstart.txt").read_text(encoding="utf-8"))
    with pytest.raises(RuntimeError) as raised:
        run_example("quickstart.py")
    printed = parse("".join(traceback.format_exception(raised.type, raised.value, raised.tb)))
    assert isinstance(written, TorchError) and isinstance(printed, TorchError)
    assert written.message == printed.message
    lines = [frame.text for frame in written.raised]
    assert set(lines) <= {frame.text for frame in printed.raised} | {"loss.backward()"}


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
