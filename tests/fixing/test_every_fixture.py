"""Every fix in the fixtures either holds, so that its finding is gone, or is named as one that does not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from inplace_lint.api import check_source, fix_text
from inplace_lint.fixing.rounds import applicable

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = [path for path in sorted(FIXTURES.rglob("*.py")) if "# expect" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", CASES, ids=lambda path: str(path.relative_to(FIXTURES)))
def test_fixes_hold_or_are_named(path: Path) -> None:
    data = path.read_bytes()
    found = check_source(data.decode(), str(path))
    done = fix_text(data, str(path), unsafe=True)
    left = [it for it in done.result.diagnostics if applicable(it, True)]
    assert {it.code for it in left} <= {it.found.code for it in done.not_fixed if it.reason}
    codes = Counter(it.code for it in found)
    assert Counter(it.code for it in done.result.diagnostics) <= codes, "a fix brought a finding"
    if not done.changes:
        assert not done.fixed
        return
    (change,) = done.changes
    compile(change.after, str(path), "exec")
    again = check_source(change.after, str(path))
    assert again == done.result.diagnostics
    assert not fix_text(change.data, str(path), unsafe=True).changes, "the same run again changes more"
