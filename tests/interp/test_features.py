"""Features of the engine, by small programs that say on their lines what is found and revealed there.

Each block of ``cases/*.txt`` is a program after the head that imports torch and makes the leaf ``w``. A name that goes on
with ``; xfail: reason`` marks what the engine cannot do yet; it is checked strictly, so that a repair shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_checks import disagreements

CASES = Path(__file__).parent / "cases"


def load() -> list[object]:
    """All blocks, as parameters."""
    found: list[object] = []
    for path in sorted(CASES.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
            title, _, source = block.partition("\n")
            name, _, reason = title.partition("; xfail: ")
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            found.append(pytest.param(source, id=f"{path.stem}: {name}", marks=marks))
    return found


@pytest.mark.parametrize("source", load())
def test_the_engine_agrees_with_the_program(source: str) -> None:
    assert disagreements(source) == []
