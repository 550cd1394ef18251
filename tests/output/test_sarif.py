"""SARIF: valid by the published schema, and complete."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from output_samples import CODE, FOUND, report, span

from inplace_lint.diagnostics import Diagnostic, Edit, Fix, Severity
from inplace_lint.output import Report, render
from inplace_lint.rules import all_rules

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
EDIT = Edit("y = y + 1", span(4, 5, 11))


def run_of(shown: Report) -> dict[str, Any]:
    """The one run of the log, which must be valid."""
    log = json.loads(render("sarif", shown))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def result_of(found: Diagnostic) -> dict[str, Any]:
    (result,) = run_of(report(found))["results"]
    assert isinstance(result, dict)
    return result


def test_a_result_says_what_and_where() -> None:
    result = result_of(FOUND)
    assert (result["ruleId"], result["level"]) == ("IPL202", "error")
    assert result["message"]["text"] == "`y += 1` overwrites `y` [assuming argument `w` of `clip` requires grad]"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "train.py", "uriBaseId": "%SRCROOT%"},
                "region": {
                    "startLine": 4,
                    "startColumn": 5,
                    "endLine": 4,
                    "endColumn": 11,
                    "snippet": {"text": "y += 1"},
                },
            }
        }
    ]
    assert result["properties"]["torchError"] == FOUND.torch_error
    assert result["properties"]["fix"]["code"] == "y = y + 1"


def test_the_story_is_a_code_flow() -> None:
    result = result_of(FOUND)
    (flow,) = result["codeFlows"]
    (thread,) = flow["threadFlows"]
    told = ["saved here", "overwritten here", "backward here"]
    assert [step["location"]["message"]["text"] for step in thread["locations"]] == told
    assert [step["message"]["text"] for step in result["relatedLocations"]] == told
    assert [step["id"] for step in result["relatedLocations"]] == [1, 2, 3]
    alone = result_of(replace(FOUND, related=()))
    assert "codeFlows" not in alone and "relatedLocations" not in alone


def test_fixes_that_may_be_applied_are_offered_with_their_caution() -> None:
    assert "fixes" not in result_of(FOUND)
    assert "fixes" not in result_of(replace(FOUND, fix=Fix("display-only", "Do it", (EDIT,))))
    other = Edit("import torch\n", span(1, 1, 1, "other.py"))
    (fix,) = result_of(replace(FOUND, fix=Fix("unsafe", "Do it", (EDIT, other))))["fixes"]
    assert fix["description"]["text"] == "Do it. This is an unsafe fix and may change runtime behavior."
    assert [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]] == ["other.py", "train.py"]
    assert fix["artifactChanges"][1]["replacements"] == [
        {
            "deletedRegion": {"startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 11},
            "insertedContent": {"text": "y = y + 1"},
        }
    ]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_carries_its_documentation(rule: Any) -> None:
    run = run_of(report(FOUND, replace(FOUND, code=rule.code, name=rule.name)))
    rules = run["tool"]["driver"]["rules"]
    assert [it["id"] for it in rules] == sorted({"IPL202", rule.code})
    assert [rules[it["ruleIndex"]]["id"] for it in run["results"]] == ["IPL202", rule.code]
    (described,) = [it for it in rules if it["id"] == rule.code]
    assert described["name"] == rule.name
    assert "\n## How to fix it\n" in described["help"]["markdown"]
    assert described["helpUri"] == rule.url


@pytest.mark.parametrize(("severity", "level"), [("info", "note"), ("warning", "warning"), ("error", "error")])
def test_levels(severity: str, level: str) -> None:
    assert result_of(replace(FOUND, severity=Severity.parse(severity)))["level"] == level


def test_findings_of_the_baseline_are_there_as_suppressed() -> None:
    known = replace(FOUND, message="known", severity=Severity.WARNING)
    run = run_of(replace(report(FOUND), baselined=(known,)))
    new, old = run["results"]
    assert new["suppressions"] == []
    assert [it["kind"] for it in old["suppressions"]] == ["external"]
    assert old["message"]["text"].startswith("known")
    assert "suppressions" not in result_of(FOUND)


def test_no_findings_are_an_empty_list_of_results() -> None:
    run = run_of(report())
    assert run["results"] == [] and run["tool"]["driver"]["rules"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run_of(Report((), checked=1, failed=1))["invocations"] == [{"executionSuccessful": False}]


def test_addresses_of_files(tmp_path: Path) -> None:
    def uri(filename: str) -> dict[str, Any]:
        shown = replace(report(replace(FOUND, span=span(4, 5, 11, filename))), directory=str(tmp_path / "a b"))
        run = run_of(shown)
        assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == (tmp_path / "a b").as_uri() + "/"
        place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert isinstance(place, dict)
        return place

    inside = {"uriBaseId": "%SRCROOT%"}
    assert uri(str(tmp_path / "a b" / "c d" / "e#%:.py")) == {"uri": "c%20d/e%23%25%3A.py", **inside}
    assert uri(str(tmp_path / "a b" / os.fsdecode(b"\xff.py"))) == {"uri": "%FF.py", **inside}
    assert uri(str(tmp_path / "other.py")) == {"uri": (tmp_path / "other.py").as_uri()}
    assert uri("-") == {"uri": "-", "description": {"text": "standard input"}}


def test_columns_count_characters_and_say_so() -> None:
    lines = ['"😀日"; y += 1']
    run = run_of(report(replace(FOUND, span=span(1, 7, 13), related=()), lines=lines))
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert lines[0][region["startColumn"] - 1 : region["endColumn"] - 1] == "y += 1"


def test_a_place_in_a_notebook_is_its_cell() -> None:
    (place,) = result_of(replace(FOUND, span=span(4, 5, 11, "n.ipynb"), cell=2))["locations"]
    assert place["logicalLocations"] == [{"name": "cell 2", "kind": "element"}]
    assert "region" not in place["physicalLocation"]


def test_fingerprints_stay_when_lines_move_and_no_two_are_the_same() -> None:
    def marks(*found: Diagnostic, lines: list[str] = CODE) -> list[str]:
        return [it["partialFingerprints"]["inplaceLint/v1"] for it in run_of(report(*found, lines=lines))["results"]]

    first, second = marks(FOUND, replace(FOUND, span=span(5, 2, 20)))
    assert first != second
    moved = replace(FOUND, span=span(5, 5, 11), related=())
    assert marks(moved, lines=["# new", *CODE]) == [first]
    twice = marks(FOUND, FOUND)
    assert twice[0] == first and twice[1] != first
