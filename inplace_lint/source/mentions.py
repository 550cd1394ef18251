"""Whether a file of a project is imported by others that a run does not look at."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_SIGNS_OF_A_ROOT = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_MOST_FILES = 20_000
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "build", "dist"})


def is_mentioned(filename: str, looked_at: Iterable[str]) -> bool:
    """Whether a Python file of the project, none of those looked at, seems to import the module.

    By the words of its import statements only; true too where the project is too large to tell.
    """
    path = os.path.abspath(filename)
    name = os.path.splitext(os.path.basename(path))[0]
    if name == "__init__":
        name = os.path.basename(os.path.dirname(path))
    if not name.isidentifier():
        return False
    word = re.compile(rb"^[ \t]*(?:from|import)\b[^\n(]*(?:\([^)]*)?\b" + name.encode() + rb"\b", re.MULTILINE)
    known = {os.path.abspath(it) for it in looked_at}
    seen = 0
    for folder, folders, files in os.walk(_root(os.path.dirname(path))):
        folders[:] = [it for it in folders if it not in _SKIPPED and not it.startswith(".")]
        for file in files:
            if not file.endswith(".py"):
                continue
            seen += 1
            if seen > _MOST_FILES:
                return True
            other = os.path.join(folder, file)
            if other not in known and _has(other, word):
                return True
    return False


def _has(path: str, word: re.Pattern[bytes]) -> bool:
    try:
        with open(path, "rb") as file:
            return word.search(file.read()) is not None
    except OSError:
        return True  # nobody knows


def _root(folder: str) -> str:
    """The project's folder: the nearest one up with a sign of it, else the one above the file's package."""
    current = folder
    while not any(os.path.lexists(os.path.join(current, sign)) for sign in _SIGNS_OF_A_ROOT):
        parent = os.path.dirname(current)
        if parent == current:
            break
        current = parent
    else:
        return current
    while os.path.lexists(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder
