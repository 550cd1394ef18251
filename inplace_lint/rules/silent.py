"""IPL3xx: nothing raises and the gradients are wrong, because the write went past the version counter."""

from __future__ import annotations

import ast
from dataclasses import replace

from ..diagnostics import Diagnostic
from ..events import Event, GradientWritten, SavedOverwritten, Write
from . import rewrite, torch_text, words
from .base import AUTOGRAD_NOTES, Advice, Rule, RuleContext
from .order import reorder
from .saved import is_parameter_update, story


def _lost(ctx: RuleContext, event: SavedOverwritten) -> str:
    saver = f"{words.named(event.saved_by)}{words.line(ctx, event.save_site, event.write.site)}"
    return f"what {saver} saved for its backward"


def _finding(rule: Rule, ctx: RuleContext, event: SavedOverwritten, how: str, advice: Advice) -> Diagnostic:
    message = (
        f"{words.doing(ctx, event.write)} overwrites, {how}, {_lost(ctx, event)}: "
        "nothing raises and the gradients are wrong"
    )
    steps = story(
        ctx, event, "overwritten here, unseen by autograd", "backward computes with the new value here, and is wrong"
    )
    return rule.finding(ctx, event.write.site, message, event.context, story=steps, advice=advice)


def _attribute_finding(rule: Rule, ctx: RuleContext, event: SavedOverwritten, advice: Advice) -> Diagnostic:
    saver = f"`{event.saved_by}`{words.line(ctx, event.save_site, event.write.site)}"
    if event.write.form == "step":
        what = f"changes parameters that {saver} keeps as attributes of its context for its backward"
    else:
        target = words.target(event.write, "a tensor")
        what = f"overwrites {target}, which {saver} keeps as an attribute of its context for its backward"
    message = f"{words.doing(ctx, event.write)} {what}, where no version is checked: nothing raises and the gradients are wrong"
    steps = story(
        ctx, event, "overwritten here, unseen by autograd", "backward computes with the new value here, and is wrong"
    )
    return rule.finding(ctx, event.write.site, message, event.context, story=steps, advice=advice)


class WriteThroughData(Rule):
    """A saved tensor is overwritten through `.data`, which autograd cannot see.

    ## What it finds
    Writes through `.data` (`y.data += 1`, `y.data.clamp_(0, 1)`, `p.data.copy_(q)`) to a tensor that an operation has
    saved and whose backward is still to run.

    ## Why it matters
    `y.data` shares the memory of `y` but has a version counter of its own. The check that would raise in backward sees
    nothing, and backward computes with the new values. The gradients are wrong and nothing tells you.

    ## What PyTorch says
    Nothing. With `.detach()` in place of `.data` it would raise `one of the variables needed for gradient computation
    has been modified by an inplace operation`.

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    y.data.add_(1)  # IPL301
    y.sum().backward()
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    y = y + 1
    y.sum().backward()
    ```

    ## How to fix it
    - Write after `backward()`, or make a new tensor instead of changing the saved one.
    - Where the write is meant to bypass autograd, use `.detach()` or `torch.no_grad()`: PyTorch then checks the
      version, and raises instead of going wrong.

    ## How far the fix may be applied
    It is only shown: `.detach()` makes PyTorch check and raise, it does not make the gradients right. Whether the write is
    part of the computation is the author's to say.
    """

    code = "IPL301"
    name = "write-through-data"
    outcome = "wrong-gradients"
    handles = (SavedOverwritten,)
    url = f"{AUTOGRAD_NOTES}#in-place-correctness-checks"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, SavedOverwritten):
            return None
        if event.through == "data":
            return _finding(
                self, ctx, event, "through `.data` and past the version counter", _data_advice(ctx, event.write)
            )
        return None


def _data_advice(ctx: RuleContext, write: Write) -> Advice:
    # Where `.data` stands elsewhere, the write goes to a tensor of its own.
    code = rewrite.without_data(ctx, write) or rewrite.out_of_place(ctx, write)
    return Advice(
        "Write after the backward, or to a new tensor; with `.detach()` or `no_grad` in place of `.data` PyTorch "
        "checks, and raises instead of going wrong",
        code,
        "display-only",
    )


class UntrackedWrite(Rule):
    """A saved tensor is overwritten by a write that autograd does not count, such as one through a NumPy array.

    ## What it finds
    Writes to a saved tensor's memory through `.numpy()`, `torch.from_numpy` and other aliases without a version
    counter, before the backward that needs the old values. Two writers inside PyTorch do not count either: the
    `step()` of an optimizer made with `fused=True`, and batch norm, whose forward pass in train mode changes its
    statistics while an earlier pass in eval mode may wait for its backward. And a custom `autograd.Function` that keeps a
    tensor as an attribute (`ctx.x = x`) instead of by `ctx.save_for_backward(x)` has no version to check.

    ## Why it matters
    NumPy writes to the same memory and tells PyTorch nothing. Backward then computes with the new values, without
    an error.

    ## What PyTorch says
    Nothing: the gradients are silently wrong.

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    a = y.detach().numpy()
    a[0] = 0.0  # IPL302
    y.sum().backward()
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    a = y.detach().clone().numpy()
    a[0] = 0.0
    y.sum().backward()
    ```

    ## How to fix it
    - Take a copy before leaving PyTorch: `y.detach().clone().numpy()`, or `array.copy()`.
    - Or write after `backward()`.
    - For a fused optimizer: run every backward before `step()`.
    - In a custom Function: keep tensors by `ctx.save_for_backward`.
    - For batch norm: run the backward of the eval pass before the next forward pass in train mode.

    ## How far the fix may be applied
    Writing to a copy is *unsafe*: the tensor behind the array, or the alias, no longer changes with it, which may be what the
    write was for. To run the backward earlier or to update later is only shown, since it moves statements past others; for
    batch norm and for tensors that a Function keeps as attributes there are words where the code does not tell what was meant.
    """

    code = "IPL302"
    name = "untracked-write"
    outcome = "wrong-gradients"
    handles = (SavedOverwritten,)
    url = f"{AUTOGRAD_NOTES}#in-place-correctness-checks"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, SavedOverwritten):
            return None
        if event.through == "fused":
            how = "by a fused optimizer (whose writes are not counted)"
            return _finding(self, ctx, event, how, reorder(ctx, event))
        if event.through == "numpy":
            advice = Advice(
                "Write to a copy, or after the backward; a copy can also be made on the way out of PyTorch, by "
                "`.detach().clone().numpy()`",
                rewrite.of_array(ctx, event.write, array=True),
            )
            return _finding(self, ctx, event, "through a NumPy array that shares its memory", advice)
        if event.through == "statistics":
            advice = Advice("Run the backward before the next forward pass in train mode")
            return _finding(self, ctx, event, "by updating its running statistics (which is not counted)", advice)
        if event.through == "attribute":
            advice = (
                reorder(ctx, event)
                if is_parameter_update(event)
                else Advice(
                    "Keep tensors by `ctx.save_for_backward`: PyTorch then checks their version and raises; and write to a "
                    "new tensor here",
                    rewrite.out_of_place(ctx, event.write),
                )
            )
            return _attribute_finding(self, ctx, event, advice)
        if event.through == "untracked":
            advice = Advice("Write to a copy, or after the backward", rewrite.of_array(ctx, event.write, array=False))
            return _finding(self, ctx, event, "through an alias that autograd does not track", advice)
        return None


class GradientWrittenInPlace(Rule):
    """A hook or a custom Function's backward writes in place to the gradient that it was given.

    ## What it finds
    In-place writes to the argument of `tensor.register_hook(...)`, to the gradients of a full backward hook, and to
    `grad_output` in the `backward` of a custom `autograd.Function`.

    ## Why it matters
    The gradient is lent. PyTorch gives one and the same tensor to everybody who needs it: both operands of an addition
    get the gradient of the sum. Written in place, it is wrong for the other one, and nothing is raised. The gradient of
    a `sum()` is expanded memory, to which most writes raise.

    ## What PyTorch says
    Mostly nothing. After a `sum()`:
    ```text
    RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a single memory
    location. Please clone() the tensor before performing the operation.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    h = w * 2
    h.register_hook(lambda grad: grad.mul_(0.1))  # IPL303
    h.sum().backward()
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    h = w * 2
    h.register_hook(lambda grad: grad * 0.1)
    h.sum().backward()
    ```

    ## How to fix it
    - Return a new gradient: `grad * 0.1`, `torch.clamp(grad, -1, 1)`.
    - Where code writes to parts of it, on a copy: `grad = grad.clone()` first.

    ## How far the fix may be applied
    It is *unsafe*: others no longer see the write, which may be what somebody counted on. In a hook that returns nothing the new
    gradient is returned; where that cannot be spelt, the fix is only shown, since binding a name there has no effect.
    """

    code = "IPL303"
    name = "gradient-written"
    outcome = "raises"
    handles = (GradientWritten,)
    url = "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, GradientWritten):
            return None
        write = event.write
        given = words.line(ctx, event.given_site, write.site)
        lent = f"a hook{given} was given" if event.by == "hook" else f"this backward is given for the call{given}"
        message = (
            f"{words.doing(ctx, write)} writes in place to the gradient that {lent}, which others may be given "
            "too: then their gradients are wrong"
        )
        steps = words.story(
            ctx,
            (
                event.given_site,
                "the gradient is lent to what is registered here" if event.by == "hook" else "applied here",
            ),
            (write.site, "written in place here"),
        )
        advice = _new_gradient(ctx, event)
        return self.finding(
            ctx, write.site, message, event.context, story=steps, torch_error=torch_text.EXPANDED, advice=advice
        )


def _new_gradient(ctx: RuleContext, event: GradientWritten) -> Advice:
    """The write out of place. What a hook returns counts, so that one which returns nothing has to return the new gradient."""
    advice = "Return a new gradient, or write to a copy"
    new = rewrite.out_of_place(ctx, event.write)
    layout, spot = ctx.layout(event.write.site), ctx.spot(event.write.site)
    if new is None or layout is None or spot is None or event.by != "hook":
        return Advice(advice, new)
    function = layout.function(spot)
    if isinstance(function, ast.Module) or function.lineno == spot.node.lineno or _answers(function):
        return Advice(advice, new)
    name, arguments = event.write.target, function.args.args
    bound = f"{name} = "
    last = spot.owner is function and spot.index == len(spot.block) - 1
    if (
        last
        and len(arguments) == 1
        and arguments[0].arg == name
        and new.code.startswith(bound)
        and "\n" not in new.code
    ):
        return Advice(advice, replace(new, code=f"return {new.code.removeprefix(bound)}"))
    return Advice(advice, new, "display-only")


def _answers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function returns something."""
    return any(isinstance(part, ast.Return) and part.value is not None for part in ast.walk(function))
