"""Which libraries the corpus holds, and how their sources get onto the disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LIST = Path(__file__).with_name("libraries.txt")
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*)")


class CorpusError(Exception):
    """Something of the corpus cannot be had or read; the text says what."""


@dataclass(frozen=True, order=True)
class Library:
    """One release of a library."""

    name: str
    version: str

    @property
    def pin(self) -> str:
        """The release as pip spells it."""
        return f"{self.name}=={self.version}"


def read_list(path: Path = LIST) -> list[Library]:
    """The libraries that a list pins, in its order; raises `CorpusError` on a line that is no pin."""
    found: list[Library] = []
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        pinned = _PINNED.fullmatch(text)
        if pinned is None:
            raise CorpusError(f"{path.name}:{row}: `{text}` is not of the form name==version")
        if any(it.name == pinned["name"] for it in found):
            raise CorpusError(f"{path.name}:{row}: {pinned['name']} is listed twice")
        found.append(Library(pinned["name"], pinned["version"]))
    return found


def chosen(libraries: Iterable[Library], names: Iterable[str]) -> list[Library]:
    """The libraries of those names, in that order; all where none is named. Raises `CorpusError` on a name not listed."""
    known = {it.name: it for it in libraries}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise CorpusError(f"no library `{name}` in {LIST.name}")
    return [known[name] for name in dict.fromkeys(wanted)] or list(known.values())


def default_cache() -> Path:
    """The folder for downloads and results where none is given."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "inplace-lint" / "corpus"


def source_folder(library: Library, cache: Path) -> Path:
    """The folder with a library's Python files; downloads and unpacks them where they are not there yet."""
    folder = cache / "sources" / f"{library.name}-{library.version}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        wheel = _download(library, Path(scratch))
        unpacked = Path(scratch) / "unpacked"
        unpack(wheel, unpacked)
        # Moved in one go, so that a folder that is there is whole.
        shutil.move(unpacked, folder)
    return folder


def _download(library: Library, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--dest", str(into), library.pin], capture_output=True, text=True
    )
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CorpusError(f"{library.pin} cannot be downloaded: {last}")
    return wheels[0]


def unpack(wheel: Path, folder: Path) -> None:
    """Writes the Python files of a wheel, and nothing else, below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
                continue
            target = folder.joinpath(*path.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))


def torch_lines(folder: Path) -> int:
    """How many lines the Python files below a folder have that mention torch."""
    texts = (path.read_bytes() for path in folder.rglob("*.py"))
    return sum(text.count(b"\n") for text in texts if b"torch" in text)
