"""Whatever encoding, line ends and blanks a file has, a fix changes its own characters and nothing else."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from inplace_lint.api import fix_paths, fix_text

BEFORE = [
    "{cookie}import torch  ",
    "",
    "def f(x):\t# caf\xe9 \x0c",
    "\ty = x.exp()   ",
    "\ty += 1  # \xe9t\xe9\t",
    "   ",
    "\ty.sum().backward()",
    "",
    "w = torch.ones(3, requires_grad=True)",
    "w += 1\t",
    "s = '''  ",
    "  two '''  ",
]
AFTER = [*BEFORE[:4], "\ty = y + 1  # \xe9t\xe9\t", *BEFORE[5:9], "with torch.no_grad():", "    w += 1\t", *BEFORE[10:]]
COOKIES = {
    "utf-8": "# x",
    "utf-8-sig": "# x",
    "latin-1": "# -*- coding: latin-1 -*-",
    "cp1252": "# vim: set fileencoding=cp1252 :",
}


def file(lines: list[str], encoding: str, ends: list[str], last: bool) -> bytes:
    """The lines as a file, their ends in turn."""
    text = "".join(line + end for line, end in zip(lines, ends, strict=True))
    if not last:
        text = text[: -len(ends[-1])]
    return text.replace("{cookie}", f"{COOKIES[encoding]}{ends[0]}").encode(encoding)


@pytest.mark.parametrize("encoding", COOKIES)
@pytest.mark.parametrize("ends", [("\n",), ("\r\n",), ("\r",), ("\n", "\r\n"), ("\r\n", "\n", "\r")], ids=repr)
@pytest.mark.parametrize("last", [True, False], ids=["with-last-end", "without-last-end"])
def test_only_the_fix_changes_bytes(tmp_path: Path, encoding: str, ends: tuple[str, ...], last: bool) -> None:
    if ends == ("\r",) and not encoding.startswith("utf-8"):
        pytest.skip("Python finds no coding line where lines end in carriage returns alone")
    turns = [ends[number % len(ends)] for number in range(len(BEFORE))]
    before = file(BEFORE, encoding, turns, last)
    # The new line ends as the one does that it stands for.
    expected = file(AFTER, encoding, [*turns[:9], turns[9], *turns[9:]], last)
    done = fix_text(before, "f.py", unsafe=True)
    (change,) = done.changes
    assert change.data == expected
    assert (len(done.fixed), done.not_fixed, done.result.diagnostics) == (2, [], [])
    path = tmp_path / "f.py"
    path.write_bytes(before)
    fix_paths([path], unsafe=True)
    assert path.read_bytes() == expected
    assert not fix_paths([path], unsafe=True).changes
    assert before.startswith(codecs.BOM_UTF8) == expected.startswith(codecs.BOM_UTF8)
