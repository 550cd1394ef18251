"""Colour and width on a real terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")

BROKEN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
_COLOR = re.compile(r"\x1b\[[\d;]*m")


def on_a_terminal(*arguments: str, cwd: Path, columns: int = 100, **env: str) -> str:
    """What is printed where standard output is a terminal, with its line ends as a program writes them."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    names = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    process = subprocess.Popen(
        [sys.executable, "-m", "inplace_lint", "check", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**environment, "TERM": "xterm-256color", **env},
    )
    os.close(slave)
    parts: list[bytes] = []
    try:
        while part := os.read(master, 65536):
            parts.append(part)
    except OSError:  # how Linux says that the other end was closed
        pass
    os.close(master)
    process.wait(timeout=60)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "broken.py").write_text(BROKEN)
    return tmp_path


@pytest.mark.parametrize("name", ["full", "concise"])
def test_a_terminal_gets_colour_and_the_same_text(project: Path, name: str) -> None:
    colored = on_a_terminal("--output-format", name, cwd=project)
    plain = on_a_terminal("--output-format", name, "--color", "never", cwd=project)
    assert _COLOR.search(colored) and not _COLOR.search(plain)
    assert _COLOR.sub("", colored) == plain
    assert on_a_terminal("--output-format", name, cwd=project, NO_COLOR="1") == plain
    assert on_a_terminal("--output-format", name, cwd=project, TERM="dumb") == plain


@pytest.mark.parametrize("name", ["json", "sarif", "github", "junit"])
def test_formats_for_programs_are_never_coloured(project: Path, name: str) -> None:
    assert "\x1b" not in on_a_terminal("--output-format", name, "--color", "always", cwd=project)


def test_notes_are_wrapped_at_the_width_of_the_terminal(project: Path) -> None:
    def help_lines(columns: int) -> int:
        text = on_a_terminal(cwd=project, columns=columns, NO_COLOR="1")
        return len(text.split("help: ")[1].split("\n  |\n")[0].splitlines())

    assert help_lines(70) > help_lines(200) == 1
