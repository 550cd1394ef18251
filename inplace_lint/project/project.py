"""A project's modules, each read, indexed and lowered once and only when it is asked for."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inplace_lint.lowering import LoweredModule, LoweringError, lower
from inplace_lint.project.locate import Locator, dotted
from inplace_lint.project.stubs import SUFFIX, stubs
from inplace_lint.source import notebook, screen, text

MOST_CHARACTERS = 24_000_000
"""Source text whose syntax trees are kept at a time; what was used longest ago goes first."""


class Project:
    """Gives modules by key (see ``locate``). One project serves any number of files, wherever they lie.

    ``overlay`` maps keys to text that stands for the file's own: standard input, an editor's buffer.
    """

    def __init__(self, overlay: Mapping[str, str] | None = None) -> None:
        self._overlay = dict(overlay or {})
        self._locator = Locator()
        self._modules: OrderedDict[str, LoweredModule | None] = OrderedDict()
        self._kept = 0
        self._facts: dict[str, _Facts] = {}
        self._read: set[str] = set()
        self._digests: dict[str, bytes] = {}

    # --- what an analysis rests on ---

    def start(self) -> None:
        """From now on note what is used: for one file after the other."""
        self._read, self._locator.asked = set(), set()

    def used(self) -> tuple[dict[str, bytes | None], set[str]]:
        """The files whose content was used since ``start``, with the digest of what was read (None: it could not be), and the
        folders whose names were."""
        files = {key for key in self._read if key.endswith(".py")}
        return {key: self._digests.get(key) for key in files}, self._locator.asked | (self._read - files)

    # --- names ---

    def find(self, importer: str, module: str, level: int) -> str | None:
        """The key of an imported module; None where it is none of the project's."""
        return self._locator.find(importer, module, level)

    def submodule(self, key: str, name: str) -> str | None:
        """The key of a package's module, None where there is none of that name."""
        return self._locator.submodule(key, name)

    @staticmethod
    def dotted(importer: str, module: str, level: int) -> str:
        """The absolute dotted name that an import means."""
        return dotted(importer, module, level)

    @staticmethod
    def stub(path: str) -> tuple[str, str] | None:
        """The key and the name by which a stub describes something of another library, None where none does."""
        return stubs().get(path)

    # --- modules ---

    def source(self, key: str) -> str:
        """The text of a module. Raises ``SourceError`` where it cannot be read."""
        self._read.add(key)
        if key in self._overlay:
            return self._overlay[key]
        data = text.read_bytes(Path(key))
        # A file that changes while the run lasts has no digest: what rests on it is never taken for known.
        read = text.digest(data)
        self._digests[key] = read if self._digests.get(key, read) == read else b""
        return text.decode(data, key)

    def put(self, key: str, module: LoweredModule) -> None:
        """Keep a module that was lowered already."""
        self._modules[key] = module
        self._kept += len(module.source)
        while self._kept > MOST_CHARACTERS and len(self._modules) > 1:
            _, oldest = self._modules.popitem(last=False)
            self._kept -= 0 if oldest is None else len(oldest.source)

    def module(self, key: str) -> LoweredModule | None:
        """A module as IR; None where it is a mere folder, cannot be read or is no Python (which others report)."""
        if not key.endswith(SUFFIX):
            self._read.add(key)
        if key in self._modules:
            self._modules.move_to_end(key)
            return self._modules[key]
        if not key.endswith((".py", notebook.SUFFIX, SUFFIX)) and key not in self._overlay:
            return None
        try:
            module = lower(self.source(key), key)
        except (text.SourceError, LoweringError):
            self._modules[key] = None
            return None
        self.put(key, module)
        return module

    # --- which modules can matter ---

    def concerns(self, key: str, index: screen.ModuleIndex) -> bool:
        """Whether a module can hold a finding, or hand a tensor to one that can.

        Torch has to come to it, and something has to write in place or end a graph: there, or in a module of the project that it
        leads to.
        """
        self._facts[key] = facts = self._fact(key, index)
        telling, torch = facts.telling, facts.torch
        if telling and torch:
            return True
        for other in self._reachable(key):
            telling, torch = telling or other.telling, torch or other.torch
            if telling and torch:
                return True
        return False

    def imports(self, key: str) -> Iterator[str]:
        """The keys of the project's modules that a module imports, and of the packages that they lie in."""
        for found in self._facts_of(key).leads_to:
            yield found
            folder = os.path.dirname(found)
            while os.path.lexists(package := os.path.join(folder, "__init__.py")):
                yield package
                folder = os.path.dirname(folder)

    def _reachable(self, key: str) -> Iterator[_Facts]:
        seen, todo = {key}, [key]
        while todo:
            for other in self._facts_of(todo.pop()).leads_to:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
                    yield self._facts_of(other)

    def _facts_of(self, key: str) -> _Facts:
        self._read.add(key)
        facts = self._facts.get(key)
        if facts is None:
            index = None
            if key.endswith((".py", notebook.SUFFIX)) or key in self._overlay:
                try:
                    index = screen.index(self.source(key))
                except text.SourceError:
                    index = None
            facts = self._facts[key] = _NOTHING if index is None else self._fact(key, index)
        self._locator.asked |= facts.folders
        return facts

    def _fact(self, key: str, index: screen.ModuleIndex) -> _Facts:
        leads_to: dict[str, None] = {}
        before, self._locator.asked = self._locator.asked, set()
        for level, module, names in index.imported:
            found = self.find(key, module, level)
            if found is None:
                continue
            leads_to[found] = None
            for name in names:
                inner = self.submodule(found, name)
                if inner is not None:
                    leads_to[inner] = None
        # A star import may bring torch from anywhere.
        torch = any("torch" in name for name in index.imports) or any("*" in names for _, _, names in index.imported)
        folders = frozenset(self._locator.asked)
        self._locator.asked |= before
        return _Facts(index.is_telling, torch, tuple(leads_to), folders)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is remembered of a module's index: whether it is telling, whether it imports torch, what it imports, and the folders
    in which that was looked for."""

    telling: bool
    torch: bool
    leads_to: tuple[str, ...]
    folders: frozenset[str] = frozenset()


_NOTHING = _Facts(False, False, ())
