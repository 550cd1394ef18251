"""Whatever runs in a workflow is named by a commit, which nobody can move, and the tools that build a release by their hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
USES = re.compile(r"^\s*(?:- )?uses: (\S+)(.*)$", re.MULTILINE)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_commit_and_by_version_for_people(workflow: Path) -> None:
    used = USES.findall(workflow.read_text(encoding="utf-8"))
    assert used
    assert [name for name, _ in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []
    assert [name for name, comment in used if not re.fullmatch(r" # v\d+\.\d+\.\d+", comment)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_says(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    assert re.search(r"^permissions:", text, re.MULTILINE), "what a workflow may do is given at its top"
    assert "contents: write" not in text


def test_every_tool_of_a_release_is_pinned_by_hash() -> None:
    text = (ROOT / ".github/ci/requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert pinned
    assert len(pinned) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))
    wanted = (ROOT / ".github/ci/requirements.in").read_text(encoding="utf-8").splitlines()
    assert {line for line in wanted if line and not line.startswith("#")} <= set(pinned)
