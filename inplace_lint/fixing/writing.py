"""Files replaced as a whole or not at all.

The new content goes into a temporary file in the same folder, to the disk, and takes the old one's place in a single step.
Whatever happens before that step leaves the old file as it was and no temporary file behind.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from .documents import Change


@dataclass
class Written:
    """What became of the changes: the names of files that were written, and for the others why not; and what to know."""

    names: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Refused(Exception):
    """The file is left alone, for the reason given."""


def write(groups: Sequence[Sequence[Change]]) -> Written:
    """Writes changes. Those of one group belong together: if one of its files cannot be written, none is.

    Raises ``KeyboardInterrupt``, with a text that says how far it got, when it is interrupted.
    """
    done = Written()
    try:
        for group in groups:
            _write_group(group, done)
    except KeyboardInterrupt:
        total = sum(len(group) for group in groups)
        raise KeyboardInterrupt(f"{len(done.names)} of {total} files were changed, the others are as before") from None
    return done


def _write_group(group: Sequence[Change], done: Written) -> None:
    names = [change.name for change in group]
    at = names[0]
    try:
        with _temporaries([os.path.realpath(name) for name in names]) as staged:
            for change, (target, temporary) in zip(group, staged, strict=True):
                at = change.name
                _stage(change, target, temporary)
            for change, (target, temporary) in zip(group, staged, strict=True):
                at = change.name
                _check_unchanged(change, target)
                links = os.stat(target).st_nlink
                os.replace(temporary, target)
                done.names.append(change.name)
                if links > 1:
                    done.notes.append(f"{change.name} has other hard links, which keep the old content")
            for target, _ in staged:
                _sync_folder(os.path.dirname(target))
    except (_Refused, OSError) as error:
        reason = str(error) if isinstance(error, _Refused) else _words(error)
        for name in names:
            if name not in done.names:
                done.failures[name] = reason if name == at else f"its fix changes {at} as well, which was not written"


@contextmanager
def _temporaries(targets: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """For each target a name for a temporary file beside it; none of these files is left at the end."""
    staged = [
        (target, os.path.join(os.path.dirname(target), f".inplace-lint-{os.urandom(8).hex()}.tmp"))
        for target in targets
    ]
    try:
        yield staged
    finally:
        for _, temporary in staged:
            with suppress(OSError):
                os.unlink(temporary)


def _stage(change: Change, target: str, temporary: str) -> None:
    """Puts the new content beside the target, with the target's mode, and its owner and attributes where that is allowed."""
    state = os.stat(target)
    if not stat.S_ISREG(state.st_mode):
        raise _Refused("it is no regular file")
    if not state.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise _Refused("it is read-only")
    _check_unchanged(change, target)
    # Under its final mode only once the content is in: nobody may read it before who may not read the target.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with open(handle, "wb") as stream:
        stream.write(change.data)
        stream.flush()
        if hasattr(os, "fchown"):
            with suppress(OSError):
                os.fchown(stream.fileno(), state.st_uid, state.st_gid)
        os.fsync(stream.fileno())
    _copy_attributes(target, temporary)
    os.chmod(temporary, stat.S_IMODE(state.st_mode))


def _check_unchanged(change: Change, target: str) -> None:
    if Path(target).read_bytes() != change.document.data:
        raise _Refused("it changed while it was checked")


def _copy_attributes(source: str, target: str) -> None:
    if not hasattr(os, "listxattr"):
        return
    with suppress(OSError):
        for name in os.listxattr(source):
            with suppress(OSError):
                os.setxattr(target, name, os.getxattr(source, name))


def _sync_folder(folder: str) -> None:
    """Makes the new name last, where the system knows how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "its folder does not permit it"
    if error.errno == errno.EROFS:
        return "it is on a read-only file system"
    return error.strerror or str(error)
