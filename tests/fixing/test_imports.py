"""``torch`` in a fix becomes what the file calls it, or is imported."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Edit, Position, Span
from inplace_lint.fixing.edits import Text, apply
from inplace_lint.fixing.imports import Names, NameTaken

GUARD = "with torch.no_grad():\n    w += 1"


def put(source: str, content: str = GUARD, target: str = "w += 1") -> str:
    """The source with the content in the place of the target."""
    at = source.index(target)
    row = source[:at].count("\n") + 1
    column = at - (source.rfind("\n", 0, at) + 1) + 1
    span = Span("f.py", Position(row, column), Position(row, column + len(target)))
    text = Text(source)
    edits = Names(source).spelt(Edit(content, span), target)
    return apply(source, [text.replacement(it) for it in edits])


@pytest.mark.parametrize(
    ("head", "guard"),
    [
        ("import torch\n", "torch.no_grad"),
        ("import torch.nn as nn, torch\n", "torch.no_grad"),
        ("import torch.nn\n", "torch.no_grad"),
        ("import torch as th\n", "th.no_grad"),
        ("from torch import no_grad\n", "no_grad"),
        ("from torch import no_grad as ng, nn\n", "ng"),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None\nimport torch\n", "torch.no_grad"),
    ],
)
def test_the_files_own_spelling(head: str, guard: str) -> None:
    assert put(f"{head}w += 1\n") == f"{head}with {guard}():\n    w += 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("w += 1", "import torch\nwith torch.no_grad():\n    w += 1"),
        ("import m\nw += 1\n", "import m\nimport torch\nwith torch.no_grad():\n    w += 1\n"),
        ('"""Doc."""\nw += 1\n', '"""Doc."""\n\nimport torch\nwith torch.no_grad():\n    w += 1\n'),
        (
            '# -*- coding: utf-8 -*-\n"""Doc\nmore."""\nfrom __future__ import annotations\n\nw += 1\n',
            '# -*- coding: utf-8 -*-\n"""Doc\nmore."""\nfrom __future__ import annotations\nimport torch\n\n'
            "with torch.no_grad():\n    w += 1\n",
        ),
        (
            "#!/usr/bin/env python\n# a comment\n@d\ndef f(w):\n    w += 1\n",
            "#!/usr/bin/env python\n# a comment\nimport torch\n@d\ndef f(w):\n    with torch.no_grad():\n    w += 1\n",
        ),
        (
            "from m import (\n    a,\n    b,  # why\n)\nx = 1\nimport late\nw += 1\n",
            "from m import (\n    a,\n    b,  # why\n)\nimport torch\nx = 1\nimport late\nwith torch.no_grad():\n    w += 1\n",
        ),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\nw += 1\n",
            "from typing import TYPE_CHECKING\nimport torch\nif TYPE_CHECKING:\n    import torch\n"
            "with torch.no_grad():\n    w += 1\n",
        ),
    ],
)
def test_an_import_is_added_where_imports_end(before: str, after: str) -> None:
    assert put(before) == after


def test_an_import_inside_a_function_serves_there_alone() -> None:
    inside = "def f(w):\n    import torch as t\n    w += 1\n\n\ndef g(v):\n    v += 1\n"
    assert "with t.no_grad()" in put(inside)
    there = put(inside, "torch.relu_(v)", "v += 1")
    assert there.startswith("import torch\ndef f") and there.endswith("    torch.relu_(v)\n")


def test_names_that_mean_something_else() -> None:
    with pytest.raises(NameTaken, match="it needs `torch`"):
        put("def f(torch, w):\n    w += 1\n")
    with pytest.raises(NameTaken):
        put("import other as torch\nw += 1\n")
    assert "with th.no_grad()" in put("import torch as th\ndef f(torch, w):\n    w += 1\n")


@pytest.mark.parametrize(
    ("head", "content", "result"),
    [
        ("import torch\n", "nn.ReLU()", "torch.nn.ReLU()"),
        ("from torch.nn import ReLU\n", "nn.ReLU()", "ReLU()"),
        ("import torch.nn.functional as F\n", "F.relu(x)", "F.relu(x)"),
        ("import torch.nn.functional as fn\n", "F.relu(x)", "fn.relu(x)"),
        ("from torch import nn\n", "F.relu(x)", "nn.functional.relu(x)"),
        ("import torch\n", "f('torch.x')  # torch.y", "f('torch.x')  # torch.y"),
        ("import torch as t\n", "self.torch.x(torch.clone(x))", "self.torch.x(t.clone(x))"),
    ],
)
def test_nn_and_functional(head: str, content: str, result: str) -> None:
    assert put(f"{head}w += 1\n", content) == f"{head}{result}\n"


def test_what_the_replaced_text_says_already_is_kept() -> None:
    assert put("from lib import *\nx = nn.ReLU(True)\n", "nn.ReLU()", "nn.ReLU(True)") == (
        "from lib import *\nx = nn.ReLU()\n"
    )


def test_findings_carry_their_fix_in_the_files_words() -> None:
    code = "{0}\n\nw = {1}.ones(3, requires_grad=True)\nw += 1\n"
    (found,) = check_source(code.format("import torch as th", "th"))
    assert found.fix is not None
    assert [edit.content for edit in found.fix.edits] == ["with th.no_grad():\n    w += 1"]
    assert found.suggestion == "with th.no_grad():\n    w += 1"
    (found,) = check_source(code.format("from torch import ones", "").replace(".ones", "ones"))
    assert found.fix is not None
    assert [edit.content for edit in found.fix.edits] == ["import torch\n", "with torch.no_grad():\n    w += 1"]
    (found,) = check_source(code.format("from torch import ones\ntorch = 1", "").replace(".ones", "ones"))
    assert found.fix is not None
    assert (found.fix.applicability, found.fix.edits) == ("display-only", ())
