"""Notebooks on the command line: one program by cells, and fixes that leave everything else of the file as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inplace_lint.source import ipython
from inplace_lint.source.notebook import NotebookError, joined, with_program

SETUP = "%matplotlib inline\nimport torch\n\nx = torch.ones(3, requires_grad=True)"
WRITE = "y = x.exp()\n\ny += 1"
TRAIN = "!ls\ny.sum().backward()"
DRAWN = [{"name": "stdout", "output_type": "stream", "text": ["ünïcode 🔥\n"]}]


def code(source: str, **metadata: Any) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": 7, "metadata": metadata, "outputs": DRAWN, "source": lines}


def notebook(*cells: dict[str, Any] | str, **whole: Any) -> dict[str, Any]:
    """A notebook of code cells, after one of text."""
    text = {"cell_type": "markdown", "metadata": {}, "source": "# y += 1"}
    made = [text, *(code(cell) if isinstance(cell, str) else cell for cell in cells)]
    return {
        "cells": made,
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
        **whole,
    }


def run(folder: Path, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "inplace_lint", "check", "--isolated", *arguments],
        cwd=folder,
        input=data,
        capture_output=True,
        timeout=120,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def concise(folder: Path, *arguments: str) -> list[str]:
    """``path:cell n:row:column: CODE`` of each finding."""
    lines = run(folder, "--output-format", "concise", *arguments).stdout.splitlines()
    return [" ".join(line.split(" ")[: 3 if ":cell " in line else 2]) for line in lines if "IPL" in line]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with one notebook in which a saved result is overwritten two cells before its backward."""
    (tmp_path / "train.ipynb").write_text(json.dumps(notebook(SETUP, WRITE, TRAIN), indent=1, ensure_ascii=False))
    return tmp_path


def test_a_notebook_is_found_and_linted_as_one_program(broken: Path) -> None:
    assert concise(broken) == concise(broken, "train.ipynb") == ["train.ipynb:cell 3:3:1: IPL202"]
    data = (broken / "train.ipynb").read_bytes()
    done = run(broken, "--stdin-filename", "train.ipynb", "--output-format", "concise", "-", data=data)
    assert done.stdout.startswith("train.ipynb:cell 3:3:1: IPL202") and done.returncode == 1


def test_every_format_tells_the_cell(broken: Path) -> None:
    (found,) = json.loads(run(broken, "--output-format", "json").stdout)
    assert (found["cell"], found["location"], found["noqa_row"]) == (3, {"row": 3, "column": 1}, 3)
    assert [(step["cell"], step["location"]["row"]) for step in found["related"]] == [(3, 1), (3, 3), (4, 2)]
    assert found["filename"] == str(broken / "train.ipynb")
    assert found["message"].endswith("(line 1) saved for its backward: `backward()` (cell 4, line 2) raises")
    (edit,) = found["fix"]["edits"]
    assert (edit["cell"], edit["location"]["row"], edit["content"]) == (3, 3, "y = y + 1")
    full = run(broken, "--output-format", "full").stdout
    assert "--> train.ipynb:cell 3:3:1\n" in full and "::: train.ipynb:cell 4:2:1\n" in full
    assert "3 | y += 1\n" in full and "2 | y.sum().backward()\n" in full and "inplace-lint: cell" not in full
    sarif = json.loads(run(broken, "--output-format", "sarif").stdout)
    (result,) = sarif["runs"][0]["results"]
    places = [result["locations"][0], *result["relatedLocations"]]
    assert [place["logicalLocations"][0]["name"] for place in places] == ["cell 3", "cell 3", "cell 3", "cell 4"]
    assert all("region" not in place["physicalLocation"] for place in places) and "fixes" not in result
    for name in ("json-lines", "github", "junit", "pylint", "rdjson", "gitlab"):
        assert "train.ipynb" in run(broken, "--output-format", name).stdout
    assert "cell 3:3:1" in run(broken, "--output-format", "github").stdout


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "as jupyter writes it": lambda it: json.dumps(it, indent=1, ensure_ascii=False) + "\n",
    "sorted, without a last line end": lambda it: json.dumps(it, indent=1, ensure_ascii=False, sort_keys=True),
    "escaped": lambda it: json.dumps(it, indent=2),
    "on one line": lambda it: json.dumps(it),
    "with tabs and CRLF": lambda it: json.dumps(it, indent="\t").replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("as_text", [False, True], ids=["lines", "one string"])
def test_a_fix_changes_the_line_and_nothing_else(tmp_path: Path, form: str, as_text: bool) -> None:
    whole = notebook(SETUP + "  # ünïcode", WRITE, TRAIN)
    if as_text:
        for cell in whole["cells"]:
            cell["source"] = "".join(cell["source"])
    before = FORMS[form](whole)
    path = tmp_path / "train.ipynb"
    path.write_bytes(before.encode())
    diff = run(tmp_path, "--diff").stdout
    assert diff.startswith("--- train.ipynb:cell 3\n+++ train.ipynb:cell 3\n@@ -1,3 +1,3 @@\n")
    assert "-y += 1\n" in diff and "+y = y + 1\n" in diff
    done = run(tmp_path, "--fix")
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_bytes().decode() == before.replace("y += 1", "y = y + 1").replace("# y = y + 1", "# y += 1")
    handed_on = run(tmp_path, "--fix", "--stdin-filename", "train.ipynb", "-", data=before.encode())
    assert handed_on.stdout.encode() == path.read_bytes()


def test_comments_suppress_and_can_be_added(broken: Path) -> None:
    assert run(broken, "--add-noqa").returncode == 0
    after = json.loads((broken / "train.ipynb").read_text())
    assert after["cells"][2]["source"] == ["y = x.exp()\n", "\n", "y += 1  # noqa: IPL202"]
    assert concise(broken) == []


def test_what_only_ipython_reads_is_passed_over(tmp_path: Path) -> None:
    cells = (
        "%%bash\nfor i in *; do echo $i; done",
        "import torch\nfiles = !ls *.py\n?torch\ntorch.ones?\nfor f in files:\n    !echo {f} \\\n      it's\n",
        "%%time\nw = torch.ones(3, requires_grad=True)\n%env A=1\nw += 1",
        "%%html\n<b>it's</b>",
    )
    (tmp_path / "magic.ipynb").write_text(json.dumps(notebook(*cells)))
    assert concise(tmp_path) == ["magic.ipynb:cell 4:4:1: IPL101"]


def test_percent_signs_in_brackets_and_strings_are_no_magic() -> None:
    cell = "!ls\nx = (7\n% 3)\ntext = '''\n%d\n!'''\ny = x \\\n% 2"
    assert ipython.hidden(cell) == cell.replace("!ls", "pass  # ipython> !ls")


def test_code_that_is_no_python_says_in_which_cell(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook("import torch", "x = 1\n y = 2")))
    assert concise(tmp_path) == ["a.ipynb:cell 3:2:1: IPL000"]


def test_a_cell_that_cannot_be_read_hides_no_other_one(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook(SETUP, "for x in\n    # noqa\n", WRITE, "y = (\n%time\n", TRAIN)))
    lines = ["a.ipynb:cell 3:1:9: IPL000", "a.ipynb:cell 4:3:1: IPL202", "a.ipynb:cell 5:1:5: IPL000"]
    assert concise(tmp_path) == lines
    cells = json.loads(path.read_text())["cells"]
    assert run(tmp_path, "--fix").returncode == 1
    assert concise(tmp_path) == [lines[0], lines[2]]
    after = json.loads(path.read_text())["cells"]
    changed = [number for number, (a, b) in enumerate(zip(cells, after, strict=True), 1) if a != b]
    assert changed == [4] and "".join(after[3]["source"]).endswith("y = y + 1")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the notebook is empty"),
        (b'{"cells": [}', "a notebook has to be JSON, and this is not"),
        (b"[" * 100_000, "a notebook has to be JSON, and this is"),
        (b"[]", "this JSON is no notebook"),
        (b'{"a": 1}', "this JSON is no notebook: it has no `nbformat`"),
        (b'{"nbformat": 4}', "this JSON is no notebook: it has no list of `cells`"),
        (b'{"nbformat": 3, "worksheets": []}', "the old format 3"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}', "cell 1 of the notebook has no text"),
        (b'{"nbformat": 4, "cells": ["\xff"]}', "byte 0xff cannot be decoded as utf-8"),
    ],
)
def test_what_is_no_notebook_gets_a_clear_word_and_stays(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.ipynb").write_bytes(data)
    (tmp_path / "b.ipynb").write_text(
        json.dumps(notebook("import torch", "w = torch.ones(1, requires_grad=True)\nw += 1"))
    )
    done = run(tmp_path, "--output-format", "concise", "--fix")
    assert words in done.stdout and "IPL000" in done.stdout and "Traceback" not in done.stderr
    assert "Found 2 errors (1 fixed, 1 remaining)." in done.stdout
    assert (tmp_path / "a.ipynb").read_bytes() == data


def test_other_languages_and_empty_notebooks_are_passed_over(tmp_path: Path) -> None:
    julia = notebook("x += 1 end", metadata={"kernelspec": {"language": "julia", "name": "j"}})
    mixed = notebook(code("SELECT 1;", vscode={"languageId": "sql"}), metadata={})
    for name, it in (("julia", julia), ("mixed", mixed), ("empty", notebook()), ("none", notebook(cells=[]))):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(it))
    done = run(tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("All checks passed!\n", "", 0)


def test_a_notebook_sees_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def change(t):\n    t.add_(1)\n")
    cells = (
        "import torch\nfrom helper import change\nx = torch.ones(3, requires_grad=True)",
        "y = x.exp()\nchange(y)",
        TRAIN,
    )
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook(*cells)))
    assert concise(tmp_path) == ["helper.py:2:5: IPL202"]
    (found,) = json.loads(run(tmp_path, "--output-format", "json").stdout)
    assert {(Path(step["filename"]).name, step.get("cell")) for step in found["related"]} == {
        ("helper.py", None),
        ("a.ipynb", 3),
        ("a.ipynb", 4),
    }


LINES = st.sampled_from(
    [
        "x = 1",
        "%magic a",
        "!ls \\",
        "  !ls",
        "a = !ls",
        "b?",
        "'''",
        "(",
        ")",
        "",
        "# ünïcode 🔥",
        "%%time",
        "%%bash",
        "if x:",
        "\\",
    ]
)
CELLS = st.lists(st.lists(LINES, max_size=6).map("\n".join), max_size=4)


@settings(max_examples=150, deadline=None)
@given(cells=CELLS, changed=st.integers(0, 3), ascii_only=st.booleans(), indent=st.sampled_from([None, 1, 4]))
def test_a_notebook_comes_back_as_it_was(cells: list[str], changed: int, ascii_only: bool, indent: int | None) -> None:
    data = json.dumps(notebook(*cells), ensure_ascii=ascii_only, indent=indent)
    program = joined(data)
    assert with_program(data, program) == data
    for cell in cells:
        assert ipython.hidden(cell).count("\n") == cell.count("\n")
    if changed < len(cells):
        mark = f"cell {changed + 2}\n"
        after = json.loads(with_program(data, program.replace(mark, f"{mark}new = 'é'\n", 1)))
        expected = notebook(*cells)
        expected["cells"][changed + 1]["source"] = f"new = 'é'\n{cells[changed]}".splitlines(keepends=True)
        assert after == expected


def test_a_program_of_other_cells_is_refused() -> None:
    data = json.dumps(notebook("x = 1", "y = 2"))
    with pytest.raises(NotebookError):
        with_program(data, joined(data).replace("cell 3", "cell 4"))
