"""Which files to lint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .gitignore import Ignored
from .patterns import compiled


class MissingPath(Exception):
    """A path that was named does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: no such file or directory")
        self.path = path


@dataclass(frozen=True)
class Selection:
    """What a walk takes of a folder: the files that ``include`` matches, without what ``exclude`` does; see ``patterns``."""

    include: tuple[str, ...] = ("*.py", "*.ipynb")
    exclude: tuple[str, ...] = ()


def discover(
    paths: Iterable[str | os.PathLike[str]],
    selection: Callable[[str], Selection],
    *,
    respect_gitignore: bool = True,
    force_exclude: bool = False,
    on_error: Callable[[OSError], None] | None = None,
) -> Iterator[Path]:
    """The files to lint, sorted, each once.

    ``paths`` names files, which are always taken, and directories, which are walked. ``selection`` says what to take of a
    directory. What an exclusion matches is left out of a walk, but never a path that was named, unless ``force_exclude`` is
    on: then not even what lies in an excluded directory. Symbolic links to directories are not followed, so that no walk
    can loop. A directory that cannot be listed is handed to ``on_error`` and passed by.

    Raises ``MissingPath`` at once when a named path does not exist.
    """
    named = [Path(path) for path in paths]
    for path in named:
        if not os.path.lexists(path):
            raise MissingPath(path)
    found: dict[str, Path] = {}
    for path in named:
        if force_exclude and is_excluded(path, selection):
            continue
        files = _walk(str(path), selection, respect_gitignore, on_error) if path.is_dir() else [str(path)]
        for file in files:
            found.setdefault(os.path.abspath(file), Path(file))
    return iter(sorted(found.values()))


def is_excluded(path: Path, selection: Callable[[str], Selection]) -> bool:
    """Whether a path, or a directory that it lies in, is excluded by the settings that hold there."""
    here = os.path.abspath(path)
    while (parent := os.path.dirname(here)) != here:
        if compiled(selection(parent).exclude).match(os.path.basename(here), here):
            return True
        here = parent
    return False


def _walk(
    directory: str,
    selection: Callable[[str], Selection],
    respect_gitignore: bool,
    on_error: Callable[[OSError], None] | None,
) -> Iterator[str]:
    ignored = Ignored(directory) if respect_gitignore else None
    pending = [directory]
    while pending:
        current = pending.pop()
        wanted = selection(current)
        include, exclude = compiled(wanted.include), compiled(wanted.exclude)
        try:
            with os.scandir(current) as scan:
                entries = [entry for entry in scan if not exclude.match(entry.name, entry.path)]
        except OSError as error:
            if on_error is not None:
                on_error(error)
            continue
        absolute = os.path.abspath(current)
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not is_folder and (not include.match(entry.name, entry.path) or _is_linked_directory(entry)):
                continue
            if ignored is not None and ignored(os.path.join(absolute, entry.name), is_folder):
                continue
            if is_folder:
                pending.append(entry.path)
            else:
                yield entry.path


def _is_linked_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link in a loop: reading it will say so
        return False
