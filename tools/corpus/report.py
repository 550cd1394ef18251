"""The run as text: a table over the libraries, and the findings with their code, for reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tools.corpus.findings import Finding
from tools.corpus.recheck import Recheck
from tools.corpus.run import Outcome
from tools.corpus.verdicts import WORDS, Verdict

SEVERITIES = ("error", "warning")
_HEAD = (
    "library",
    "lines",
    "error",
    "lines/error",
    "warning",
    "lines/warning",
    *WORDS,
    "unread",
    "new",
    "gone",
    "IPL001",
    "seconds",
    "failures",
)


def table(outcomes: Iterable[Outcome], verdicts: Mapping[str, Verdict]) -> str:
    """One row a library and one for all together. ``unread`` are findings without a verdict."""
    rows = [_counts(it, verdicts) for it in outcomes]
    total: Counter[str] = sum(rows, Counter())
    cells = [list(_HEAD)]
    cells += [_cells(outcome.library.name, row) for outcome, row in zip(outcomes, rows, strict=True)]
    cells.append(_cells("all", total))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


def _counts(outcome: Outcome, verdicts: Mapping[str, Verdict]) -> Counter[str]:
    shown = [it for it in outcome.findings if it.severity in SEVERITIES]
    counts = Counter(it.severity for it in shown)
    counts.update(verdicts[it.fingerprint].word if it.fingerprint in verdicts else "unread" for it in shown)
    counts["new"] = sum(it.fingerprint in outcome.new for it in shown)
    counts["gone"] = sum(it.severity in SEVERITIES for it in outcome.gone)
    counts["lines"] = outcome.lines
    counts["IPL001"] = outcome.given_up
    counts["seconds"] = round(outcome.seconds)
    counts["failures"] = len(outcome.failures)
    return counts


def _cells(name: str, counts: Mapping[str, int]) -> list[str]:
    def cell(column: str) -> str:
        if not column.startswith("lines/"):
            return str(counts.get(column, 0))
        found = counts.get(column.removeprefix("lines/"), 0)
        return str(counts.get("lines", 0) // found) if found else "-"

    return [name, *map(cell, _HEAD[1:])]


def failures(outcomes: Iterable[Outcome]) -> str:
    """What went wrong, one a line."""
    return "\n".join(f"{it.library.name}: {failure}" for it in outcomes for failure in it.failures)


def rechecked(parts: Sequence[Recheck]) -> str:
    """How many judged findings are still there, by verdict, and those that should not be as they are."""
    lines = []
    for word in WORDS:
        still = sum(it.word == word for part in parts for it in part.still)
        gone = sum(it.word == word for part in parts for it in part.gone)
        lines.append(f"{word:8}  {still:4} still there  {gone:4} gone")
    for title, found in (
        ("wrong, and still there", [it for part in parts for it in part.still if it.word == "wrong"]),
        ("true, and gone", [it for part in parts for it in part.gone if it.word == "true"]),
    ):
        lines += [
            "",
            f"{title}:",
            *(f"  [{it.fingerprint}] {it.code} {it.library} {it.path} {it.function}: {it.text}" for it in found),
        ]
    fresh = [it for part in parts for it in part.fresh]
    lines += [
        "",
        "without a verdict:",
        *(f"  [{it.fingerprint}] {it.severity} {it.code} {it.library} {it.path}:{it.row}" for it in fresh),
    ]
    return "\n".join([*lines, *(f"{it.library.name}: {it.failure}" for it in parts if it.failure)])


def show(finding: Finding, verdict: Verdict | None = None) -> str:
    """A finding with all that a reader needs to judge it."""
    lines = [
        f"[{finding.fingerprint}] {finding.severity} {finding.code} {finding.library} {finding.path}:{finding.row}"
    ]
    lines.append(f"  in {finding.function or 'the module'}")
    lines.append(f"  {finding.message}")
    lines += [f"  assuming {it}" for it in finding.assumptions]
    lines += [f"  - {it.path}:{it.row}: {it.message}\n        {it.text}" for it in finding.places]
    lines += finding.context
    if verdict is not None:
        lines.append(f"  verdict: {verdict.word}: {verdict.reason}")
    return "\n".join(lines) + "\n"


def findings(found: Sequence[Finding], verdicts: Mapping[str, Verdict]) -> str:
    """Findings for reading, each after a blank line."""
    return "\n".join(show(it, verdicts.get(it.fingerprint)) for it in found)
