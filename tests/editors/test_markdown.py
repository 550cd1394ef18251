"""Python blocks of Markdown files on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inplace_lint.source.markdown import blocks

PAGE = """\
# Writing in place

```python title="wrong"
import torch
w = torch.ones(3, requires_grad=True)
w += 1
```

- in a list:

  ~~~{.py}
  import torch
  y = torch.ones(3, requires_grad=True).exp()
  y += 1
  y.sum().backward()
  v = torch.ones(3, requires_grad=True)
  v += 1  # noqa: IPL101
  ~~~

```python
def sketch(...): w += 1
```

```bash
w += 1
```

    w += 1
"""


def concise(folder: Path, *arguments: str, data: bytes = b"") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--no-cache", "--output-format", "concise", *arguments],
        cwd=folder,
        input=data,
        capture_output=True,
        timeout=120,
    )
    assert done.stderr == b""
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.decode().splitlines() if "IPL" in line]


FOUND = ["page.md:6:1: IPL101", "page.md:14:3: IPL202"]


def test_blocks_are_looked_into_where_it_is_asked_for(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert concise(tmp_path) == []
    assert concise(tmp_path, "--markdown") == concise(tmp_path, "page.md") == FOUND
    assert concise(tmp_path, "--stdin-filename", "page.md", "-", data=PAGE.encode()) == FOUND
    (tmp_path / "inplace-lint.toml").write_text("markdown = true\n")
    assert concise(tmp_path) == FOUND
    assert concise(tmp_path, "--no-markdown") == []
    page.write_bytes(PAGE.replace("\n", "\r\n").encode())
    assert concise(tmp_path) == FOUND


def test_fixes_are_shown_and_never_made(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert concise(tmp_path, "--markdown", "--fix", "--unsafe-fixes") == FOUND
    assert page.read_text() == PAGE
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--no-cache", "page.md"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "14 -   y += 1\n   +   y = y + 1\n" in done.stdout
    assert "note: This fix is only shown: blocks in Markdown are never written to\n" in done.stdout
    assert "fixable" not in done.stdout


def test_no_block_knows_of_another(tmp_path: Path) -> None:
    alone = "```python\nimport torch\nx = torch.ones(3, requires_grad=True)\n```\n\n```python\nx += 1\n```\n"
    (tmp_path / "page.md").write_text(alone)
    assert concise(tmp_path, "page.md") == []
    same = "```python\nimport torch\n\n\ndef f(x):\n    y = x.exp()\n    y += 1\n    return y\n```\n"
    call = "\n\nx = torch.ones(3, requires_grad=True)\nf(x).sum().backward()\n```\n"
    (tmp_path / "page.md").write_text(same + same.replace("\n```\n", call))
    found = concise(tmp_path, "page.md")
    assert found == ["page.md:7:5: IPL202", "page.md:16:5: IPL202"]


def test_a_suppression_without_use_is_told_at_its_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "- ```python\n  import torch\n  x = torch.ones(3)  # noqa: IPL201\n  ```\n".replace("- ```", "  ```")
    )
    assert concise(tmp_path, "page.md") == ["page.md:3:22: IPL900"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```py\na\n```\n", [(2, 0, "\na\n")]),
        ("````python\n```\na\n````", [(2, 0, "\n```\na\n")]),
        ("```python\na", [(2, 0, "\na\n")]),
        ("  ```python\n  a\n b\n\n  ```\n", [(2, 2, "\na\nb\n\n")]),
        ("``` `python` ```\n", []),
        ("```pycon\n>>> a\n```\n~~~ Python\n~~~\n", [(5, 0, "\n" * 4 + "\n")]),
        ("", []),
    ],
)
def test_fences_are_read_as_markdown_has_them(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert [(it.row, it.indent, it.program) for it in blocks(text)] == expected


def test_every_format_copes(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--no-cache", "--output-format", "json", "page.md"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    first, second = json.loads(done.stdout)
    assert (first["cell"], first["fix"]["edits"], first["fix"]["applicability"]) == (None, [], "display-only")
    assert [step["location"] for step in second["related"]][1] == {"row": 14, "column": 3}
