"""Which settings hold for a file: the nearest settings file up from it, what that one extends, and the command line on top."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .model import Settings, as_python
from .reading import SettingsError, Values, file_in, pair, read
from .table import options
from .versions import accepted

_SELECTION = ("select", "extend-select", "ignore")


@dataclass(frozen=True)
class Overrides:
    """What the command line says of settings.

    file: the one settings file to use (``--config FILE``). isolated: use none. pairs: what ``--config 'key = value'`` says.
    options: what options of their own say, which wins over all else.
    """

    file: str | None = None
    isolated: bool = False
    pairs: Sequence[Values] = ()
    options: Values = field(default_factory=dict)


def parse_config(arguments: Iterable[str], root: str | None = None) -> tuple[str | None, list[Values]]:
    """The settings file and the pairs among the values of ``--config``. Raises ``SettingsError``."""
    file: str | None = None
    pairs: list[Values] = []
    for argument in arguments:
        if os.path.isfile(argument):
            if file is not None:
                raise SettingsError(f"--config: only one settings file can be given, not both {file} and {argument}")
            file = argument
            continue
        values = pair(argument, root or os.getcwd())
        if values is None:
            if "=" in argument:
                raise SettingsError(f"--config {argument!r} is no TOML `key = value`; strings need quotes")
            raise SettingsError(f"--config {argument!r} is neither a file nor a TOML `key = value`")
        if "extend" in values:
            raise SettingsError("--config: `extend` cannot be set on the command line; name the file itself")
        pairs.append(values)
    return file, pairs


class Resolver:
    """The settings of a run, file by file; each settings file is read once, when something below it is asked for."""

    def __init__(self, overrides: Overrides | None = None, directory: str | None = None) -> None:
        self._overrides = overrides or Overrides()
        self._directory = os.path.abspath(directory or os.getcwd())
        self._by_folder: dict[str, str | None] = {}
        self._by_file: dict[str | None, Settings] = {}
        self._by_name: dict[str, Settings] = {}
        if self._overrides.file is not None and self._overrides.isolated:
            raise SettingsError("--config with a file cannot be used together with --isolated")

    @property
    def run(self) -> Settings:
        """What holds for the run as a whole: the settings of the current directory."""
        return self._settings(self.file_for(self._directory))

    def of(self, filename: str) -> Settings:
        """What holds for a file, or for what lies in a folder. Raises ``SettingsError``."""
        known = self._by_name.get(filename)
        if known is None:
            path = os.path.abspath(filename)
            folder = self._directory if filename == "-" else path if os.path.isdir(path) else os.path.dirname(path)
            known = self._by_name[filename] = self._settings(self.file_for(folder))
        return known

    def file_for(self, folder: str) -> str | None:
        """The settings file that holds for what lies in a folder."""
        if self._overrides.isolated:
            return None
        if self._overrides.file is not None:
            return self._overrides.file
        if folder not in self._by_folder:
            found = file_in(folder)
            parent = os.path.dirname(folder)
            self._by_folder[folder] = found if found or parent == folder else self.file_for(parent)
        return self._by_folder[folder]

    def _settings(self, file: str | None) -> Settings:
        if file not in self._by_file:
            # As in Ruff: what is given by hand is relative to where it is given.
            root = self._directory if file is not None and file == self._overrides.file else None
            layers = [] if file is None else chain(Path(file), root)
            self._by_file[file] = combined([*layers, *self._overrides.pairs, self._overrides.options])
        return self._by_file[file]


def chain(path: Path, root: str | None = None) -> list[Values]:
    """What a settings file says, after what it extends. Raises ``SettingsError``."""
    layers: list[Values] = []
    seen: list[Path] = []
    current: Path | None = path
    while current is not None:
        seen.append(current.absolute())
        values = read(current, root if current is path else None)
        if "required-version" in values:
            accepted(values["required-version"], str(current))
        layers.insert(0, values)
        beyond = values.get("extend")
        if beyond is None:
            break
        following = Path(beyond)
        if not following.is_file():
            raise SettingsError(f"{current}: `extend`: there is no file {beyond}")
        if following.absolute() in seen:
            loop = " -> ".join(str(it) for it in [*seen, following])
            raise SettingsError(f"{current}: `extend` goes in a circle: {loop}")
        current = following
    return layers


def combined(layers: Sequence[Values]) -> Settings:
    """The settings that come of several sources, the weakest first."""
    merged: dict[str, Any] = {}
    known = options()
    for values in layers:
        for key, value in values.items():
            if not known[key].adds or key not in merged:
                merged[key] = value
            elif isinstance(value, dict):
                merged[key] = {**merged[key], **{name: [*merged[key].get(name, []), *value[name]] for name in value}}
            else:
                merged[key] = [*merged[key], *value]
    for key in (*_SELECTION, "extend", "required-version"):
        merged.pop(key, None)
    fields = {known[key].field: as_python(known[key], value) for key, value in merged.items()}
    return Settings(**_selected(layers), **fields)


def _selected(layers: Sequence[Values]) -> dict[str, Any]:
    """The rules that are on after all sources: one that selects begins anew, one that only ignores or extends goes on."""
    known = options()
    said = [values for values in layers if any(key in values for key in _SELECTION)]
    anew = max((number for number, values in enumerate(said) if "select" in values), default=0)
    said = said[anew:]
    if len(said) < 2:
        return {known[key].field: tuple(values[key]) for values in said for key in _SELECTION if key in values}
    from ..rules import active, strength

    chosen: set[str] = set()
    for number, values in enumerate(said):
        more, less = values.get("extend-select", []), values.get("ignore", [])
        if number == 0:
            chosen = set(active(values.get("select", Settings().select), more, less))
            continue
        wanted, unwanted = strength(more), strength(less)
        chosen -= {code for code, how in unwanted.items() if how >= wanted.get(code, -1)}
        chosen |= {code for code, how in wanted.items() if how > unwanted.get(code, -1)}
    return {"select": tuple(sorted(chosen))}
