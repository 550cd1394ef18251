"""Which file an import means, from the layout of folders alone: nothing is imported, no installed package is looked at.

An *import root* is a folder that Python would have on its path when the project is run. For a file these are, in order:
the folder above the outermost package that holds it; its own folder (it may be run as a script, and Python 2 looked there);
every folder between that and the project's top, since scripts are run from any of them; and ``src`` at the top. The top is the
nearest folder with a mark of a project (``pyproject.toml``, ``setup.py``, ``.git`` ...).

A *key* names a module: the absolute path of its file, or of its folder for a package without ``__init__.py``.
"""

from __future__ import annotations

import os
import sys
from functools import cache

OUTSIDE = frozenset({"torch", "numpy", "__future__"}) | frozenset(sys.builtin_module_names)
"""Top-level names that are never a file of the project: the op model speaks for the first two, Python for the others."""

_TOPS = ("pyproject.toml", "setup.py", "setup.cfg", ".git", ".hg", "inplace-lint.toml", "requirements.txt")
_INSTALLED = ("site-packages", "dist-packages")
_MOST_ROOTS = 12


class Locator:
    """Finds modules on disk; what was found is remembered for the whole run. ``asked`` collects the folders looked at."""

    def __init__(self) -> None:
        self._listed: dict[str, frozenset[str]] = {}
        self.asked: set[str] = set()

    def find(self, importer: str, module: str, level: int) -> str | None:
        """The key of ``module``, imported with ``level`` dots by the file of that key; None where it is not in the project."""
        if level:
            folder = importer
            for _ in range(level):
                folder = os.path.dirname(folder)
            return None if is_outside(importer, module, level) else self._below(folder, module)
        if is_outside(importer, module, 0):
            return None
        for root in self._roots(importer):
            found = self._below(root, module)
            if found is not None and not (os.path.isdir(found) and not module.count(".") and self._empty(found)):
                return found
        return None

    def submodule(self, key: str, name: str) -> str | None:
        """The key of a module in a package, given the package's own key; None where there is none."""
        if os.path.basename(key) == "__init__.py":
            return self._below(os.path.dirname(key), name)
        return self._below(key, name) if not key.endswith(".py") else None

    def _below(self, folder: str, module: str) -> str | None:
        """The module of that dotted name below a folder. The folder itself, as a package, for an empty name."""
        parts = module.split(".") if module else []
        for part in parts[:-1]:
            if part not in self.names(folder):
                return None
            folder = os.path.join(folder, part)
        if not parts:
            return self._package(folder)
        names = self.names(folder)
        last = parts[-1]
        if last in names:
            package = self._package(os.path.join(folder, last))
            if package is not None and (package.endswith(".py") or f"{last}.py" not in names):
                return package
        return os.path.join(folder, f"{last}.py") if f"{last}.py" in names else None

    def _package(self, folder: str) -> str | None:
        names = self.names(folder)
        if "__init__.py" in names:
            return os.path.join(folder, "__init__.py")
        return folder if names else None

    def _empty(self, folder: str) -> bool:
        """Whether a folder that would be a package without ``__init__.py`` holds no module at all, like a folder of data."""
        return not any(name.endswith(".py") for name in self.names(folder)) and not any(
            any(inner.endswith(".py") for inner in self.names(os.path.join(folder, name)))
            for name in self.names(folder)
        )

    def names(self, folder: str) -> frozenset[str]:
        """The folders and Python files in a folder; none where it cannot be listed."""
        self.asked.add(folder)
        known = self._listed.get(folder)
        if known is None:
            try:
                with os.scandir(folder) as entries:
                    known = frozenset(
                        e.name
                        for e in entries
                        if e.name.removesuffix(".py").isidentifier() and (e.name.endswith(".py") or e.is_dir())
                    )
            except OSError:
                known = frozenset()
            self._listed[folder] = known
        return known

    def _roots(self, importer: str) -> list[str]:
        folder = os.path.dirname(importer)
        outermost = folder
        while "__init__.py" in self.names(outermost) and os.path.dirname(outermost) != outermost:
            outermost = os.path.dirname(outermost)
        roots = [outermost] if outermost != folder else [folder]
        if os.path.basename(outermost) in _INSTALLED:
            return roots
        highest = top(outermost)
        current = folder
        while len(roots) < _MOST_ROOTS:
            if current not in roots:
                roots.append(current)
            if current == highest or os.path.dirname(current) == current or len(current) <= len(highest):
                break
            current = os.path.dirname(current)
        source = os.path.join(highest, "src")
        if source not in roots and "src" in self.names(highest):
            roots.append(source)
        return roots


@cache
def top(folder: str) -> str:
    """The nearest folder from here upwards that bears the mark of a project; the folder itself where none does."""
    current = folder
    while True:
        if any(os.path.lexists(os.path.join(current, mark)) for mark in _TOPS):
            return current
        above = os.path.dirname(current)
        if above == current:
            return folder
        current = above


def dotted(importer: str, module: str, level: int) -> str:
    """The absolute dotted name that an import means, by the packages around its file."""
    if not level:
        return module
    folder = importer
    for _ in range(level):
        folder = os.path.dirname(folder)
    parts: list[str] = []
    while os.path.lexists(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    return ".".join([*parts, *([module] if module else [])])


def is_outside(importer: str, module: str, level: int) -> bool:
    """Whether an import means something that is never read: torch's own modules, even where torch itself is linted."""
    if not level:
        top = module.partition(".")[0]
        if top in OUTSIDE:
            return True
        installed = _installed_package(importer)
        return installed is not None and installed != top
    return dotted(importer, module, level).partition(".")[0] == "torch"


def _installed_package(path: str) -> str | None:
    """The top-level package of a file below ``site-packages``, or None."""
    parts = path.split(os.sep)
    for name in _INSTALLED:
        if name in parts:
            position = len(parts) - 1 - parts[::-1].index(name)
            if position + 1 < len(parts):
                return parts[position + 1].removesuffix(".py")
    return None
