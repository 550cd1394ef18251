"""What Git and its like ignore: ``.gitignore`` and ``.ignore`` of every folder, ``.git/info/exclude``, and the user's own file.

The patterns are matched by ``pathspec``: their rules (negation, anchors, folders, two stars, escapes) are many, and it is held
against Git's own tests. As in Ruff, ``.gitignore`` counts only inside a repository, and what is named is taken all the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Ignored:
    """Says of what lies below the folder ``top`` whether it is ignored; each ignore file is read once.

    Where ``top`` is ignored itself, only the ignore files in it count: it was named, so somebody wants it.
    """

    def __init__(self, top: str) -> None:
        self._specs: dict[str, list[tuple[str, GitIgnoreSpec]]] = {}
        self._repositories: dict[str, str | None] = {}
        self._floor: str | None = None
        top = os.path.abspath(top)
        folder = top
        while (parent := os.path.dirname(folder)) != folder:
            if self(folder, True):
                self._floor = top
                self._specs.clear()
                break
            folder = parent

    def __call__(self, path: str, is_folder: bool) -> bool:
        """Whether a file or folder, given by its absolute path, is ignored by itself; folders above it are not asked."""
        folder = os.path.dirname(path)
        for base, spec in self._specs_for(folder):
            below = os.path.relpath(path, base).replace(os.sep, "/")
            result = spec.check_file(f"{below}/" if is_folder else below).include
            if result is not None:
                return result
        return False

    def _specs_for(self, folder: str) -> list[tuple[str, GitIgnoreSpec]]:
        """The patterns that hold in a folder, those that decide first at the front, each list with where it is relative to."""
        known = self._specs.get(folder)
        if known is not None:
            return known
        repository = self._repository(folder)
        own: list[tuple[str, GitIgnoreSpec]] = []
        for name in (".ignore", *([".gitignore"] if repository is not None else [])):
            own += _read(os.path.join(folder, name), folder)
        parent = os.path.dirname(folder)
        if folder == repository:
            own += _read(os.path.join(folder, ".git", "info", "exclude"), folder)
            own += _read(_users_own(), folder)
        # `.gitignore` files above the repository are none of its business, those called `.ignore` are.
        above = [] if folder in (parent, self._floor) else self._specs_for(parent)
        found = self._specs[folder] = [*own, *above]
        return found

    def _repository(self, folder: str) -> str | None:
        """The root of the Git repository that a folder lies in."""
        if folder not in self._repositories:
            parent = os.path.dirname(folder)
            if os.path.lexists(os.path.join(folder, ".git")):
                self._repositories[folder] = folder
            else:
                self._repositories[folder] = None if parent == folder else self._repository(parent)
        return self._repositories[folder]


def _users_own() -> str:
    """Git's default for ``core.excludesFile``."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(home, "git", "ignore")


def _read(path: str, base: str) -> list[tuple[str, GitIgnoreSpec]]:
    """The patterns of a file, if it is there and says anything."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        return []
    from pathspec import GitIgnoreSpec

    try:
        return [(base, GitIgnoreSpec.from_lines(lines))]
    except ValueError:  # one line is no pattern: the others count, as for Git
        return [(base, GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)]))]


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
