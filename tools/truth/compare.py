"""Programs judged by torch and by the linter: do they agree on whether, what and where?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tools.truth.generate import Program
from tools.truth.oracle import Oracle
from tools.truth.statements import Statements
from tools.truth.verdict import Verdict

Found = list[tuple[int, str]]
Linter = Callable[[str], Found]
Outcome = Literal["hit", "miss", "false-alarm", "silence"]
Disagreement = Literal["", "crash", "missed", "false-alarm", "wrong-code", "wrong-line"]


def lint(source: str) -> Found:
    """The linter's findings of severity error or warning as (line, code), in the order of the lines."""
    from inplace_lint.api import check_source
    from inplace_lint.diagnostics import Severity

    found = check_source(source, "program.py")
    return [(one.span.start.row, one.code) for one in found if one.severity >= Severity.WARNING]


@dataclass(frozen=True)
class Comparison:
    """One program, torch's verdict and the linter's findings. ``crash`` is the exception that the linter ended with."""

    program: Program
    verdict: Verdict
    found: tuple[tuple[int, str], ...]
    crash: str = ""

    @property
    def outcome(self) -> Outcome:
        """The cell of the confusion matrix."""
        if self.verdict.bad:
            return "hit" if self.found else "miss"
        return "false-alarm" if self.found else "silence"

    @property
    def on_line(self) -> bool:
        """Whether a finding is on a culprit's line."""
        lines = Statements(self.program.source)
        return any(
            lines.same(place, line)
            for finding in self.verdict.findings
            for place in finding.places
            for line, _ in self.found
        )

    @property
    def with_code(self) -> bool:
        """Whether a finding has the code of one of torch's."""
        return any(code in finding.codes for finding in self.verdict.findings for _, code in self.found)

    @property
    def disagreement(self) -> Disagreement:
        """How linter and torch differ; empty if they agree."""
        if self.crash:
            return "crash"
        if self.outcome == "miss":
            return "missed"
        if self.outcome == "false-alarm":
            return "false-alarm"
        if self.outcome == "hit" and not self.on_line:
            return "wrong-line"
        if self.outcome == "hit" and not self.with_code:
            return "wrong-code"
        return ""

    def describe(self) -> str:
        """One paragraph for a reader who has the program before him."""
        lines = [
            f"{self.disagreement or 'agreement'}: {self.program.topic}/{self.program.producer} seed {self.program.seed}"
        ]
        lines.append(f"torch: {self.verdict.kind}" + (f" ({self.verdict.note})" if self.verdict.note else ""))
        lines += [
            f"    line {one.line}: {one.code}, raised on {one.raised}: {one.error[:150]}"
            for one in self.verdict.findings
        ]
        lines.append(
            "linter: " + (self.crash or ", ".join(f"line {line}: {code}" for line, code in self.found) or "nothing")
        )
        return "\n".join(lines)


@dataclass
class Report:
    """Counts over many comparisons; undecided programs are counted apart."""

    comparisons: list[Comparison] = field(default_factory=list)
    undecided: int = 0

    @property
    def cells(self) -> Counter[str]:
        """The confusion matrix."""
        return Counter(one.outcome for one in self.comparisons)

    @property
    def recall(self) -> float:
        """The share of bad programs that are flagged."""
        bad = self.cells["hit"] + self.cells["miss"]
        return self.cells["hit"] / bad if bad else 1.0

    @property
    def specificity(self) -> float:
        """The share of good programs that are not flagged."""
        good = self.cells["silence"] + self.cells["false-alarm"]
        return self.cells["silence"] / good if good else 1.0

    @property
    def balanced_accuracy(self) -> float:
        """The mean of recall and specificity, which no ratio of good to bad can flatter."""
        return (self.recall + self.specificity) / 2

    @property
    def line_share(self) -> float:
        """Of the bad programs that are flagged, the share flagged on the culprit's line."""
        hits = [one for one in self.comparisons if one.outcome == "hit"]
        return sum(one.on_line for one in hits) / len(hits) if hits else 1.0

    @property
    def code_share(self) -> float:
        """Of the bad programs that are flagged, the share flagged with the right code."""
        hits = [one for one in self.comparisons if one.outcome == "hit"]
        return sum(one.with_code for one in hits) / len(hits) if hits else 1.0

    @property
    def disagreements(self) -> list[Comparison]:
        """Everything to look at."""
        return [one for one in self.comparisons if one.disagreement]

    def by_code(self) -> dict[str, tuple[int, int, int]]:
        """Code -> how often torch found it first, how often the linter agreed, how often the linter said it in vain."""
        table: dict[str, list[int]] = {}
        for one in self.comparisons:
            if one.verdict.bad:
                first = one.verdict.findings[0]
                row = table.setdefault(first.code, [0, 0, 0])
                row[0] += 1
                row[1] += any(code in first.codes for _, code in one.found)
            for code in {code for _, code in one.found}:
                if not one.verdict.bad or not any(code in finding.codes for finding in one.verdict.findings):
                    table.setdefault(code, [0, 0, 0])[2] += 1
        return {code: (row[0], row[1], row[2]) for code, row in sorted(table.items())}

    def text(self) -> str:
        """The report as a table to read."""
        cells = self.cells
        lines = [
            f"{len(self.comparisons)} programs, {cells['hit'] + cells['miss']} bad; {self.undecided} undecided",
            "                 flagged   silent",
            f"bad by torch     {cells['hit']:7d}  {cells['miss']:7d}   recall {self.recall:.4f}",
            f"good by torch    {cells['false-alarm']:7d}  {cells['silence']:7d}   specificity {self.specificity:.4f}",
            f"balanced accuracy {self.balanced_accuracy:.4f}",
            f"of the hits, on the culprit's line {self.line_share:.4f}, with the right code {self.code_share:.4f}",
            f"crashes {sum(bool(one.crash) for one in self.comparisons)}",
            "code    torch  agreed  recall   in vain",
        ]
        for code, (due, agreed, vain) in self.by_code().items():
            lines.append(f"{code}  {due:5d}  {agreed:6d}  {agreed / due if due else 1:.4f}  {vain:6d}")
        topics: dict[str, Counter[str]] = {}
        for one in self.comparisons:
            key = f"{one.program.topic}/{one.program.producer}"
            topics.setdefault(key, Counter()).update([one.disagreement or "agreed"])
        lines.append("where they disagree:")
        for key, counts in sorted(topics.items()):
            if len(counts) > 1 or "agreed" not in counts:
                lines.append(f"    {key}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        return "\n".join(lines)


def compare(program: Program, verdict: Verdict, linter: Linter = lint) -> Comparison:
    """Lint a judged program. An exception of the linter becomes the comparison's ``crash``."""
    try:
        return Comparison(program, verdict, tuple(linter(program.source)))
    except Exception as error:
        return Comparison(program, verdict, (), f"{type(error).__name__}: {error}")


def run(programs: Iterable[Program], oracle: Oracle, linter: Linter = lint) -> Report:
    """Judge and lint every program."""
    report = Report()
    for comparison, verdict in _compared(list(programs), oracle, linter):
        if verdict.decided:
            report.comparisons.append(comparison)
        else:
            report.undecided += 1
    return report


def _compared(programs: list[Program], oracle: Oracle, linter: Linter) -> Iterator[tuple[Comparison, Verdict]]:
    verdicts = oracle.judge_all(program.source for program in programs)
    for program, verdict in zip(programs, verdicts, strict=True):
        yield compare(program, verdict, linter), verdict
