"""The baseline: findings that are known, so that an old code base starts at zero.

It is a JSON file for people to read and review, a line a finding, sorted so that a change shows as a small diff:

    {"path": "pkg/net.py", "code": "IPL202", "in": "Net.forward", "text": "y += 1"}

A finding is recognised by its content (see ``fingerprints``), so that it stays known when lines move. Where rule and text are the
same, a definition that was renamed is followed, and so is a file. An entry may carry a ``reason``, which is kept.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .diagnostics import Diagnostic
from .fingerprints import Identity, Lines, identities
from .settings import SettingsError

VERSION = 1
_KEYS = ("path", "code", "in", "text", "count", "reason")


class BaselineError(SettingsError):
    """A baseline that cannot be used; the message names the file and says what is wrong."""


@dataclass(frozen=True, order=True)
class Entry:
    """Known findings that are the same in all that they are recognised by: ``count`` of them."""

    path: str
    code: str
    scope: str
    text: str
    count: int = 1
    reason: str = ""

    def words(self) -> str:
        """The entry in one line, for people."""
        where = f" in `{self.scope}`" if self.scope else ""
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"{self.path}: {self.code}{where}: `{self.text}`{times}"


@dataclass(frozen=True)
class Baseline:
    """The entries of a baseline file, ``path``, which need not exist yet."""

    path: str
    entries: tuple[Entry, ...] = ()

    @property
    def root(self) -> str:
        """The folder that paths in it are relative to."""
        return os.path.dirname(os.path.abspath(self.path))

    @property
    def size(self) -> int:
        """How many findings it holds."""
        return sum(entry.count for entry in self.entries)

    @classmethod
    def read(cls, path: str) -> Baseline:
        """The baseline in a file. Raises ``BaselineError``."""
        try:
            data = json.loads(Path(path).read_bytes().decode("utf-8-sig"))
        except FileNotFoundError as error:
            raise BaselineError(f"there is no baseline {path}; `--write-baseline {path}` writes one") from error
        except OSError as error:
            raise BaselineError(f"cannot read the baseline {path}: {error.strerror or error}") from error
        except json.JSONDecodeError as error:
            raise BaselineError(f"{path}:{error.lineno}:{error.colno}: is no baseline: {error.msg}") from error
        except (UnicodeDecodeError, RecursionError) as error:
            raise BaselineError(f"{path}: is no baseline: it is no JSON in UTF-8") from error
        return cls(path, tuple(_entries(path, data)))

    @classmethod
    def read_or_new(cls, path: str) -> Baseline:
        """The baseline in a file, an empty one where there is none. Raises ``BaselineError``."""
        return cls.read(path) if os.path.lexists(path) else cls(path)

    def compare(self, found: Sequence[Diagnostic], lines: Lines) -> Comparison:
        """Which of the findings are known, and what of the baseline matches none."""
        open_: dict[tuple[str, ...], list[_Open]] = {}
        remaining = [_Open(entry, entry.count) for entry in self.entries]
        names = list(zip(found, identities(found, lines, self.root), strict=True))
        comparison = Comparison()
        pending = sorted(names, key=lambda pair: pair[1])
        for key_of in _KEYS_OF:
            open_ = {}
            for item in remaining:
                key = key_of(item.entry, self.root)
                if item.left and key is not None:
                    open_.setdefault(key, []).append(item)
            still: list[tuple[Diagnostic, Identity]] = []
            for one, identity in pending:
                wanted = key_of(identity, None)
                match = next((item for item in open_.get(wanted or (), ()) if item.left), None)
                if match is None:
                    still.append((one, identity))
                else:
                    match.left -= 1
                    comparison.known.append((one, identity, match.entry.reason))
            pending = still
        comparison.new.extend(pending)
        comparison.unmatched.extend(replace(item.entry, count=item.left) for item in remaining if item.left)
        return comparison

    def updated(self, entries: Iterable[Entry]) -> Baseline:
        """The baseline with these entries instead."""
        return Baseline(self.path, tuple(sorted(entries)))

    def save(self) -> None:
        """Writes the file, as a whole or not at all. Raises ``BaselineError``."""
        target = os.path.realpath(self.path)
        temporary = f"{target}.{os.getpid()}.tmp"
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            Path(temporary).write_text(self.text(), encoding="utf-8", newline="\n")
            os.replace(temporary, target)
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            raise BaselineError(f"cannot write the baseline {self.path}: {error.strerror or error}") from error

    def text(self) -> str:
        """The content of the file."""
        lines = [json.dumps(_as_object(entry), ensure_ascii=False) for entry in sorted(self.entries)]
        body = ",\n".join(f"    {line}" for line in lines)
        return f'{{\n  "version": {VERSION},\n  "findings": [{f"{chr(10)}{body}{chr(10)}  " if lines else ""}]\n}}\n'


@dataclass
class _Open:
    """An entry, and how many of its findings have not been met."""

    entry: Entry
    left: int


@dataclass
class Comparison:
    """What comes of findings and a baseline: those known, with the reason given there; the new ones; entries without a match."""

    known: list[tuple[Diagnostic, Identity, str]] = field(default_factory=list)
    new: list[tuple[Diagnostic, Identity]] = field(default_factory=list)
    unmatched: list[Entry] = field(default_factory=list)


def merged(known: Iterable[tuple[Identity, str]], kept: Iterable[Entry] = ()) -> list[Entry]:
    """Entries for findings, each with a reason or none, and those to keep besides; equal ones are one with their number."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    reasons: dict[tuple[str, str, str, str], str] = {}
    for path, code, scope, text, count, reason in (
        *((it.path, it.code, it.scope, it.text, 1, reason) for it, reason in known),
        *((it.path, it.code, it.scope, it.text, it.count, it.reason) for it in kept),
    ):
        key = (path, code, scope, text)
        counts[key] += count
        reasons[key] = reasons.get(key) or reason
    return [Entry(*key, count, reasons[key]) for key, count in sorted(counts.items())]


def _whole(it: Entry | Identity, root: str | None) -> tuple[str, ...]:
    return (it.path, it.code, it.scope, it.text)


def _definition_renamed(it: Entry | Identity, root: str | None) -> tuple[str, ...]:
    return (it.path, it.code, it.text)


def _file_renamed(it: Entry | Identity, root: str | None) -> tuple[str, ...] | None:
    """An entry counts here only if its file is gone."""
    if root is not None and os.path.lexists(os.path.join(root, it.path)):
        return None
    return (it.code, it.scope, it.text)


_KEYS_OF: tuple[Callable[[Entry | Identity, str | None], tuple[str, ...] | None], ...] = (
    _whole,
    _definition_renamed,
    _file_renamed,
)
"""What has to be the same, the strictest first."""


def _as_object(entry: Entry) -> dict[str, Any]:
    values = (entry.path, entry.code, entry.scope, entry.text, entry.count, entry.reason)
    whole = dict(zip(_KEYS, values, strict=True))
    return {key: value for key, value in whole.items() if value not in ("", 1) or key in ("path", "code", "text")}


def _entries(path: str, data: Any) -> Iterable[Entry]:
    if not isinstance(data, dict) or not isinstance(data.get("findings"), list):
        raise BaselineError(f"{path}: is no baseline: it must be an object with a list `findings`")
    if data.get("version") != VERSION:
        raise BaselineError(f"{path}: is a baseline of version {data.get('version')!r}; this program reads {VERSION}")
    for number, item in enumerate(data["findings"], 1):
        wrong = _wrong(item)
        if wrong:
            raise BaselineError(f"{path}: finding {number}: {wrong}")
        yield Entry(
            item["path"],
            item["code"],
            item.get("in", ""),
            item["text"],
            item.get("count", 1),
            item.get("reason", ""),
        )


def _wrong(item: Any) -> str | None:
    """What is wrong with an entry of a file."""
    if not isinstance(item, dict):
        return "must be an object"
    for key in ("path", "code", "text"):
        if key not in item:
            return f"lacks `{key}`"
    for key, value in item.items():
        if key not in _KEYS:
            return f"has an unknown key `{key}`; there are {', '.join(_KEYS)}"
        if key == "count":
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                return "`count` must be a number from 1"
        elif not isinstance(value, str):
            return f"`{key}` must be a string"
    return None
