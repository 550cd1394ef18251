"""The benchmark measures what it names, on the files that it is given, and leaves them as they are."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "import torch\n\nw = torch.ones(3, requires_grad=True)\ny = w.exp()\ny += 1\ny.sum().backward()\n"
NUMBER = r"\s+(\d+\.\d\d)"


def test_a_small_project_is_measured_in_every_way(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"part{number}.py").write_text(SOURCE)
    command = [sys.executable, "-m", "tools.bench", str(tmp_path), "--sample", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path.name}: 2 files, 12 lines" in done.stdout
    for what in ("--version", "libcst.parse_module", "cold, one process", "cold, --jobs 2", "warm", "one file changed"):
        found = re.search(rf"^{re.escape(what)}{NUMBER}{NUMBER}", done.stdout, re.MULTILINE)
        assert found, what
        assert float(found[1]) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part0.py", "part1.py", "part2.py"]
    assert all(path.read_text() == SOURCE for path in tmp_path.iterdir())


def test_a_folder_without_python_is_said_to_be_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.bench", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "holds no Python file that can be parsed" in done.stderr
