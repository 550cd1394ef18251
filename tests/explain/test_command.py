"""``inplace-lint explain-error`` as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = """import torch


def block(x):
    gate = torch.sigmoid(x)
    other = torch.tanh(x)
    gate *= 2
    other *= 3
    return gate + other


x = torch.ones(3, requires_grad=True)
loss = block(x).sum()
loss.backward()
"""
MESSAGE = (
    "RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: "
    "[torch.FloatTensor [3]], which is output 0 of {node}, is at version 1; expected version 0 instead.\n"
)
STACK = 'Traceback (most recent call last):\n  File "{file}", line {row}, in <module>\n    loss.backward()\n'


def run(
    *arguments: str | Path, cwd: Path, stdin: str | bytes = b"", code: int | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "explain-error", *map(str, arguments)],
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=120,
    )
    out = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in out.stderr, out.stderr
    assert code is None or out.returncode == code, out
    return out


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "model.py").write_text(MODEL)
    (tmp_path / "pkg" / "other.py").write_text(MODEL.replace("block", "part"))
    return tmp_path


def first(out: subprocess.CompletedProcess[str]) -> tuple[str, int]:
    found = json.loads(out.stdout)["explanations"][0]["finding"]
    return Path(found["filename"]).name, found["location"]["row"]


@pytest.mark.parametrize(("node", "row"), [("Sigmoid", 7), ("SigmoidBackward0", 7), ("TanhBackward", 8), ("Tanh", 8)])
def test_the_operation_named_tells_the_write(project: Path, node: str, row: int) -> None:
    text = STACK.format(file=project / "pkg" / "model.py", row=14) + MESSAGE.format(node=node)
    (project / "error.txt").write_text(text)
    assert first(run("error.txt", "pkg", "--output-format", "json", cwd=project, code=0)) == ("model.py", row)
    assert first(run("--output-format", "json", cwd=project, stdin=text, code=0)) == ("model.py", row)
    assert first(run("pkg", "--output-format", "json", cwd=project, stdin=text, code=0)) == ("model.py", row)


def test_a_traceback_of_another_machine_and_of_older_lines(project: Path) -> None:
    text = STACK.format(file="C:\\me\\code\\pkg\\model.py", row=3) + MESSAGE.format(node="TanhBackward0")
    out = run("-", "pkg", "--output-format", "json", cwd=project, stdin=text, code=0)
    assert first(out) == ("model.py", 8)
    assert json.loads(out.stdout)["error"]["raised"][0]["row"] == 14


def test_anomaly_mode_tells_two_files_apart(project: Path) -> None:
    (project / "train.py").write_text("import pkg\n")
    warning = (
        "x.py:1: UserWarning: Error detected in SigmoidBackward0. Traceback of forward call that caused the error:\n"
        '  File "/srv/pkg/other.py", line 5, in part\n    gate = torch.sigmoid(x)\n'
        " (Triggered internally at python_anomaly_mode.cpp:1.)\n"
    )
    text = warning + STACK.format(file="/srv/train.py", row=99) + MESSAGE.format(node="Sigmoid")
    assert first(run("-", ".", "--output-format", "json", cwd=project, stdin=text, code=0)) == ("other.py", 7)


def test_the_text_tells_the_story_and_the_reasons(project: Path) -> None:
    text = STACK.format(file="pkg/model.py", row=14) + MESSAGE.format(node="Sigmoid")
    out = run("-", "pkg/model.py", cwd=project, stdin=text, code=0).stdout
    assert out.startswith("PyTorch: one of the variables needed")
    assert "raised at pkg/model.py:14" in out
    assert "error[IPL202]: `gate *= 2` overwrites `gate`" in out
    assert "+ the tensor is a result of Sigmoid" in out
    assert "gate = gate * 2" in out
    assert "less likely:" not in out or "other *= 3" in out.partition("less likely:")[2]


def test_where_no_finding_fits_near_writes_are_guesses(project: Path) -> None:
    (project / "unknown.py").write_text(
        "import torch\nfrom elsewhere import made\n\n\ndef f():\n    x = made()\n    x.add_(1)\n    return x\n\n\nf()\n"
    )
    text = (
        'Traceback (most recent call last):\n  File "unknown.py", line 7, in f\n    x.add_(1)\n'
        "RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.\n"
    )
    out = run("-", "unknown.py", cwd=project, stdin=text, code=0).stdout
    assert "are guesses" in out and "unknown.py:7:5: x.add_(1)" in out and "Found 1 guess" in out
    out = run("-", "unknown.py", "--output-format", "json", cwd=project, stdin=text, code=0).stdout
    assert json.loads(out)["guesses"][0]["location"] == {"row": 7, "column": 5}


def test_a_guess_goes_by_the_operation_that_pytorch_names(project: Path) -> None:
    (project / "unknown.py").write_text(
        "import torch\nfrom elsewhere import made\n\n\ndef f(x):\n    g = made(x).sigmoid()\n    h = made(x)\n    h *= x\n"
        "    g *= x\n    return g + h\n"
    )
    out = run("-", "unknown.py", "--output-format", "json", cwd=project, stdin=MESSAGE.format(node="Sigmoid"), code=0)
    (guess,) = json.loads(out.stdout)["guesses"]
    assert guess["text"] == "g *= x" and "a result of Sigmoid (line 6)" in guess["reasons"][0]["text"]


def test_the_backwards_near_a_second_backward_are_guesses(project: Path) -> None:
    (project / "unknown.py").write_text("from elsewhere import loss\n\nfor x in loss.parts:\n    loss.backward()\n")
    text = (
        STACK.format(file="unknown.py", row=4)
        + "RuntimeError: Trying to backward through the graph a second time, but the buffers have already been freed.\n"
    )
    assert "unknown.py:4:5: loss.backward()" in run("-", cwd=project, stdin=text, code=0).stdout


def test_findings_that_the_traceback_speaks_against_are_named(project: Path) -> None:
    text = 'Traceback (most recent call last):\n  File "gone.py", line 1, in f\n    g()\n' + MESSAGE.format(node="Exp")
    out = run("-", "pkg/model.py", cwd=project, stdin=text, code=1).stdout
    assert "which the traceback speaks against" in out and "pkg/model.py:7:5: IPL202" in out


def test_nothing_fits(project: Path) -> None:
    (project / "clean.py").write_text("import torch\n\nprint(torch.ones(3))\n")
    out = run("-", "clean.py", cwd=project, stdin=MESSAGE.format(node="Sigmoid"), code=1)
    assert "Nothing in these files fits" in out.stdout


@pytest.mark.parametrize(
    ("stdin", "code", "said"),
    [
        (b"", 2, "the input is empty"),
        (b"\x7fELF\0\0\1", 2, "binary data"),
        (b"hello", 1, "no traceback"),
        (STACK.encode(), 1, "cut off"),
        (
            (STACK + "RuntimeError: CUDA out of memory\n").encode(),
            1,
            "about something else: RuntimeError: CUDA out of memory",
        ),
        ((STACK.format(file="gone.py", row=1) + MESSAGE).encode(), 2, "none of the traceback's files is here"),
    ],
)
def test_wrong_input_is_told(tmp_path: Path, stdin: bytes, code: int, said: str) -> None:
    assert said in run(cwd=tmp_path, stdin=stdin, code=code).stderr


def test_wrong_paths_are_told(project: Path) -> None:
    assert "no file or folder 'gone'" in run("-", "gone", cwd=project, stdin="x", code=2).stderr
    assert "cannot read gone.txt" in run("gone.txt", "pkg", cwd=project, code=2).stderr


def test_a_huge_log_and_one_of_powershell(project: Path) -> None:
    text = STACK.format(file="pkg/model.py", row=14) + MESSAGE.format(node="Tanh")
    (project / "huge.log").write_text("INFO step 1 loss 0.3\n" * 800_000 + text)
    assert first(run("huge.log", "pkg", "--output-format", "json", cwd=project, code=0)) == ("model.py", 8)
    (project / "wide.log").write_bytes(text.encode("utf-16"))
    assert first(run("wide.log", "pkg", "--output-format", "json", cwd=project, code=0)) == ("model.py", 8)
