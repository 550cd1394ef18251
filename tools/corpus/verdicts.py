"""What readers made of findings, kept in a file by the findings' fingerprints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.corpus.findings import Finding
from tools.corpus.libraries import CorpusError

FILE = Path(__file__).with_name("verdicts.tsv")
WORDS = ("true", "harmless", "wrong")
_HEADER = (
    "# What readers made of findings: true (PyTorch raises or the gradients are wrong), harmless (true, but nobody is hurt:\n"
    "# never differentiated, or the gradients do not matter there), wrong (the linter erred). Written by\n"
    "# `python -m tools.corpus judge`. fingerprint, verdict, library, code, path, function, line of code, reason.\n"
)


@dataclass(frozen=True)
class Verdict:
    """One reader's verdict on one finding; all but ``word`` and ``reason`` is there to be read by people."""

    fingerprint: str
    word: str
    library: str
    code: str
    path: str
    function: str
    text: str
    reason: str


def read(path: Path = FILE) -> dict[str, Verdict]:
    """The verdicts by fingerprint; raises `CorpusError` on a line that is none."""
    found: dict[str, Verdict] = {}
    if not path.exists():
        return found
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 8 or fields[1] not in WORDS:
            raise CorpusError(f"{path.name}:{row}: not eight fields with a verdict out of {', '.join(WORDS)}")
        found[fields[0]] = Verdict(*fields)
    return found


def write(verdicts: Iterable[Verdict], path: Path = FILE) -> None:
    """Writes verdicts, sorted by library and place, so that a change touches few lines."""
    ordered = sorted(verdicts, key=lambda it: (it.library, it.path, it.function, it.code, it.fingerprint))
    rows = ("\t".join(_fields(it)) for it in ordered)
    path.write_text(_HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")


def judge(finding: Finding, word: str, reason: str) -> Verdict:
    """A verdict on a finding; raises `CorpusError` on an unknown word or where no reason is given."""
    if word not in WORDS:
        raise CorpusError(f"`{word}` is no verdict; use {', '.join(WORDS)}")
    if not reason.strip():
        raise CorpusError("a verdict needs a reason")
    place = (finding.library, finding.code, finding.path, finding.function, finding.text)
    return Verdict(finding.fingerprint, word, *place, reason)


def _fields(verdict: Verdict) -> list[str]:
    fields = (getattr(verdict, name) for name in verdict.__dataclass_fields__)
    return [" ".join(str(it).split()) for it in fields]
