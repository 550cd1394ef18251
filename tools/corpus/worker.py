"""Lints paths of one library in a process of its own: ``python -m tools.corpus.worker LIBRARY FOLDER OUTPUT PATHS``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from inplace_lint.api import check_paths
from inplace_lint.diagnostics import Severity
from inplace_lint.settings import Settings
from tools.corpus import findings

GIVEN_UP = "IPL001"


def main(library: str, folder: Path, output: Path, paths: list[str]) -> None:
    """Writes the findings, one a line, to ``output``, and what else is to be counted beside it."""
    result = check_paths(paths, Settings(severity=Severity.INFO), jobs=1)
    found = findings.collect(result.diagnostics, library, folder)
    notes = {
        "given_up": sum(it.code == GIVEN_UP for it in found),
        "failures": [f"{findings.relative(it.filename, folder)}: {it.error}" for it in result.failures],
    }
    output.with_suffix(".notes").write_text(json.dumps(notes), encoding="utf-8")
    findings.write(found, output)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
