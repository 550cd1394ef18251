"""The guide's examples: each is run by real torch and linted, and both must do what the page says."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import torch.nn.functional as F
from torch._dynamo.exc import BackendCompilerFailed
from torch.autograd.graph import saved_tensors_hooks

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Severity

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A block of code, the row it starts at, and what the page says that it prints."""

    row: int
    code: str
    says: str

    @property
    def marked(self) -> list[tuple[str, int]]:
        """The codes that are written behind lines, with the lines' numbers."""
        lines = enumerate(self.code.splitlines(), 1)
        return [(match[1], row) for row, line in lines if (match := re.search(r"# (IPL\d+)$", line))]

    @property
    def raises(self) -> bool:
        """Whether the page says that it fails."""
        return re.match(r"\w+Error: ", self.says) is not None


EXAMPLES = [Example(PAGE[: it.start()].count("\n") + 2, it[1], it[2] or "") for it in _BLOCK.finditer(PAGE)]


def by_row(example: Example) -> str:
    return f"line {example.row}"


def run(code: str) -> tuple[str, dict[str, torch.Tensor]]:
    """What a program prints, its error included, and the gradients of its leaves."""
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "guide"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("error")
        # Said besides what the page shows.
        warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")
        try:
            exec(compile(code, "guide.py", "exec"), names)
        except (RuntimeError, TypeError) as error:
            print(f"{type(error).__name__}: {error}", file=out)
    leaves = {name: it for name, it in names.items() if isinstance(it, torch.Tensor) and it.is_leaf}
    return out.getvalue(), {name: it.grad for name, it in leaves.items() if it.grad is not None}


def test_the_guide_has_examples_of_every_family_and_clean_ones() -> None:
    codes = {code[:4] for example in EXAMPLES for code, _ in example.marked}
    assert codes == {"IPL1", "IPL2", "IPL3", "IPL4", "IPL5"}
    assert sum(not example.marked for example in EXAMPLES) >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=by_row)
def test_the_linter_finds_what_is_marked_and_nothing_else(example: Example) -> None:
    assert [(it.code, it.span.start.row) for it in check_source(example.code)] == example.marked


@pytest.mark.parametrize("example", EXAMPLES, ids=by_row)
def test_pytorch_prints_what_the_page_says(example: Example) -> None:
    printed, _ = run(example.code)
    if example.raises:
        # Long lines are broken on the page, and three dots stand for the rest of the message.
        says, dots, after = " ".join(example.says.split()).partition(" ...")
        assert not after
        printed = " ".join(printed.split())
        assert printed.startswith(says) if dots else printed == says
    else:
        assert printed == example.says


@pytest.mark.parametrize("example", [it for it in EXAMPLES if not it.raises], ids=by_row)
def test_the_gradients_are_wrong_where_a_silent_write_is_marked_and_right_elsewhere(example: Example) -> None:
    _, plain = run(example.code)
    with saved_tensors_hooks(lambda saved: saved.detach().clone(), lambda saved: saved):
        _, true = run(example.code)
    assert plain.keys() == true.keys()
    right = all(torch.allclose(plain[name], true[name]) for name in plain)
    assert right == (not any(code.startswith("IPL3") for code, _ in example.marked))


KEEPS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], ...]] = {
    "nothing of the tensors": (
        lambda x: x + 1,
        lambda x: x - 1,
        lambda x: x.sum(0),
        lambda x: x.mean(0),
        lambda x: torch.cat([x, x]),
        lambda x: torch.stack([x, x]),
        lambda x: x * 2,
    ),
    "its result": (torch.exp, torch.sqrt, torch.tanh, torch.sigmoid, torch.relu, lambda x: x.softmax(0)),
    "its input": (
        torch.sin,
        torch.log,
        lambda x: x**3,
        torch.abs,
        lambda x: x.clamp(0, 1),
        F.gelu,
        F.silu,
        lambda x: F.layer_norm(x, (3,)),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.max_pool1d(x, 2),
        lambda x: F.avg_pool1d(x, 2),
    ),
    "both inputs": (
        lambda x: x * x.detach().clone().requires_grad_(),
        lambda x: x @ x.detach().clone().requires_grad_(),
        lambda x: F.linear(x, torch.ones(3, 3, requires_grad=True)),
        lambda x: F.conv1d(x, torch.ones(3, 3, 1, requires_grad=True)),
    ),
    "both": (lambda x: x.norm(dim=0), lambda x: x.std(0), lambda x: x.prod(0), lambda x: x.logsumexp(0)),
}


def fails(op: Callable[[torch.Tensor], torch.Tensor], write: Literal["input", "result"]) -> bool:
    """Whether backward raises when an operation's input, or its result, is written after it."""
    leaf = torch.ones(3, 3, requires_grad=True)
    x = leaf * 1.1 + 0.1
    y = op(x)
    (x if write == "input" else y).add_(1)
    try:
        y.sum().backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        return True
    return False


@pytest.mark.parametrize("keeps", KEEPS)
def test_what_the_table_says_of_operations_is_so(keeps: str) -> None:
    (row,) = re.findall(rf"^\| {keeps} \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    # Words stand for one operation or for two (batch and layer normalization, two kinds of pooling).
    assert len(KEEPS[keeps]) - 2 <= row[0].count(",") + 1 <= len(KEEPS[keeps])
    for op in KEEPS[keeps]:
        assert fails(op, "input") == ("input" in keeps or keeps == "both")
        assert fails(op, "result") == (keeps in ("its result", "both"))


def test_without_a_caller_it_is_a_warning_with_the_assumption_that_the_page_names() -> None:
    (example,) = (it.code for it in EXAMPLES if "def clip" in it.code)
    (found,) = check_source(example[: example.index("\n\nw = ")])
    assert found.severity == Severity.WARNING
    assert "argument `x` of `clip` requires grad" in found.assumptions
    assert re.sub(r"\s+", " ", f"assuming {found.assumptions[0]}") in " ".join(PAGE.split())
    (called,) = check_source(example)
    assert called.severity == Severity.ERROR and called.assumptions == ()


def test_with_tanh_the_loop_runs_as_the_page_says() -> None:
    (example,) = (it.code for it in EXAMPLES if "out[:, i - 1].sin()" in it.code)
    code = example.replace("sin()  # IPL201", "tanh()")
    assert code != example
    assert check_source(code) == [] and run(code)[0] == ""


def test_compiled_by_a_real_backend_it_fails_and_data_stays_wrong_as_the_page_says() -> None:
    def loud(w: torch.Tensor) -> torch.Tensor:
        y = w.exp()
        y += 1
        return y.sum()

    def silent(w: torch.Tensor) -> torch.Tensor:
        y = w.exp()
        y.data.add_(1)
        return y.sum()

    w = torch.ones(1, requires_grad=True)
    with pytest.raises(BackendCompilerFailed, match="modified by an inplace operation"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.compile(loud, backend="aot_eager")(w).backward()
    torch.compile(silent, backend="aot_eager")(w).backward()
    assert w.grad is not None and torch.allclose(w.grad, w.exp() + 1)
