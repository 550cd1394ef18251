"""Fixes over several files: linted again together, whatever the number of processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from inplace_lint.api import check_paths, fix_paths

PROJECTS = Path(__file__).parents[2] / "fixtures" / "projects"

HELPER = "import torch\n\n\ndef step(t):\n    t += 1\n    return t\n"
CALLER = (
    "import torch\nfrom helper import step\n\nx = torch.ones(3, requires_grad=True)\n"
    "y = x.exp()\nstep(y)\ny.sum().backward()\n"
)
LEAF = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in sorted(folder.rglob("*.py"))}


@pytest.mark.parametrize("project", sorted(it for it in PROJECTS.iterdir() if it.is_dir()), ids=lambda it: it.name)
def test_what_remains_is_what_a_new_run_finds(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / project.name
    shutil.copytree(project, folder)
    before = check_paths([folder])
    done = fix_paths([folder], unsafe=True)
    assert done.result.diagnostics == check_paths([folder]).diagnostics
    assert len(done.fixed) + len(done.result.diagnostics) <= len(before.diagnostics)
    assert sorted(change.name for change in done.changes) == sorted(done.written.names)
    assert not fix_paths([folder], unsafe=True).changes


def test_only_named_files_are_changed(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "caller.py").write_text(CALLER)
    before = contents(tmp_path)
    fix_paths([tmp_path / "caller.py"], unsafe=True)
    assert contents(tmp_path)["helper.py"] == before["helper.py"]


def test_a_fix_that_is_nothing_without_its_caller_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "caller.py").write_text(CALLER)
    done = fix_paths([tmp_path], unsafe=True)
    assert done.result.diagnostics == check_paths([tmp_path]).diagnostics


@pytest.mark.parametrize("unsafe", [True, False])
def test_the_number_of_processes_does_not_matter(tmp_path: Path, unsafe: bool) -> None:
    results = []
    for jobs in (1, 2):
        folder = tmp_path / "project"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "helper.py").write_text(HELPER)
        for number in range(14):
            (folder / f"leaf{number}.py").write_text(LEAF)
            (folder / f"caller{number}.py").write_text(CALLER)
        done = fix_paths([folder], jobs=jobs, unsafe=unsafe)
        results.append((done.result, done.fixed, done.not_fixed, contents(folder)))
    assert results[0] == results[1]


def test_a_file_under_two_names_is_changed_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LEAF)
    (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
    done = fix_paths([tmp_path], unsafe=True)
    assert not done.written.failures and not done.result.diagnostics
    assert (tmp_path / "b.py").is_symlink()
    assert (tmp_path / "a.py").read_text() == LEAF.replace("w += 1", "with torch.no_grad():\n    w += 1")


def test_a_file_that_changes_while_it_is_checked_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inplace_lint import api

    path = tmp_path / "a.py"
    path.write_text(LEAF)
    real = api.checked

    def checked(*arguments):  # type: ignore[no-untyped-def]
        done = list(real(*arguments))
        path.write_text("# new\n" + LEAF)
        return done

    monkeypatch.setattr(api, "checked", checked)
    done = fix_paths([path], unsafe=True)
    assert [it.reason for it in done.not_fixed] == ["the file changed while it was checked"]
    assert path.read_text() == "# new\n" + LEAF


def test_a_file_that_cannot_be_written_has_its_findings_still(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(LEAF)
    os.chmod(path, 0o444)
    done = fix_paths([path], unsafe=True)
    assert done.written.failures == {str(path): "it is read-only"}
    assert (done.fixed, len(done.result.diagnostics)) == ([], 1)
