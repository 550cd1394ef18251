"""Reports of a whole run, as CI keeps them: a baseline, several formats, one project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).parents[1] / "output" / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
KNOWN = "import torch\n\nw = torch.ones(3, requires_grad=True)\nw += 1\n"


def test_what_the_baseline_knows_is_suppressed_in_sarif_and_nowhere_else(tmp_path: Path, inplace_lint: Any) -> None:
    file = tmp_path / "train.py"
    file.write_text(KNOWN)
    assert inplace_lint("check", "--write-baseline", "known.json", ".").status == 0
    # The known finding moves, and one that is not known comes before it.
    file.write_text(KNOWN.replace("w += 1", "w *= 2\n\nw += 1"))
    formats = [it for name in ("sarif", "gitlab", "json", "junit") for it in ("--output-format", f"{name}:out/{name}")]
    assert inplace_lint("check", "--baseline", "known.json", *formats, ".").status == 1

    log = json.loads((tmp_path / "out" / "sarif").read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    results = log["runs"][0]["results"]
    rows = {it["locations"][0]["physicalLocation"]["region"]["startLine"]: it["suppressions"] for it in results}
    assert rows[4] == [] and [it["kind"] for it in rows[6]] == ["external"] and len(rows) == 2
    (entry,) = json.loads((tmp_path / "out" / "json").read_text())
    assert entry["location"]["row"] == 4
    (quality,) = json.loads((tmp_path / "out" / "gitlab").read_text())
    new = next(it for it in results if it["suppressions"] == [])
    assert quality["fingerprint"] == new["partialFingerprints"]["inplaceLint/v1"]
    assert 'tests="1" failures="1"' in (tmp_path / "out" / "junit").read_text()
