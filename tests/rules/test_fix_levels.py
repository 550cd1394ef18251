"""How far fixes may be applied, and the places where none may be offered, on whole programs."""

from __future__ import annotations

import pytest

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic

HEAD = "import torch\nfrom torch import nn\n\nw = torch.ones(3, requires_grad=True)\n"
NET = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.act = {act}

    def forward(self, x):
        h = self.fc(x)
        {first}
        {second}


Net()(torch.ones(2, 3)).sum().backward()
"""


def only(source: str) -> Diagnostic:
    (found,) = check_source(source, "program.py")
    return found


def level(found: Diagnostic) -> str:
    assert found.fix is not None
    return found.fix.applicability if found.fix.edits else "words"


@pytest.mark.parametrize(
    ("act", "first", "second", "expected"),
    [
        ("nn.ReLU(inplace=True)", "h = h.sigmoid()", "return self.act(h)", "safe"),
        ("nn.ReLU(inplace=True)", "h = h.sigmoid()", "h = self.act(h); return h", "safe"),
        ("nn.ReLU(inplace=True)", "return self.act(h.sigmoid())", "", "safe"),
        # The input is read again, and would no longer be what the module wrote.
        ("nn.ReLU(inplace=True)", "h = h.sigmoid()", "return self.act(h) + h", "unsafe"),
        ("nn.ReLU(inplace=True)", "h = h.sigmoid(); g = h", "return self.act(h) + g", "unsafe"),
        ("nn.ReLU(inplace=True)", "h = h.sigmoid(); self.act(h)", "return h", "unsafe"),
        # Random numbers may come in another order.
        ("nn.Dropout(0.5, inplace=True)", "h = h.sigmoid()", "return self.act(h)", "unsafe"),
    ],
)
def test_a_module_without_inplace_is_safe_where_its_result_alone_counts(
    act: str, first: str, second: str, expected: str
) -> None:
    found = only(NET.format(act=act, first=first, second=second))
    assert (found.code, level(found)) == ("IPL202", expected)


@pytest.mark.parametrize(
    ("call", "expected"),
    [("y = double(y)", "unsafe"), ("double(y)", "display-only")],
)
def test_a_helper_that_is_called_for_its_write_alone_is_not_rewritten(call: str, expected: str) -> None:
    helper = "\n\ndef double(t):\n    t.mul_(2)\n    return t\n\n\n"
    found = only(f"{HEAD}{helper}y = w.sigmoid()\n{call}\ny.sum().backward()\n")
    assert (found.code, found.suggestion, level(found)) == ("IPL202", "t = t.mul(2)", expected)


def test_every_call_of_a_module_counts() -> None:
    source = NET.format(act="nn.ReLU(inplace=True)", first="h = h.sigmoid()", second="return self.act(h)")
    other = "    def other(self, x):\n        h = self.fc(x)\n        self.act(h)\n        return h\n\n\nNet()("
    assert level(only(source)) == "safe"
    assert level(only(source.replace("\nNet()(", other, 1))) == "unsafe"


@pytest.mark.parametrize(
    ("hook", "new", "expected"),
    [
        ("def hook(grad):\n    grad.mul_(2)\n", "return grad.mul(2)", "unsafe"),
        ("def hook(grad):\n    grad.mul_(2)\n    return grad\n", "grad = grad.mul(2)", "unsafe"),
        ("hook = lambda grad: grad.mul_(2)\n", "hook = lambda grad: grad.mul(2)", "unsafe"),
        ("def hook(grad):\n    if grad.ndim:\n        grad.mul_(2)\n", "grad = grad.mul(2)", "display-only"),
    ],
)
def test_what_a_hook_returns_counts(hook: str, new: str, expected: str) -> None:
    found = only(HEAD + hook + "h = w * 2\nh.register_hook(hook)\n(h + w).sum().backward()\n")
    assert (found.code, found.suggestion, level(found)) == ("IPL303", new, expected)


@pytest.mark.parametrize(
    ("statement", "edit"),
    [
        ("a = 1; y[0] = 2; b = 2", "y = y.clone(); y[0] = 2"),
        ("if w.ndim: y[0] = 2", "y = y.clone(); y[0] = 2"),
        ("y[0] = 2  # the first", "y = y.clone()\ny[0] = 2"),
    ],
)
def test_a_statement_that_shares_its_line_stays_on_it(statement: str, edit: str) -> None:
    found = only(f"{HEAD}y = w.exp()\n{statement}\ny.sum().backward()\n")
    assert found.fix is not None and [one.content for one in found.fix.edits] == [edit]
    assert (found.suggestion_span is None) == ("\n" not in edit)


def test_a_block_is_not_offered_for_a_statement_that_shares_its_line() -> None:
    assert level(only(f"{HEAD}a = 1; w[0] = 2\n")) == "words"


def test_a_new_name_is_free() -> None:
    found = only(f"{HEAD}value = 3\nz = w * 2\nt = z * z\nz[0] = z[1] + 1\nt.sum().backward()\n")
    assert found.suggestion == "value_2 = z[1] + 1\nz = z.clone()\nz[0] = value_2"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("torch.split(w * 2, 1)", "words"),
        ("list(torch.split(w * 2, 1))", "parts[1] = parts[1].clone()\nparts[1][0] = 1"),
    ],
)
def test_a_container_is_no_tensor(parts: str, expected: str) -> None:
    found = only(f"{HEAD}parts = {parts}\nparts[1][0] = 1\n")
    assert found.code == "IPL401"
    assert (found.suggestion or level(found)) == expected


def test_an_array_has_no_clone_and_a_tensor_no_copy() -> None:
    source = HEAD + "y = w.exp()\n{}\ny.sum().backward()\n"
    array = only(source.format("a = y.detach().numpy()\na[0] = 1"))
    tensor = only(source.format("a = torch.from_numpy(y.detach().numpy())\na[0] = 1"))
    through = only(source.format("y.detach().numpy()[0] = 1"))
    assert array.suggestion == "a = a.copy()\na[0] = 1"
    assert tensor.suggestion == "a = a.clone()\na[0] = 1"
    assert through.suggestion == "y = y.clone()\ny.detach().numpy()[0] = 1"


def test_writes_in_a_row_share_one_block() -> None:
    body = "w += 1\n# then\n\nw[0] = 2  # the first\nw.mul_(\n    3\n)\nprint(w)\nw.zero_()\n"
    found = check_source(HEAD + body, "program.py")
    assert [one.code for one in found] == ["IPL101", "IPL102", "IPL101", "IPL101"]
    edits = {one.fix.edits for one in found if one.fix is not None}
    block = "with torch.no_grad():\n    w += 1\n    # then\n\n    w[0] = 2  # the first\n    w.mul_(\n        3\n    )"
    assert [edit.content for (edit,) in sorted(edits, key=lambda it: it[0].span)] == [
        block,
        "with torch.no_grad():\n    w.zero_()",
    ]


def test_what_may_not_be_applied_as_far_stays_out_of_the_block() -> None:
    found = check_source(HEAD + "h = w * 2\nw += 1\nw += h\n", "program.py")
    assert [level(one) for one in found] == ["safe", "unsafe"]
    assert [one.suggestion for one in found] == [f"with torch.no_grad():\n    {it}" for it in ("w += 1", "w += h")]


@pytest.mark.parametrize(
    ("write", "new"),
    [
        ("self.w.uniform_(-1, 1)", "torch.nn.init.uniform_(self.w, -1, 1)"),
        ("self.w.zero_()", "torch.nn.init.zeros_(self.w)"),
        ("self.w.fill_(2)", "torch.nn.init.constant_(self.w, 2)"),
        ("self.w.uniform_(to=2)", "with torch.no_grad():\n    self.w.uniform_(to=2)"),
        ("self.w.mul_(2)", "with torch.no_grad():\n    self.w.mul_(2)"),
    ],
)
def test_an_initialiser_calls_torchs_own_where_there_is_one(write: str, new: str) -> None:
    source = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    source += f"        self.w = nn.Parameter(torch.ones(3))\n        {write}\n\n\nNet()\n"
    found = only(HEAD + source)
    assert (found.code, found.suggestion, level(found)) == ("IPL101", new, "safe")


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        ("box.t[0] = 1", "box.t = box.t.clone()\nbox.t[0] = 1"),
        ("box.same[0] = 1", "words"),
    ],
)
def test_an_object_is_no_tensor(write: str, expected: str) -> None:
    box = "class Box:\n    def __init__(self, t):\n        self.t = t\n\n    def get(self):\n        return self.t\n\n"
    box += "    same = property(get)\n\n\n"
    found = only(f"{HEAD}{box}box = Box(w.exp())\n{write}\nbox.t.sum().backward()\n")
    assert found.code == "IPL202"
    assert (found.suggestion or level(found)) == expected
