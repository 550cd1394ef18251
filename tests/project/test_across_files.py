"""What is found across files: how names travel, what is reported where, and that nothing depends on the order of things."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inplace_lint import api
from inplace_lint.checking import Checker
from inplace_lint.diagnostics import Severity
from inplace_lint.interp import roots
from inplace_lint.naming import Names
from inplace_lint.settings import Settings
from inplace_lint.settling import FileReport, settle

HELPER = "def shift_(x):\n    x += 1\n    return x\n"
CALL = "y = torch.ones(3, requires_grad=True).exp()\n{}(y)\ny.sum().backward()\n"


def write(root: Path, **files: str) -> Path:
    """Write files; in their names two underscores stand for a slash."""
    for name, source in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return root


def package(root: Path, *folders: str) -> None:
    """Make folders packages with an empty ``__init__.py``."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "__init__.py").touch()


def found(root: Path, *paths: str, jobs: int = 1) -> list[tuple[str, int, str]]:
    result = api.check_paths([root / path for path in paths] or [root], Settings(), jobs)
    assert result.failures == []
    return [(os.path.relpath(it.span.filename, root), it.span.start.row, it.code) for it in result.diagnostics]


SPELLINGS = {
    "from module": ("from helper import shift_\n", "shift_"),
    "under another name": ("from helper import shift_ as move\n", "move"),
    "module": ("import helper\n", "helper.shift_"),
    "module under another name": ("import helper as h\n", "h.shift_"),
    "star": ("from helper import *\n", "shift_"),
    "re-exported": ("from again import shift_\n", "shift_"),
    "re-exported by star": ("from stars import shift_\n", "shift_"),
    "from a package": ("from pack import shift_\n", "shift_"),
    "module of a package": ("from pack import inner\n", "inner.shift_"),
    "dotted": ("import pack.inner\n", "pack.inner.shift_"),
    "dotted under another name": ("import pack.inner as inner\n", "inner.shift_"),
    "bound to a name": ("import helper\nmove = helper.shift_\n", "move"),
    "in a try": ("try:\n    from helper import shift_\nexcept ImportError:\n    shift_ = None\n", "shift_"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_travel_in_every_spelling(tmp_path: Path, spelling: str) -> None:
    imports, name = SPELLINGS[spelling]
    write(
        tmp_path,
        helper=HELPER,
        again="from helper import shift_\n",
        stars="from again import *\n",
        pack____init__="from .inner import shift_\n".replace("____", "__"),
        pack__inner=HELPER,
        main="import torch\n" + imports + CALL.format(name),
    )
    (tmp_path / "pack" / "__init__.py").write_text("from .inner import shift_\n")
    assert [code for _, _, code in found(tmp_path)] == ["IPL202"]


def test_a_helper_in_a_function_body_is_imported_there(tmp_path: Path) -> None:
    body = "def run():\n    from helper import shift_\n    " + CALL.format("shift_").replace("\n", "\n    ")
    write(tmp_path, helper=HELPER, main="import torch\n" + body.rstrip() + "\n")
    assert found(tmp_path) == [("helper.py", 2, "IPL202")]


def test_files_that_were_not_given_are_read_and_not_reported(tmp_path: Path) -> None:
    write(tmp_path, helper=HELPER, main="import torch\nfrom helper import shift_\n" + CALL.format("shift_"))
    assert found(tmp_path, "main.py") == []
    assert found(tmp_path, "helper.py") == []
    assert found(tmp_path, "main.py", "helper.py") == [("helper.py", 2, "IPL202")]


def test_a_comment_where_the_write_stands_silences_it(tmp_path: Path) -> None:
    write(tmp_path, helper=HELPER.replace("x += 1", "x += 1  # noqa: IPL202"))
    write(tmp_path, main="import torch\nfrom helper import shift_\n" + CALL.format("shift_"))
    assert found(tmp_path) == []


LEAF = "import torch\n\ndef clip(w: torch.Tensor):\n    y = w * w\n    w.clamp_(-1, 1)\n    return y\n"


def test_callers_in_other_files_settle_what_was_assumed(tmp_path: Path) -> None:
    write(tmp_path, helper=LEAF)
    assert found(tmp_path) == [("helper.py", 5, "IPL201")]
    write(tmp_path, main="import torch\nfrom helper import clip\nwith torch.no_grad():\n    clip(torch.ones(2))\n")
    assert found(tmp_path) == []


def test_cycles_of_imports_end(tmp_path: Path) -> None:
    one = "import torch\nimport two\n\nclass A:\n    def go(self, x):\n        return two.shift_(x)\n\n"
    two = "import one\n\ndef shift_(x):\n    x += 1\n    return x\n\ndef back(x):\n    return one.A().go(x)\n"
    write(tmp_path, one=one + CALL.format("A().go"), two=two)
    assert found(tmp_path) == [("two.py", 4, "IPL202")]
    write(
        tmp_path,
        a="from b import *\nfrom torch import ones\n",
        b="from a import *\nfrom c import x\n",
        c="from b import x\n",
    )
    assert found(tmp_path) == [("two.py", 4, "IPL202")]


def test_files_named_like_libraries_do_not_replace_torch(tmp_path: Path) -> None:
    write(tmp_path, torch="def exp(x):\n    return x\n", numpy="", main="import torch\n" + CALL.format("torch.relu_"))
    assert [row[1:] for row in found(tmp_path)] == [(3, "IPL202")]


def test_a_neighbour_that_cannot_be_read_or_parsed_is_unknown(tmp_path: Path) -> None:
    source = "import torch\nfrom broken import a\nfrom bytes_ import b\ny = torch.ones(2, requires_grad=True).exp()\na(y), b(y)\n"
    write(tmp_path, main=source + "y += 1\ny.sum().backward()\n", broken="def a(:\n")
    (tmp_path / "bytes_.py").write_bytes(b"b = '\xff'\n")
    assert found(tmp_path, "main.py") == [("main.py", 6, "IPL202")]


def test_a_module_that_runs_long_still_gives_its_definitions(tmp_path: Path) -> None:
    long = "import random\n" + "while random.random() > 0:\n    z = [i for i in range(9) if random.random()]\n" * 40
    write(tmp_path, helper="import torch\n" + "t = 1\n" * 30_000 + HELPER + long)
    write(tmp_path, main="import torch\nfrom helper import shift_\n" + CALL.format("shift_"))
    assert ("helper.py", 30_003, "IPL202") in found(tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A small project in which files use each other in both directions."""
    package(tmp_path, "net", "net/layers")
    blocks = "import torch.nn as nn\nfrom ..ops import add_\n\nclass Block(nn.Module):\n    def __init__(self, act='relu'):\n"
    blocks += "        super().__init__()\n        self.conv = nn.Conv2d(4, 4, 1)\n        self.act = nn.ReLU()\n\n"
    blocks += "    def forward(self, x):\n        y = self.act(self.conv(x))\n        return add_(y, x)\n"
    write(
        tmp_path,
        net__ops="def add_(x, y):\n    x += y\n    return x\n",
        net__layers__blocks=blocks,
        net__model="import torch.nn as nn\nfrom net.layers.blocks import Block\n\nclass Net(Block):\n    pass\n",
        helper=LEAF,
        main="import torch\nfrom net.model import Net\nfrom helper import clip\nNet()(torch.ones(1, 4, 2, 2)).sum().backward()\n",
    )
    for number in range(30):
        write(
            tmp_path,
            **{
                f"more{number}": f"import torch\nfrom net.ops import add_\ny{number} = torch.ones(2).exp()\nadd_(y{number}, 1)\n"
            },
        )
    return tmp_path


def test_nothing_depends_on_jobs_or_on_the_order_of_files(library: Path) -> None:
    first = found(library)
    assert ("net/ops.py", 2, "IPL202") in first
    assert found(library, jobs=2) == first
    files = sorted(library.rglob("*.py"))
    for order in (files, files[::-1]):
        checker, names = Checker(), Names([str(file) for file in files])
        reports = [names.report(report) for file in order if isinstance(report := checker.file(file), FileReport)]
        assert len(reports) == len(files)
        again = settle(reports)
        assert [(os.path.relpath(it.span.filename, library), it.span.start.row, it.code) for it in again] == first


BASE = (
    "import torch\nfrom torch import nn\n\n\nclass Base(nn.Module):\n    def forward(self, x):\n"
    + "        x = self.layer(x) * 2\n" * 40
    + "        x += 1\n        return x\n"
)
DERIVED = (
    "import torch\nfrom torch import nn\n\nfrom base import Base\n\n\nclass Derived(Base):\n    def __init__(self):\n"
    "        super().__init__()\n        self.layer = nn.Linear(3, 3)\n\n\n" + CALL.format("torch.nn.functional.relu_")
)


def test_an_inherited_forward_that_costs_too_much_is_told_of_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, base=BASE, derived=DERIVED)
    monkeypatch.setattr(roots, "STEPS", 60)
    result = api.check_paths([tmp_path], Settings(severity=Severity.INFO))
    assert result.failures == []
    codes = {(Path(it.span.filename).name, it.code) for it in result.diagnostics}
    assert {("base.py", "IPL001"), ("derived.py", "IPL202")} <= codes


def test_star_imports_by_many_ways_are_asked_once(tmp_path: Path) -> None:
    """Twenty-four modules, each of which imports all of the next by two ways: 2**24 ways lead to the last one."""
    for number in range(24):
        ways = {f"{way}{number}": f"from l{number + 1} import *\n" for way in "ab"}
        write(tmp_path, **ways, **{f"l{number}": f"from a{number} import *\nfrom b{number} import *\n"})
    write(tmp_path, l24=HELPER, main="import torch\nfrom l0 import *\nnothing()\n" + CALL.format("shift_"))
    assert found(tmp_path, "main.py", "l24.py") == [("l24.py", 2, "IPL202")]


SCALED = "import torch\n\n\ndef scaled(x):\n    y = torch.exp(x)\n    y *= 2\n    return y\n"
TRIED = "import torch\nfrom lib import scaled\n\n\ndef test_scaled():\n    assert scaled(torch.ones(3)).shape == (3,)\n"


@pytest.mark.parametrize("name, settles", [("test_lib", False), ("lib_test", False), ("run", True), ("contest", True)])
def test_what_only_tests_call_is_still_looked_at_for_unknown_callers(tmp_path: Path, name: str, settles: bool) -> None:
    write(tmp_path, lib=SCALED, **{name: TRIED})
    assert found(tmp_path) == ([] if settles else [("lib.py", 6, "IPL202")])
