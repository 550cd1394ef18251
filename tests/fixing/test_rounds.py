"""Rounds of fixing, with a linter of a few lines: a word is a finding, and what its fix makes of it is up to each test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from inplace_lint.diagnostics import Applicability, Diagnostic, Edit, Fix, Position, Severity, Span
from inplace_lint.fixing.documents import Document
from inplace_lint.fixing.rounds import MOST_ROUNDS, Fixer, Outcome

Fixes = Mapping[str, Callable[[str, Span], Fix]]


def by(content: str, applicability: Applicability = "safe") -> Callable[[str, Span], Fix]:
    """A fix that puts ``content`` in the place of the finding."""
    return lambda name, span: Fix(applicability, "do it", (Edit(content, span),))


def lint(texts: Mapping[str, str], fixes: Fixes) -> list[Diagnostic]:
    """A finding for each word that has a fix, and for each that starts with ``bad``; ``(`` makes a file unreadable."""
    found: list[Diagnostic] = []
    for name, text in sorted(texts.items()):
        for row, line in enumerate(text.split("\n"), 1):
            for match in re.finditer(r"[\w()]+", line):
                word = match.group()
                span = Span(name, Position(row, match.start() + 1), Position(row, match.end() + 1))
                if word == "(":
                    found.append(Diagnostic("IPL000", "unreadable", Severity.ERROR, "no", span))
                elif word in fixes:
                    found.append(Diagnostic("IPL1", "one", Severity.ERROR, word, span, fix=fixes[word](name, span)))
                elif word.startswith("bad"):
                    found.append(Diagnostic("IPL2", "two", Severity.ERROR, word, span))
    return found


def fix(texts: Mapping[str, str], fixes: Fixes, unsafe: bool = False, named: list[str] | None = None) -> Outcome:
    def relint(changed: Mapping[str, str]) -> list[Diagnostic]:
        return lint({**texts, **changed}, fixes)

    fixer = Fixer(
        named if named is not None else list(texts),
        lambda name: Document.of(name, texts[name].encode()),
        relint,
        list,
        unsafe,
    )
    return fixer.run(relint({}))


def after(outcome: Outcome) -> dict[str, str]:
    return {change.name: change.after for group in outcome.groups for change in group}


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    return [(it.found.span.start.row, it.reason) for it in outcome.not_fixed]


def test_every_fix_that_holds_is_made() -> None:
    done = fix({"f": "a b a\nx a\n"}, {"a": by("ok"), "b": by("fine")})
    assert after(done) == {"f": "ok fine ok\nx ok\n"}
    assert (len(done.fixed), done.not_fixed, list(done.left)) == (4, [], [])


def test_unsafe_fixes_are_made_on_demand_and_advice_never() -> None:
    kinds = {"a": by("ok", "safe"), "b": by("ok", "unsafe"), "c": by("ok", "display-only")}
    assert after(fix({"f": "a b c"}, kinds)) == {"f": "ok b c"}
    assert after(fix({"f": "a b c"}, kinds, unsafe=True)) == {"f": "ok ok c"}


def test_a_fix_that_leaves_its_finding_is_dropped_alone() -> None:
    done = fix({"f": "a b\na b\nb a"}, {"a": by("ok"), "b": by("b2 x"), "b2": by("b2 y")})
    # What comes instead is a finding of the same rule in the same place.
    assert after(done) == {"f": "ok b\nok b\nb ok"}
    assert reasons(done) == [(1, "its finding would still be there")]


def test_a_fix_that_brings_a_finding_is_dropped_alone() -> None:
    done = fix({"f": "a\nb\na\na"}, {"a": by("ok"), "b": by("bad")})
    assert after(done) == {"f": "ok\nb\nok\nok"}
    assert reasons(done) == [(2, "it would bring IPL2: bad")]


def test_a_fix_that_makes_the_file_unreadable_is_dropped_alone() -> None:
    done = fix({"f": "a\nb\na"}, {"a": by("ok"), "b": by("(")})
    assert after(done) == {"f": "ok\nb\nok"}
    assert reasons(done) == [(2, "the file could no longer be checked: no")]


def test_findings_that_were_there_may_move() -> None:
    done = fix({"f": "a bad\nbad"}, {"a": by("new\nlines\nhere")})
    assert after(done) == {"f": "new\nlines\nhere bad\nbad"}
    assert [found.span.start.row for found in done.left] == [3, 4]


def test_what_stood_in_the_changed_place_may_stand_there_in_other_words() -> None:
    def whole(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("ok bad2", Span(name, Position(1, 1), Position(1, 6))),))

    assert after(fix({"f": "a bad"}, {"a": whole})) == {"f": "ok bad2"}


def test_of_fixes_that_overlap_the_first_is_made_and_the_others_wait() -> None:
    def both(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("ok b", Span(name, Position(1, 1), Position(1, 4))),))

    done = fix({"f": "a b"}, {"a": both, "b": by("fine")})
    assert after(done) == {"f": "ok fine"}
    assert len(done.fixed) == 2


def test_the_same_edit_for_two_findings_is_made_once() -> None:
    def same(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("ok", Span(name, Position(1, 1), Position(1, 4))),))

    done = fix({"f": "a b"}, {"a": same, "b": same})
    assert (after(done), len(done.fixed)) == ({"f": "ok"}, 2)


def test_rounds_end() -> None:
    endless: dict[str, Callable[[str, Span], Fix]] = {}
    for number in range(30):
        # Each fix makes way for the next one, elsewhere in the file.
        def step(name: str, span: Span, number: int = number) -> Fix:
            return Fix("safe", "do it", (Edit(f"ok\nn{number + 1}", span),))

        endless[f"n{number}"] = step
    done = fix({"f": "n0"}, endless)
    assert not done.fixed and reasons(done) == [(1, "its finding would still be there")]

    def next_one(name: str, span: Span) -> Fix:
        # Only the first of these may change anything, as long as the others overlap it.
        return Fix(
            "safe", "do it", (Edit("k", span), Edit(str(span.start.column), Span(name, Position(2, 1), Position(2, 2))))
        )

    done = fix({"f": " ".join("a" * 12) + "\n" + "." * 12}, {"a": next_one})
    assert done.capped and len(done.fixed) == MOST_ROUNDS


def test_a_fix_may_change_several_named_files() -> None:
    def elsewhere(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("ok", span), Edit("x", Span("g", Position(1, 1), Position(1, 2)))))

    done = fix({"f": "a", "g": "y", "h": "b"}, {"a": elsewhere, "b": by("ok")})
    assert [[change.name for change in group] for group in done.groups] == [["f", "g"], ["h"]]
    assert after(done) == {"f": "ok", "g": "x", "h": "ok"}
    done = fix({"f": "a", "g": "y"}, {"a": elsewhere}, named=["f"])
    assert (after(done), reasons(done)) == ({}, [(1, "the place to change is in g, which was not named")])


def test_a_finding_that_a_fix_brings_in_another_file_counts() -> None:
    def relint(changed: Mapping[str, str]) -> list[Diagnostic]:
        texts = {"f": "a", "g": "y", **changed}
        return lint({**texts, "g": "bad" if texts["f"] == "ok" else "y"}, fixes)

    fixes = {"a": by("ok")}
    fixer = Fixer(["f", "g"], lambda name: Document.of(name, b"a"), relint, list, False)
    assert reasons(fixer.run(relint({}))) == [(1, "it would bring IPL2: bad")]


def test_edits_that_make_no_sense_are_dropped() -> None:
    def outside(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("x", Span(name, Position(9, 1), Position(9, 2))),))

    def nothing(name: str, span: Span) -> Fix:
        return Fix("safe", "do it", (Edit("b", span),))

    done = fix({"f": "a\nb"}, {"a": outside, "b": nothing})
    assert reasons(done) == [(1, "its place is not in the file"), (2, "the fix would change nothing")]


def test_the_cost_of_one_bad_fix_among_many_is_few_lints() -> None:
    count = 0
    texts = {"f": "\n".join(["a"] * 40 + ["b"] + ["a"] * 23)}
    fixes = {"a": by("ok"), "b": by("bad")}

    def relint(changed: Mapping[str, str]) -> list[Diagnostic]:
        nonlocal count
        count += 1
        return lint({**texts, **changed}, fixes)

    done = Fixer(["f"], lambda name: Document.of(name, texts[name].encode()), relint, list, False).run(relint({}))
    assert (len(done.fixed), len(done.not_fixed)) == (63, 1)
    assert count < 20
