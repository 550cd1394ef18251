"""The table of settings, ``options.toml``, as typed rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

if sys.version_info >= (3, 11):
    import tomllib as toml
else:
    import tomli as toml

__all__ = ["Kind", "Option", "options", "toml"]

Kind = Literal[
    "rules", "patterns", "rules-by-pattern", "boolean", "choice", "format", "path", "file", "version"
]  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One setting: ``key`` as it is written in a file, and what the columns of the table say of it.

    default: as TOML gives it, None where there is none. adds: what several files say adds up. of_run: it holds for a run as a
    whole, not for each file by itself.
    """

    key: str
    kind: Kind
    doc: str
    example: str
    default: Any
    choices: tuple[str, ...] = ()
    adds: bool = False
    of_run: bool = False

    @property
    def field(self) -> str:
        """Its name in Python."""
        return self.key.replace("-", "_")


@cache
def options() -> Mapping[str, Option]:
    """Every setting by its key, in the order of the table."""
    text = (Path(__file__).parent / "options.toml").read_text(encoding="utf-8")
    return {
        key: Option(
            key,
            row["type"],
            row["doc"].strip(),
            row["example"].strip(),
            row.get("default"),
            tuple(row.get("choices", ())),
            row.get("merge") == "add",
            row.get("scope") == "run",
        )
        for key, row in toml.loads(text).items()
    }
