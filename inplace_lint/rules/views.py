"""IPL4xx: views and memory that must not be written, or not in this grad mode."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Related, Trace
from ..events import BadViewWritten, Event, ExpandedWritten, InferenceTensorUsed, Write
from . import levels, rewrite, torch_text, words
from .base import AUTOGRAD_NOTES, Advice, Rule, RuleContext


class OneOfSeveralOutputsWritten(Rule):
    """A view that is one of several outputs of one operation is written in place.

    ## What it finds
    In-place writes to a piece of `chunk`, `split`, `unbind`, or of a tensor that is unpacked or iterated over
    (`a, b = h`, `for row in h: row += 1`), where gradients are recorded. Also writes to a view
    that a custom `autograd.Function` returned (an input that it returns as it is, too), and to what goes into or comes
    out of a module with a full backward hook, since the hook is such a Function.

    ## Why it matters
    A write to a view has to be recorded for its base as well, which autograd can do for a view that an operation
    returned alone, but not for one of several. PyTorch raises at the write; where the base was written, it raises at
    the next use of a piece.

    ## What PyTorch says
    ```text
    RuntimeError: Output 0 of Split is a view and is being modified inplace. This view is the output of a function
    that returns multiple views. Such functions do not allow the output views to be modified inplace. You should
    replace the inplace operation by an out-of-place one.
    ```
    Versions before 2.13 name the node in full (`Output 0 of SplitBackward0`).

    ## Example
    ```python
    import torch

    w = torch.ones(4, requires_grad=True)
    h = w * 2
    a, b = h.chunk(2)
    a += 1  # IPL401
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(4, requires_grad=True)
    h = w * 2
    a, b = h.chunk(2)
    a = a + 1
    ```

    ## How to fix it
    - Out of place: `a = a + 1`; put the pieces together again with `torch.cat` or `torch.stack`.
    - Where the base should change: write through an index (`h[:2] += 1`, `h[i] = ...`), which makes one view at a time.

    ## How far the fix may be applied
    *Safe* where the name that is bound anew alone holds the tensor and nothing shares its memory, *unsafe* elsewhere.
    """

    code = "IPL401"
    name = "one-of-several-outputs-written"
    outcome = "raises"
    needs = "computed"
    handles = (BadViewWritten,)

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, BadViewWritten) or event.kind not in ("multi", "function", "hook"):
            return None
        write = event.write
        doing, made = words.doing(ctx, write), words.line(ctx, event.view_site, write.site)
        if event.kind in ("function", "hook"):
            view = f"a view that a custom Function{made} returned"
            if event.kind == "hook":
                view = f"what passes a module with a full backward hook{made}, which is a view"
            if event.used_site is not None:
                used = words.line(ctx, event.used_site, write.site)
                message = f"{doing} writes in place to the base of {view}: PyTorch raises when the view is used{used}"
            else:
                message = f"{doing} writes in place to {view}: PyTorch raises at this write"
            error, advice = torch_text.FUNCTION_VIEW, _out_of_place(ctx, write)
        else:
            several = f"one of several views that {words.named(event.view_op)}{made} returned"
            if event.used_site is not None:
                message = (
                    f"{doing} writes in place to the base of {several}: "
                    f"PyTorch raises when the view is used{words.line(ctx, event.used_site, write.site)}"
                )
            else:
                message = f"{doing} writes in place to {several}: PyTorch raises at this write"
            error = torch_text.several_outputs(through_base=event.used_site is not None)
            advice = _out_of_place(ctx, write)
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=_story(ctx, event),
            torch_error=error,
            advice=advice,
            trace=Trace(raised=ctx.span(event.used_site or write.site)),
        )


def _out_of_place(ctx: RuleContext, write: Write) -> Advice:
    new = rewrite.out_of_place(ctx, write)
    return Advice("Do it out of place", new, levels.of_new_tensor(ctx, write, new))


def _story(ctx: RuleContext, event: BadViewWritten) -> tuple[Related, ...]:
    raises = "" if event.used_site is not None else ", which raises"
    return words.story(
        ctx,
        (event.view_site, f"the view is made here by {words.named(event.view_op)}"),
        words.flag(ctx, event.write),
        *words.calls(event.context),
        (event.write.site, f"written in place here{raises}"),
        (event.used_site, "the view is used here, which raises"),
    )


class NoGradViewWritten(Rule):
    """A view that was made with grad mode off is written with grad mode on.

    ## What it finds
    A view made under `torch.no_grad()` or `torch.inference_mode()` of an ordinary tensor, written in place outside of
    it, or used after its base was written. Also `detach_()` on a view, which would cut it off from its base.

    ## Why it matters
    Nothing recorded that the view belongs to its base, so autograd cannot tell whether the write is meant to count.
    PyTorch raises at the write rather than guess.

    ## What PyTorch says
    ```text
    RuntimeError: A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that
    this use case is ambiguous and error-prone, it is forbidden.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(4, requires_grad=True)
    h = w * 2
    with torch.no_grad():
        v = h[:2]
    v += 1  # IPL402
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(4, requires_grad=True)
    h = w * 2
    v = h[:2]
    v += 1
    ```

    ## How to fix it
    - Make the view outside the block, if the write should be recorded.
    - Write inside the block, if it should not.

    ## How far the fix may be applied
    It is *unsafe*, whichever of the two it is: a write under `no_grad` stays out of the graph, so gradients do not know of it,
    and a new tensor leaves the view's base as it was. The code does not tell which of them was meant. Making the view outside
    the block is left to the author, since what else stands in the block may rely on not being recorded.
    """

    code = "IPL402"
    name = "no-grad-view-written"
    outcome = "raises"
    needs = "computed"
    handles = (BadViewWritten,)
    url = f"{AUTOGRAD_NOTES}#locally-disabling-gradient-computation"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, BadViewWritten) or event.kind not in ("no_grad", "inference", "detach"):
            return None
        write = event.write
        if event.kind == "detach":
            return self.finding(
                ctx,
                write.site,
                f"{words.doing(ctx, write)} detaches a view in place: PyTorch raises at this call",
                event.context,
                story=_story(ctx, event),
                torch_error=torch_text.DETACH_VIEW,
                advice=Advice("Use `detach()` and bind its result", rewrite.out_of_place(ctx, write)),
            )
        mode = "no_grad" if event.kind == "no_grad" else "inference_mode"
        view = f"a view that was made under `{mode}`{words.line(ctx, event.view_site, write.site)}"
        if event.used_site is not None:
            message = (
                f"{words.doing(ctx, write)} writes in place to the base of {view}: "
                f"PyTorch raises when the view is used{words.line(ctx, event.used_site, write.site)}"
            )
        else:
            message = f"{words.doing(ctx, write)} writes in grad mode to {view}: PyTorch raises at this write"
        error = torch_text.untracked_view(inference=mode == "inference_mode", through_base=event.used_site is not None)
        advice = (
            Advice("Do it out of place, or make the view outside the block", rewrite.out_of_place(ctx, write))
            if event.used_site is not None
            else Advice(
                f"Make the view outside the `{mode}` block, or write inside it", rewrite.under_no_grad(ctx, write)
            )
        )
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=_story(ctx, event),
            torch_error=error,
            advice=advice,
            trace=Trace(raised=ctx.span(event.used_site or write.site)),
        )


class ExpandedMemoryWritten(Rule):
    """Memory in which several elements share one place is written in place.

    ## What it finds
    In-place operations on the result of `expand`, `expand_as`, `broadcast_to` and the like, before a copy was made.

    ## Why it matters
    `expand` repeats a tensor without copying: many elements stand for one place in memory, and what a write to
    all of them should leave there is not defined. PyTorch raises at the write. `fill_` and `zero_` pass, and `masked_fill_`,
    `index_fill_`, `index_put_` and a mask or a list as index only warn: but where the tensor requires grad their backward
    writes into a gradient that is expanded as well, and raises.

    ## What PyTorch says
    ```text
    RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a single memory
    location. Please clone() the tensor before performing the operation.
    ```

    ## Example
    ```python
    import torch

    x = torch.ones(3).expand(2, 3)
    x.add_(1)  # IPL403
    ```

    Use instead:
    ```python
    import torch

    x = torch.ones(3).expand(2, 3).clone()
    x.add_(1)
    ```

    ## How to fix it
    Copy first (`.clone()`, or `repeat` in place of `expand`), or compute out of place.

    ## How far the fix may be applied
    *Safe* where the name that is bound anew alone holds the tensor and nothing shares its memory, *unsafe* elsewhere.
    """

    code = "IPL403"
    name = "expanded-memory-written"
    outcome = "raises"
    needs = "grows"
    handles = (ExpandedWritten,)
    url = "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.expand.html"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, ExpandedWritten):
            return None
        write = event.write
        outcome, end, trace = "PyTorch raises at this write", ", which raises", None
        if event.later:
            at = ctx.span(event.backward_site) if event.backward_site is not None else None
            line = words.line(ctx, event.backward_site, write.site)
            outcome = "backward raises" if at is None else f"`backward()`{line} raises"
            end, trace = "", Trace(raised=at)
        message = (
            f"{words.doing(ctx, write)} writes in place to expanded memory"
            f"{words.line(ctx, event.expand_site, write.site)}, "
            f"where several elements share one place: {outcome}"
        )
        steps = words.story(
            ctx,
            (event.expand_site, "expanded without a copy here"),
            words.flag(ctx, write),
            *words.calls(event.context),
            (write.site, f"written in place here{end}"),
            *(
                [(event.backward_site, "backward writes to a gradient that is expanded, too, and raises")]
                if event.later
                else ()
            ),
        )
        copied = rewrite.clone_first(ctx, write) or rewrite.out_of_place(ctx, write)
        advice = Advice("Copy before writing", copied, levels.of_new_tensor(ctx, write, copied))
        return self.finding(
            ctx,
            write.site,
            message,
            event.context,
            story=steps,
            torch_error=torch_text.EXPANDED,
            advice=advice,
            trace=trace,
        )


class InferenceTensor(Rule):
    """A tensor made in inference mode is written outside of it, or saved for a backward.

    ## What it finds
    Tensors that were made under `torch.inference_mode()` and are then, outside of it, written in place or used where
    an operation has to keep them for its backward.

    ## Why it matters
    Inference tensors have no version counter, which is what makes inference mode fast. Autograd cannot check them,
    and PyTorch raises at once.

    ## What PyTorch says
    ```text
    RuntimeError: Inplace update to inference tensor outside InferenceMode is not allowed.
    RuntimeError: Inference tensors cannot be saved for backward.
    ```

    ## Example
    ```python
    import torch

    with torch.inference_mode():
        x = torch.ones(3)
    x += 1  # IPL404
    ```

    Use instead:
    ```python
    import torch

    with torch.no_grad():
        x = torch.ones(3)
    x += 1
    ```

    ## How to fix it
    - Make the tensor under `torch.no_grad()` instead.
    - Or take an ordinary tensor from it outside the block: `x = x.clone()`.

    ## How far the fix may be applied
    A `clone()` before the write is *unsafe*: others that hold the inference tensor no longer see the write, and the copy costs
    memory. Making the tensor under `no_grad` is told in words only: it changes how fast everything in the block is.
    """

    code = "IPL404"
    name = "inference-tensor"
    outcome = "raises"
    handles = (InferenceTensorUsed,)
    url = f"{AUTOGRAD_NOTES}#inference-mode"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, InferenceTensorUsed):
            return None
        made = words.line(ctx, event.made_site, event.site)
        if event.write is not None:
            message = (
                f"{words.doing(ctx, event.write)} writes in place, outside inference mode, to a tensor made in it{made}"
            )
            new = rewrite.clone_first(ctx, event.write)
            here, error = "written in place here, which raises", torch_text.INFERENCE_WRITTEN
        else:
            message = (
                f"{words.named(event.saved_by)} has to save for its backward a tensor made in inference mode{made}"
            )
            new = None
            here, error = "would be saved for backward here, which raises", torch_text.INFERENCE_SAVED
        steps = words.story(
            ctx, (event.made_site, "made in inference mode here"), *words.calls(event.context), (event.site, here)
        )
        advice = Advice(
            "Make the tensor under `torch.no_grad()` instead, or take a `clone()` of it outside the block", new
        )
        return self.finding(
            ctx,
            event.site,
            f"{message}: PyTorch raises here",
            event.context,
            story=steps,
            torch_error=error,
            advice=advice,
        )
