"""How what nobody knows is called in messages."""

from __future__ import annotations

import pytest

from inplace_lint.interp.wording import describe


@pytest.mark.parametrize(
    "tag, words",
    [
        ("f:x", "`x` of `f`"),
        ("f:x r- 1", "`1 - x` of `f`"),
        ("f:n r* 10 + 0 % 2 == 0", "`(10 * n + 0) % 2 == 0` of `f`"),
        ("f:n * 2 + 1 <= 4", "`n * 2 + 1 <= 4` of `f`"),
        ("f:n + 1 r- 8", "`8 - (n + 1)` of `f`"),
        ("f:n -", "`-n` of `f`"),
        ("f:args.mixer is None", "`args.mixer is None` of `f`"),
    ],
)
def test_operations_are_written_as_in_the_source(tag: str, words: str) -> None:
    assert describe(tag, {}) == words
