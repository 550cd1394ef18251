"""Every fix that the linter offers, applied alone and run in torch: does it cure its finding and do what was meant?

A fix *holds* where the finding is gone and none was added, torch runs the program without a fault of autograd, and the leaves
that each backward reaches have the values and gradients of the reference (see ``rerun``). A *safe* one also leaves what is
printed, and what the module's names stand for, as it was.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic, Edit, Severity
from tools.truth.oracle import Oracle

_NAME = "program.py"
_BY_ADVICE = {
    "Run the backward first": "update moved",
    "Run every backward first": "loop split",
    "Compute this loss anew": "loss anew",
    "Compute it anew in every round": "loss anew",
    "Detach what": "state detached",
}
"""Kinds of rewrite that are recognised by how they are advised, since their text may be anything."""


@dataclass(frozen=True)
class Trial:
    """One finding with what became of its fix. ``why`` says why it did not hold; None where it did, or was not applied."""

    program: str
    finding: Diagnostic
    kind: str
    after: str | None = None
    why: str | None = None

    @property
    def applied(self) -> bool:
        """Whether it has code that was put into the program."""
        return self.after is not None

    @property
    def level(self) -> str:
        """The fix's applicability; empty where there is no code."""
        return self.finding.fix.applicability if self.finding.fix and self.finding.fix.edits else ""

    def describe(self) -> str:
        """Program, place and reason on one line."""
        found = self.finding
        return f"{self.program}:{found.span.start.row}: {found.code} {self.kind} ({self.level}): {self.why}"


@dataclass
class Report:
    """Trials, counted by rule and kind of rewrite."""

    trials: list[Trial] = field(default_factory=list)

    @property
    def broken(self) -> list[Trial]:
        """The safe fixes that did not hold."""
        return [one for one in self.trials if one.level == "safe" and one.why is not None]

    def text(self) -> str:
        """The table."""
        rows: Counter[tuple[str, str, str]] = Counter()
        held: Counter[tuple[str, str, str]] = Counter()
        for one in self.trials:
            key = (one.finding.code, one.kind, one.level or "words only")
            rows[key] += 1
            held[key] += one.applied and one.why is None
        lines = [f"{'rule':8}{'kind':24}{'applicability':16}{'findings':>9}{'applied':>9}{'held':>7}"]
        for key in sorted(rows):
            applied = rows[key] if key[2] != "words only" else 0
            lines.append(f"{key[0]:8}{key[1]:24}{key[2]:16}{rows[key]:>9}{applied:>9}{held[key]:>7}")
        for level in ("safe", "unsafe", "display-only"):
            of = [one for one in self.trials if one.level == level]
            lines.append(f"{level}: {len(of)} applied, {sum(one.why is None for one in of)} held")
        with_code = sum(one.applied for one in self.trials)
        lines.append(f"{len(self.trials)} findings, {with_code} with a fix in code")
        return "\n".join(lines)


def applied(source: str, edits: Iterable[Edit]) -> str:
    """The source with the edits made, and torch imported where they need it."""
    lines = source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    new = ""
    for edit in sorted(edits, key=lambda it: it.span.start, reverse=True):
        start, end = (starts[at.row - 1] + at.column - 1 for at in (edit.span.start, edit.span.end))
        source = source[:start] + edit.content + source[end:]
        new += edit.content
    if "torch." in new and not _binds_torch(source):
        future = max((node.end_lineno or 0 for node in _futures(source)), default=0)
        rows = source.split("\n")
        source = "\n".join([*rows[:future], "import torch", *rows[future:]])
    return source


def _futures(source: str) -> Iterator[ast.stmt]:
    return (node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _binds_torch(source: str) -> bool:
    return any(
        isinstance(node, ast.Import)
        and any(alias.asname is None and alias.name.split(".")[0] == "torch" for alias in node.names)
        for node in ast.walk(ast.parse(source))
    )


def kind(source: str, found: Diagnostic) -> str:
    """The kind of rewrite that a fix is, read off its text."""
    if found.fix is None or not found.fix.edits:
        return "-"
    new = "\n".join(edit.content for edit in found.fix.edits)
    rows = source.split("\n")
    old = "\n".join("\n".join(rows[it.span.start.row - 1 : it.span.end.row]) for it in found.fix.edits)
    for start, name in _BY_ADVICE.items():
        if found.fix.message.startswith(start):
            return name
    words = {
        "torch.no_grad()": "no_grad block",
        "init.": "torch.nn.init",
        "torch.stack(": "list and stack",
        ".detach()": "detach",
        "retain_graph=True": "retain_graph",
        "retain_grad()": "retain_grad",
        ".clone()": "clone",
        ".copy()": "copy",
        "masked_fill(": "masked_fill",
        "index_put(": "index_put",
        "torch.where(": "where",
    }
    for word, name in words.items():
        if new.count(word) > old.count(word):
            return name
    if "inplace" in old and new.count("inplace=True") < old.count("inplace=True"):
        return "inplace dropped"
    if old.count("out=") > new.count("out="):
        return "out= assigned"
    return "out of place"


def _lint(source: str) -> list[Diagnostic]:
    return [it for it in check_source(source, _NAME) if it.severity >= Severity.WARNING]


def _cure(before: Sequence[Diagnostic], after: Sequence[Diagnostic], code: str) -> str | None:
    """What is wrong with the findings after the fix."""
    old, new = Counter(it.code for it in before), Counter(it.code for it in after)
    if new[code] >= old[code]:
        return "the finding is still there"
    added = [code for code in new if new[code] > old[code]]
    return f"adds {', '.join(added)}" if added else None


def _wrong(found: Diagnostic, sort: str, level: str, said: dict[str, Any]) -> str | None:
    """What is wrong with what torch showed."""
    if "runs" not in said:
        return f"torch: {said.get('note')}"
    if not said["runs"] and not said["same_end"]:
        return f"does not run: {said['note'][:120]}"
    if not said["reference"]:
        return None
    # An update that is moved finds the leaves at other values; that is the point of it.
    same = said["gradients_alone"] if found.code == "IPL203" or sort == "update moved" else said["gradients"]
    if not same and not _unclear(found, sort):
        return "other gradients or leaves than meant"
    if level == "safe" and not said["printed"]:
        return "prints something else"
    if level == "safe" and not said["named"]:
        return "a name stands for another value"
    return None


def _unclear(found: Diagnostic, sort: str) -> bool:
    """Whether the reference cannot know what was meant: gradients that nobody asked for, or what no hook on saving sees.

    It goes through old graphs, with the parameters' old values; what is computed anew or detached does not, on purpose.
    """
    if sort in ("loop split", "loss anew", "state detached"):
        return True
    return found.code in ("IPL303", "IPL502", "IPL503") or "of its context" in found.message


def run(programs: Iterable[tuple[str, str]], oracle: Oracle, workers: int = 1) -> Report:
    """Tries every fix of every finding in the programs, (name, source) each."""

    def attempt(job: tuple[str, str, Diagnostic, list[Diagnostic]]) -> Trial:
        name, source, found, before = job
        fix, sort = found.fix, kind(source, found)
        if fix is None or not fix.edits or any(it.span.filename != _NAME for it in fix.edits):
            return Trial(name, found, "-")
        try:
            after = applied(source, fix.edits)
            compile(after, name, "exec")
        except (SyntaxError, ValueError) as error:
            return Trial(name, found, sort, source, f"does not compile: {error}")
        left = _lint(after)
        why = _cure(before, left, found.code)
        if why is None:
            why = _wrong(found, sort, fix.applicability, oracle.rerun(source, after, bool(left)))
        return Trial(name, found, sort, after, why)

    def jobs() -> Iterator[tuple[str, str, Diagnostic, list[Diagnostic]]]:
        for name, source in programs:
            before = _lint(source)
            yield from ((name, source, found, before) for found in before)

    with ThreadPoolExecutor(workers) as pool:
        # Linting raises the recursion limit at times, which must not happen while another thread parses.
        return Report(list(pool.map(attempt, list(jobs()))))
