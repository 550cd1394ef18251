"""``inplace-lint check --fix`` and its companions, with Ruff's words and exit statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inplace_lint import rules
from inplace_lint.cli import cli

LEAF = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
FIXED = "import torch\n\nw = torch.ones(3, requires_grad=True)\nwith torch.no_grad():\n    w += 1\n"
# What cannot be parsed is a finding that nothing can fix.
LOST = "def f(:\n"
SILENT = "import torch\n\nx = torch.ones(3, requires_grad=True)\ny = x.exp()\ny.data.mul_(2)\ny.sum().backward()\n"


def run(*arguments: str, cwd: Path, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=120,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture(autouse=True)
def this_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has other processes run this package, wherever they start, and not one that is installed."""
    monkeypatch.setenv("PYTHONPATH", str(Path(rules.__file__).parents[2]))


@pytest.fixture
def leaf(tmp_path: Path) -> Path:
    path = tmp_path / "leaf.py"
    path.write_text(LEAF)
    return path


def test_fix_changes_the_file_and_counts(leaf: Path) -> None:
    (leaf.parent / "lost.py").write_text(LOST)
    status, out, err = run("--fix", "--unsafe-fixes", "--output-format", "concise", cwd=leaf.parent)
    assert (status, err) == (1, "")
    assert out.startswith("lost.py:1:7: IPL000 ")
    assert out.endswith("\nFound 2 errors (1 fixed, 1 remaining).\n")
    assert leaf.read_text() == FIXED
    assert run("--fix", "--unsafe-fixes", "leaf.py", cwd=leaf.parent) == (0, "All checks passed!\n", "")


def test_show_fixes_lists_what_was_fixed(leaf: Path) -> None:
    (leaf.parent / "b.py").write_text(LEAF + "v = w.exp()\nv += 1\nv.sum().backward()\n")
    for path in (leaf, leaf.parent / "b.py"):
        path.write_text(path.read_text())
    status, out, err = run("--fix", "--unsafe-fixes", "--show-fixes", "--output-format", "concise", cwd=leaf.parent)
    assert (status, err) == (0, "")
    assert out == (
        "\nFixed 3 errors:\n- b.py:\n    1 × IPL101 (leaf-written)\n    1 × IPL202 (saved-result-overwritten)\n"
        "- leaf.py:\n    1 × IPL101 (leaf-written)\n\nFound 3 errors (3 fixed, 0 remaining).\n"
    )


def test_diff_writes_nothing(leaf: Path) -> None:
    diff = (
        "--- leaf.py\n+++ leaf.py\n@@ -1,4 +1,5 @@\n import torch\n \n w = torch.ones(3, requires_grad=True)\n"
        "-w += 1\n+with torch.no_grad():\n+    w += 1\n\n"
    )
    assert run("--diff", "--unsafe-fixes", cwd=leaf.parent) == (1, f"{diff}Would fix 1 error.\n", "")
    assert run("--diff", "--unsafe-fixes", "--exit-zero", cwd=leaf.parent)[0] == 0
    assert run("--diff", "--unsafe-fixes", "--quiet", "--fix", cwd=leaf.parent) == (1, diff, "")
    assert run("--diff", "--unsafe-fixes", "-", cwd=leaf.parent, stdin=LEAF.encode()) == (
        1,
        diff.replace("leaf.py", "-"),
        "Would fix 1 error.\n",
    )
    assert leaf.read_text() == LEAF
    leaf.write_text(FIXED)
    assert run("--diff", "--unsafe-fixes", cwd=leaf.parent) == (0, "", "")


def test_a_diff_is_what_patch_makes_of_it(leaf: Path) -> None:
    leaf.write_bytes(LEAF.encode().replace(b"\n", b"\r\n").rstrip(b"\r\n"))
    _, diff, _ = run("--diff", "--unsafe-fixes", "--quiet", cwd=leaf.parent)
    (leaf.parent / "d").write_bytes(subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--diff", "--unsafe-fixes", "-q"],
        cwd=leaf.parent, capture_output=True, check=False,
    ).stdout)  # fmt: skip
    assert "\\ No newline at end of file" in diff
    git = subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn", "d"], cwd=leaf.parent, capture_output=True)
    assert (git.returncode, git.stderr) == (0, b"")
    assert leaf.read_bytes() == FIXED.encode().replace(b"\n", b"\r\n").rstrip(b"\r\n")


def test_standard_input_is_printed_fixed(tmp_path: Path) -> None:
    status, out, err = run("--fix", "--unsafe-fixes", "-", cwd=tmp_path, stdin=LEAF.encode())
    assert (status, out, err) == (0, FIXED, "Found 1 error (1 fixed, 0 remaining).\n")
    status, out, err = run("--fix", "--stdin-filename", "m.py", "-", cwd=tmp_path, stdin=LOST.encode())
    assert (status, out) == (1, LOST)
    assert "--> m.py:1:7" in err
    for data in (b"def f(:\n", b"x = '\xff'\n", b""):
        done = subprocess.run(
            [sys.executable, "-m", "inplace_lint", "check", "--fix", "-"], input=data, capture_output=True, cwd=tmp_path
        )
        assert (done.stdout, done.returncode) == (data, 1 if data else 0)
    latin = b"# coding: latin-1\r\n" + LEAF.encode().replace(b"\n", b"  # \xe9\r\n")
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--fix", "--unsafe-fixes", "-"],
        input=latin,
        capture_output=True,
        cwd=tmp_path,
    )
    assert done.stdout == latin.replace(b"w += 1", b"with torch.no_grad():\r\n    w += 1")


def test_exit_non_zero_on_fix(leaf: Path) -> None:
    assert run("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix", cwd=leaf.parent)[0] == 1
    assert run("--fix", "--unsafe-fixes", "--exit-non-zero-on-fix", cwd=leaf.parent)[0] == 0


def test_hidden_fixes_are_counted(leaf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf.write_text(LEAF.replace("w += 1\n", "w += 1\nw *= 2\n"))
    _, out, _ = run("--output-format", "concise", "--unsafe-fixes", cwd=leaf.parent)
    assert out.count(": IPL101 [*] `w") == 2
    assert out.endswith("Found 2 errors.\n[*] 2 fixable with `--fix`.\n")


def test_what_is_suppressed_or_not_selected_is_not_fixed(leaf: Path) -> None:
    for text, options in ((LEAF.replace("w += 1", "w += 1  # noqa: IPL101"), ()), (LEAF, ("--ignore", "IPL101"))):
        leaf.write_text(text)
        assert run("--fix", "--unsafe-fixes", *options, cwd=leaf.parent) == (0, "All checks passed!\n", "")
        assert leaf.read_text() == text


def test_json_holds_what_remains(leaf: Path) -> None:
    (leaf.parent / "lost.py").write_text(LOST)
    _, out, _ = run("--fix", "--unsafe-fixes", "--output-format", "json", cwd=leaf.parent)
    assert [it["code"] for it in json.loads(out)] == ["IPL000"]


def test_a_fix_that_does_not_hold_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from inplace_lint import checking
    from inplace_lint.diagnostics import Edit, Fix

    (tmp_path / "leaf.py").write_text(LEAF)
    real = rules.diagnose

    def diagnose(*arguments):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return [replace(it, fix=Fix("safe", "no", (Edit("w *= 2", it.span),))) for it in real(*arguments)]

    monkeypatch.setattr(checking.rules, "diagnose", diagnose)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["check", "--fix", "--output-format", "concise"])
    assert "not fixed: leaf.py:4:1: IPL101: its finding would still be there\n" in done.stderr
    assert (tmp_path / "leaf.py").read_text() == LEAF
    assert done.stdout.endswith("Found 1 error.\n")


def test_a_fix_that_does_not_fit_its_line_is_named(leaf: Path) -> None:
    leaf.write_text(LEAF.replace("w += 1", "if True: w += 1"))
    status, out, err = run("--fix", "--unsafe-fixes", "--output-format", "concise", cwd=leaf.parent)
    assert (status, leaf.read_text()) == (1, LEAF.replace("w += 1", "if True: w += 1"))
    if err:  # a rule may know better than to offer it
        assert err.startswith("not fixed: leaf.py:4:10: IPL101: the file could no longer be checked: cannot be parsed")
    assert "[*]" not in out


def test_a_file_that_cannot_be_written(leaf: Path) -> None:
    leaf.chmod(0o444)
    status, out, err = run("--fix", "--unsafe-fixes", cwd=leaf.parent)
    assert (status, err) == (2, "cannot write leaf.py: it is read-only; it is as it was\n")
    assert out.endswith("Found 1 error.\n")
    assert leaf.read_text() == LEAF


def test_an_interrupted_run(leaf: Path) -> None:
    code = (
        "import os, sys\nfrom inplace_lint.cli import main\nfrom inplace_lint.fixing import writing\n"
        "def fsync(handle):\n    raise KeyboardInterrupt\n"
        "writing.os.fsync = fsync\nsys.argv = ['inplace-lint', 'check', '--fix', '--unsafe-fixes']\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=leaf.parent, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip() == "interrupted: 0 of 1 files were changed, the others are as before"
    assert {it.name for it in leaf.parent.iterdir()} - {".inplace_lint_cache"} == {"leaf.py"}
    assert leaf.read_text() == LEAF


def test_fix_only_says_how_many_and_fails_for_nothing_else(tmp_path: Path, inplace_lint: Callable[..., Any]) -> None:
    fixable = "x = 1  # noqa: IPL201\n"
    (tmp_path / "a.py").write_text(f"import torch\nw = torch.nn.Parameter(torch.ones(3))\nv = w[0]\nv += 1\n{fixable}")
    before = inplace_lint("check", "--no-fix")
    assert before.status == 1
    ran = inplace_lint("check", "--fix-only", "--unfixable", "IPL1")
    assert (ran.status, ran.out) == (0, "Fixed 1 error.\n")
    assert inplace_lint("check", "--fix-only", "--unfixable", "IPL1").out == ""
    (tmp_path / "a.py").write_text(fixable)
    ran = inplace_lint("check", "--fix-only", "--show-fixes", "--exit-non-zero-on-fix")
    assert ran.status == 1 and "1 × IPL900 (unused-suppression)" in ran.out and ran.out.endswith("\nFixed 1 error.\n")
    ran = inplace_lint("check", "--fix-only", "-", stdin=fixable.encode())
    assert (ran.out, ran.err) == ("x = 1\n", "Fixed 1 error.\n")


@pytest.mark.parametrize(
    ("options", "fixed"),
    [
        (["--fix"], True),
        (["--fix", "--unfixable", "IPL900"], False),
        (["--fix", "--unfixable", "IPL9"], False),
        (["--fix", "--fixable", "IPL2"], False),
        (["--fix", "--fixable", "IPL2", "--extend-fixable", "unused-suppression"], True),
        (["--fix", "--config", "unfixable = ['ALL']"], False),
    ],
)
def test_which_rules_may_be_fixed(
    tmp_path: Path, inplace_lint: Callable[..., Any], options: list[str], fixed: bool
) -> None:
    (tmp_path / "a.py").write_text("x = 1  # noqa: IPL201\n")
    ran = inplace_lint("check", *options)
    assert ran.status == (0 if fixed else 1)
    assert ("noqa" not in (tmp_path / "a.py").read_text()) == fixed
    assert fixed or "[*]" not in ran.out
