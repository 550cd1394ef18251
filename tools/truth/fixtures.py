"""Fixtures: programs that say on their own lines what the linter must find and what torch must raise.

A fixture is a complete program. Comments on its lines state the truth:

``# expect: IPL202``
    the linter reports that (or, after commas, each of several codes) on this line, and this is torch's culprit.
``# torch: output 0 of Exp``
    torch raises (or warns) on this line, with that text in its message.
``# torch: not run``
    torch is not asked: what the program shows needs a caller that is not there.
``# gap: IPL201 reason``
    torch finds that here and the linter does not, yet: it must still miss it, so that a repair shows.
``# false-alarm: IPL201 reason``
    the linter reports that here and torch does not: it must still do so.
``# reveal: ...``
    the abstract state, which others check; ignored here.

Without any of them the program is clean: torch must not raise, its gradients must be right, the linter be silent.
Twins named ``.fixed.py`` must be so.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.truth.oracle import ROOT
from tools.truth.statements import Statements
from tools.truth.verdict import Finding, Verdict

FIXTURES = ROOT / "fixtures"
NOT_RUN = "not run"
_NOTE = re.compile(
    r"#\s*(expect|torch|gap|false-alarm)\s*:\s*(.*?)\s*(?=#\s*(?:expect|torch|gap|false-alarm|reveal)\s*:|$)"
)
_CODE = re.compile(r"IPL\d{3}")


_WARNS = {"IPL502", "IPL503"}


class FixtureError(ValueError):
    """A fixture's comments cannot be understood."""


@dataclass(frozen=True)
class Fixture:
    """One program and what it says of itself: (line, code) pairs and (line, text) pairs."""

    path: Path
    source: str
    expected: tuple[tuple[int, str], ...]
    torch: tuple[tuple[int, str], ...]
    gaps: tuple[tuple[int, str], ...]
    false_alarms: tuple[tuple[int, str], ...]

    @property
    def name(self) -> str:
        """How to speak of it."""
        return str(self.path.relative_to(FIXTURES)) if self.path.is_relative_to(FIXTURES) else str(self.path)

    @property
    def runs(self) -> bool:
        """Whether torch is to be asked at all."""
        return all(text != NOT_RUN for _, text in self.torch)

    @property
    def fixed(self) -> bool:
        """Whether it is the corrected twin of another."""
        return self.path.name.endswith(".fixed.py")

    @classmethod
    def parse(cls, source: str, path: Path) -> Fixture:
        """Read the comments. Raises `FixtureError` for one without a code, or for expectations in a fixed twin."""
        pairs: dict[str, list[tuple[int, str]]] = {"expect": [], "torch": [], "gap": [], "false-alarm": []}
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type != tokenize.COMMENT:
                continue
            for kind, text in _NOTE.findall(token.string):
                line = token.start[0]
                if kind == "torch":
                    pairs[kind].append((line, text))
                    continue
                codes = _CODE.findall(text if kind == "expect" else text.split(" ")[0])
                if not codes:
                    raise FixtureError(f"{path}:{line}: `{kind}:` names no code")
                pairs[kind] += [(line, code) for code in codes]
        fixture = cls(path, source, *(tuple(pairs[kind]) for kind in ("expect", "torch", "gap", "false-alarm")))
        if fixture.fixed and (fixture.expected or fixture.torch or fixture.gaps):
            raise FixtureError(f"{path}: a fixed twin must be clean")
        return fixture


def load(paths: Iterable[Path] = ()) -> Iterator[Fixture]:
    """The fixtures in files and folders, by name; without any, all of the repository's."""
    for path in list(paths) or [FIXTURES]:
        files = [f for f in sorted(path.rglob("*.py")) if "projects" not in f.parts] if path.is_dir() else [path]
        for file in files:
            yield Fixture.parse(file.read_text(encoding="utf-8"), file)


def _places(finding: Finding) -> tuple[int, ...]:
    return (*finding.places, *finding.others)


def check_torch(fixture: Fixture, verdict: Verdict) -> list[str]:
    """Where fixture and torch disagree, a sentence each; empty if they agree."""
    if not fixture.runs:
        return []
    problems = []
    lines = Statements(fixture.source)
    noted = [
        any(lines.same(at, line) and text in error for line, error in verdict.errors) for at, text in fixture.torch
    ]
    problems += [
        f"line {at}: torch does not raise `{text}` here"
        for (at, text), ok in zip(fixture.torch, noted, strict=True)
        if not ok
    ]
    if verdict.kind == "invalid" and not (fixture.torch and all(noted)):
        return [*problems, f"the program does not run: {verdict.note}"]
    if verdict.note and verdict.kind != "invalid":
        problems.append(f"undecided: {verdict.note}")
    due = [*fixture.expected, *fixture.gaps]
    if verdict.kind == "invalid":  # the rebound name's next backward fails in its own words, which the note holds
        due = [(line, code) for line, code in due if code != "IPL503"]
    problems += [
        f"line {line}: torch finds no {code} here"
        for line, code in due
        if not any(
            code in finding.codes and any(lines.same(line, place) for place in _places(finding))
            for finding in verdict.findings
        )
    ]
    for finding in verdict.findings:
        where = f"line {finding.line}: torch finds {finding.code} here ({finding.error[:80]})"
        if not any(code in finding.codes and any(lines.same(line, p) for p in _places(finding)) for line, code in due):
            problems.append(f"{where}, which is not expected")
        raised = finding.raised
        through = {line for line, error in verdict.errors if finding.error and finding.error in error}
        noted_at = {lines.start(at) for at, _ in fixture.torch}
        if raised is not None and finding.code not in _WARNS and not noted_at & {lines.start(line) for line in through}:
            problems.append(f"line {raised}: torch raises here without a `# torch:` comment ({finding.error[:80]})")
    return list(dict.fromkeys(problems))


def check_linter(fixture: Fixture, found: Iterable[tuple[int, str]]) -> list[str]:
    """Where the fixture and the linter's findings, (line, code) each, disagree."""
    lines = Statements(fixture.source)
    reported = list(dict.fromkeys(found))

    def has(pairs: Iterable[tuple[int, str]], line: int, code: str) -> bool:
        return any(other == code and lines.same(at, line) for at, other in pairs)

    problems = [
        f"line {line}: the linter does not report {code}"
        for line, code in [*fixture.expected, *fixture.false_alarms]
        if not has(reported, line, code)
    ]
    problems += [
        f"line {line}: the linter reports {code} now: turn the gap into an expectation"
        for line, code in fixture.gaps
        if has(reported, line, code)
    ]
    allowed = [*fixture.expected, *fixture.false_alarms, *fixture.gaps]
    problems += [
        f"line {line}: the linter reports {code}, which is not expected"
        for line, code in reported
        if not has(allowed, line, code)
    ]
    return problems
