"""Reports of files by all that they depend on.

An entry is found by the tool (its version, its own files, Python's version), the folder where the run takes place, the file's
name and what is taken for granted in it. It counts only if every file that the analysis read, and every folder that it looked for
modules in, is as it was; so no clock and no time stamp matters.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path

from .. import __version__
from ..assumptions import USUAL, Assumptions
from ..project.locate import Locator, dotted, top
from ..settling import Entry
from .codec import decode, encode
from .states import ABSENT, States
from .store import Store

Entries = tuple[Entry, ...]


class Cache:
    """The reports of one run's files. ``folder`` is where they are kept, ``assumed`` what is taken for granted, by name."""

    def __init__(self, folder: str | Path, assumed: Mapping[str, Assumptions]) -> None:
        self._store = Store(folder)
        self._assumed = assumed
        self._states = States(Locator().names)
        self._new: dict[str, bytes] = {}

    @property
    def trouble(self) -> str | None:
        """What is wrong with the cache's place, where something is."""
        return self._store.trouble

    def known(self, names: Iterable[str]) -> dict[str, Entries]:
        """What those files show, as far as it is known and nothing has changed."""
        keys = {name: self._key(name) for name in names}
        found = self._store.read(keys.values())
        known: dict[str, Entries] = {}
        for name, key in keys.items():
            data = found.get(key)
            entries = None if data is None else self._valid(data)
            if entries is not None:
                known[name] = entries
        return known

    def keep(
        self,
        name: str,
        entries: Entries,
        own: bytes | None,
        files: Mapping[str, bytes | None],
        folders: Iterable[str],
    ) -> None:
        """Note what a file showed. ``own`` is the digest of the file as it was read, ``files`` those of others by their absolute
        paths, None for what could not be; ``folders`` those that were looked through."""
        read = {path: digest or ABSENT for path, digest in {**files, os.path.abspath(name): own}.items()}
        if b"" in files.values():
            return  # it changed while it was read
        data = [sorted(read), sorted(folders), self._states.of_all(read, folders), encode(entries)]
        self._new[self._key(name)] = zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)

    def save(self) -> None:
        """Write what was noted."""
        self._store.write(self._new)
        self._new = {}

    def _valid(self, data: bytes) -> Entries | None:
        try:
            files, folders, state, entries = json.loads(zlib.decompress(data))
            if self._states.of_all({path: self._states.of_file(path) for path in files}, folders) != state:
                return None
            return tuple(decode(Entry, entry) for entry in entries)
        except (ValueError, TypeError, zlib.error):
            return None

    def _key(self, name: str) -> str:
        path = os.path.abspath(name)
        assumed = self._assumed.get(name, USUAL)
        # Where modules are looked for depends on the packages around the file, and on the project's top.
        place = [path, name, dotted(path, "", 1), top(os.path.dirname(path))]
        whole = [_tool(), os.getcwd(), *place, repr(assumed)]
        return blake2b(os.fsencode("\0".join(whole)), digest_size=20).hexdigest()


@cache
def _tool() -> str:
    """What this installation is: the version says it of a release, the files themselves of one that is worked on."""
    whole = blake2b(digest_size=16)
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".tsv", ".stub", ".toml", ".json"):
            there = path.stat()
            whole.update(os.fsencode(f"{path.relative_to(package)} {there.st_size} {there.st_mtime_ns}\0"))
    return f"{__version__} {sys.version_info[:2]} {whole.hexdigest()}"
