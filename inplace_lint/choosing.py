"""What settings make of findings and files: which rules are on where, how severe a finding is, what a walk takes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache

from . import rules
from .assumptions import USUAL, Assumptions
from .diagnostics import Diagnostic, Severity
from .settings import Settings, SettingsSource
from .source import discovery, markdown
from .source.patterns import compiled


def selection(settings: Settings) -> discovery.Selection:
    """What a walk takes, by these settings."""
    include = settings.include + settings.extend_include + (markdown.PATTERNS if settings.markdown else ())
    return discovery.Selection(include, settings.exclude + settings.extend_exclude)


def chosen(found: Iterable[Diagnostic], settings: SettingsSource) -> list[Diagnostic]:
    """The findings of the rules that are on, from the severity that is shown, in reading order."""
    return [it for it in weighed(found, settings) if it.severity >= settings.of(it.span.filename).severity]


def weighed(found: Iterable[Diagnostic], settings: SettingsSource) -> list[Diagnostic]:
    """The findings of the rules that are on where they stand, as severe as the settings make them, in reading order."""
    kept: list[Diagnostic] = []
    for it in found:
        here = settings.of(it.span.filename)
        if it.code not in active(here) or it.code in ignored_in(here, it.span.filename):
            continue
        # A note stays one: so many assumptions hardly ever hold together.
        if it.assumptions and it.severity == Severity.WARNING != here.assume_severity:
            it = replace(it, severity=min(rules.find_rule(it.code).severity, here.assume_severity))
        if it.fix is not None and it.code not in fixable(here):
            it = replace(it, fix=replace(it.fix, applicability="display-only"))
        kept.append(it)
    return sorted(kept, key=order)


def ensure_known(settings: Settings) -> None:
    """Raises ``rules.UnknownRule`` where the settings select a rule that does not exist."""
    if {*settings.select, *settings.extend_select, *settings.ignore} != {"ALL"}:  # to know that takes no rule
        active(settings)


@cache
def active(settings: Settings) -> frozenset[str]:
    """The rules that are on, found once for many files."""
    return rules.active(settings.select, settings.extend_select, settings.ignore)


@cache
def fixable(settings: Settings) -> frozenset[str]:
    """The rules whose findings may be fixed."""
    return rules.active(settings.fixable, settings.extend_fixable, settings.unfixable)


@lru_cache(maxsize=4096)
def ignored_in(settings: Settings, filename: str) -> frozenset[str]:
    """The rules that are off in one file."""
    name, codes = os.path.basename(filename), frozenset[str]()
    for pattern, selectors in (*settings.per_file_ignores, *settings.extend_per_file_ignores):
        negated = pattern.startswith("!")
        if compiled((pattern.removeprefix("!"),)).match(name, filename) is not negated:
            codes |= rules.select(selectors)
    return codes


def order(found: Diagnostic) -> tuple[object, ...]:
    return found.sort_key


def assumed_in(names: Iterable[str], settings: SettingsSource) -> dict[str, Assumptions]:
    """What is taken for granted in each file where that is not the usual."""
    return {name: assumed for name in names if (assumed := settings.of(name).assumptions) != USUAL}
