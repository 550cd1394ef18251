"""IPL2xx: backward raises, because a tensor that it needs was overwritten after an operation had saved it."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Related, Trace
from ..events import Event, SavedOverwritten
from . import levels, rewrite, torch_text, words
from .base import AUTOGRAD_NOTES, Advice, Rewrite, Rule, RuleContext
from .collected import in_a_list
from .order import reorder

_CHECKS = f"{AUTOGRAD_NOTES}#in-place-correctness-checks"


def is_parameter_update(event: SavedOverwritten) -> bool:
    """Whether the write updates parameters as training does: a step, or a write to a leaf with grad mode off."""
    return event.write.form == "step" or (event.parameter and event.write.in_no_grad)


def story(ctx: RuleContext, event: SavedOverwritten, written: str, at_backward: str) -> tuple[Related, ...]:
    """Saved, overwritten, backward: in the order in which they happen."""
    later = ", in a later round of the loop" if event.in_loop else ""
    role = "result" if event.what == "result" else "input"
    save, write = event.save_site, event.write.site
    by = words.named(event.saved_by)
    here = f"saved by this {by}, when it runs," if words.is_constructor(ctx, save) else f"saved here by {by}"
    saved = (save, f"{here} for its backward ({role})")
    calls = words.calls(event.context)
    # Where the same function saves and overwrites, it was called before both.
    together = save.file == write.file and ctx.definition_row(save) == ctx.definition_row(write)
    return words.story(
        ctx,
        *(calls if together else ()),
        saved,
        words.flag(ctx, event.write),
        *(() if together else calls),
        (write, written + later),
        (event.backward_site, at_backward),
    )


def _trace(ctx: RuleContext, event: SavedOverwritten) -> Trace:
    """What PyTorch's message and its two stacks say of it."""
    write = event.write
    return Trace(
        raised=None if event.backward_site is None else ctx.span(event.backward_site),
        node=event.node,
        role=event.what,
        # What a module saves it saves where it is called, wherever it was made.
        saved=None if words.is_constructor(ctx, event.save_site) else ctx.span(event.save_site),
        shape=event.shape,
        interior=event.interior,
        form=write.form,
        write=write.op,
        tracked=not write.in_no_grad and write.form != "step",
        in_loop=event.in_loop,
    )


def _when(ctx: RuleContext, event: SavedOverwritten) -> str:
    """Where the backward runs, for the message's end."""
    if event.backward_site is None:
        return "backward raises"
    return f"`backward()`{words.line(ctx, event.backward_site, event.write.site)} raises"


def _advice(ctx: RuleContext, event: SavedOverwritten) -> Advice:
    """Out of place where that can be spelt, else on a copy."""
    write = event.write
    if write.form == "item" and (edits := in_a_list(ctx, write)):
        code = "\n".join(edit.content.strip() for edit in edits)
        return Advice(
            "Collect the rows in a list, and `torch.stack` them after the loop", Rewrite(code), "unsafe", edits
        )
    new = rewrite.out_of_place(ctx, write)
    level = levels.of_new_tensor(ctx, write, new, event.context)
    if write.form == "module" or (write.form == "function" and "inplace" in ctx.text(write.site)):
        return Advice(
            "Drop `inplace=True`: the operation then makes a new tensor and leaves the saved one alone", new, level
        )
    if new is not None and ".clone()\n" in new.code:
        if event.in_loop or new.code.startswith("value = "):
            return Advice(
                "Collect the parts in a list and `torch.stack` them after the loop, or write to a fresh copy "
                "in each round",
                new,
                level,
            )
        return Advice("Write to a copy, and leave the saved tensor alone", new, level)
    if write.form == "out":
        return Advice("Assign the result instead of writing it over a saved tensor", new, level)
    return Advice("Do it out of place: a new tensor leaves the saved one alone", new, level)


def _check(rule: Rule, event: Event, ctx: RuleContext, what: str) -> Diagnostic | None:
    if not isinstance(event, SavedOverwritten) or event.what != what:
        return None
    if event.through is not None or is_parameter_update(event):
        return None
    write = event.write
    saver = f"{words.named(event.saved_by)}{words.line(ctx, event.save_site, write.site)}"
    if write.target is None:
        lost = f"the {what} that {saver} saved for its backward"
    else:
        lost = f"`{write.target}`, which {saver} saved for its backward"
    message = f"{words.doing(ctx, write)} overwrites {lost}: {words.in_compiled(event.context, _when(ctx, event))}"
    return rule.finding(
        ctx,
        write.site,
        message,
        event.context,
        story=story(ctx, event, "overwritten here", "backward needs the old value here, and raises"),
        torch_error=torch_text.modified(event.node if what == "result" else None),
        advice=_advice(ctx, event),
        trace=_trace(ctx, event),
    )


class SavedInputOverwritten(Rule):
    """A tensor that an operation saved as its input is overwritten before the operation's backward has run.

    ## What it finds
    An in-place write (operator, method, index, `inplace=True`, `out=`, in the same function or in a helper that it
    calls) to a tensor that an earlier operation keeps as an *input*: `sin`, `log`, `**`, a product of two tensors,
    `matmul`, `conv`, `layer_norm` and many more keep what they were given.

    ## Why it matters
    The backward of `sin` is `cos` of its input: it needs the value that the input had. PyTorch counts the writes to
    each memory (its *version counter*) and raises in backward when the count has changed. Not every operation keeps
    its input: after `c = b + 1`, `b` may be written, since the backward of `+` needs neither operand.

    ## What PyTorch says
    ```text
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation:
    [torch.FloatTensor [3]], which is output 0 of Add, is at version 1; expected version 0 instead.
    ```
    Versions before 2.13 name the node in full (`output 0 of AddBackward0`). The node named is that of the last write,
    here of `+=`; of a write under `no_grad`, which makes no node, it is the one that made the tensor. PyTorch does not
    name the line that wrote; that line is this finding's place.

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    x = w * 2
    y = x.sin()
    x += 1  # IPL201
    (x + y).sum().backward()
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    x = w * 2
    y = x.sin()
    x = x + 1
    (x + y).sum().backward()
    ```

    ## How to fix it
    - Out of place: `x = x + 1`, `x = x.mul(z)`, `F.relu(x)` without `inplace=True`. The gradients stay the same as
      those that were meant.
    - For index writes: on a copy (`x = x.clone()`, then `x[0] = 1`). Rows that a loop sets one after another go into a
      list that is stacked after the loop (`rows.append(v)`, `torch.stack(rows)`): the fix does that itself where the loop
      fills the whole tensor in order and reads single rows only.
    - Neither `retain_graph=True` nor `x.data` helps: the first has nothing to do with it, the second makes the error
      silent and the gradients wrong.

    ## How far the fix may be applied
    A new tensor, or a copy that is written to, is *safe* where the name alone holds the tensor, nothing shares its memory and
    the operands keep its dtype. Else it is *unsafe*: another name, a caller or a view may count on the write. Under `no_grad` a
    new tensor would have no history, and a helper that is called for its write alone would do nothing any more, so that the fix
    is only shown.
    """

    code = "IPL201"
    name = "saved-input-overwritten"
    outcome = "raises"
    handles = (SavedOverwritten,)
    url = _CHECKS

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        return _check(self, event, ctx, "input")


class SavedResultOverwritten(Rule):
    """A tensor that an operation saved as its own result is overwritten before the operation's backward has run.

    ## What it finds
    An in-place write to the *result* of an operation that keeps it: `exp`, `sqrt`, `tanh`, `sigmoid`, `relu`,
    `softmax` and others compute their gradient from what they returned.

    ## Why it matters
    The derivative of `exp` is its result. Overwrite the result and the derivative is gone; PyTorch's version counter
    notices and backward raises. Results of `+`, `conv`, `linear`, `mean` or `cat` are not kept and may be written.

    ## What PyTorch says
    ```text
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation:
    [torch.FloatTensor [3]], which is output 0 of Exp, is at version 1; expected version 0 instead.
    ```
    Versions before 2.13 name the node in full (`output 0 of ExpBackward0`).

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    y = w.exp()
    y += 1  # IPL202
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
    - Out of place: `y = y + 1`. The tensor that was saved then keeps its value.
    - Where an activation with `inplace=True` overwrites another one's result: drop `inplace=True` there.
    - For index writes: on a copy (`y = y.clone()`, then `y[0] = 1`); under a mask that is computed from the tensor itself,
      `masked_fill` or `torch.where`.

    ## How far the fix may be applied
    A new tensor, or a copy that is written to, is *safe* where the name alone holds the tensor, nothing shares its memory and
    the operands keep its dtype. Else it is *unsafe*: another name, a caller or a view may count on the write. Under `no_grad` a
    new tensor would have no history, and a helper that is called for its write alone would do nothing any more, so that the fix
    is only shown.
    """

    code = "IPL202"
    name = "saved-result-overwritten"
    outcome = "raises"
    handles = (SavedOverwritten,)
    url = _CHECKS

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        return _check(self, event, ctx, "result")


class ParametersUpdatedBeforeBackward(Rule):
    """Parameters are updated while a graph that needs their old values still waits for its backward.

    ## What it finds
    `optimizer.step()`, or an update under `no_grad`, between a forward pass and a backward through it. Typical of
    scripts with two networks: in a GAN the discriminator steps before the generator's loss, computed through the same
    forward pass, goes backward; in actor-critic code the critic steps before the actor's backward.

    ## Why it matters
    A step writes to the parameters in place. The backward of `x @ w` needs the `w` of the forward pass, and PyTorch
    raises when it finds another version. Often the second backward was made possible by `retain_graph=True`, which
    keeps the graph but cannot keep the parameters' values.

    ## What PyTorch says
    ```text
    RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation:
    [torch.FloatTensor [8, 1]], which is output 0 of AsStridedBackward0, is at version 2; expected version 1 instead.
    ```
    The tensor named differs with the layer (`output 0 of T` or `TBackward0` for `nn.Linear`), or none is named.

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)
    y = w * w
    loss = y.sum()
    other = (y * 2).sum()
    loss.backward(retain_graph=True)
    opt.step()  # IPL203
    other.backward()
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)
    y = w * w
    loss = y.sum()
    other = (y * 2).sum()
    loss.backward(retain_graph=True)
    other.backward()
    opt.step()
    ```

    ## How to fix it
    - Run every backward that belongs to a forward pass before any `step()` that changes its parameters.
    - Or compute the second loss after the step, with a forward pass of its own.
    - Where the second loss should not reach the first network at all: cut it off with `.detach()`.

    ## How far the fix may be applied
    It is only shown: what the update is meant to see, the old graph or a new one, is the author's to say. The update moves behind
    the backward; or, where gradients are reset in between, the loss is computed anew after the update. In a loop, what one
    round takes over from the last is detached, what was computed before the loop is computed in each round, and a loop over
    several losses of one graph resets before it and updates after it.
    """

    code = "IPL203"
    name = "parameters-updated-before-backward"
    much = 4  # what it assumes of networks and optimizers holds for nearly all training code
    outcome = "raises"
    handles = (SavedOverwritten,)
    url = _CHECKS

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, SavedOverwritten) or event.through is not None or not is_parameter_update(event):
            return None
        write = event.write
        what = "the parameters" if write.form == "step" else words.target(write, "a parameter")
        saver = f"{words.named(event.saved_by)}{words.line(ctx, event.save_site, write.site)}"
        link = " that" if write.form == "step" else ", which"
        message = (
            f"{words.doing(ctx, write)} updates {what}{link} {saver} saved for a backward "
            f"that is still to run: {words.in_compiled(event.context, _when(ctx, event))}"
        )
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=story(ctx, event, "the parameters change here", "backward needs their old values here, and raises"),
            torch_error=torch_text.modified(None),
            advice=reorder(ctx, event),
            trace=_trace(ctx, event),
        )
