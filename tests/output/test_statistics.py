"""``--statistics``: the counts, as Ruff shows them."""

from __future__ import annotations

import json
from dataclasses import replace

from output_samples import FOUND, report, span

from inplace_lint.diagnostics import Edit, Fix
from inplace_lint.output import render_statistics

EDIT = Edit("y = y + 1", span(4, 5, 11))
SAFE = replace(FOUND, fix=Fix("safe", "Do it", (EDIT,)))
LEAF = replace(FOUND, code="IPL101", name="leaf-written")
UNSAFE = replace(LEAF, fix=Fix("unsafe", "Do it", (EDIT,)))


def test_a_table_with_the_most_frequent_rule_first() -> None:
    shown = report(LEAF, FOUND, FOUND, summary=False)
    assert render_statistics("full", shown) == "2\tIPL202\tsaved-result-overwritten\n1\tIPL101\tleaf-written\n"
    assert render_statistics("full", report(summary=False)) == ""
    assert render_statistics("concise", report()) == "All checks passed!\n"


def test_marks_say_what_can_be_fixed() -> None:
    shown = report(UNSAFE, FOUND, SAFE)
    assert render_statistics("concise", shown) == (
        "2\tIPL202\t[-] saved-result-overwritten\n"
        "1\tIPL101\t[ ] leaf-written\n"
        "Found 3 errors.\n"
        "[*] 1 fixable with `--fix` (1 unsafe fix available with `--fix --unsafe-fixes`).\n"
    )
    assert "1\tIPL101\t[*] leaf-written\n" in render_statistics("full", replace(shown, unsafe_fixes=True))


def test_json_has_the_fields_of_ruff() -> None:
    assert json.loads(render_statistics("json", report(UNSAFE, SAFE, SAFE))) == [
        {"code": "IPL202", "name": "saved-result-overwritten", "count": 2, "fixable": True, "fixable_count": 2},
        {"code": "IPL101", "name": "leaf-written", "count": 1, "fixable": False, "fixable_count": 0},
    ]
    assert json.loads(render_statistics("json", report())) == []
