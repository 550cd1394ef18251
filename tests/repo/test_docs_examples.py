"""What the pages in ``docs`` show is what the tool prints, and what they point at is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inplace_lint.output import formats

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"<!-- output: inplace-lint (.+?) -->\n```\w+\n(.*?)```", re.DOTALL)
SHOWN = [(page.name, *it) for page in PAGES for it in _BLOCK.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("page", "command", "output"), SHOWN, ids=[f"{page}: {command}" for page, command, _ in SHOWN])
def test_an_example_is_current(page: str, command: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**{key: value for key, value in os.environ.items() if key != "CI_PROJECT_DIR"}, "NO_COLOR": "1"},
    )
    printed = done.stdout.replace(str(ROOT), "/path/to/project")
    assert done.stderr == ""
    if printed == output:
        return
    # Three dots on a line of their own stand for lines that are left out.
    assert "\n...\n" in output, "it prints something else now"
    first, *between, last = output.split("\n...\n")
    assert printed.startswith(first) and printed.endswith(last)
    at = len(first)
    for part in between:
        assert part in printed[at:]
        at = printed.index(part, at) + len(part)


def test_every_format_is_shown() -> None:
    commands = " ".join(command for page, command, _ in SHOWN if page == "formats.md")
    shown = set(re.findall(r"--output-format ([\w-]+)", commands))
    assert shown | {"json-lines"} == set(formats())
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in formats())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", it.lower()).replace(" ", "-") for it in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_can_be_read(page: Path) -> None:
    for block in re.findall(r"```ya?ml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        assert isinstance(yaml.safe_load(block), dict)
