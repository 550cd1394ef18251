"""Fixtures of several files: torch, running ``main.py``, and the linter, reading the folder, agree with their comments."""

from __future__ import annotations

import pytest

from tools.truth.projects import ProjectFixture, check_findings, check_run, load_projects, run

CASES = list(load_projects())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_torch_agrees(case: ProjectFixture) -> None:
    assert check_run(case, run(case)) == []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_linter_agrees(case: ProjectFixture) -> None:
    assert check_findings(case) == []


def test_projects_exist() -> None:
    assert any(file.expected for case in CASES for file in case.files)
    assert any(not file.expected for case in CASES for file in case.files)
