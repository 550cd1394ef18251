"""Which files to lint."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

# Ruff's list of what no one wants linted by default.
DEFAULT_EXCLUDE: tuple[str, ...] = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pypackages__",
    "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip


class MissingPath(Exception):
    """A path that was named does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: no such file or directory")
        self.path = path


def discover(
    paths: Iterable[str | os.PathLike[str]],
    exclude: Sequence[str] = DEFAULT_EXCLUDE,
    extend_exclude: Sequence[str] = (),
    root: Path | None = None,
    on_error: Callable[[OSError], None] | None = None,
) -> Iterator[Path]:
    """The files to lint, sorted, each once.

    ``paths`` names files, which are always taken, and directories, which are walked for ``*.py``. What an exclusion
    matches is left out of a walk, but never a path that was named. An exclusion without a slash is a pattern for the
    name of a file or directory; one with a slash is a pattern for its path below ``root`` (the working directory by
    default). Symbolic links to directories are not followed, so that no walk can loop. A directory that cannot be
    listed is handed to ``on_error`` and passed by.

    Raises ``MissingPath`` at once when a named path does not exist.
    """
    named = [Path(path) for path in paths]
    for path in named:
        if not os.path.lexists(path):
            raise MissingPath(path)
    patterns = _Patterns((*exclude, *extend_exclude), root or Path.cwd())
    found: dict[str, Path] = {}
    for path in named:
        files = _walk(str(path), patterns, on_error) if path.is_dir() else [str(path)]
        for file in files:
            found.setdefault(os.path.abspath(file), Path(file))
    return iter(sorted(found.values()))


class _Patterns:
    """Exclusions: those for names, and those for paths below a root."""

    def __init__(self, patterns: Sequence[str], root: Path) -> None:
        self._root = os.path.abspath(root)
        stripped = [pattern.rstrip("/") or pattern for pattern in patterns]
        self._names = [pattern for pattern in stripped if "/" not in pattern]
        self._paths = [
            pattern if os.path.isabs(pattern) else f"{self._root}/{pattern.removeprefix('./')}"
            for pattern in stripped
            if "/" in pattern
        ]

    def match(self, entry: os.DirEntry[str]) -> bool:
        """Whether an entry of a directory is excluded."""
        if any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in self._names):
            return True
        if not self._paths:
            return False
        path = os.path.abspath(entry.path).replace(os.sep, "/")
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self._paths)


def _walk(directory: str, patterns: _Patterns, on_error: Callable[[OSError], None] | None) -> Iterator[str]:
    pending = [directory]
    while pending:
        try:
            with os.scandir(pending.pop()) as scan:
                entries = [entry for entry in scan if not patterns.match(entry)]
        except OSError as error:
            if on_error is not None:
                on_error(error)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.name.endswith(".py") and not _is_linked_directory(entry):
                yield entry.path


def _is_linked_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link in a loop: reading it will say so
        return False
