"""The formats that Ruff has as well, held against what Ruff itself prints: whoever reads the one reads the other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# A finding at row 4 column 1 of each tool's own kind.
OURS = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
THEIRS = "import os\n\nw = os.sep\nx == None\n"
RUFF = shutil.which("ruff")
pytestmark = pytest.mark.skipif(RUFF is None, reason="Ruff is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "ours.py").write_text(OURS)
    (folder / "theirs.py").write_text(THEIRS)
    return folder


def both(folder: Path, *arguments: str) -> tuple[str, str]:
    """What the two print with the same arguments."""

    def output(*command: str) -> str:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(ROOT)}
        )
        assert done.returncode == 1, done.stderr
        return done.stdout

    ruff = output(str(RUFF), "check", "--isolated", "--no-cache", "--select", "E711", "theirs.py", *arguments)
    return output(sys.executable, "-m", "inplace_lint", "check", "ours.py", *arguments), ruff


def keys(value: Any, path: str = "") -> set[str]:
    """The paths of all keys in plain data."""
    if isinstance(value, list):
        return set().union(*(keys(it, f"{path}[]") for it in value))
    if isinstance(value, dict):
        return set().union(*({f"{path}.{key}"} | keys(it, f"{path}.{key}") for key, it in value.items()))
    return set()


@pytest.mark.parametrize("name", ["json", "gitlab", "rdjson"])
def test_every_key_of_ruff_is_there(folder: Path, name: str) -> None:
    ours, theirs = (json.loads(it) for it in both(folder, "--output-format", name))
    # The address of a home page, which we have none of.
    assert keys(theirs) - {".source.url"} <= keys(ours)


def test_json_lines_and_statistics_have_the_keys_of_ruff(folder: Path) -> None:
    ours, theirs = (json.loads(it) for it in both(folder, "--output-format", "json-lines"))
    assert keys(theirs) <= keys(ours)
    ours, theirs = (json.loads(it) for it in both(folder, "--statistics", "--output-format", "json"))
    assert keys(theirs) == keys(ours)


def test_sarif_has_the_keys_of_ruff(folder: Path) -> None:
    ours, theirs = (json.loads(it) for it in both(folder, "--output-format", "sarif"))
    rule = ".runs[].tool.driver.rules[]"
    # Ruff's rules may be off, and repeat what stands beside their properties.
    ruffs_own = {f"{rule}.defaultConfiguration.enabled", *(f"{rule}.properties.{it}" for it in ("id", "kind", "name"))}
    assert keys(theirs) - ruffs_own - {".runs[].tool.driver.informationUri"} <= keys(ours)


def test_junit_has_the_elements_and_counts_of_ruff(folder: Path) -> None:
    ours, theirs = (ET.fromstring(it) for it in both(folder, "--output-format", "junit"))
    for path in (".", "./testsuite", "./testsuite/testcase", "./testsuite/testcase/failure"):
        one, other = ours.find(path), theirs.find(path)
        assert one is not None and other is not None and one.tag == other.tag
        for count in ("tests", "failures", "errors"):
            assert one.get(count) == other.get(count)
        # What the schema has no room for.
        assert set(other.keys()) - {"skipped", "line", "column"} <= set(one.keys())
    failure = ours.find("./testsuite/testcase/failure")
    assert failure is not None and str(failure.text).startswith(f"line 4, col 1, {failure.get('message')}\n")


def test_lines_have_the_form_of_ruff(folder: Path) -> None:
    forms = {
        "concise": r"\w+\.py:4:\d+: [A-Z]+\d+ (\[\*\] )?\S.*",
        "pylint": r"\w+\.py:4: \[[A-Z]+\d+\] \S.*",
        "github": r"::error title=[\w-]+ \([A-Z]+\d+\),file=/[^,:]+/\w+\.py,line=4,col=\d+,endLine=4,endColumn=\d+::"
        r"\w+\.py:4:\d+: [A-Z]+\d+ [^\n]+%0A  help: [^\n]+",
    }
    for name, form in forms.items():
        for text in both(folder, "--output-format", name):
            assert re.fullmatch(form, text.splitlines()[0]), (name, text)


def test_closing_lines_are_those_of_ruff(folder: Path) -> None:
    ours, theirs = both(folder, "--output-format", "concise", "--unsafe-fixes")
    assert ours.splitlines()[1:] == theirs.splitlines()[1:]
    ours, theirs = both(folder, "--statistics", "--unsafe-fixes")
    assert re.sub(r"IPL101|leaf-written", "", ours) == re.sub(r"E711|none-comparison", "", theirs)
