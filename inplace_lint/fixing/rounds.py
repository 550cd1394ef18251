"""Rounds of fixing: make the fixes that do not collide, lint again, keep what held, until nothing changes.

A fix holds when its finding is gone and no new one has come. Findings are compared by their rule and the text that they point
at, since rows move. When several fixes do not hold together, halves of them are tried, so that the guilty ones are dropped alone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..diagnostics import UNREADABLE, Diagnostic
from .documents import Change, Document, Unfixable
from .edits import Misplaced, Replacement, Text, apply, moved
from .imports import Names, NameTaken

MOST_ROUNDS = 10

_ALWAYS = frozenset({UNREADABLE, "IPL001"})
"""Rules that count even where they are off: what cannot be checked has no findings."""

_Mark = tuple[str, str, str]
"""What a finding is recognised by when rows have moved."""

_STILL_THERE = "its finding would still be there"
_MOST_TEXTS = 256

Lint = Callable[[Mapping[str, str]], Sequence[Diagnostic]]
"""All findings of a run, of any rule and severity, when the given texts, by file name, stand for the files' own."""

Load = Callable[[str], Document]
"""The document of a file that may be changed, by the name that findings carry; raises ``Unfixable``."""


@dataclass(frozen=True)
class NotFixed:
    """A finding whose fix was not made, and why."""

    found: Diagnostic
    reason: str


@dataclass
class Outcome:
    """What fixing came to.

    groups: the changes, those together that a fix ties to each other. fixed: the findings that are gone. not_fixed: those
    whose fix did not hold. left: the findings at the end. capped: there was more to do after the last round.
    """

    groups: list[list[Change]] = field(default_factory=list)
    fixed: list[Diagnostic] = field(default_factory=list)
    not_fixed: list[NotFixed] = field(default_factory=list)
    left: Sequence[Diagnostic] = ()
    capped: bool = False


def applicable(found: Diagnostic, unsafe: bool) -> bool:
    """Whether a finding has a fix that may be made."""
    fix = found.fix
    return fix is not None and bool(fix.edits) and (fix.applicability == "safe" or (unsafe and is_unsafe(found)))


def is_unsafe(found: Diagnostic) -> bool:
    """Whether a finding has a fix that is made on demand only."""
    return found.fix is not None and bool(found.fix.edits) and found.fix.applicability == "unsafe"


class Fixer:
    """Fixes the findings of a run. ``names`` are the files that may be changed, ``shown`` picks the findings that count."""

    def __init__(
        self,
        names: Collection[str],
        load: Load,
        lint: Lint,
        shown: Callable[[Iterable[Diagnostic]], Sequence[Diagnostic]],
        unsafe: bool,
    ) -> None:
        self._names = {os.path.abspath(name): name for name in names}
        self._load = load
        self._lint = lint
        self._shown = shown
        self._unsafe = unsafe
        self._documents: dict[str, Document] = {}
        self._texts: dict[str, str] = {}
        self._dropped: dict[_Mark, NotFixed] = {}
        self._ties: list[set[str]] = []
        self._split: dict[str, Text] = {}

    def run(self, found: Sequence[Diagnostic]) -> Outcome:
        """Fixes what can be fixed, in memory."""
        outcome = Outcome(left=found)
        for number in range(MOST_ROUNDS + 1):
            plans = self._plans(outcome.left)
            if not plans:
                break
            if number == MOST_ROUNDS:
                outcome.capped = True
                break
            base = _Base(dict(self._texts), outcome.left, self._marks(outcome.left, self._texts))
            held, left = self._settle(plans, base)
            if not held:
                break
            self._texts.update(_after(base.texts, held))
            for plan in held:
                self._ties.append(set(plan.edits))
            outcome.fixed += (plan.found for plan in held)
            outcome.left = left
        outcome.not_fixed = self._not_fixed(outcome.left)
        outcome.groups = self._groups()
        return outcome

    # --- which fixes ---

    def _plans(self, found: Sequence[Diagnostic]) -> list[_Plan]:
        """The fixes of this round: the first of those that collide, and none that was dropped before."""
        plans: list[_Plan] = []
        taken: dict[str, list[Replacement]] = {}
        candidates = [one for one in self._shown(found) if applicable(one, self._unsafe)]
        for one in candidates:
            name = self._names.get(os.path.abspath(one.span.filename))
            if name is not None:
                with suppress(Unfixable):
                    self._text(name)
        for one in candidates:
            key = self._mark(one, self._texts)
            if key in self._dropped:
                continue
            try:
                plan = self._plan(one)
            except (Unfixable, Misplaced, NameTaken) as error:
                reason = str(error) if not isinstance(error, Misplaced) else "its place is not in the file"
                self._dropped[key] = NotFixed(one, reason)
                continue
            edits = [(name, edit) for name, edits in plan.edits.items() for edit in edits]
            if any(edit.collides(other) for name, edit in edits for other in taken.get(name, ())):
                continue
            for name, edit in edits:
                taken.setdefault(name, []).append(edit)
            plans.append(plan)
        return plans

    def _plan(self, found: Diagnostic) -> _Plan:
        assert found.fix is not None
        edits: dict[str, list[Replacement]] = {}
        for edit in found.fix.edits:
            name = self._names.get(os.path.abspath(edit.span.filename))
            if name is None:
                raise Unfixable(f"the place to change is in {edit.span.filename}, which was not named")
            text = self._at(self._text(name))
            old = text.source[text.offset(edit.span.start) : text.offset(edit.span.end)]
            for one in Names(text.source).spelt(edit, old):
                replacement = text.replacement(one)
                if replacement.text != text.source[replacement.start : replacement.end]:
                    edits.setdefault(name, []).append(replacement)
        if not edits:
            raise Unfixable("the fix would change nothing")
        for name, replacements in edits.items():
            if any(a.collides(b) for a in replacements for b in replacements):
                raise Unfixable("the fix contradicts itself")
            self._documents[name].expressible("".join(it.text for it in replacements))
        return _Plan(found, {name: tuple(sorted(set(it))) for name, it in edits.items()})

    def _text(self, name: str) -> str:
        if name not in self._documents:
            self._documents[name] = self._load(name)
            self._texts[name] = self._documents[name].text
        return self._texts[name]

    # --- which hold ---

    def _settle(self, plans: Sequence[_Plan], base: _Base) -> tuple[list[_Plan], Sequence[Diagnostic]]:
        """The plans that hold together, and the findings with them."""
        held: list[_Plan] = []
        left: Sequence[Diagnostic] = base.found
        pending = [list(plans)]
        while pending:
            part = pending.pop()
            after = _after(base.texts, [*held, *part])
            found = self._lint(after)
            wrong = self._wrong([*held, *part], base, found, after)
            if not wrong:
                held, left = [*held, *part], found
                continue
            if len(part) == 1:
                (plan,) = part
                reason = wrong.get(id(plan.found)) or wrong.get(None) or "with it, another fix would not hold"
                self._dropped[self._mark(plan.found, base.texts)] = NotFixed(plan.found, reason)
                continue
            # Those whose finding stays are known; what brings a new one has to be found.
            known = [plan for plan in part if id(plan.found) in wrong]
            if known and len(known) < len(part):
                pending += [known, [plan for plan in part if id(plan.found) not in wrong]]
            else:
                middle = len(part) // 2
                pending += [part[middle:], part[:middle]]
        return held, left

    def _wrong(
        self, plans: Sequence[_Plan], base: _Base, found: Sequence[Diagnostic], after: Mapping[str, str]
    ) -> dict[int | None, str]:
        """Why the plans do not hold together: by finding where it is that one's fault, under None otherwise."""
        wrong: dict[int | None, str] = {}
        fixed = {id(plan.found) for plan in plans}
        before: dict[_Mark, list[Diagnostic]] = {}
        applied: dict[_Mark, list[Diagnostic]] = {}
        for one, mark in base.marks:
            (applied if id(one) in fixed else before).setdefault(mark, []).append(one)
        new: list[Diagnostic] = []
        for one, mark in self._marks(found, after):
            if before.get(mark):
                before[mark].pop()
            elif applied.get(mark):
                wrong[id(applied[mark].pop())] = _STILL_THERE
            else:
                new.append(one)
        if not new:
            return wrong
        # What stood inside a changed place may stand there still, in other words.
        texts = {name: self._at(text) for name, text in base.texts.items()}
        gone = [one for rest in before.values() for one in rest]
        regions = [(name, it.start, it.end, plan) for plan in plans for name, its in plan.edits.items() for it in its]
        inside = Counter((id(plan), one.code) for one in gone for plan in self._touched(one, regions, texts))
        texts = {name: self._at(text) for name, text in after.items()}
        regions = _regions(plans)
        for one in new:
            here = self._touched(one, regions, texts)
            excused = next((plan for plan in here if inside[id(plan), one.code] > 0), None)
            culprit = next((plan for plan in here if plan.found.code == one.code), None)
            if excused is not None:
                inside[id(excused), one.code] -= 1
            elif culprit is not None:
                wrong[id(culprit.found)] = _STILL_THERE
            elif one.code == UNREADABLE:
                wrong.setdefault(None, f"the file could no longer be checked: {one.message}")
            else:
                wrong.setdefault(None, f"it would bring {one.code}: {one.message}")
        return wrong

    def _touched(self, found: Diagnostic, regions: Sequence[_Region], texts: Mapping[str, Text]) -> list[_Plan]:
        """The plans whose region a finding's place meets."""
        name = self._names.get(os.path.abspath(found.span.filename), found.span.filename)
        if name not in texts:
            return []
        try:
            start, end = texts[name].offset(found.span.start), texts[name].offset(found.span.end)
        except Misplaced:
            return []
        return [plan for file, first, last, plan in regions if file == name and start < last and first < end]

    def _marks(self, found: Sequence[Diagnostic], texts: Mapping[str, str]) -> list[tuple[Diagnostic, _Mark]]:
        """The findings that count, each with what it is recognised by."""
        counted = {id(one) for one in self._shown(found)}
        return [(one, self._mark(one, texts)) for one in found if id(one) in counted or one.code in _ALWAYS]

    def _mark(self, found: Diagnostic, texts: Mapping[str, str]) -> _Mark:
        """File, rule and the text pointed at; in a file that no fix is for, the place, which does not move."""
        name = self._names.get(os.path.abspath(found.span.filename), found.span.filename)
        if name not in texts:
            return name, found.code, f"{found.span.start.row}:{found.span.start.column}"
        text = self._at(texts[name])
        try:
            pointed = text.source[text.offset(found.span.start) : text.offset(found.span.end)]
        except Misplaced:
            pointed = found.message
        return name, found.code, " ".join(pointed.split())

    def _at(self, source: str) -> Text:
        """The text with its lines found, which is asked for many times over."""
        if source not in self._split:
            if len(self._split) > _MOST_TEXTS:
                self._split.clear()
            self._split[source] = Text(source)
        return self._split[source]

    # --- at the end ---

    def _not_fixed(self, left: Sequence[Diagnostic]) -> list[NotFixed]:
        """What was dropped and is still there, at the place where it is now."""
        out: dict[_Mark, NotFixed] = {}
        for one in self._shown(left):
            mark = self._mark(one, self._texts)
            if mark in self._dropped and mark not in out:
                out[mark] = replace(self._dropped[mark], found=one)
        return list(out.values())

    def _groups(self) -> list[list[Change]]:
        """The changed files; those that one fix ties together in one group."""
        changes = {
            name: Change(self._documents[name], text)
            for name, text in sorted(self._texts.items())
            if text != self._documents[name].text
        }
        groups: list[set[str]] = [{name} for name in changes]
        for tie in self._ties:
            met = [group for group in groups if group & tie]
            if len(met) > 1:
                groups = [group for group in groups if not group & tie] + [set().union(*met)]
        return [[changes[name] for name in sorted(group)] for group in sorted(groups, key=min)]


@dataclass(frozen=True, eq=False)
class _Plan:
    """A finding's fix as replacements, by file."""

    found: Diagnostic
    edits: Mapping[str, tuple[Replacement, ...]]


_Region = tuple[str, int, int, _Plan]
"""A file, a stretch of it by offsets, and the plan that changes it."""


@dataclass(frozen=True)
class _Base:
    """What a round starts from."""

    texts: Mapping[str, str]
    found: Sequence[Diagnostic]
    marks: Sequence[tuple[Diagnostic, _Mark]]


def _after(texts: Mapping[str, str], plans: Sequence[_Plan]) -> dict[str, str]:
    """The texts with the plans carried out."""
    edits: dict[str, list[Replacement]] = {}
    for plan in plans:
        for name, replacements in plan.edits.items():
            edits.setdefault(name, []).extend(replacements)
    return {name: apply(text, edits[name]) if name in edits else text for name, text in texts.items()}


def _regions(plans: Sequence[_Plan]) -> list[_Region]:
    """Where the plans' new text stands once all are carried out."""
    everything: dict[str, set[Replacement]] = {}
    for plan in plans:
        for name, replacements in plan.edits.items():
            everything.setdefault(name, set()).update(replacements)
    places = {
        name: dict(zip(sorted(replacements), moved(list(replacements)), strict=True))
        for name, replacements in everything.items()
    }
    return [
        (name, *places[name][one], plan)
        for plan in plans
        for name, replacements in plan.edits.items()
        for one in replacements
    ]
