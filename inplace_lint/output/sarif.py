"""SARIF 2.1.0, for code scanning: findings with their story as a code flow, fixes, and the documentation of their rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from .. import __version__
from ..diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span
from ..fingerprints import fingerprints
from ..rules import documentation, find_rule
from .places import absolute, below, between, quoted, uri
from .report import Report
from .words import caution, sentence

CELLS = "marks"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# What GitHub sorts its alerts by.
_PROBLEMS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}


def render(report: Report) -> str:
    """A log with one run. Findings of the baseline are in it, as suppressed."""
    found = [*report.diagnostics, *report.baselined]
    codes = sorted({one.code for one in found})
    marks = fingerprints(found, report.lines, report.directory)
    results = [_result(one, mark, codes.index(one.code), report) for one, mark in zip(found, marks, strict=True)]
    if report.baselined:
        # Where one result says whether it is suppressed, each has to.
        for number, result in enumerate(results):
            result["suppressions"] = [] if number < len(report.diagnostics) else [_BASELINED]
    run = {
        "tool": {
            "driver": {
                "name": "inplace-lint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": not report.failed}],
        "originalUriBaseIds": {_ROOT: {"uri": uri(report.directory).rstrip("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


_BASELINED = {"kind": "external", "status": "accepted", "justification": "It is in the baseline."}


def _rule(code: str) -> dict[str, Any]:
    """What a rule is, with its documentation."""
    rule = find_rule(code)
    page = documentation(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.sections.get("What it finds") or page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["pytorch", "autograd"], "problem.severity": _PROBLEMS[rule.severity]},
    }


def _result(found: Diagnostic, fingerprint: str, rule: int, report: Report) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _LEVELS[found.severity],
        "message": {"text": sentence(found)},
        "locations": [_primary(found, report)],
        "partialFingerprints": {"inplaceLint/v1": fingerprint},
    }
    if found.related:
        result["relatedLocations"] = [
            {"id": number, **_step(step, report)} for number, step in enumerate(found.related, 1)
        ]
        flow = [{"location": _step(step, report), "importance": "essential"} for step in found.related]
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    if found.fix and found.fix.edits and found.fix.applicability != "display-only" and found.cell is None:
        result["fixes"] = [_fix(found, found.fix, report)]
    properties: dict[str, Any] = {"assumptions": list(found.assumptions)} if found.assumptions else {}
    if found.torch_error:
        properties["torchError"] = found.torch_error
    if found.fix:
        properties["fix"] = {"applicability": found.fix.applicability, "message": found.fix.message}
        if found.suggestion:
            properties["fix"]["code"] = found.suggestion
    if properties:
        result["properties"] = properties
    return result


def _primary(found: Diagnostic, report: Report) -> dict[str, Any]:
    if found.cell is None:
        location = _location(found.span, report)
        code = between(report.lines(found.span.filename), found.span.start, found.span.end)
        if code is not None:
            # For viewers that have no source at hand.
            location["physicalLocation"]["region"]["snippet"] = {"text": code}
        return location
    return _cell(found.cell, found.span, report)


def _cell(cell: int, span: Span, report: Report) -> dict[str, Any]:
    """A place in a notebook: rows of a cell are no rows of the file."""
    place = {"artifactLocation": _artifact(span.filename, report)}
    return {"physicalLocation": place, "logicalLocations": [{"name": f"cell {cell}", "kind": "element"}]}


def _step(step: Related, report: Report) -> dict[str, Any]:
    place = _location(step.span, report) if step.cell is None else _cell(step.cell, step.span, report)
    return {**place, "message": {"text": step.message}}


def _location(span: Span, report: Report) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(span.filename, report), "region": _region(span)}}


def _artifact(filename: str, report: Report) -> dict[str, Any]:
    relative = below(filename, report.directory)
    if relative is None:
        return {"uri": uri(absolute(filename))}
    if filename == "-":
        return {"uri": "-", "description": {"text": "standard input"}}
    return {"uri": quoted(relative), "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.start.row,
        "startColumn": span.start.column,
        "endLine": span.end.row,
        "endColumn": span.end.column,
    }


def _fix(found: Diagnostic, fix: Fix, report: Report) -> dict[str, Any]:
    note = caution(found)
    edits = sorted(fix.edits, key=lambda edit: (edit.span.filename, edit.span.start))
    return {
        "description": {"text": f"{fix.message}. {note}." if note else fix.message},
        "artifactChanges": [
            {"artifactLocation": _artifact(filename, report), "replacements": _replacements(changes)}
            for filename, changes in _by_file(edits)
        ],
    }


def _by_file(edits: Sequence[Edit]) -> Iterable[tuple[str, list[Edit]]]:
    for filename, changes in groupby(edits, key=lambda edit: edit.span.filename):
        yield filename, list(changes)


def _replacements(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    return [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}} for edit in edits]
