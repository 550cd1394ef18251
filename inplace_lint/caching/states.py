"""What the files and folders that a report rests on are like now, each looked at once a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from ..source import text

ABSENT = b"absent"


class States:
    """Digests of files, by their content, and of folders, by what ``listed`` says is in them."""

    def __init__(self, listed: Callable[[str], Iterable[str]]) -> None:
        self._listed = listed
        self._files: dict[str, bytes] = {}
        self._folders: dict[str, bytes] = {}

    def of_file(self, path: str) -> bytes:
        """A file's digest; ``ABSENT`` where it cannot be read."""
        known = self._files.get(path)
        if known is None:
            try:
                with open(path, "rb") as file:
                    known = text.digest(file.read())
            except OSError:
                known = ABSENT
            self._files[path] = known
        return known

    def of_folder(self, path: str) -> bytes:
        """The digest of a folder's names."""
        known = self._folders.get(path)
        if known is None:
            names = "\0".join(sorted(self._listed(path)))
            known = self._folders[path] = blake2b(os.fsencode(names), digest_size=16).digest()
        return known

    def of_all(self, files: Mapping[str, bytes], folders: Iterable[str]) -> str:
        """One digest for files, given theirs by path, and folders as they are now; the order does not matter."""
        whole = blake2b(digest_size=16)
        known = {("file", path): digest for path, digest in files.items()}
        known |= {("folder", path): self.of_folder(path) for path in folders}
        for (kind, path), digest in sorted(known.items()):
            whole.update(os.fsencode(f"{kind} {path}\0"))
            whole.update(digest)
        return whole.hexdigest()
