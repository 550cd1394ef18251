"""The project around a file: which module a name is imported from, and that module's definitions, lowered on demand.

| file | what it does |
|---|---|
| `locate.py` | finds the file that an import means, as Python would when the project is run |
| `project.py` | reads, indexes and lowers modules once, and knows which of them can matter |

Only files of the project are read: installed packages are not, and ``torch`` is what the op model says of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inplace_lint.project.project import Project

__all__ = ["Project"]


def __getattr__(name: str) -> Any:
    # Late, since a run that finds everything in the cache asks for places only, and lowering is a quarter of a second to load.
    if name == "Project":
        from inplace_lint.project.project import Project

        return Project
    raise AttributeError(name)
