"""The rules in the real flake8, as somebody has them who installs inplace-lint beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
BROKEN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
SAVED = "import torch\n\n\ndef f(x, v):\n    日本 = x.exp(); 日本 += 1\n    (日本.sum() + v.exp().sum()).backward()\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the package is installed with the entry points that ``pyproject.toml`` names."""
    site = tmp_path_factory.mktemp("site")
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    info = site / "inplace_lint-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: inplace-lint\nVersion: 0.0.1\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in it.items()) for group, it in points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    # First on the path, so that it stands for whichever version is really installed.
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "PYTHONIOENCODING": "utf-8"}


def flake8(
    *arguments: str, cwd: Path, env: dict[str, str], stdin: str = "", ours: bool = True
) -> subprocess.CompletedProcess[str]:
    selection = ["--select", "IPL"] if ours else []
    done = subprocess.run(
        [sys.executable, "-m", "flake8", *selection, *arguments],
        cwd=cwd,
        input=stdin.encode(),
        capture_output=True,
        env=env,
        timeout=120,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_it_is_there_once_installed(tmp_path: Path, installed: dict[str, str]) -> None:
    version = flake8("--version", cwd=tmp_path, env=installed).stdout
    assert re.findall(r"inplace-lint: [\d.]+", version) == ["inplace-lint: 0.0.1"]
    (tmp_path / "a.py").write_text(BROKEN)
    done = flake8(cwd=tmp_path, env=installed, ours=False)
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("./a.py:4:1: IPL101 `w += 1` writes in place to `w`")


def test_a_finding_is_shown_once_at_its_column_in_characters(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "a.py").write_text(SAVED, encoding="utf-8")
    (line,) = flake8(cwd=tmp_path, env=installed).stdout.splitlines()
    assert line.startswith("./a.py:5:19: IPL202 `日本 += 1` overwrites `日本`")
    assert line.endswith(" [assuming argument `x` of `f` requires grad]")


@pytest.mark.parametrize(
    ("comment", "arguments", "count"),
    [
        ("", (), 1),
        ("  # noqa", (), 0),
        ("  # noqa: IPL101", (), 0),
        ("  # noqa: IPL202", (), 1),
        ("  # noqa: leaf-written", (), 0),
        ("  # noqa: IPL101", ("--disable-noqa",), 1),
        ("  # noqa", ("--disable-noqa",), 1),
        ("", ("--extend-ignore", "IPL101"), 0),
        ("", ("--extend-ignore", "IPL2"), 1),
        ("", ("--select", "E,F"), 0),
        ("", ("--select", "IPL1"), 1),
        ("", ("--per-file-ignores", "a.py:IPL"), 0),
        ("", ("--exclude", "a.py"), 0),
    ],
)
def test_flake8_decides_what_is_shown(
    tmp_path: Path, installed: dict[str, str], comment: str, arguments: tuple[str, ...], count: int
) -> None:
    (tmp_path / "a.py").write_text(BROKEN.replace("w += 1", f"w += 1{comment}"))
    done = flake8(*arguments, cwd=tmp_path, env=installed)
    assert (done.stdout.count("IPL101"), done.returncode, done.stderr) == (count, min(count, 1), "")


def test_comments_for_whole_files_count(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "ours.py").write_text(f"# inplace-lint: noqa\n{BROKEN}")
    (tmp_path / "theirs.py").write_text(f"# flake8: noqa\n{BROKEN}")
    assert flake8(cwd=tmp_path, env=installed).stdout == ""
    assert flake8("--disable-noqa", cwd=tmp_path, env=installed).stdout.count("IPL101") == 2


def test_standard_input(tmp_path: Path, installed: dict[str, str]) -> None:
    done = flake8("-", "--stdin-display-name", "model.py", cwd=tmp_path, env=installed, stdin=BROKEN)
    assert done.stdout.startswith("model.py:4:1: IPL101 ")
    assert flake8("-", cwd=tmp_path, env=installed, stdin=BROKEN).stdout.startswith("stdin:4:1: IPL101 ")


def test_several_files_by_several_processes_each_once(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "helper.py").write_text("def grow(y):\n    y += 1\n")
    for name in "abc":
        (tmp_path / f"{name}.py").write_text(
            f"import torch\n\nfrom helper import grow\n\nw = torch.ones(3, requires_grad=True)\ngrow(w)\n{BROKEN}"
        )
    lines = flake8("--jobs", "2", cwd=tmp_path, env=installed).stdout.splitlines()
    assert len(lines) == len(set(lines))
    assert sorted(line.split(":")[0] for line in lines if ":10:1: IPL101" in line) == ["./a.py", "./b.py", "./c.py"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xef\xbb\xbf" + BROKEN.encode(),
        BROKEN.replace("\n", "\r\n").encode(),
        BROKEN.replace("\n", "\r").encode(),
        b"# coding: latin-1\n" + BROKEN.encode() + b"# \xe4\n",
        BROKEN.encode() + b"\x0c\n",
        b"def f(:\n",
        b"import torch\nx = '\xff'\n",
        b"import torch\nx = 0\0\n",
        b"import torch\n" + b"(" * 150 + b"x" + b")" * 150,
    ],
    ids=["empty", "bom", "crlf", "cr", "latin", "form feed", "syntax", "bytes", "null", "nested"],
)
def test_odd_files_do_not_end_the_run(tmp_path: Path, installed: dict[str, str], data: bytes) -> None:
    (tmp_path / "odd.py").write_bytes(data)
    (tmp_path / "other.py").write_text(BROKEN)
    done = flake8(cwd=tmp_path, env=installed)
    assert "./other.py:4:1: IPL101" in done.stdout
    assert "Traceback" not in done.stderr and "IPL001" not in done.stdout
    row = 5 if b"coding" in data else 4
    assert (f"./odd.py:{row}:1: IPL101" in done.stdout) == (b"w += 1" in data)


def test_a_fault_of_ours_is_told_and_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    from inplace_lint import interp
    from inplace_lint.flake8_plugin import Plugin

    def analyse(*arguments: object) -> object:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(interp, "analyse", analyse)
    ((row, column, text, kind),) = Plugin(ast.parse(BROKEN), "a.py", BROKEN.splitlines(keepends=True)).run()
    assert (row, column, kind) == (1, 0, Plugin)
    assert text.startswith("IPL001 internal error, the file was not checked: ZeroDivisionError: on purpose")


def test_settings_files_hold(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "a.py").write_text(BROKEN)
    (tmp_path / "saved.py").write_text(SAVED, encoding="utf-8")
    settings = tmp_path / "inplace-lint.toml"
    settings.write_text('severity = "error"\n')
    (line,) = flake8(cwd=tmp_path, env=installed).stdout.splitlines()
    assert line.startswith("./a.py:4:1: IPL101 ")
    settings.write_text('severty = "error"\n')
    done = flake8(cwd=tmp_path, env=installed)
    assert len(done.stdout.splitlines()) == 2 and "Traceback" not in done.stderr
    assert all("IPL001 the file was not checked: " in line and "severty" in line for line in done.stdout.splitlines())
