"""The formats that CI systems and review tools read."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from output_samples import FOUND, report, span

from inplace_lint.diagnostics import Diagnostic, Edit, Fix, Position, Severity, Span
from inplace_lint.output import Report, render

JUNIT = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))
EDIT = Edit("y = y + 1", span(4, 5, 11))
FIXABLE = replace(FOUND, fix=Fix("safe", "Do it out of place", (EDIT,)))
SEVERITIES = [Severity.ERROR, Severity.WARNING, Severity.INFO]


def test_json_lines_are_the_objects_of_json() -> None:
    out = render("json-lines", report(FOUND, FIXABLE))
    assert [json.loads(line) for line in out.splitlines()] == json.loads(render("json", report(FOUND, FIXABLE)))
    assert render("json-lines", report()) == ""


def test_pylint_is_a_line_a_finding() -> None:
    assert render("pylint", report(FOUND, replace(FOUND, cell=3, assumptions=()))).splitlines() == [
        "train.py:4: [IPL202] `y += 1` overwrites `y` [assuming argument `w` of `clip` requires grad]",
        "train.py:1: [IPL202] `y += 1` overwrites `y`",
    ]


def test_github_annotates_the_place_with_the_story() -> None:
    (line,) = render("github", report(FOUND)).splitlines()
    command, text = line[2:].split("::", 1)
    assert command.split(" ", 1)[0] == "error"
    properties = dict(it.split("=", 1) for it in command.split(" ", 1)[1].split(","))
    assert properties == {
        "title": "inplace-lint (IPL202)",
        "file": os.path.abspath("train.py"),
        "line": "4",
        "col": "5",
        "endLine": "4",
        "endColumn": "11",
    }
    told = text.split("%0A  ")
    assert told[0].startswith("train.py:4:5: IPL202 `y += 1` overwrites `y` [assuming")
    assert told[1:] == [
        "1. train.py:2:9: saved here",
        "2. train.py:4:5: overwritten here",
        "3. train.py:5:2: backward here",
        "help: Do it out of place",
        "    y = y + 1",
        "note: This is a display-only fix and is never applied: the code does not tell what was meant",
    ]


def test_github_commands_are_escaped() -> None:
    odd = replace(FOUND, span=span(4, 5, 11, "/a,b:c%\nd.py"), message="50%\r\n::error::x", related=(), fix=None)
    (line,) = render("github", report(odd)).splitlines()
    assert ",file=/a%2Cb%3Ac%25%0Ad.py,line=4," in line
    assert " 50%25%0D ::error::x [" in line


def test_github_levels_and_what_spans_several_lines() -> None:
    out = render("github", report(*(replace(FOUND, severity=it) for it in SEVERITIES)))
    assert [line.split(" ")[0] for line in out.splitlines()] == ["::error", "::warning", "::notice"]
    several = render("github", report(replace(FOUND, span=Span("a.py", Position(2, 5), Position(4, 11)))))
    assert ",line=2,endLine=4::" in several
    in_cell = render("github", report(replace(FOUND, cell=2)))
    assert ",line=1,col=1,endLine=1,endColumn=1::train.py:cell 2:4:5: " in in_cell


def test_gitlab_has_the_fields_of_code_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    first, second = json.loads(render("gitlab", report(FOUND, FOUND)))
    assert first == {
        "check_name": "IPL202",
        "description": "IPL202: `y += 1` overwrites `y` [assuming argument `w` of `clip` requires grad]",
        "severity": "major",
        "fingerprint": first["fingerprint"],
        "location": {
            "path": "train.py",
            "positions": {"begin": {"line": 4, "column": 5}, "end": {"line": 4, "column": 11}},
        },
    }
    assert first["fingerprint"] != second["fingerprint"]
    entries = json.loads(render("gitlab", report(*(replace(FOUND, severity=it) for it in SEVERITIES))))
    assert [it["severity"] for it in entries] == ["major", "minor", "info"]
    assert json.loads(render("gitlab", report())) == []


def test_gitlab_paths_start_at_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    (entry,) = json.loads(
        render("gitlab", report(replace(FOUND, span=span(4, 5, 11, str(tmp_path / "src" / "train.py")))))
    )
    assert entry["location"]["path"] == "src/train.py"


def suites(shown: Report) -> list[ET.Element]:
    """The suites of the report, which must be valid by the schema."""
    text = render("junit", shown)
    JUNIT.validate(text)
    return list(ET.fromstring(text))


def test_junit_has_a_suite_a_file_and_a_failure_a_finding() -> None:
    other = replace(FOUND, span=span(1, 1, 2, "lib/net.v2.py"))
    first, second = suites(report(FOUND, replace(FOUND, span=span(5, 2, 3)), other))
    assert (first.get("name"), first.get("tests"), first.get("failures")) == ("train.py", "2", "2")
    assert second.get("name") == "lib/net.v2.py"
    cases = [*first, *second]
    assert [(it.get("classname"), it.get("name")) for it in cases] == [
        ("train", "org.inplace-lint.IPL202"),
        ("train", "org.inplace-lint.IPL202 (2)"),
        ("lib/net.v2", "org.inplace-lint.IPL202"),
    ]
    failure = cases[0].find("failure")
    assert failure is not None and failure.text is not None
    assert failure.get("type") == "error"
    assert failure.get("message") == "`y += 1` overwrites `y` [assuming argument `w` of `clip` requires grad]"
    lines = failure.text.splitlines()
    assert lines[0].startswith("line 4, col 5, `y += 1` overwrites")
    assert "1. train.py:2:9: saved here" in lines and "PyTorch: one of the variables needed" in lines


def test_junit_without_findings_has_a_test_that_passes() -> None:
    (suite,) = suites(report())
    assert [(it.get("name"), len(it)) for it in suite] == [("No errors found", 0)]


def test_junit_is_valid_whatever_the_text_holds() -> None:
    message = "<a href='\"'>&amp; ]]> \x00\x1b\ud800 日本 😀 \n\t"
    (suite,) = suites(report(replace(FOUND, message=message, span=span(4, 5, 11, 'a "<&>\x01.py'))))
    assert suite.get("name") == 'a "<&>\ufffd.py'
    failure = suite[0].find("failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("<a href='\"'>&amp; ]]> \ufffd\ufffd\ufffd 日本 😀 ")


def diagnostic(found: Diagnostic, lines: list[str] | None = None) -> dict[str, Any]:
    shown = report(found) if lines is None else report(found, lines=lines)
    (entry,) = json.loads(render("rdjson", shown))["diagnostics"]
    assert isinstance(entry, dict)
    return entry


def test_rdjson_has_a_suggestion_for_a_fix() -> None:
    entry = diagnostic(FIXABLE)
    place = {"start": {"line": 4, "column": 5}, "end": {"line": 4, "column": 11}}
    assert entry["location"] == {"path": "train.py", "range": place}
    assert entry["suggestions"] == [{"range": place, "text": "y = y + 1"}]
    assert entry["code"] == {"value": "IPL202", "url": "https://example.org"}
    assert entry["severity"] == "ERROR"
    assert [it["message"] for it in entry["related_locations"]] == ["saved here", "overwritten here", "backward here"]


def test_rdjson_tells_what_cannot_be_a_suggestion() -> None:
    entry = diagnostic(FOUND)
    assert "suggestions" not in entry
    assert entry["message"].splitlines()[1:3] == ["help: Do it out of place", "    y = y + 1"]
    elsewhere = replace(EDIT, span=span(1, 1, 1, "other.py"))
    assert "suggestions" not in diagnostic(replace(FOUND, fix=Fix("safe", "Do it", (EDIT, elsewhere))))


def test_rdjson_makes_one_suggestion_of_a_fix_with_several_edits() -> None:
    edits = (Edit("y = y + 1", span(4, 5, 11)), Edit("# made\n", span(2, 1, 1)))
    (suggestion,) = diagnostic(replace(FOUND, fix=Fix("safe", "Do it", edits)))["suggestions"]
    assert suggestion["range"] == {"start": {"line": 2, "column": 1}, "end": {"line": 4, "column": 11}}
    assert suggestion["text"] == "# made\n    y = w.exp()\n\n    y = y + 1"


def test_rdjson_columns_count_bytes() -> None:
    found = replace(FOUND, span=span(1, 7, 13), related=())
    entry = diagnostic(found, lines=['"😀日"; y += 1'])
    assert entry["location"]["range"]["start"] == {"line": 1, "column": 1 + len('"😀日"; '.encode())}
    assert json.loads(render("rdjson", report()))["diagnostics"] == []
