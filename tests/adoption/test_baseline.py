"""The baseline, as people use it: write, work on, prune, and what becomes of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

OLD = """\
import torch
w = torch.ones(3, requires_grad=True)


def train():
    y = w.exp()
    y += 1
    y.sum().backward()


train()
w += 1
"""  # IPL202 in `train`, IPL101
NEW = "\nz = w.exp()\nz *= 2\nz.sum().backward()\n"  # IPL202


@pytest.fixture
def project(tmp_path: Path, inplace_lint: Run) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "old.py").write_text(OLD)
    ran = inplace_lint("check", "--write-baseline", "known.json")
    assert (ran.status, ran.out, ran.err) == (0, "", "Wrote 2 findings to known.json.\n")
    return tmp_path


def entries(project: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((project / "known.json").read_text())["findings"]
    return found


def test_the_file_is_for_people(project: Path) -> None:
    assert (project / "known.json").read_text() == (
        '{\n  "version": 1,\n  "findings": [\n'
        '    {"path": "pkg/old.py", "code": "IPL101", "text": "w += 1"},\n'
        '    {"path": "pkg/old.py", "code": "IPL202", "in": "train", "text": "y += 1"}\n'
        "  ]\n}\n"
    )


def test_what_is_known_is_hidden_and_what_is_new_is_told(project: Path, inplace_lint: Run) -> None:
    ran = inplace_lint("check", "--baseline", "known.json")
    assert (ran.status, ran.out) == (0, "All checks passed!\n")
    assert ran.err == "2 known findings hidden by the baseline.\n"
    with (project / "pkg" / "old.py").open("a") as file:
        file.write(NEW)
    ran = inplace_lint("check", "--baseline", "known.json", "--output-format=concise", "--quiet")
    assert ran.status == 1 and ran.out.count("\n") == 1 and "pkg/old.py:15:1: IPL202" in ran.out and ran.err == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "# a\n# b\n" + text.replace("    y += 1", "\n    # why\n    y += 1  # E501\n"),
        lambda text: text.replace("train", "train_it"),
        lambda text: text.replace("    ", "\t"),
        lambda text: text.replace("def train():\n", "if True:\n  def train():\n").replace("    y", "      y"),
    ],
)
def test_it_survives_moved_lines_and_renamed_definitions(
    project: Path, inplace_lint: Run, change: Callable[[str], str]
) -> None:
    path = project / "pkg" / "old.py"
    path.write_text(change(OLD))
    assert path.read_text() != OLD
    ran = inplace_lint("check", "--baseline", "known.json", "--error-on-stale-baseline")
    assert ran.status == 0


def test_it_survives_a_renamed_file_and_may_be_used_from_anywhere(project: Path, inplace_lint: Run) -> None:
    assert inplace_lint("check", "--baseline", "../known.json", at="pkg").status == 0
    (project / "pkg" / "old.py").rename(project / "pkg" / "new.py")
    assert inplace_lint("check", "--baseline", "known.json", "--error-on-stale-baseline").status == 0
    # A copy is new.
    (project / "pkg" / "old.py").write_text(OLD)
    assert inplace_lint("check", "--baseline", "known.json").status == 1
    inplace_lint("check", "--baseline", "known.json", "--prune-baseline", "pkg/new.py")


def test_an_edited_line_is_new_and_its_entry_is_stale(project: Path, inplace_lint: Run) -> None:
    (project / "pkg" / "old.py").write_text(OLD.replace("y += 1", "y += 2"))
    ran = inplace_lint("check", "--baseline", "known.json", "--output-format=concise")
    assert ran.status == 1 and "IPL202" in ran.out and "IPL101" not in ran.out
    assert "1 finding of the baseline no longer found (`--prune-baseline` drops them)." in ran.err


def test_stale_entries_are_an_error_on_demand_and_can_be_pruned(project: Path, inplace_lint: Run) -> None:
    (project / "pkg" / "old.py").write_text(OLD.replace("    y += 1\n", ""))
    assert inplace_lint("check", "--baseline", "known.json").status == 0
    ran = inplace_lint("check", "--baseline", "known.json", "--error-on-stale-baseline")
    assert ran.status == 1 and "stale: pkg/old.py: IPL202 in `train`: `y += 1`\n" in ran.err
    ran = inplace_lint("check", "--baseline", "known.json", "--prune-baseline")
    assert ran.status == 0 and "Took 1 stale finding out of" in ran.err
    assert [one["code"] for one in entries(project)] == ["IPL101"]
    ran = inplace_lint("check", "--baseline", "known.json", "--error-on-stale-baseline")
    assert ran.status == 0


def test_equal_findings_are_counted(project: Path, inplace_lint: Run) -> None:
    path = project / "pkg" / "old.py"
    path.write_text(OLD + "w += 1\n")
    assert inplace_lint("check", "--baseline", "known.json").status == 1
    ran = inplace_lint("check", "--write-baseline", "known.json")
    assert ran.err == "Wrote 3 findings to known.json (1 new, 0 gone).\n"
    assert entries(project)[0] == {"path": "pkg/old.py", "code": "IPL101", "text": "w += 1", "count": 2}
    path.write_text(OLD)
    ran = inplace_lint("check", "--baseline", "known.json", "--prune-baseline")
    assert ran.status == 0 and "count" not in entries(project)[0]


def test_reasons_are_kept(project: Path, inplace_lint: Run) -> None:
    text = (project / "known.json").read_text().replace('"y += 1"}', '"y += 1", "reason": "see ticket 7"}')
    (project / "known.json").write_text(text)
    (project / "pkg" / "old.py").write_text("\n" + OLD.replace("train", "train_it").replace("\nw += 1", "") + NEW)
    inplace_lint("check", "--write-baseline", "known.json")
    assert [(one.get("in"), one.get("reason")) for one in entries(project)] == [
        (None, None),
        ("train_it", "see ticket 7"),
    ]
    inplace_lint("check", "--baseline", "known.json", "--prune-baseline")
    assert [one.get("reason") for one in entries(project)] == [None, "see ticket 7"]


def test_a_run_over_a_part_leaves_the_rest_of_the_baseline_alone(project: Path, inplace_lint: Run) -> None:
    (project / "other.py").write_text(OLD.replace("train", "other"))
    before = entries(project)
    ran = inplace_lint("check", "other.py", "--baseline", "known.json", "--error-on-stale-baseline", "--prune-baseline")
    assert ran.status == 1 and "stale" not in ran.err and entries(project) == before
    inplace_lint("check", "other.py", "--write-baseline", "known.json")
    assert [one["path"] for one in entries(project)] == ["other.py", "other.py", "pkg/old.py", "pkg/old.py"]
    # Rules that are off are still there.
    run = ("check", "--select", "IPL1", "--baseline", "known.json", "--prune-baseline", "--error-on-stale-baseline")
    assert inplace_lint(*run).status == 0
    assert len(entries(project)) == 4


def test_an_entry_that_a_caller_elsewhere_needs_is_not_stale_without_it(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "helper.py").write_text("import torch\ndef bump(t):\n    t += 1\n    return t\n")
    (tmp_path / "caller.py").write_text(
        "import torch\nfrom helper import bump\nw = torch.ones(3, requires_grad=True)\ny = w.exp()\nbump(y)\ny.sum().backward()\n"
    )
    inplace_lint("check", "--write-baseline", "known.json")
    run = ("check", "helper.py", "--baseline", "known.json", "--error-on-stale-baseline", "--prune-baseline")
    assert inplace_lint(*run).status == 0
    assert [one["path"] for one in entries(tmp_path)] == ["helper.py"]


def test_the_baseline_may_be_a_setting_and_is_written_where_it_is_asked_for(project: Path, inplace_lint: Run) -> None:
    (project / "inplace-lint.toml").write_text("baseline = 'known.json'\n")
    assert inplace_lint("check").status == 0
    assert inplace_lint("check", "old.py", at="pkg").status == 0
    assert inplace_lint("check", "--isolated").status == 1
    # Another one has all there is, known elsewhere or not.
    inplace_lint("check", "--write-baseline", "other/again.json")
    assert json.loads((project / "other" / "again.json").read_text())["findings"] == [
        {**one, "path": f"../{one['path']}"} for one in entries(project)
    ]


def test_sarif_marks_what_is_known(project: Path, inplace_lint: Run) -> None:
    ran = inplace_lint("check", "--baseline", "known.json", "--output-format", "sarif")
    results = json.loads(ran.out)["runs"][0]["results"]
    assert [[one["kind"] for one in result["suppressions"]] for result in results] == [["external"], ["external"]]
    assert json.loads(inplace_lint("check", "--baseline", "known.json", "--output-format", "json").out) == []


def test_what_is_known_is_not_fixed(project: Path, inplace_lint: Run) -> None:
    ran = inplace_lint("check", "--baseline", "known.json", "--fix", "--unsafe-fixes")
    assert ran.status == 0 and (project / "pkg" / "old.py").read_text() == OLD
    (project / "pkg" / "old.py").write_text(OLD + NEW)
    ran = inplace_lint("check", "--baseline", "known.json", "--fix", "--unsafe-fixes")
    assert ran.status == 0 and (project / "pkg" / "old.py").read_text() == OLD + NEW.replace("z *= 2", "z = z * 2")


def test_comments_come_first(project: Path, inplace_lint: Run) -> None:
    (project / "pkg" / "old.py").write_text(OLD.replace("y += 1", "y += 1  # noqa: IPL202"))
    ran = inplace_lint("check", "--baseline", "known.json", "--error-on-stale-baseline")
    assert ran.status == 1 and "stale: pkg/old.py: IPL202" in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "known.json:1:1: is no baseline"),
        ('{"version": 1,\n "findings": [}', "known.json:2:15: is no baseline"),
        ("[]", "must be an object with a list `findings`"),
        ('{"findings": []}', "is a baseline of version None; this program reads 1"),
        ('{"version": 2, "findings": []}', "is a baseline of version 2; this program reads 1"),
        ('{"version": 1, "findings": [3]}', "finding 1: must be an object"),
        ('{"version": 1, "findings": [{"path": "a", "code": "IPL1"}]}', "finding 1: lacks `text`"),
        (
            '{"version": 1, "findings": [{"path": "a", "code": "IPL1", "text": "x", "line": 3}]}',
            "has an unknown key `line`",
        ),
        (
            '{"version": 1, "findings": [{"path": "a", "code": "IPL1", "text": "x", "count": 0}]}',
            "`count` must be a number from 1",
        ),
        ('{"version": 1, "findings": [{"path": "a", "code": 1, "text": "x"}]}', "`code` must be a string"),
    ],
)
@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
def test_a_baseline_that_is_broken_is_an_error_and_stays_as_it_is(
    project: Path, inplace_lint: Run, text: str, said: str, option: str
) -> None:
    (project / "known.json").write_text(text)
    ran = inplace_lint("check", option, "known.json")
    assert ran.status == 2 and said in ran.err and ran.out == ""
    assert (project / "known.json").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--baseline", "gone.json"], "there is no baseline"),
        (["--prune-baseline"], "name one with --baseline FILE"),
        (["--error-on-stale-baseline"], "name one with --baseline FILE"),
        (["--write-baseline", "x.json", "--fix"], "cannot be used with --fix"),
        (["--write-baseline", "x.json", "-"], "standard input"),
        (["--write-baseline", "pkg"], "cannot read the baseline pkg"),
        (["--baseline", "pkg/old.py"], "old.py:1:1: is no baseline"),
    ],
)
def test_wrong_use(project: Path, inplace_lint: Run, arguments: list[str], said: str) -> None:
    ran = inplace_lint("check", *arguments, stdin=b"")
    assert ran.status == 2 and said in ran.err and "Traceback" not in ran.err
    assert not (project / "x.json").exists()


def test_what_cannot_be_written_leaves_nothing_behind(
    project: Path, inplace_lint: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inplace_lint import baseline

    def refuse(source: str, target: str) -> None:
        raise PermissionError(13, "Permission denied")

    before = (project / "known.json").read_text()
    (project / "pkg" / "old.py").write_text(OLD + NEW)
    monkeypatch.setattr(baseline.os, "replace", refuse)
    ran = inplace_lint("check", "--write-baseline", "known.json")
    assert ran.status == 2 and "cannot write the baseline" in ran.err
    assert (project / "known.json").read_text() == before
    assert sorted(path.name for path in project.iterdir()) == ["known.json", "pkg"]
