"""What a later run shows is what it would show without a cache."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from inplace_lint import api, workers
from inplace_lint.caching import Store
from inplace_lint.caching.codec import decode, encode
from inplace_lint.diagnostics import Severity
from inplace_lint.settings import Settings
from inplace_lint.settling import Entry

HELPER = "def write(x):\n    x += 1\n"
MAIN = (
    "import torch\nfrom helper import write\n\nw = torch.ones(2, requires_grad=True)\n"
    "y = w.exp()\nwrite(y)\ny.sum().backward()\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "main.py").write_text(MAIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*paths: str) -> tuple[list[tuple[str, int, str]], int]:
    """The findings, and how many files were really checked."""
    done = []
    checker = workers.Checker.file

    def counted(self: workers.Checker, path: Path) -> object:
        done.append(path)
        return checker(self, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers.Checker, "file", counted)
        result = api.check_paths(paths or (".",), Settings(severity=Severity.INFO), cache_dir=".cache")
    assert not result.failures
    plain = api.check_paths(paths or (".",), Settings(severity=Severity.INFO))
    assert result.diagnostics == plain.diagnostics
    return [(it.span.filename, it.span.start.row, it.code) for it in result.diagnostics], len(done)


def test_what_did_not_change_is_not_checked_again(project: Path) -> None:
    first = run()
    assert first == ([("helper.py", 2, "IPL202")], 2)
    assert run() == (first[0], 0)


def test_a_change_reaches_those_that_import_it(project: Path) -> None:
    run()
    (project / "helper.py").write_text("def write(x):\n    x = x + 1\n")
    assert run() == ([], 2)
    (project / "main.py").write_text(MAIN + "\n")
    assert run() == ([], 1)


def test_a_change_back_is_known(project: Path) -> None:
    first, _ = run()
    (project / "helper.py").write_text("def write(x):\n    x = x + 1\n")
    run()
    (project / "helper.py").write_text(HELPER)
    assert run() == (first, 2)  # one entry a file: the newest


def test_a_module_that_comes_into_being_is_seen(project: Path) -> None:
    (project / "helper.py").unlink()
    assert run() == ([], 1)
    (project / "helper.py").write_text(HELPER)
    assert run()[0] == [("helper.py", 2, "IPL202")]


def test_findings_in_other_files_are_told_under_the_names_of_the_run(project: Path) -> None:
    assert run("main.py") == ([], 1)
    assert run("main.py", str(project / "helper.py"))[0] == [(str(project / "helper.py"), 2, "IPL202")]


@pytest.mark.parametrize("changed", ["main.py", "helper.py"])
def test_what_changes_after_it_was_read_is_checked_again(project: Path, changed: str) -> None:
    check = workers.Checker.file

    def edited_afterwards(self: workers.Checker, path: Path) -> object:
        report = check(self, path)
        if path.name == "main.py":
            (project / changed).write_text(
                "import torch\n" if changed == "main.py" else "def write(x):\n    x = x + 1\n"
            )
        return report

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers.Checker, "file", edited_afterwards)
        result = api.check_paths(["main.py", "helper.py"], cache_dir=".cache")
    assert [it.code for it in result.diagnostics] == ["IPL202"]
    assert run("main.py", "helper.py")[0] == []


def test_comments_count_as_they_are_now(project: Path) -> None:
    run()
    (project / "helper.py").write_text("def write(x):\n    x += 1  # noqa: IPL202\n")
    assert run()[0] == []


def test_a_file_that_is_no_python_stays_a_finding(project: Path) -> None:
    (project / "main.py").write_text("import torch\nx = (\n")
    first = run()[0]
    assert [code for _, _, code in first] == ["IPL000"]
    assert run() == (first, 0)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_broken_database_costs_nothing(project: Path, content: bytes) -> None:
    first, _ = run()
    (project / ".cache" / "reports.db").write_bytes(content)
    assert run() == (first, 2)
    run()
    assert run() == (first, 0)


@pytest.mark.parametrize(
    "data", [b"", b"x", zlib.compress(b"{}"), zlib.compress(json.dumps([[], [], "", [[1]]]).encode())]
)
def test_an_entry_of_another_form_is_passed_over(project: Path, data: bytes) -> None:
    first, _ = run()
    with sqlite3.connect(project / ".cache" / "reports.db") as database:
        database.execute("UPDATE entries SET data = ?", (data,))
    assert run() == (first, 2)


def test_no_place_for_a_cache_is_no_error(project: Path) -> None:
    (project / ".cache").write_text("a file")
    assert run() == ([("helper.py", 2, "IPL202")], 2)
    result = api.check_paths(["."], cache_dir=".cache")
    assert result.trouble is not None and "cache" in result.trouble


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    store = Store(tmp_path, most_bytes=1000)
    for number in range(30):
        store.write({f"{number:02}": bytes(100)})
    kept = sorted(store.read([f"{number:02}" for number in range(30)]))
    assert 0 < len(kept) <= 10
    assert kept[-1] == "29"


def test_runs_at_the_same_time_do_not_lose_the_cache(project: Path) -> None:
    for number in range(8):
        (project / f"main{number}.py").write_text(MAIN)
    command = [sys.executable, "-m", "inplace_lint", "check", "--cache-dir", ".cache", "--output-format", "concise"]
    # The same tool as this process, or its entries are others.
    env = {**os.environ, "PYTHONPATH": str(Path(api.__file__).parents[1])}
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) for _ in range(3)
    ]
    outputs = {run.communicate()[0] for run in runs}
    assert len(outputs) == 1 and "IPL202" in outputs.pop()
    assert run()[1] == 0


def test_the_command_line_keeps_a_cache_unless_told_not_to(project: Path) -> None:
    command = [sys.executable, "-m", "inplace_lint", "check", "--output-format", "concise"]
    subprocess.run([*command, "--no-cache"], check=False, capture_output=True)
    assert not (project / ".inplace_lint_cache").exists()
    first = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (project / ".inplace_lint_cache" / ".gitignore").read_text().endswith("*\n")
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout)
    subprocess.run([sys.executable, "-m", "inplace_lint", "clean"], check=True)
    assert not (project / ".inplace_lint_cache").exists()


def test_reports_survive_the_way_to_the_disk_and_back(project: Path) -> None:
    checker = workers.Checker()
    report = checker.file(project / "main.py")
    assert isinstance(report, workers.FileReport) and any(entry.found for entry in report.entries)
    for entry in report.entries:
        assert decode(Entry, json.loads(json.dumps(encode(entry)))) == entry
    own, files, folders = checker.used()
    assert own is not None and own != files[str(project / "helper.py")]
    assert str(project) in folders
    assert os.path.isabs(next(iter(files)))
