"""The project around a file: which module a name is imported from, and that module's definitions, lowered on demand.

| file | what it does |
|---|---|
| `locate.py` | finds the file that an import means, as Python would when the project is run |
| `project.py` | reads, indexes and lowers modules once, and knows which of them can matter |

Only files of the project are read: installed packages are not, and ``torch`` is what the op model says of it.
"""

from inplace_lint.project.project import Project

__all__ = ["Project"]
