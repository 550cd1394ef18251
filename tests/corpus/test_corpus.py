"""The corpus tool on a tiny library that is made here: no network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools.corpus import findings, report, verdicts
from tools.corpus import run as runs
from tools.corpus.libraries import CorpusError, Library, chosen, read_list, source_folder, torch_lines, unpack
from tools.corpus.recheck import recheck

BAD = """\
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, x):
        y = self.layer(x).sigmoid()
        y += 1
        return y
"""
LIBRARY = Library("tiny", "1.0")


def make(cache: Path, text: str = BAD) -> Path:
    folder = cache / "sources" / "tiny-1.0"
    (folder / "tiny").mkdir(parents=True, exist_ok=True)
    (folder / "tiny" / "net.py").write_text(text, encoding="utf-8")
    (folder / "tiny" / "plain.py").write_text("x = 1\n", encoding="utf-8")
    return folder


def run(cache: Path, limit: float = 100) -> runs.Outcome:
    (outcome,) = runs.run([LIBRARY], cache, limit, 1, source_folder)
    return outcome


def test_the_list_pins_enough_libraries_once_each() -> None:
    assert len(read_list()) >= 25


@pytest.mark.parametrize("line", ["timm", "timm>=1.0", "timm==1.0 extra", "timm==1.0\ntimm==1.1"])
def test_a_list_that_pins_nothing_or_twice_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"# comment\n\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"list\.txt:\d: "):
        read_list(tmp_path / "list.txt")


def test_libraries_are_chosen_by_name() -> None:
    other = Library("other", "2")
    assert chosen([LIBRARY, other], []) == [LIBRARY, other]
    assert chosen([LIBRARY, other], ["other"]) == [other]
    with pytest.raises(CorpusError, match="no library `nowhere`"):
        chosen([LIBRARY], ["nowhere"])


def test_only_python_files_are_unpacked_and_none_outside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tiny.whl", "w") as wheel:
        for name in ("tiny/net.py", "tiny/data.bin", "../evil.py", "/evil.py"):
            wheel.writestr(name, "import torch\nx = 1\n")
    unpack(tmp_path / "tiny.whl", tmp_path / "out" / "in")
    assert [it.name for it in tmp_path.rglob("*.py")] == ["net.py"]
    assert torch_lines(tmp_path / "out") == 2


def test_a_run_finds_and_keeps_what_a_reader_needs(tmp_path: Path) -> None:
    make(tmp_path)
    outcome = run(tmp_path)
    (found,) = outcome.findings
    assert (found.library, found.path, found.row, found.code) == ("tiny", "tiny/net.py", 11, "IPL202")
    assert (found.severity, found.function, found.text) == ("error", "Net.forward", "y += 1")
    assert any(">         y += 1" in line for line in found.context)
    assert any("saved here by `sigmoid`" in place.message for place in found.places)
    assert (outcome.lines, outcome.given_up, list(outcome.failures)) == (BAD.count("\n"), 0, [])
    assert runs.last_findings(tmp_path, LIBRARY) == [found]
    text = report.show(found)
    assert "tiny/net.py:11" in text and found.fingerprint in text and "saved here" in text


def test_a_second_run_tells_new_from_same_and_gone(tmp_path: Path) -> None:
    make(tmp_path)
    (first,) = run(tmp_path).findings
    make(tmp_path, "# a line more\n" + BAD)
    moved = run(tmp_path)
    assert [(it.fingerprint, it.row) for it in moved.findings] == [(first.fingerprint, 12)]
    assert (moved.new, list(moved.gone)) == (frozenset(), [])
    make(tmp_path, BAD.replace("y += 1", "y *= 2"))
    changed = run(tmp_path)
    (other,) = changed.findings
    assert other.fingerprint != first.fingerprint
    assert changed.new == {other.fingerprint}
    assert [it.fingerprint for it in changed.gone] == [first.fingerprint]


def test_equal_lines_in_one_function_have_fingerprints_of_their_own(tmp_path: Path) -> None:
    once = "        y = self.layer(x).sigmoid()\n        y += 1\n"
    make(tmp_path, BAD.replace(once, once + once.replace("(x)", "(y)")))
    found = run(tmp_path).findings
    assert [it.text for it in found] == ["y += 1", "y += 1"]
    assert found[0].fingerprint != found[1].fingerprint


def test_a_verdict_outlives_moved_lines_and_is_counted(tmp_path: Path) -> None:
    make(tmp_path)
    outcome = run(tmp_path)
    (found,) = outcome.findings
    file = tmp_path / "verdicts.tsv"
    verdicts.write([verdicts.judge(found, "true", "sigmoid keeps its\tresult")], file)
    judged = verdicts.read(file)
    assert judged[found.fingerprint].reason == "sigmoid keeps its result"
    head, row, total = report.table([outcome], judged).splitlines()
    cells = dict(zip(head.split(), row.split(), strict=True))
    assert cells == {
        "library": "tiny",
        "lines": "12",
        "error": "1",
        "lines/error": "12",
        "warning": "0",
        "lines/warning": "-",
        "true": "1",
        "harmless": "0",
        "wrong": "0",
        "unread": "0",
        "new": "0",
        "gone": "0",
        "IPL001": "0",
        "seconds": cells["seconds"],
        "failures": "0",
    }
    assert total.split()[0] == "all"


@pytest.mark.parametrize(("word", "reason"), [("maybe", "why"), ("true", " ")])
def test_a_verdict_needs_a_word_and_a_reason(word: str, reason: str) -> None:
    finding = findings.Finding("f", "tiny", "a.py", 1, "IPL201", "error", "m", "f", "t")
    with pytest.raises(CorpusError):
        verdicts.judge(finding, word, reason)


def test_the_committed_verdicts_can_be_read() -> None:
    verdicts.read()


def test_a_bad_verdict_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "verdicts.tsv").write_text("abc\tperhaps\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"verdicts\.tsv:1"):
        verdicts.read(tmp_path / "verdicts.tsv")


def test_what_takes_too_long_or_cannot_be_had_is_a_failure_and_stops_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    assert run(tmp_path, limit=0.01).failures == ("not done after 0 s",)

    def nowhere(library: Library, cache: Path) -> Path:
        raise CorpusError(f"{library.pin} cannot be downloaded: gone")

    (outcome,) = runs.run([LIBRARY], tmp_path, 10, 1, nowhere)
    assert report.failures([outcome]) == "tiny: tiny==1.0 cannot be downloaded: gone"


def test_a_process_that_dies_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    monkeypatch.setattr(runs, "WORKER", ("-c", "import sys; sys.exit('broken')"))
    assert run(tmp_path).failures == ("the process ended with 1: broken",)


def test_a_recheck_tells_what_became_of_judged_findings(tmp_path: Path) -> None:
    make(tmp_path)
    (found,) = run(tmp_path).findings
    judged = [verdicts.judge(found, "true", "sigmoid keeps its result")]
    (same,) = recheck([LIBRARY, Library("other", "1")], judged, tmp_path, 100, 1, source_folder)
    assert (list(same.still), list(same.gone), list(same.fresh)) == (judged, [], [])
    make(tmp_path, BAD.replace("y += 1", "y *= 2"))
    (changed,) = recheck([LIBRARY], judged, tmp_path, 100, 1, source_folder)
    assert (list(changed.gone), [it.text for it in changed.fresh]) == (judged, ["y *= 2"])
    text = report.rechecked([changed])
    assert "true         0 still there     1 gone" in text
    assert f"true, and gone:\n  [{found.fingerprint}] IPL202 tiny tiny/net.py Net.forward: y += 1" in text
