"""Each rule's finding, from an event made by hand: code, place, words, story and suggestion."""

from __future__ import annotations

from dataclasses import replace

import pytest
from handmade import HandmadeFile

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Severity
from inplace_lint.events import (
    BadViewWritten,
    Context,
    ExpandedWritten,
    GaveUp,
    InferenceTensorUsed,
    InteriorGradRead,
    LeafWritten,
    OutOfGrad,
    ParameterRebound,
    SavedOverwritten,
    SecondBackward,
    Write,
)

SAVED = """\
import torch

def clip(w):
    y = w.exp()
    y += 1
    y.sum().backward()
"""


def saved(file: HandmadeFile, **changes: object) -> SavedOverwritten:
    event = SavedOverwritten(
        write=Write(file.site("y += 1"), "operator", "+=", "y"),
        save_site=file.site("w.exp()"),
        saved_by="exp",
        what="result",
        node="ExpBackward0",
        parameter=False,
        through=None,
        backward_site=file.site("y.sum().backward()"),
        in_loop=False,
        context=Context(function="clip"),
    )
    return replace(event, **changes)  # type: ignore[arg-type]


def test_saved_result_tells_where_it_was_saved_overwritten_and_needed() -> None:
    file = HandmadeFile(SAVED)
    found = file.only(saved(file))
    assert (found.code, found.severity) == ("IPL202", Severity.ERROR)
    assert found.message == (
        "`y += 1` overwrites `y`, which `exp` (line 4) saved for its backward: `backward()` (line 6) raises"
    )
    assert [(step.span.start.row, step.message) for step in found.related] == [
        (4, "saved here by `exp` for its backward (result)"),
        (5, "overwritten here"),
        (6, "backward needs the old value here, and raises"),
    ]
    assert found.torch_error is not None and "which is output 0 of Exp, is at version" in found.torch_error
    assert found.suggestion == "y = y + 1"
    assert (found.span.start.row, found.span.start.column, found.span.end.column) == (5, 5, 11)
    assert found.noqa_row == 5


def test_an_assumption_makes_an_error_a_warning_and_is_told() -> None:
    file = HandmadeFile(SAVED)
    found = file.only(saved(file, context=Context(("argument `w` of `clip` requires grad",))))
    assert found.severity is Severity.WARNING
    assert found.assumptions == ("argument `w` of `clip` requires grad",)


def test_the_same_finding_twice_keeps_the_one_that_assumes_least() -> None:
    file = HandmadeFile(SAVED)
    certain = saved(file)
    unsure = replace(certain, context=Context(("the loop runs twice",)))
    assert [found.assumptions for found in file.diagnose(unsure, certain, unsure)] == [()]


def test_saved_input_names_no_node_since_that_would_be_another_operations() -> None:
    file = HandmadeFile(SAVED)
    found = file.only(saved(file, what="input", saved_by="mul", node="MulBackward0"))
    assert found.code == "IPL201"
    assert found.torch_error is not None and "output 0 of" not in found.torch_error
    assert "`mul` (line 4) saved for" in found.message


def test_calls_and_flag_are_part_of_the_story() -> None:
    text = "act = nn.ReLU(inplace=True)\ny = x.sin()\nrun(x)\ndef run(x):\n    x = act(x)\n"
    file = HandmadeFile(text)
    write = Write(file.site("act(x)"), "module", "relu", "x", flag_site=file.site("nn.ReLU(inplace=True)"))
    found = file.only(
        saved(
            HandmadeFile(SAVED),
            write=write,
            save_site=file.site("x.sin()"),
            saved_by="sin",
            what="input",
            backward_site=None,
            context=Context(calls=(file.site("run(x)"),)),
        )
    )
    assert [step.message for step in found.related] == [
        "saved here by `sin` for its backward (input)",
        "`inplace=True` is chosen here",
        "called from here",
        "overwritten here",
    ]
    assert found.suggestion == "act = nn.ReLU()"


def test_a_step_before_backward_is_told_to_move_behind_it() -> None:
    text = "y = net(x)\nopt.step()\ng_loss.backward()\n"
    file = HandmadeFile(text)
    found = file.only(
        SavedOverwritten(
            write=Write(file.site("opt.step()"), "step", "step"),
            save_site=file.site("net(x)"),
            saved_by="linear",
            what="input",
            node=None,
            parameter=True,
            through=None,
            backward_site=file.site("g_loss.backward()"),
            in_loop=False,
            context=Context(),
        )
    )
    assert found.code == "IPL203"
    assert found.suggestion == "g_loss.backward()\nopt.step()"
    assert "`opt.step()` updates the parameters that `linear` (line 1) saved" in found.message


@pytest.mark.parametrize(
    ("through", "code"),
    [("data", "IPL301"), ("fused", "IPL302"), ("numpy", "IPL302"), ("statistics", "IPL302"), ("untracked", "IPL302")],
)
def test_hidden_writes_raise_nothing(through: str, code: str) -> None:
    file = HandmadeFile(SAVED)
    found = file.only(saved(file, through=through))
    assert found.code == code
    assert found.torch_error is None
    assert "nothing raises and the gradients are wrong" in found.message


def test_leaf_and_view_of_leaf() -> None:
    file = HandmadeFile("w = torch.ones(2, requires_grad=True)\nw += 1\nw[0] = 2\n")
    leaf = LeafWritten(
        Write(file.site("w += 1"), "operator", "+=", "w"), False, file.site("torch.ones"), None, None, Context()
    )
    view = LeafWritten(Write(file.site("w[0] = 2"), "item", "[...] =", "w"), True, None, None, None, Context())
    first, second = file.diagnose(leaf, view)
    assert (first.code, second.code) == ("IPL101", "IPL102")
    assert first.suggestion == second.suggestion == "with torch.no_grad():\n    w += 1\n    w[0] = 2"
    assert first.torch_error == "a leaf Variable that requires grad is being used in an in-place operation."
    assert second.message.startswith("`w[0] = 2` writes in place to a view of `w`, memory of a leaf")


def test_out_is_assigned_instead() -> None:
    file = HandmadeFile("torch.add(w, 1, out=y)\n")
    write = Write(file.site("torch.add(w, 1, out=y)"), "out", "add", "y")
    found = file.only(OutOfGrad(write, "add", Context()))
    assert (found.code, found.suggestion) == ("IPL103", "y = torch.add(w, 1)")
    assert found.torch_error is not None and found.torch_error.startswith("add(): functions with out=")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("multi", "IPL401"), ("function", "IPL401"), ("detach", "IPL402"), ("no_grad", "IPL402"), ("inference", "IPL402")],
)
def test_views_that_must_not_be_written(kind: str, code: str) -> None:
    file = HandmadeFile("a, b = h.chunk(2)\na.add_(1)\nb.sum()\n")
    write = Write(file.site("a.add_(1)"), "method", "add_", "a")
    event = BadViewWritten(write, kind, file.site("h.chunk(2)"), "chunk", None, Context())  # type: ignore[arg-type]
    found = file.only(event)
    assert found.code == code
    assert "view" in found.message
    if kind in ("multi", "no_grad"):
        through_base = file.only(replace(event, used_site=file.site("b.sum()")))
        assert "PyTorch raises when the view is used (line 3)" in through_base.message
        assert through_base.torch_error is not None
        assert "its base or another view of its base has been modified" in through_base.torch_error


def test_expanded_and_inference_memory() -> None:
    file = HandmadeFile("x = t.expand(2, 3)\nx.add_(1)\n")
    write = Write(file.site("x.add_(1)"), "method", "add_", "x")
    expanded = file.only(ExpandedWritten(write, file.site("t.expand(2, 3)"), Context()))
    assert (expanded.code, expanded.suggestion) == ("IPL403", "x = x.clone()\nx.add_(1)")
    written = file.only(InferenceTensorUsed(write.site, file.site("t.expand"), None, write, Context()))
    kept = file.only(InferenceTensorUsed(write.site, None, "mul", None, Context()))
    assert (written.code, kept.code) == ("IPL404", "IPL404")
    assert kept.torch_error is not None and "cannot be saved for backward" in kept.torch_error


def test_second_backward_keeps_the_graph_at_the_first() -> None:
    file = HandmadeFile("loss = (w * w).sum()\nloss.backward()\nloss.backward()\n")
    first, second = file.site("loss.backward()"), file.site("loss.backward()", 1)
    found = file.only(SecondBackward(second, first, file.site("w * w"), "mul", False, Context()))
    assert (found.code, found.suggestion) == ("IPL501", "loss.backward(retain_graph=True)")
    assert found.span.start.row == 3
    looped = file.only(SecondBackward(first, first, None, None, True, Context()))
    assert "the round before" in looped.message and looped.suggestion is None


def test_interior_grad_is_a_warning_and_rebinding_an_error() -> None:
    file = HandmadeFile("h = w * 2\nprint(h.grad)\nw = w - lr * (w.grad)\n")
    read = file.only(InteriorGradRead(file.site("h.grad"), file.site("w * 2"), "mul", Context()))
    assert (read.code, read.severity, read.suggestion) == ("IPL502", Severity.WARNING, "h.retain_grad()")
    rebound = file.only(ParameterRebound(file.site("w = w - lr * (w.grad)"), None, "w", Context()))
    assert (rebound.code, rebound.severity) == ("IPL503", Severity.ERROR)
    assert rebound.suggestion == "with torch.no_grad():\n    w -= lr * (w.grad)"


def test_an_unfinished_analysis_is_a_note() -> None:
    file = HandmadeFile("def f():\n    pass\n")
    found = file.only(GaveUp(file.site("def f"), "1,000 states", Context(function="f")))
    assert (found.code, found.severity) == ("IPL001", Severity.INFO)


def test_of_a_chain_of_writes_the_first_is_told() -> None:
    source = "import torch\nw = torch.ones(3, requires_grad=True)\ny = w.exp()\ny.add_(1).mul_(2)\ny.sum().backward()\n"
    (found,) = check_source(source, "chain.py")
    assert (found.code, found.span.start.row, found.span.end.column) == ("IPL202", 4, len("y.add_(1)") + 1)
    assert found.suggestion == "y = y.add(1).mul_(2)"
