"""Fixtures for all tests."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    status: int
    out: str
    err: str


@pytest.fixture
def inplace_lint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Ran]:
    """Runs the command line in ``tmp_path``, or in the folder below it that ``at`` names, as its entry point does."""
    from inplace_lint.cli import main

    def run(*args: str, at: str = ".", stdin: bytes | None = None) -> Ran:
        monkeypatch.chdir(tmp_path / at)
        monkeypatch.setattr(sys, "argv", ["inplace-lint", *args])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfdbinary.readouterr()
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, out.decode(), err.decode())

    return run
