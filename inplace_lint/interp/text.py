"""Strings: methods of literals are carried out; of texts that are not known, what they look like is kept as a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inplace_lint.domain.conditions import TRUE
from inplace_lint.domain.objects import Container
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Const, Unknown, Value, const, constant_of, one
from inplace_lint.interp import counters, iteration
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.registry import CallSite

LONGEST = 200
"""Characters of a literal that is made from others."""
PURE = frozenset(
    name
    for name in dir(str)
    if not name.startswith("_") and name not in ("encode", "translate", "maketrans", "format_map", "format", "join")
)
"""Methods that make literals of literals."""
ASKING = ("startswith", "endswith", "find", "rfind")
"""Those that ask something of a text, and that no other thing has: asked twice, they give the same answer."""
_ANY = ".*"


def asked(name: str, positional: list[Value]) -> str | None:
    """The arguments of a method that gives the same answer each time, as part of its answer's tag; None for another one."""
    if not positional:
        return "" if name in PURE else None
    constants = [value for value in positional if len(value) == 1 and isinstance(next(iter(value)), Const)]
    if name not in ASKING or len(constants) < len(positional):
        return None
    return ", ".join(repr(constant_of(value)) for value in constants)


def unknown(engine: Engine, state: State, origin: int, pattern: str = _ANY, parts: Iterable[Value] = ()) -> Value:
    """A text of which only a pattern is known. parts: what it was made from, as a loop's counter is."""
    word = "text" if pattern == _ANY else f"text {engine.m.number_of(pattern)}"
    atom = engine.m.fresh(state, origin, word, "no", False)
    engine.m.patterns[atom.tag] = pattern
    counters.follows(engine.m, atom, parts)
    return one(atom)


def pattern_of(m: Machine, value: Value) -> str:
    """A regular expression that the text (or what a value is as a text) matches."""
    found: set[str] = set()
    for atom in value:
        if isinstance(atom, Const):
            found.add(re.escape(str(atom.value)))
        else:
            found.add(m.patterns.get(atom.tag.rstrip("~"), _ANY) if isinstance(atom, Unknown) else _ANY)
    return found.pop() if len(found) == 1 else _ANY


def may_match(one_pattern: str, other: str) -> bool:
    """Whether texts of two patterns may be the same, judged by what they begin and end with."""
    if one_pattern == other:
        return True
    if _ANY not in one_pattern or _ANY not in other:
        literal, pattern = (one_pattern, other) if _ANY not in one_pattern else (other, one_pattern)
        return re.fullmatch(pattern, re.sub(r"\\(.)", r"\1", literal)) is not None
    starts = [text.split(_ANY)[0] for text in (one_pattern, other)]
    ends = [text.split(_ANY)[-1][::-1] for text in (one_pattern, other)]
    return all(a.startswith(b) or b.startswith(a) for a, b in (starts, ends))


def answer(m: Machine, text: Atom, name: str, part: object) -> bool | None:
    """What ``startswith``, ``endswith`` or ``in`` say of a text known by a pattern; None where the pattern leaves it open."""
    pattern = m.patterns.get(text.tag.rstrip("~")) if isinstance(text, Unknown) else None
    if pattern is None or not isinstance(part, str):
        return None
    literals = [re.sub(r"\\(.)", r"\1", literal) for literal in pattern.split(_ANY)]
    if name == "in":
        return True if any(part in literal for literal in literals) else None
    known, end = (literals[0], part) if name == "startswith" else (literals[-1][::-1], part[::-1])
    if known.startswith(end):
        return True
    return None if end.startswith(known) else False


def call(engine: Engine, state: State, text: str, name: str, site: CallSite) -> Value:
    """A method of a literal."""
    literals = [constant_of(value) for value in site.positional]
    keywords = {key: constant_of(value) for key, value in site.named.items()}
    if name == "format":
        return _format(engine, state, text, site)
    if name == "join" and site.positional:
        inner = iteration.elements(engine, state, site.flow, site.positional[0], site.place)
        parts = [constant_of(value) for value in inner.exact or ()]
        if inner.exact is not None and all(isinstance(part, str) for part in parts):
            return _made(engine, state, text.join(str(part) for part in parts), site)
    if name in PURE and all(isinstance(x, (str, int, type(None))) for x in (*literals, *keywords.values())):
        try:
            return _made(engine, state, getattr(text, name)(*literals, **keywords), site)
        except (TypeError, ValueError):
            pass
    return unknown(engine, state, site.place[1])


def _made(engine: Engine, state: State, result: object, site: CallSite) -> Value:
    if isinstance(result, (list, tuple)) and len(result) <= 64:
        kind = "list" if isinstance(result, list) else "tuple"
        box = Container(kind, tuple(const(part) for part in result))  # type: ignore[arg-type]
        return one(state.allocate(engine.m.oid(site.place[1], "parts of a text"), box))
    if isinstance(result, (str, bool, int)) and (not isinstance(result, str) or len(result) <= LONGEST):
        return const(result)
    return unknown(engine, state, site.place[1])


def _format(engine: Engine, state: State, text: str, site: CallSite) -> Value:
    values = [*site.positional, *site.named.values()]
    literals = [constant_of(value) for value in values]
    if all(isinstance(x, (str, int, float)) for x in literals):
        named = dict(zip(site.named, literals[len(site.positional) :], strict=True))
        try:
            return _made(engine, state, text.format(*literals[: len(site.positional)], **named), site)
        except (IndexError, KeyError, ValueError, AttributeError):
            pass
    parts = re.split(r"\{[^{}]*\}", text)
    pattern = _ANY.join(re.escape(part) for part in parts) if "{{" not in text else _ANY
    return unknown(engine, state, site.place[1], pattern)


def percent(engine: Engine, state: State, text: str, value: Atom, origin: int) -> Value:
    """``text % value``."""
    box = state.heap.get(value) if isinstance(value, int) else None
    given = list(box.items) if isinstance(box, Container) and box.items is not None else [one(value)]
    literals = [constant_of(part) for part in given]
    if all(isinstance(x, (str, int, float)) for x in literals):
        try:
            return const(text % tuple(literals))
        except (TypeError, ValueError):
            pass
    parts = re.split(r"%[-+ #0-9.]*[a-zA-Z]", text)
    return unknown(engine, state, origin, _ANY.join(re.escape(part) for part in parts) if "%%" not in text else _ANY)


def joined(engine: Engine, state: State, left: Atom, right: Atom, origin: int) -> Value | None:
    """``left + right`` where one is a literal text and the other is not known; None where neither is a text."""
    m = engine.m
    texts = [isinstance(a, Const) and isinstance(a.value, str) for a in (left, right)]
    shaped = [isinstance(a, Unknown) and a.tag.rstrip("~") in m.patterns for a in (left, right)]
    if not (any(texts) or any(shaped)) or not all(isinstance(a, (Const, Unknown)) for a in (left, right)):
        return None
    return unknown(engine, state, origin, pattern_of(m, {left: TRUE}) + pattern_of(m, {right: TRUE}))
