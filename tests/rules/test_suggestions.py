"""Every suggestion in code, put into the fixtures: it must cure its finding, say linter and torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic
from tools.truth.oracle import judge

FIXTURES = Path(__file__).parents[2] / "fixtures"
# For these the suggestion makes PyTorch raise where it was silent: the point of it, and no cure of the program.
MAKES_PYTORCH_CHECK = {"IPL301"}


def replaced(source: str, found: Diagnostic) -> str:
    """The source with the suggestion in the place of the statement it stands for."""
    assert found.suggestion is not None and found.suggestion_span is not None
    lines, span = source.split("\n"), found.suggestion_span
    indent = lines[span.start.row - 1][: span.start.column - 1]
    assert not indent.strip(), "the statement shares its line with others"
    new = [indent + line for line in found.suggestion.split("\n")]
    return "\n".join([*lines[: span.start.row - 1], *new, *lines[span.end.row :]])


def place(found: Diagnostic) -> tuple[str, int]:
    return found.code, found.span.start.row


def cases() -> list[tuple[str, Path]]:
    return [
        (str(path.relative_to(FIXTURES)), path)
        for path in sorted(FIXTURES.rglob("*.py"))
        if "# expect" in path.read_text()
    ]


@pytest.mark.parametrize("path", [path for _, path in cases()], ids=[name for name, _ in cases()])
def test_suggestions_cure(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    found = check_source(source, str(path))
    for one in found:
        if one.suggestion is None or one.suggestion_span is None:
            continue
        after = replaced(source, one)
        compile(after, str(path), "exec")
        left = [it for it in check_source(after, str(path)) if it.code == one.code]
        assert len(left) < len([it for it in found if it.code == one.code]), after
        if len(found) == 1 and one.code not in MAKES_PYTORCH_CHECK:
            verdict = judge(after)
            assert one.code[:4] not in {code[:4] for fault in verdict.findings for code in fault.codes}, after
