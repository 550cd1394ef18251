"""Finds the rules: every ``Rule`` with a code in a module of this package. There is no list to add a rule to."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

from .base import Rule


class UnknownRule(ValueError):
    """A selector that names no rule; the message says which one is nearest."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """One instance of every rule, by code."""
    package = importlib.import_module(__package__ or "inplace_lint.rules")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted((rule() for rule in Rule.kinds), key=lambda rule: rule.code))


def find_rule(word: str) -> Rule:
    """The rule of that code or name; ``UnknownRule`` where there is none."""
    for rule in all_rules():
        if word.upper() == rule.code or word.lower() == rule.name:
            return rule
    raise UnknownRule(f"there is no rule `{word}`{_nearest(word, prefixes=False)}")


def select(selectors: Iterable[str]) -> frozenset[str]:
    """The codes that the selectors name: codes, names, prefixes of codes (``IPL2``) and ``ALL``.

    Raises ``UnknownRule`` where a selector names nothing.
    """
    codes: set[str] = set()
    for selector in selectors:
        word = selector.strip()
        chosen = {
            rule.code
            for rule in all_rules()
            if word.upper() == "ALL"
            or word.lower() == rule.name
            or (word and rule.code.startswith(word.upper()) and word.upper().startswith("IPL"))
        }
        if not chosen:
            raise UnknownRule(f"there is no rule or prefix `{selector}`{_nearest(word, prefixes=True)}")
        codes |= chosen
    return frozenset(codes)


def active(select_: Iterable[str], extend_select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """The codes that are switched on. As in Ruff, the more specific selector wins where one code is in both."""
    wanted = strength([*select_, *extend_select])
    unwanted = strength(ignore)
    return frozenset(code for code, strength in wanted.items() if strength > unwanted.get(code, -1))


def strength(selectors: Iterable[str]) -> dict[str, int]:
    """For each code that the selectors name, how specific the most specific of them is."""
    strength: dict[str, int] = {}
    for selector in selectors:
        word = selector.strip().upper()
        is_prefix = word.startswith("IPL")
        specific = 0 if word == "ALL" else len(word) if is_prefix else len("IPL000")
        for code in select([selector]):
            strength[code] = max(strength.get(code, -1), specific)
    return strength


def _nearest(word: str, *, prefixes: bool) -> str:
    """The hint that ends an error message."""
    options = {rule.code: rule.code for rule in all_rules()} | {rule.name: rule.name for rule in all_rules()}
    if prefixes:
        options |= {rule.code[:4]: rule.code[:4] for rule in all_rules()} | {"ALL": "ALL"}
    lowered = {option.lower(): option for option in options}
    begun = sorted(
        (option for option in lowered if word and option.startswith(word.lower())), key=lambda it: (len(it), it)
    )
    close = begun or difflib.get_close_matches(word.lower(), sorted(lowered), n=1, cutoff=0.5)
    return f"; did you mean `{lowered[close[0]]}`?" if close else "; `inplace-lint rule --all` lists them"
