"""One settings file, or one ``key = value`` of the command line, to valid values; what is wrong is said with its place."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from .table import Option, options, toml

NAMES = (".inplace-lint.toml", "inplace-lint.toml", "pyproject.toml")
"""Settings files, the first of a folder wins; ``pyproject.toml`` counts if it has our section."""

Values = Mapping[str, Any]
"""What one source sets, by key, as TOML gives it; paths and patterns are absolute where they depend on the source's place."""

_SECTION = ("tool", "inplace-lint")
_IN_WORDS = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}


class SettingsError(Exception):
    """Settings that cannot be used; the message says what is wrong, where, and what may be meant."""


def file_in(folder: str) -> str | None:
    """The settings file of a folder, if it has one."""
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and (name != "pyproject.toml" or _ours(path)):
            return path
    return None


def _ours(path: str) -> bool:
    """Whether a ``pyproject.toml`` has our section; one that is none of ours may be as broken as it likes."""
    try:
        text = Path(path).read_bytes()
    except OSError:
        return False
    return b"inplace-lint" in text and _section(Path(path)) is not None


def read(path: Path, root: str | None = None) -> Values:
    """What a settings file says. Patterns and paths in it are relative to ``root``, by default the folder it lies in.

    Raises ``SettingsError``, also where the file cannot be read.
    """
    table = _section(path)
    place = _Place(str(path), path.read_text(encoding="utf-8"), in_section=path.name == "pyproject.toml")
    home = str(path.absolute().parent)
    return validated(table or {}, place, root or home, home)


def pair(text: str, root: str) -> Values | None:
    """What ``key = value`` says; None where the text is no TOML at all."""
    try:
        table = toml.loads(text)
    except toml.TOMLDecodeError:
        return None
    return validated(table, _Place(f"--config {text!r}"), root)


def _section(path: Path) -> dict[str, Any] | None:
    """Our part of a file; None where a ``pyproject.toml`` has none."""
    shown = _shown(str(path))
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read {shown}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{shown}: is not UTF-8, as TOML has to be") from error
    try:
        table: Any = toml.loads(text)
    except toml.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f":{place[1]}:{place[2]}" if place else ""
        told = str(error)[: place.start()] if place else str(error)
        raise SettingsError(f"{shown}{where}: invalid TOML: {told}") from error
    if path.name != "pyproject.toml":
        return dict(table)
    for key in _SECTION:
        table = table.get(key) if isinstance(table, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{shown}: `tool.inplace-lint` must be a table, not {_kind(table)}")
    return table


class _Place:
    """Where settings stand, for messages."""

    def __init__(self, name: str, text: str = "", in_section: bool = False) -> None:
        self._name = name
        self._lines = text.splitlines()
        self._section = _SECTION if in_section else ()

    def of(self, *path: str) -> str:
        """The file and, if it can be found, the line of a key, given with the keys that lead to it."""
        wanted = [*self._section, *path]
        table: list[str] = []
        for row, line in enumerate(self._lines, 1):
            header = re.match(r"\s*\[{1,2}([^\]]+)\]", line)
            if header:
                table = _keys(header[1])
            assigned = re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*'|\s*\.\s*)+)\s*=""", line)
            here = table if header else [*table, *_keys(assigned[1])] if assigned else []
            if here[: len(wanted)] == wanted or (
                len(path) > 1 and assigned and here == wanted[:-1] and path[-1] in line
            ):
                return f"{_shown(self._name)}:{row}"
        return self.of(*path[:-1]) if len(path) > 1 else _shown(self._name)


def _keys(dotted: str) -> list[str]:
    found = re.findall(r""""([^"]*)"|'([^']*)'|([\w-]+)""", dotted)
    return ["".join(parts) for parts in found]


def _shown(name: str) -> str:
    """A file's name as people read it: relative where it lies below the current directory."""
    if not os.path.isabs(name):
        return name
    try:
        relative = os.path.relpath(name)
    except ValueError:
        return name
    return name if relative.startswith(os.pardir) else relative


def validated(table: Mapping[str, Any], place: _Place, root: str, home: str | None = None) -> Values:
    """The values of a table, each of a key that exists and of the type it has to be. Other settings files are looked for from
    ``home``, where the table itself lies."""
    known = options()
    values: dict[str, Any] = {}
    for key, value in table.items():
        option = known.get(key)
        if option is None:
            raise SettingsError(f"{place.of(key)}: unknown setting `{key}`{nearest(key)}")
        wrong = _wrong(option, value)
        if wrong:
            raise SettingsError(f"{place.of(key)}: `{key}` {wrong}")
        if option.kind in ("rules", "rules-by-pattern"):
            _check_rules(option, value, place)
        values[key] = rooted(option, value, (home or root) if option.kind == "file" else root)
    return values


def nearest(key: str) -> str:
    """The hint that ends a message about an unknown key."""
    close = difflib.get_close_matches(key.lower().replace("_", "-"), options(), n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else "; `inplace-lint config` lists them"


def _wrong(option: Option, value: Any) -> str | None:
    """What is wrong with a value, as the end of a sentence about its key."""
    if option.kind == "boolean":
        return None if isinstance(value, bool) else f"must be true or false, not {_kind(value)}"
    if option.kind in ("rules", "patterns"):
        if not isinstance(value, list):
            return f"must be a list of strings, not {_kind(value)}"
        odd = [item for item in value if not isinstance(item, str)]
        return f"must be a list of strings; one of its items is {_kind(odd[0])}" if odd else None
    if option.kind == "rules-by-pattern":
        if not isinstance(value, dict):
            return f"must be a table that maps patterns to lists of rules, not {_kind(value)}"
        for pattern, rules in value.items():
            if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
                return f"must map patterns to lists of rules; `{pattern}` has {_kind(rules)}"
        return None
    if not isinstance(value, str):
        return f"must be a string, not {_kind(value)}"
    choices = _choices(option)
    if choices and value not in choices:
        close = difflib.get_close_matches(value.lower(), choices, n=1)
        return f"must be one of {', '.join(choices)}, not {value!r}" + (
            f"; did you mean `{close[0]}`?" if close else ""
        )
    return None


def _choices(option: Option) -> Sequence[str]:
    if option.kind != "format":
        return option.choices
    from ..output import formats

    return formats()


def _kind(value: Any) -> str:
    if isinstance(value, (str, bool, int, float)):
        return f"{_IN_WORDS[type(value)]} ({value!r})" if not isinstance(value, bool) else str(value).lower()
    return _IN_WORDS.get(type(value), "a date")


def _check_rules(option: Option, value: Any, place: _Place) -> None:
    """Every selector must name a rule."""
    from ..rules import UnknownRule, select

    by_key = value.items() if isinstance(value, dict) else [("", value)]
    for pattern, selector in ((pattern, selector) for pattern, selectors in by_key for selector in selectors):
        try:
            select([selector])
        except UnknownRule as error:  # noqa: PERF203 - a handful of selectors
            place_of = place.of(*(part for part in (option.key, pattern, selector) if part))
            raise SettingsError(f"{place_of}: `{option.key}`: {error}") from error


def rooted(option: Option, value: Any, root: str) -> Any:
    """A value with its patterns and paths made absolute, as far as they depend on where they stand."""
    if option.kind == "patterns":
        return [absolute_pattern(pattern, root) for pattern in value]
    if option.kind == "rules-by-pattern":
        return {absolute_pattern(pattern, root): rules for pattern, rules in value.items()}
    if option.kind in ("path", "file"):
        return os.path.normpath(os.path.join(root, os.path.expandvars(os.path.expanduser(value))))
    return value


def absolute_pattern(pattern: str, root: str) -> str:
    """A pattern for a path, made absolute; one for a name, without a slash, is left as it is."""
    negated, bare = pattern.startswith("!"), pattern.removeprefix("!")
    stripped = bare.rstrip("/") or bare
    if "/" not in stripped or os.path.isabs(stripped):
        return pattern
    return f"{'!' if negated else ''}{escape(root.replace(os.sep, '/')).rstrip('/')}/{stripped.removeprefix('./')}"
