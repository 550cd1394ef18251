"""Where output goes: each format to standard output or to a file of its own, written as a whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import click


@dataclass(frozen=True)
class Target:
    """One format, and the path of the file that it goes to; None for standard output."""

    format: str
    path: str | None


def targets(chosen: Sequence[tuple[str, str | None]], output_file: str | None, statistics: bool) -> list[Target]:
    """What to write where. ``output_file`` is for formats without a path of their own.

    Folders that a file needs are made, so that what stands in the way shows before the work and not after it. Raises
    ``click.UsageError`` for what does not go together, ``click.ClickException`` for a file that cannot be written.
    """
    from ..output import statistics as table

    made = [Target(name, path or output_file) for name, path in chosen]
    files: set[str] = set()
    for target in made:
        if statistics and target.format not in table.FORMATS:
            names = f"{', '.join(table.FORMATS[:-1])} and {table.FORMATS[-1]}"
            raise click.UsageError(f"`--statistics` goes with the formats {names}, not with {target.format}")
        if target.path is None:
            continue
        file = os.path.realpath(target.path)
        if file in files:
            raise click.UsageError(
                f"two formats would be written to {target.path}: give each a file of its own, as in `json:PATH`"
            )
        files.add(file)
    for target in made:
        if target.path is not None:
            try:
                _prepare(target.path)
            except OSError as error:
                raise click.ClickException(_refusal(target.path, error)) from error
    return made


def write_files(texts: Sequence[tuple[str, str]]) -> None:
    """Writes texts as UTF-8, each under its path. Raises ``click.ClickException`` that names those which could not be."""
    failures = [failure for path, text in texts if (failure := _failure(path, text)) is not None]
    if failures:
        raise click.ClickException("\n".join(failures))


def _failure(path: str, text: str) -> str | None:
    """Writes the text; says why if that cannot be."""
    try:
        _write(path, text.encode("utf-8", errors="replace"))
    except OSError as error:
        return _refusal(path, error)
    return None


def _refusal(path: str, error: OSError) -> str:
    return f"cannot write {path}: {(error.strerror or str(error)).lower()}"


def _prepare(path: str) -> None:
    """Makes the folder that the file goes into; raises ``OSError`` where the file could not be written."""
    folder = os.path.dirname(os.path.realpath(path))
    os.makedirs(folder, exist_ok=True)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _write(path: str, data: bytes) -> None:
    """Puts the data in place of the file in one step; into a pipe or a device as it comes."""
    try:
        known = os.stat(path)
    except FileNotFoundError:
        known = None
    if (known and not stat.S_ISREG(known.st_mode)) or path.startswith(("/dev/", "/proc/")):
        with open(path, "wb") as stream:
            stream.write(data)
        return
    if known and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    file = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(file), f".inplace-lint-{os.urandom(8).hex()}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except PermissionError:
        # The folder takes no new files, but this file is there and may be written.
        with open(file, "wb") as stream:
            stream.write(data)
        return
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
        if known:
            os.chmod(temporary, stat.S_IMODE(known.st_mode))
        os.replace(temporary, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
