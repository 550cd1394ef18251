"""IPL1xx: the write itself raises, because a leaf that requires grad must keep its value while autograd records."""

from __future__ import annotations

from ..diagnostics import Diagnostic
from ..events import Event, LeafWritten, OutOfGrad
from . import levels, rewrite, torch_text, words
from .base import Advice, Rule, RuleContext


def _advice(ctx: RuleContext, event: LeafWritten) -> Advice:
    write = event.write
    call = rewrite.initialised(ctx, write)
    if call is not None:
        return Advice(
            "Set the value by `torch.nn.init`, which does not record", call, levels.of_no_grad(write, event.context)
        )
    block = rewrite.under_no_grad(ctx, write)
    if block is not None:
        return Advice(
            "If this sets or updates the value, do it under `torch.no_grad()`; if it is part of the computation, "
            "make a new tensor out of place",
            block,
            levels.of_no_grad(write, event.context),
        )
    if rewrite.can_stand_in_block(ctx, write):
        return Advice("Write under `torch.no_grad()`, in a block of its own: the statement shares its line with others")
    new = rewrite.out_of_place(ctx, write)
    level = levels.of_new_tensor(ctx, write, new)
    return Advice("Make a new tensor out of place, so that the leaf keeps its value", new, level)


class LeafWrittenInPlace(Rule):
    """A leaf that requires grad is written in place while grad mode is on.

    ## What it finds
    In-place operators (`w += 1`), methods (`w.add_(1)`), full-slice assignments (`w[:] = 0`) and `inplace=True` on a
    *leaf*: a tensor that requires grad and that no recorded operation made, such as an `nn.Parameter` or a tensor
    made with `requires_grad=True`.

    ## Why it matters
    Gradients are collected in the leaf. Were the leaf the result of an operation, it would be a leaf no longer
    and its `.grad` would stay empty. PyTorch therefore raises at the write.

    ## What PyTorch says
    ```text
    RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.
    ```
    PyTorch before 1.0 let the write pass and said at `backward()`: `leaf variable has been moved into the graph
    interior`.

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    w += 1  # IPL101
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        w += 1
    ```

    ## How to fix it
    - To set or update the value (initialisation, a step of your own optimizer): write under `torch.no_grad()`.
      `w.detach().add_(1)` does the same for one statement.
    - To compute with it: out of place, under another name (`y = w + 1`).
    - Not `w.data`: it also hides the write from a backward that still needs the old value.

    ## How far the fix may be applied
    `torch.no_grad()` is *safe* where no gradient would have flown through the write, no backward still needs the old value, and
    nothing had to be assumed of a caller: the program raised here. Else it is *unsafe*. In an initialiser, `torch.nn.init` is
    called instead where it has the same to offer; statements in a row share one block.
    """

    code = "IPL101"
    name = "leaf-written"
    outcome = "raises"
    handles = (LeafWritten,)

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, LeafWritten) or event.view:
            return None
        write = event.write
        made = words.line(ctx, event.leaf_site, write.site)
        message = (
            f"{words.doing(ctx, write)} writes in place to {words.target(write, 'a tensor')}, "
            f"a leaf{made} that requires grad: PyTorch raises at this write"
        )
        steps = words.story(
            ctx,
            (event.leaf_site, "the leaf is made here"),
            words.flag(ctx, write),
            *words.calls(event.context),
            (write.site, "written in place here, which raises"),
        )
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=steps,
            torch_error=torch_text.LEAF,
            advice=_advice(ctx, event),
        )


class LeafViewWritten(Rule):
    """A view of a leaf that requires grad is written in place while grad mode is on.

    ## What it finds
    Writes to a part or another shape of a leaf: `w[0] = 0`, `w.T.add_(1)`, `w.view(-1)[2] += 1`,
    `conv.bias.view(3, -1)[:, 4] += 1`.

    ## Why it matters
    A view shares its base's memory, so this writes to the leaf as well. PyTorch raises at the write, as it does for
    the leaf itself.

    ## What PyTorch says
    ```text
    RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    w[0] = 0.0  # IPL102
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    with torch.no_grad():
        w[0] = 0.0
    ```

    ## How to fix it
    - To set or update a part of the leaf: write under `torch.no_grad()`, with the view made inside the block too.
    - To compute with it: on a copy (`y = w.clone()`, then `y[0] = 0.0`), through which the gradient flows.

    ## How far the fix may be applied
    `torch.no_grad()` is *safe* where no gradient would have flown through the write, no backward still needs the old value, and
    nothing had to be assumed of a caller: the program raised here. Else it is *unsafe*. In an initialiser, `torch.nn.init` is
    called instead where it has the same to offer; statements in a row share one block.
    """

    code = "IPL102"
    name = "leaf-view-written"
    outcome = "raises"
    handles = (LeafWritten,)

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, LeafWritten) or not event.view:
            return None
        write = event.write
        by = f" made by {words.named(event.view_op)}" if event.view_op and write.form != "item" else ""
        of = f" of `{write.target}`" if write.target and write.form == "item" else ""
        message = (
            f"{words.doing(ctx, write)} writes in place to a view{of}{by}, memory of a leaf that requires grad: "
            "PyTorch raises at this write"
        )
        steps = words.story(
            ctx,
            (event.leaf_site, "the leaf is made here"),
            (event.view_site, "the view of it is made here"),
            words.flag(ctx, write),
            *words.calls(event.context),
            (write.site, "written in place here, which raises"),
        )
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=steps,
            torch_error=torch_text.VIEW_OF_LEAF,
            advice=_advice(ctx, event),
        )


class OutRequiresGrad(Rule):
    """An operation with `out=` has an argument that requires grad.

    ## What it finds
    Calls such as `torch.add(a, b, out=c)` in grad mode where `a`, `b` or `c` requires grad.

    ## Why it matters
    The `out=` forms are not differentiable. PyTorch refuses them as soon as one of the tensors requires grad. Where that rests on
    an assumption about a caller, the finding is a note: callers would have met the error at once.

    ## What PyTorch says
    ```text
    RuntimeError: add(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = torch.empty(3)
    torch.add(w, 1, out=y)  # IPL103
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = torch.add(w, 1)
    ```

    ## How to fix it
    Assign the result instead of passing `out=`. Where no gradient is wanted, call it under `torch.no_grad()`.

    ## How far the fix may be applied
    It is *unsafe*: the tensor that was passed as `out=` is no longer written. The name in the statement is bound to the result,
    but another name for that tensor, or a buffer kept to be used again, goes without.
    """  # noqa: E501 - PyTorch's message stands on one line, as users search for it

    code = "IPL103"
    name = "out-requires-grad"
    outcome = "raises"
    # Such a call raises at once, whatever comes later: who wrote `out=` passes what needs no grad, unless the code asks.
    needs = "asked"
    handles = (OutOfGrad,)

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, OutOfGrad):
            return None
        write = event.write
        message = (
            f"`{event.op}` writes its result into {words.target(write)} with `out=`, and one of its tensors requires "
            "grad: PyTorch raises at this call"
        )
        steps = words.story(ctx, *words.calls(event.context), (write.site, "`out=` is not differentiable: raises here"))
        advice = Advice("Assign the result instead of passing `out=`", rewrite.out_of_place(ctx, write))
        error = torch_text.OUT.format(op=event.op.rsplit(".", 1)[-1])
        return self.finding(ctx, write.site, message, event.context, story=steps, torch_error=error, advice=advice)
