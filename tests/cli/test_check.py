"""``inplace-lint check`` as people and CI systems run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from inplace_lint.cli import cli

BROKEN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"
CLEAN = "import torch\n\nw = torch.ones(3, requires_grad=True)\ny = w + 1\n"


def run(
    *arguments: str, cwd: Path | None = None, stdin: str | bytes | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", *arguments],
        cwd=cwd,
        input=data if data is not None else b"",
        capture_output=True,
        env={**environment, **env},
        timeout=120,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file that has a finding, a clean one, one that cannot be parsed and one that is no text."""
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "clean.py").write_text(CLEAN)
    (tmp_path / "syntax.py").write_text("def f(:\n    pass\n")
    (tmp_path / "bytes.py").write_bytes(b'import torch\nx = "\xff"\n')
    return tmp_path


def findings(project: Path, *arguments: str) -> list[tuple[str, str, int, int]]:
    """What ``check`` finds, as file name, code, row and column."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        done = CliRunner().invoke(cli, ["check", "--output-format", "json", *arguments])
    entries = json.loads(done.stdout)
    return [(Path(it["filename"]).name, it["code"], it["location"]["row"], it["location"]["column"]) for it in entries]


def test_every_file_is_checked_and_what_cannot_be_read_is_a_finding(project: Path) -> None:
    assert findings(project) == [
        ("broken.py", "IPL101", 4, 1),
        ("bytes.py", "IPL000", 2, 6),
        ("syntax.py", "IPL000", 1, 7),
    ]
    assert run("check", cwd=project).returncode == 1


def test_a_path_that_is_not_there_is_a_finding_and_stops_nothing(project: Path) -> None:
    done = run("check", "gone.py", "broken.py", "--output-format", "concise", cwd=project)
    assert "gone.py:1:1: IPL000 cannot be read: no such file or directory" in done.stdout
    assert "broken.py:4:1: IPL101" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


def test_a_clean_file_passes(project: Path) -> None:
    done = run("check", "clean.py", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "All checks passed!\n", "")
    assert run("check", "--quiet", "clean.py", cwd=project).stdout == ""


def test_standard_input(project: Path) -> None:
    done = run("check", "-", "--stdin-filename", "model.py", "--output-format", "concise", stdin=BROKEN)
    assert done.stdout.startswith("model.py:4:1: IPL101 [*] `w += 1` writes in place to `w`")
    assert done.returncode == 1
    assert run("check", "-", stdin=CLEAN).returncode == 0
    undecodable = run("check", "-", "--output-format", "concise", stdin=b"x = '\xff'\n")
    assert undecodable.stdout.startswith("-:1:6: IPL000")
    assert run("check", "-", "clean.py", cwd=project).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("--select", "IPL101"), {"IPL101"}),
        (("--select", "IPL1"), {"IPL101"}),
        (("--select", "leaf-written"), {"IPL101"}),
        (("--select", "IPL2,IPL3"), set()),
        (("--select", "IPL2", "--extend-select", "IPL000"), {"IPL000"}),
        (("--ignore", "unreadable-file"), {"IPL101"}),
        (("--ignore", "IPL"), set()),
        (("--ignore", "ALL"), set()),
        (("--select", "IPL101", "--ignore", "IPL1"), {"IPL101"}),
        (("--exclude", "broken.py"), {"IPL000"}),
        (("--extend-exclude", "b*.py,syntax.py"), set()),
        (("--severity", "error"), {"IPL000", "IPL101"}),
        (("--isolated", "--no-cache", "--cache-dir", "c"), {"IPL000", "IPL101"}),
    ],
)
def test_selection(project: Path, arguments: tuple[str, ...], codes: set[str]) -> None:
    assert {code for _, code, _, _ in findings(project, *arguments)} == codes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "--select", "IPL21"), "did you mean `IPL201`?"),
        (("check", "--ignore", "leaf-writen"), "did you mean `leaf-written`?"),
        (("check", "--output-format", "xml"), "there is no format `xml`; choose from"),
        (("check", "--output-format", "json:"), "the path after the colon is missing"),
        (("check", "--output-file", "clean.py/out"), "cannot write clean.py/out: "),
        (("check", "--output-format", "sarif:."), "cannot write .: is a directory"),
        (("check", "--output-format", "json:a", "--output-format", "sarif:./a"), "two formats would be written to ./a"),
        (
            ("check", "--statistics", "--output-format", "sarif"),
            "`--statistics` goes with the formats full, concise and",
        ),
        (("check", "--severity", "fatal"), "--severity"),
        (("check", "--no-such-option"), "No such option"),
        (("rule", "IPL999"), "there is no rule `IPL999`"),
        (("rule",), "name one rule, or give --all"),
    ],
)
def test_wrong_use_is_explained(project: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments, cwd=project)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_exit_status_follows_fail_on_and_exit_zero(project: Path) -> None:
    (project / "unsure.py").write_text("import torch\n\ndef f(x):\n    y = x.exp()\n    y += 1\n    return y\n")
    assert run("check", "unsure.py", cwd=project).returncode == 1
    assert run("check", "unsure.py", "--fail-on", "error", cwd=project).returncode == 0
    assert run("check", "unsure.py", "--severity", "error", cwd=project).returncode == 0
    assert run("check", "--exit-zero", cwd=project).returncode == 0


def test_noqa(project: Path) -> None:
    for comment in ("noqa", "noqa: IPL101", "noqa: leaf-written"):
        assert run("check", "-", stdin=BROKEN.replace("w += 1", f"w += 1  # {comment}")).returncode == 0
    assert run("check", "-", stdin=BROKEN.replace("w += 1", "w += 1  # noqa: IPL202")).returncode == 1
    assert run("check", "-", stdin="# inplace-lint: noqa\n" + BROKEN).returncode == 0


def test_several_formats_at_once(project: Path) -> None:
    done = run("check", "--output-format", "concise", "--output-format", "json:out.json", "broken.py", cwd=project)
    assert done.stdout.startswith("broken.py:4:1: IPL101")
    assert json.loads((project / "out.json").read_text())[0]["code"] == "IPL101"
    run("check", "-o", "new/folder/out.txt", "broken.py", cwd=project, FORCE_COLOR="1")
    assert (project / "new" / "folder" / "out.txt").read_text().startswith("error[IPL101][*]: ")


def test_statistics(project: Path) -> None:
    table = "2\tIPL000\t[ ] unreadable-file\n1\tIPL101\t[*] leaf-written\n"
    assert run("check", "--statistics", "--quiet", cwd=project).stdout == table
    shown = run("check", "--statistics", cwd=project)
    assert (shown.stdout, shown.returncode) == (f"{table}Found 3 errors.\n[*] 1 fixable with `--fix`.\n", 1)
    entries = json.loads(run("check", "--statistics", "--output-format", "json", cwd=project).stdout)
    assert [(it["code"], it["count"], it["fixable"]) for it in entries] == [("IPL000", 2, False), ("IPL101", 1, True)]


def test_colour_is_off_in_a_pipe_and_follows_the_environment(project: Path) -> None:
    plain = run("check", "broken.py", cwd=project).stdout
    assert "\x1b[" not in plain
    assert "\x1b[" in run("check", "broken.py", cwd=project, FORCE_COLOR="1").stdout
    assert "\x1b[" in run("check", "--color", "always", "broken.py", cwd=project).stdout
    assert run("check", "broken.py", cwd=project, FORCE_COLOR="1", NO_COLOR="1").stdout == plain


@pytest.mark.parametrize(
    ("command", "status"), [(["check", "--jobs", "1"], 1), (["check", "--exit-zero"], 0), (["rule", "--all"], 0)]
)
def test_a_closed_pipe_is_no_error(project: Path, command: list[str], status: int) -> None:
    for number in range(20):
        (project / f"broken{number}.py").write_text(BROKEN)
    process = subprocess.Popen(
        [sys.executable, "-m", "inplace_lint", *command], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.wait(timeout=120)
    assert (process.returncode, error) == (status, b"")


def test_processes_find_what_one_process_finds(project: Path) -> None:
    for number in range(30):
        (project / f"broken{number}.py").write_text(BROKEN)
    one, two = (run("check", "--jobs", jobs, cwd=project) for jobs in ("1", "2"))
    assert one.stdout == two.stdout
    assert one.stdout.count("error[IPL101]") == 31


def test_a_fault_of_ours_in_one_file_keeps_the_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inplace_lint import api, interp
    from inplace_lint.output import Report, summary

    real = interp.analyse

    def analyse(module, project, assumed):  # type: ignore[no-untyped-def]
        if "fails" in module.file:
            raise ZeroDivisionError("on purpose")
        return real(module, project, assumed)

    monkeypatch.setattr(interp, "analyse", analyse)
    (project / "fails.py").write_text(BROKEN)
    result = api.check_paths([project])
    assert [found.code for found in result.diagnostics] == ["IPL101", "IPL000", "IPL000"]
    (failure,) = result.failures
    assert failure.error == "ZeroDivisionError: on purpose"
    assert "Traceback" in failure.trace
    assert summary(Report((), checked=1, failed=1)) == "1 file could not be checked."


def test_a_process_that_dies_takes_no_other_files_with_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inplace_lint import api, interp

    real = interp.analyse

    def analyse(module, project, assumed):  # type: ignore[no-untyped-def]
        if "fails" in module.file:
            os._exit(9)
        return real(module, project, assumed)

    monkeypatch.setattr(interp, "analyse", analyse)
    for number in range(30):
        (project / f"broken{number}.py").write_text(BROKEN)
    (project / "fails.py").write_text(BROKEN)
    result = api.check_paths([project], jobs=2)
    assert [Path(failure.filename).name for failure in result.failures] == ["fails.py"]
    assert sum(found.code == "IPL101" for found in result.diagnostics) == 31


def test_version_is_quick() -> None:
    code = (
        "import sys\nimport inplace_lint.cli\n"
        "heavy = {'libcst', 'inplace_lint.interp', 'inplace_lint.rules', 'json', 'multiprocessing'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert run("--version").stdout.startswith("inplace-lint ")


def test_rule_prints_documentation() -> None:
    assert run("rule", "IPL101").stdout.startswith("# leaf-written (IPL101)\n")
    assert run("rule", "IPL101").stdout == run("rule", "leaf-written").stdout
    everything = run("rule", "--all").stdout
    assert everything.count("\n## What it finds\n") >= 15
    entries = json.loads(run("rule", "--all", "--output-format", "json").stdout)
    assert {"IPL000", "IPL101", "IPL503"} <= {entry["code"] for entry in entries}


def test_config_lists_settings_and_clean_drops_the_cache(tmp_path: Path) -> None:
    assert 'fail-on = "warning"' in run("config").stdout
    (tmp_path / ".inplace_lint_cache").mkdir()
    (tmp_path / "other").mkdir()
    assert run("clean", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other"]
    assert run("clean", cwd=tmp_path).stdout == ""


def test_code_that_does_not_import_torch_has_no_tensors() -> None:
    from inplace_lint.api import check_source

    code = "import {0}\n\n\ndef f(x):\n    '''Like torch's.'''\n    y = x.exp()\n    y += 1\n    y.sum().backward()\n"
    assert check_source(code.format("numpy as np")) == []
    assert [found.code for found in check_source(code.format("torch"))] == ["IPL202"]
