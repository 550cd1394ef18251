"""From paths or text to diagnostics: the whole pipeline, without a command line.

Files are found here, checked one by one (see ``checking``), by several processes where there are many, and what they found is
settled between them (see ``settling``) and selected. ``check_source`` is for one text, ``check_paths`` for files and folders.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import rules
from .assumptions import Assumptions
from .baseline import Baseline
from .checking import Checker, Failure
from .choosing import assumed_in, chosen, ensure_known, order, selection, weighed
from .diagnostics import UNREADABLE, Diagnostic
from .fingerprints import Lines
from .fixing import documents, writing
from .fixing.documents import Change, Document, Unfixable
from .fixing.writing import Written
from .judging import UNUSED, Compared, compared, judge, with_failures
from .naming import Names
from .rechecking import Rechecker
from .settings import Settings, SettingsSource
from .settling import FileReport
from .source import discovery, noqa
from .source.mentions import is_mentioned
from .sources import Sources
from .workers import Progress, checked, checked_text

if TYPE_CHECKING:
    from .caching import Cache
    from .fixing import rounds

__all__ = [
    "Commented",
    "Compared",
    "Failure",
    "Fixed",
    "Result",
    "add_noqa",
    "check_paths",
    "check_source",
    "check_text",
    "files_in",
    "fix_paths",
    "fix_text",
    "is_excluded",
]


def _no_progress(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Result:
    """What a run found. ``hidden`` counts findings below the severity that is shown.

    baselined: findings that would be shown if the baseline did not know them. compared: what came of the baseline.
    trouble: what is wrong with the cache, where something is.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checked: int = 0
    hidden: int = 0
    baselined: list[Diagnostic] = field(default_factory=list)
    compared: Compared | None = None
    trouble: str | None = None

    def fails(self, settings: SettingsSource) -> bool:
        """Whether anything was found that should make a CI job fail."""
        return any(found.severity >= settings.of(found.span.filename).fail_on for found in self.diagnostics)


def check_source(source: str, filename: str = "<string>", settings: SettingsSource | None = None) -> list[Diagnostic]:
    """The findings in a text, sorted; ``filename`` is the name they carry.

    A text that is no valid Python makes an ``IPL000`` finding. Raises ``rules.UnknownRule`` where the settings select
    a rule that does not exist; any other exception is a fault of the analysis.
    """
    settings = settings or Settings()
    overlay = {os.path.abspath(filename): source}
    sources = Sources({filename: source})
    report = Checker(overlay, assumed_in([filename], settings)).source(source, filename)
    parts = {filename: Names([filename]).report(report)}
    judged = judge(parts, _seen_in_part(parts), _baseline(settings), sources.lines)
    return sources.spelt(chosen(judged.found, settings))


def check_paths(
    paths: Iterable[str | os.PathLike[str]],
    settings: SettingsSource | None = None,
    jobs: int = 1,
    baseline: Baseline | None = None,
    progress: Progress = _no_progress,
    cache_dir: str | None = None,
) -> Result:
    """Checks files, and the Python files below folders.

    What cannot be read, found or parsed is a finding and stops nothing; neither does a fault of ours, which is kept in
    ``Result.failures``. ``jobs`` is the number of processes. ``baseline`` stands for the one that the settings name.
    ``progress`` is told of each file. ``cache_dir`` is a folder of reports of earlier runs; without it nothing is kept.
    Raises ``rules.UnknownRule`` as ``check_source`` does, ``SettingsError`` and ``BaselineError``.
    """
    settings = settings or Settings()
    baseline = baseline or _baseline(settings)
    ensure_known(settings.run)
    files, found = _files(paths, settings)
    names = [str(path) for path in files]
    assumed = assumed_in(names, settings)
    kept = _cache(cache_dir, assumed)
    parts = checked(files, jobs, names, None, assumed, progress, kept)
    result = _gather(dict(zip(names, parts, strict=True)), settings, baseline)
    trouble = None if kept is None else kept.trouble
    return replace(
        result, diagnostics=sorted([*chosen(found, settings), *result.diagnostics], key=order), trouble=trouble
    )


def _cache(folder: str | None, assumed: Mapping[str, Assumptions]) -> Cache | None:
    if folder is None:
        return None
    from .caching import Cache

    return Cache(folder, assumed)


def check_text(source: str, filename: str, settings: SettingsSource | None = None) -> Result:
    """As ``check_paths``, for one text that is at hand already, such as standard input."""
    overlay = {os.path.abspath(filename): source}
    settings = settings or Settings()
    parts = {filename: checked_text(source, filename, overlay, assumed_in([filename], settings))}
    return _gather(parts, settings, _baseline(settings), {filename: source})


def files_in(paths: Iterable[str | os.PathLike[str]], settings: SettingsSource) -> list[Path]:
    """The files that ``check_paths`` checks."""
    return _files(paths, settings)[0]


@dataclass(frozen=True)
class Fixed:
    """What fixing came to. ``result`` is what remains, with the files as they are now.

    fixed: the findings that are gone. changes: what was, or would be, written. not_fixed: findings whose fix was not made, and
    why. written: what became of writing. capped: there were more fixes than rounds.
    """

    result: Result
    fixed: list[Diagnostic]
    changes: list[Change]
    not_fixed: list[rounds.NotFixed]
    written: Written
    capped: bool = False


def fix_paths(
    paths: Iterable[str | os.PathLike[str]],
    settings: SettingsSource | None = None,
    jobs: int = 1,
    *,
    unsafe: bool = False,
    dry: bool = False,
    progress: Progress = _no_progress,
    cache_dir: str | None = None,
) -> Fixed:
    """As ``check_paths``, and fixes what it finds: with unsafe fixes too if ``unsafe``, and writing nothing if ``dry``."""
    settings = settings or Settings()
    ensure_known(settings.run)
    files, missing = _files(paths, settings)
    names = [str(path) for path in files]
    signatures = {name: documents.signature(name) for name in names}
    assumed = assumed_in(names, settings)
    shown_once = [progress]
    kept = _cache(cache_dir, assumed)

    def check(some: Sequence[str], overlay: Mapping[str, str]) -> Iterable[FileReport | Failure]:
        # The first time is the long one; what is checked again is a few files, many times over.
        step = shown_once.pop() if shown_once else _no_progress
        return checked([Path(it) for it in some], jobs, names, overlay, assumed, step, kept)

    runs = Rechecker(names, check)

    def load(name: str) -> Document:
        if documents.signature(name) != signatures[name]:
            raise Unfixable("the file changed while it was checked")
        return Document.read(name)

    fixed = _fixed(runs, names, load, settings, unsafe, None if dry else writing.write)
    shown = sorted([*chosen(missing, settings), *fixed.result.diagnostics], key=order)
    return replace(fixed, result=replace(fixed.result, diagnostics=shown))


def fix_text(data: bytes, filename: str, settings: SettingsSource | None = None, *, unsafe: bool = False) -> Fixed:
    """As ``fix_paths``, for one file's content that is at hand, such as standard input; nothing is written.

    Raises ``documents.Unfixable`` for what is no text.
    """
    settings = settings or Settings()
    document = Document.of(filename, data)
    assumed = assumed_in([filename], settings)

    def check(names: Sequence[str], overlay: Mapping[str, str]) -> Iterable[FileReport | Failure]:
        return [checked_text(overlay[os.path.abspath(name)], name, overlay, assumed) for name in names]

    runs = Rechecker([filename], check, {os.path.abspath(filename): document.text})
    return _fixed(runs, [filename], lambda name: document, settings, unsafe, None, {filename: document.text})


@dataclass(frozen=True)
class Commented:
    """What adding ``# noqa`` comments came to.

    lines: how many lines got one. written: what became of writing. left: findings that no comment could be added for, and why.
    """

    result: Result
    lines: int
    written: Written
    left: list[rounds.NotFixed]


def add_noqa(
    paths: Iterable[str | os.PathLike[str]], settings: SettingsSource | None = None, jobs: int = 1, reason: str = ""
) -> Commented:
    """As ``check_paths``, and suppresses what it finds by comments in the files, with ``reason`` behind new ones."""
    from .fixing.rounds import NotFixed

    result = check_paths(paths, settings, jobs)
    changes: list[Change] = []
    left: list[rounds.NotFixed] = []
    lines = 0
    for name, found in _by_file(result.diagnostics).items():
        try:
            document = Document.read(name)
            after, count, missed = noqa.suppressing(document.text, found, reason)
            document.encoded(after)
        except (Unfixable, noqa.Unsuitable) as error:
            left += (NotFixed(one, str(error)) for one in found)
            continue
        left += (NotFixed(one, "no comment works for it") for one in missed)
        if count:
            changes.append(Change(document, after))
            lines += count
    return Commented(result, lines, writing.write([[change] for change in changes]), left)


def _by_file(found: Iterable[Diagnostic]) -> dict[str, list[Diagnostic]]:
    """The findings that comments can suppress, by file."""
    by_file: dict[str, list[Diagnostic]] = {}
    for one in found:
        if one.code not in (UNREADABLE, UNUSED):
            by_file.setdefault(one.span.filename, []).append(one)
    return by_file


def _fixed(
    runs: Rechecker,
    names: Collection[str],
    load: rounds.Load,
    settings: SettingsSource,
    unsafe: bool,
    write: Callable[[Sequence[Sequence[Change]]], Written] | None,
    texts: Mapping[str, str] | None = None,
) -> Fixed:
    from .fixing import rounds

    real = {name: os.path.realpath(name) for name in names}
    # A file that goes by several names is changed under the first one.
    first = {path: name for name, path in reversed(real.items())}
    others = {name: first[path] for name, path in real.items() if first[path] != name}

    def reports(texts: Mapping[str, str]) -> Mapping[str, FileReport | Failure]:
        linked = {name: texts[to] for name, to in others.items() if to in texts}
        return runs.with_texts({**texts, **linked})

    def shown(found: Iterable[Diagnostic]) -> list[Diagnostic]:
        return chosen((it for it in found if it.span.filename not in others), settings)

    baseline, in_part = _baseline(settings), _seen_in_part(names)

    def lint(changed: Mapping[str, str]) -> list[Diagnostic]:
        sources = Sources({**(texts or {}), **changed})
        return _found(reports(changed), in_part, baseline, sources.lines)

    fixer = rounds.Fixer(first.values(), load, lint, shown, unsafe)
    outcome = fixer.run(lint({}))
    changes = [change for group in outcome.groups for change in group]
    written = write(outcome.groups) if write is not None else Written([change.name for change in changes])
    after = {change.name: change.after for change in changes if change.name in written.names}
    result = _gather(reports(after), settings, baseline, {**(texts or {}), **after})
    fixed = [found for found in outcome.fixed if not _lies_in(found, written.failures)]
    return Fixed(result, fixed, changes, outcome.not_fixed, written, outcome.capped)


def _found(
    parts: Mapping[str, FileReport | Failure],
    in_part: Callable[[str], bool],
    baseline: Baseline | None,
    lines: Lines,
) -> list[Diagnostic]:
    """All findings; a file on which the analysis breaks down has one that says so."""
    return judge(with_failures(parts), in_part, baseline, lines).found


def _seen_in_part(names: Collection[str]) -> Callable[[str], bool]:
    """Asks of a file whether others import it that are none of the run's."""
    return cache(lambda name: is_mentioned(name, names))


def _lies_in(found: Diagnostic, names: Collection[str]) -> bool:
    """Whether the place of a finding, or of its fix, is in one of the files."""
    edits = found.fix.edits if found.fix else ()
    return any(span.filename in names for span in (found.span, *(edit.span for edit in edits)))


def _files(paths: Iterable[str | os.PathLike[str]], settings: SettingsSource) -> tuple[list[Path], list[Diagnostic]]:
    """The files to check, and a finding for each path that is not there or cannot be listed."""
    present: list[str | os.PathLike[str]] = []
    found: list[Diagnostic] = []
    for path in paths:
        if os.path.lexists(path):
            present.append(path)
        else:
            found.append(rules.unreadable(os.fspath(path), "cannot be read: no such file or directory"))

    def unlisted(error: OSError) -> None:
        found.append(rules.unreadable(str(error.filename), f"cannot be listed: {error.strerror or error}"))

    files = discovery.discover(
        present,
        cache(lambda folder: selection(settings.of(folder))),
        respect_gitignore=settings.run.respect_gitignore,
        force_exclude=settings.run.force_exclude,
        on_error=unlisted,
    )
    return list(files), found


def is_excluded(filename: str, settings: SettingsSource) -> bool:
    """Whether a file that was named is left out all the same, because the settings say so."""
    if not settings.run.force_exclude:
        return False
    return discovery.is_excluded(Path(filename), lambda folder: selection(settings.of(folder)))


def _gather(
    parts: Mapping[str, FileReport | Failure],
    settings: SettingsSource,
    baseline: Baseline | None,
    texts: Mapping[str, str] | None = None,
) -> Result:
    """What the parts of a run come to; ``texts``, by name, stand for what lies on disk."""
    failures = [part for part in parts.values() if isinstance(part, Failure)]
    sources, in_part = Sources(texts), _seen_in_part(parts)
    judged = judge(parts, in_part, baseline, sources.lines)
    enabled = weighed(judged.found, settings)
    shown = [it for it in enabled if it.severity >= settings.of(it.span.filename).severity]
    known = chosen((one for one, _, _ in judged.comparison.known), settings)
    return Result(
        sources.spelt(shown),
        failures,
        len(parts),
        len(enabled) - len(shown),
        sources.spelt(known),
        None if baseline is None else compared(baseline, judged, parts, in_part),
    )


def _baseline(settings: SettingsSource) -> Baseline | None:
    """The baseline that the settings name. Raises ``BaselineError``."""
    path = settings.run.baseline
    return None if path is None else Baseline.read(path)
