"""``IPL900``: comments that suppress nothing are told, and taken out without touching what other tools read there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HEAD = "import torch\nw = torch.ones(3, requires_grad=True)\n"
SAVED = f"{HEAD}y = w.exp()\ny += 1  {{}}\ny.sum().backward()\n"  # IPL202


def codes(ran: Any) -> list[str]:
    """The codes of concise output, with their rows."""
    lines = [line.split(":") for line in ran.out.splitlines() if ".py:" in line]
    return [f"{line[1]} {line[3].split()[0]}" for line in lines]


def check(inplace_lint: Run, *args: str) -> list[str]:
    return codes(inplace_lint("check", "--output-format=concise", *args))


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# noqa: IPL202", []),
        ("# noqa: saved-result-overwritten, E501", []),
        ("# noqa", []),
        ("# noqa: F401", ["4 IPL202"]),
        ("# noqa: IPL201", ["4 IPL202", "4 IPL900"]),
        ("# noqa: IPL202, IPL201", ["4 IPL900"]),
        ("# noqa: IPL999, ipl202", ["4 IPL900"]),
        ("# noqa: IPL202, IPL900", ["4 IPL900"]),
        ("# noqa: IPL202, IPL201, IPL900", []),
        ("# noqa: IPL202, IPL201, unused-suppression", []),
    ],
)
def test_what_is_unused(tmp_path: Path, inplace_lint: Run, comment: str, found: list[str]) -> None:
    (tmp_path / "a.py").write_text(SAVED.format(comment))
    assert check(inplace_lint) == found


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("x = 1  # noqa: IPL202", "x = 1"),
        ("x = 1\t# noqa: IPL202  ", "x = 1"),
        ("x = 1  # noqa: E501, IPL201", "x = 1  # noqa: E501"),
        ("x = 1  # noqa: E501, IPL201, F401", "x = 1  # noqa: E501, F401"),
        ("x = 1  # NoQA:IPL201 F401", "x = 1  # NoQA:F401"),
        ("x = 1  # noqa: IPL201 because of that", "x = 1  # because of that"),
        ("x = 1  # noqa: E501, IPL201 because of that", "x = 1  # noqa: E501 because of that"),
        ("x = 1  # type: ignore[x] # noqa: IPL201", "x = 1  # type: ignore[x]"),
        ("x = 1  # noqa: IPL201 # type: ignore[x]", "x = 1  # type: ignore[x]"),
        ("x = 'ä'  # noqa: saved-result-overwritten", "x = 'ä'"),
        ("x = 1  # noqa: E501", "x = 1  # noqa: E501"),
        ("x = 1  # noqa", "x = 1  # noqa"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_fixing_takes_out_what_is_unused_and_nothing_else(
    tmp_path: Path, inplace_lint: Run, line: str, fixed: str, newline: str
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(f"# a{newline}{line}{newline}y = 2{newline}".encode())
    assert inplace_lint("check", "--fix").status == 0
    assert path.read_bytes().decode() == f"# a{newline}{fixed}{newline}y = 2{newline}"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("# inplace-lint: noqa\nx = 1\n", "x = 1\n"),
        ("# inplace-lint: noqa: IPL201\nx = 1\n", "x = 1\n"),
        ("x = 1\n    # inplace-lint: noqa: IPL201, IPL202", "x = 1\n"),
        ("# ruff: noqa\n# flake8: noqa: F401\nx = 1\n", "# ruff: noqa\n# flake8: noqa: F401\nx = 1\n"),
        ("# inplace-lint: noqa: IPL201, W123\nx = 1\n", "# inplace-lint: noqa: W123\nx = 1\n"),
    ],
)
def test_comments_for_the_file(tmp_path: Path, inplace_lint: Run, text: str, fixed: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(text)
    assert len(check(inplace_lint)) == (text != fixed)
    inplace_lint("check", "--fix")
    assert path.read_text() == fixed


def test_a_rule_that_is_off_still_uses_its_comment(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "a.py").write_text(SAVED.format("# noqa: IPL202"))
    assert check(inplace_lint, "--ignore", "IPL2") == []
    assert check(inplace_lint, "--severity", "error") == []
    (tmp_path / "a.py").write_text(SAVED.format("# noqa: IPL201"))
    assert check(inplace_lint, "--ignore", "IPL2") == ["4 IPL900"]
    assert check(inplace_lint, "--ignore", "unused-suppression") == ["4 IPL202"]


HELPER = "import torch\ndef bump(t):\n    t += 1  # noqa: IPL202\n    return t\n"
CALLER = f"from helper import bump\n{HEAD}y = w.exp()\nbump(y)\ny.sum().backward()\n"


def test_what_a_caller_in_another_file_needs_is_used(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "caller.py").write_text(CALLER)
    assert check(inplace_lint) == []
    # Looked at alone, as an editor or pre-commit does, it shows no use. The caller is seen to be there.
    assert check(inplace_lint, "helper.py") == []
    inplace_lint("check", "helper.py", "--fix")
    assert (tmp_path / "helper.py").read_text() == HELPER
    (tmp_path / "caller.py").unlink()
    assert check(inplace_lint, "helper.py") == ["3 IPL900"]


def test_several_processes_agree_with_one(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    for number in range(30):
        (tmp_path / f"caller{number}.py").write_text(CALLER if number == 7 else "x = 1  # noqa: IPL101\n")
    one, two = (check(inplace_lint, "--jobs", jobs) for jobs in "12")
    assert one == two == ["1 IPL900"] * 29


@pytest.mark.parametrize("broken", ["def f(:\n", "x = = 2\n"])
def test_in_a_file_that_cannot_be_read_nothing_is_unused(tmp_path: Path, inplace_lint: Run, broken: str) -> None:
    (tmp_path / "a.py").write_text(f"x = 1  # noqa: IPL201\n{broken}")
    assert check(inplace_lint) == ["2 IPL000"]


def test_standard_input_is_judged_too(tmp_path: Path, inplace_lint: Run) -> None:
    source = b"x = 1  # noqa: IPL201\n"
    assert "IPL900" in inplace_lint("check", "-", stdin=source).out
    assert inplace_lint("check", "-", "--fix", stdin=source).out == "x = 1\n"


def test_both_findings_of_a_line_are_fixed(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "a.py").write_text(SAVED.format("# noqa: IPL201, E501"))
    ran = inplace_lint("check", "--fix", "--unsafe-fixes")
    assert ran.status == 0
    assert (tmp_path / "a.py").read_text() == SAVED.format("# noqa: E501").replace("y += 1", "y = y + 1")
