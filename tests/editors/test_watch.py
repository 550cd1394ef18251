"""``inplace-lint check --watch`` as it runs beside an editor."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LEAF = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
CLEAN = "import torch\n\nw = torch.ones(3, requires_grad=True)\ny = w + 1\n"
TIMEOUT = 60


class Watching:
    """A running process, and what it has written since it was last asked."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.decode())

    def until(self, words: str) -> str:
        """What is written up to the line that has these words in it."""
        seen = ""
        while words not in seen:
            seen += self._lines.get(timeout=TIMEOUT)
        return seen


@contextmanager
def watching(folder: Path, *arguments: str) -> Iterator[Watching]:
    command = [sys.executable, "-m", "inplace_lint", "check", "--watch", "--output-format", "concise", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent another way there")
def test_changes_of_code_and_settings_are_linted_until_it_is_interrupted(tmp_path: Path) -> None:
    code = tmp_path / "model.py"
    code.write_text(CLEAN)
    with watching(tmp_path) as it:
        begun = it.until("Watching for file changes.")
        assert "Starting linter in watch mode..." in begun and "Found 0 errors." in begun
        code.write_text(LEAF)
        again = it.until("IPL101")
        assert "File change detected..." in again and "Found 1 error. Watching for file changes." in again
        (tmp_path / "inplace-lint.toml").write_text("ignored = []\n")
        assert "`ignore`" in it.until("inplace-lint.toml")
        (tmp_path / "inplace-lint.toml").write_text('ignore = ["IPL101"]\n')
        it.until("Found 0 errors.")
        (tmp_path / "new.py").write_text(LEAF.replace("w += 1", "w.sum().backward()\nv = w.detach().numpy()\nv += 1"))
        (tmp_path / "notes.txt").write_text("nothing that matters")
        it.until("Watching for file changes.")
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(TIMEOUT) == 0


def test_what_a_change_elsewhere_means_is_seen(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "helper.py").write_text("def change(t):\n    return t.add(1)\n")
    main = "import torch\nfrom helper import change\nx = torch.ones(3, requires_grad=True)\nchange(x)\n"
    (tmp_path / "main.py").write_text(main)
    with watching(tmp_path, "main.py", "helper.py") as it:
        it.until("Found 0 errors.")
        (tmp_path / "helper.py").write_text("def change(t):\n    return t.add_(1)\n")
        assert "helper.py:2:" in it.until("IPL101")


@pytest.mark.parametrize("option", ["-", "--diff", "--add-noqa"])
def test_what_makes_no_sense_with_it_is_refused(tmp_path: Path, option: str) -> None:
    command = [sys.executable, "-m", "inplace_lint", "check", "--watch", option]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, input="")
    assert done.returncode == 2 and "--watch cannot be used with" in done.stderr


def test_without_watchfiles_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "watchfiles.py").write_text("raise ModuleNotFoundError(\"No module named 'watchfiles'\")\n")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from inplace_lint.cli import main; main()"
    command = [sys.executable, "-c", code, str(tmp_path), "check", "--watch", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "Error: --watch needs watchfiles: install it with `pip install 'inplace-lint[watch]'`\n"
