"""What a finding is recognised by: it stays when lines move, and changes when the code does."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from inplace_lint.diagnostics import Diagnostic, Position, Severity, Span
from inplace_lint.fingerprints import Identity, fingerprints, identities

SOURCE = """\
import torch


class Net(torch.nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            x += 1
        x += 1
        return x


x = 1
if x:
    x += 1
"""


def findings(source: str, text: str = "x += 1", code: str = "IPL201", filename: str = "a.py") -> list[Diagnostic]:
    """One finding for each line of the source that holds the text."""
    out = []
    for row, line in enumerate(source.split("\n"), 1):
        column = line.find(text) + 1
        if column:
            span = Span(filename, Position(row, column), Position(row, column + len(text)))
            out.append(Diagnostic(code, "some-name", Severity.ERROR, f"in row {row}", span))
    return out


def of(source: str, **keywords: str) -> list[str]:
    return fingerprints(findings(source, **keywords), lambda name: source.split("\n"))


def test_an_identity_names_file_rule_definition_text_and_number() -> None:
    assert identities(findings(SOURCE), lambda name: SOURCE.split("\n")) == [
        Identity("a.py", "IPL201", "Net.forward", "x += 1", 1),
        Identity("a.py", "IPL201", "Net.forward", "x += 1", 2),
        Identity("a.py", "IPL201", "", "x += 1", 1),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        "# one\n# more\n\n" + SOURCE,
        SOURCE.replace("class Net", "def other(y):\n    y += 1\n    return y\n\n\nclass Net"),
        SOURCE.replace("x += 1", "x += 1  # a reason"),
        SOURCE.replace("        return x", "        x = x * 2\n        return x"),
        SOURCE.replace("    ", "  "),
        SOURCE.replace("    ", "\t"),
        SOURCE.replace("self, x):", "\n        self,\n        x,\n    ):"),
    ],
)
def test_it_survives_moved_lines_comments_and_indentation(changed: str) -> None:
    assert changed != SOURCE
    assert of(changed) == of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new", "keywords"),
    [("Net", "Other", {}), ("x += 1", "x += 2", {"text": "x += 2"}), ("", "", {"code": "IPL202"})],
)
def test_it_changes_with_what_it_tells(old: str, new: str, keywords: dict[str, str]) -> None:
    assert of(SOURCE.replace(old, new), **keywords)[0] not in of(SOURCE)


def test_all_of_one_run_differ_and_the_order_does_not_matter() -> None:
    found = findings(SOURCE)
    lines = SOURCE.split("\n")
    prints = fingerprints(found, lambda name: lines)
    assert len(set(prints)) == 3
    assert fingerprints(found[::-1], lambda name: lines) == prints[::-1]


def test_paths_are_relative_to_the_root_with_slashes() -> None:
    def path(filename: str, root: str | None = None) -> str:
        return identities(findings(SOURCE, filename=filename), lambda name: SOURCE.split("\n"), root)[0].path

    assert path(os.path.join("pkg", "a.py")) == "pkg/a.py"
    assert path(os.path.abspath("pkg/a.py")) == "pkg/a.py"
    assert path("pkg/a.py", "pkg") == "a.py"
    assert path("a.py", "pkg") == "../a.py"
    assert path("-") == "-"


@pytest.mark.parametrize("lines", [[], ["x"], [""] * 50])
def test_a_file_that_is_gone_or_shorter_by_now_has_fingerprints_all_the_same(lines: Sequence[str]) -> None:
    assert len(set(fingerprints(findings(SOURCE), lambda name: lines))) == 3


def test_text_over_several_lines_is_one_line() -> None:
    lines = ["y = f(", "    a,", "    b)  # why"]
    span = Span("a.py", Position(1, 5), Position(3, 7))
    (identity,) = identities([Diagnostic("IPL201", "n", Severity.ERROR, "m", span)], lambda name: lines)
    assert identity.text == "f( a, b)"
