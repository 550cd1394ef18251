"""``--add-noqa``: comments that silence all there is, each where it works."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HEAD = "import torch\nw = torch.ones(3, requires_grad=True)\n"


def program(write: str) -> str:
    return f"{HEAD}y = w.exp()\n{write}\ny.sum().backward()\n"


@pytest.mark.parametrize(
    ("write", "commented"),
    [
        ("y += 1", "y += 1  # noqa: IPL202"),
        ("y += 1  # fine", "y += 1  # fine  # noqa: IPL202"),
        ("y += 1  # noqa: E501", "y += 1  # noqa: E501, IPL202"),
        ("y += 1  # noqa: E501 too long", "y += 1  # noqa: E501, IPL202 too long"),
        ("y.add_(\n    1,\n)", "y.add_(\n    1,\n)  # noqa: IPL202"),
        ("y \\\n    += 1", "y \\\n    += 1  # noqa: IPL202"),
        ('y.add_(len("""\na"""))', 'y.add_(len("""\na"""))  # noqa: IPL202'),
        ("y += 1; w += 1", "y += 1; w += 1  # noqa: IPL101, IPL202"),
        ("for one in y.add_(1):\n    pass", "for one in y.add_(1):  # noqa: IPL202\n    pass"),
    ],
)
def test_a_comment_works_where_it_is_put(tmp_path: Path, inplace_lint: Run, write: str, commented: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(program(write))
    assert inplace_lint("check").status == 1
    ran = inplace_lint("check", "--add-noqa", "a.py")
    assert (ran.status, ran.out, ran.err) == (0, "", "Added 1 noqa directive.\n")
    assert path.read_text() == program(commented)
    assert ast.dump(ast.parse(path.read_text())) == ast.dump(ast.parse(program(write)))
    after = inplace_lint("check")
    assert (after.status, after.out) == (0, "All checks passed!\n")
    again = inplace_lint("check", "--add-noqa")
    assert (again.status, again.err) == (0, "") and path.read_text() == program(commented)


def test_a_reason_goes_behind_new_comments(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "a.py").write_text(program("y += 1"))
    inplace_lint("check", "--add-noqa=to be looked at", ".")
    assert "y += 1  # noqa: IPL202 to be looked at\n" in (tmp_path / "a.py").read_text()
    assert inplace_lint("check").status == 0


def test_only_what_is_shown_gets_one_and_the_bytes_of_the_rest_stay(tmp_path: Path, inplace_lint: Run) -> None:
    text = program("y += 1; w += 1").replace("\n", "\r\n").encode() + "# ä\r\n".encode("latin-1")
    text = b"# -*- coding: latin-1 -*-\r\n" + text
    (tmp_path / "a.py").write_bytes(text)
    (tmp_path / "inplace-lint.toml").write_text("ignore = ['IPL101']\n")
    inplace_lint("check", "--add-noqa")
    assert (tmp_path / "a.py").read_bytes() == text.replace(b"w += 1\r\n", b"w += 1  # noqa: IPL202\r\n")


def test_what_cannot_be_silenced_is_left_alone(tmp_path: Path, inplace_lint: Run) -> None:
    files = {"broken.py": "def f(:\n", "idle.py": "x = 1  # noqa: IPL201\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert inplace_lint("check", "--add-noqa").status == 0
    assert {name: (tmp_path / name).read_text() for name in files} == files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--add-noqa", "-"], "standard input"),
        (["--add-noqa", "--fix"], "cannot be used with --fix"),
        (["--add-noqa=a\nb"], "cannot contain line breaks"),
    ],
)
def test_wrong_use(tmp_path: Path, inplace_lint: Run, arguments: list[str], said: str) -> None:
    ran = inplace_lint("check", *arguments, stdin=b"")
    assert ran.status == 2 and said in ran.err
