"""IPL5xx: the graph's lifetime, from a backward through a freed graph to a leaf that is lost."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics import Diagnostic, Edit, Severity
from ..events import Event, InteriorGradRead, ParameterRebound, SecondBackward
from . import order, rewrite, torch_text, words
from .base import Advice, Rewrite, Rule, RuleContext
from .dataflow import binds, flat, simple


def without_consequences(events: Iterable[Event], ctx: RuleContext) -> list[Event]:
    """The events but for reads of a ``.grad`` that is None because the tensor was rebound: that is told already."""
    events = list(events)
    rebound = {ctx.statement_span(event.site) for event in events if isinstance(event, ParameterRebound)}
    return [
        event
        for event in events
        if not isinstance(event, InteriorGradRead)
        or event.made_site is None
        or ctx.statement_span(event.made_site) not in rebound
    ]


class SecondBackwardThroughGraph(Rule):
    """Backward runs a second time through a graph that the first backward freed.

    ## What it finds
    Two backward calls that share a part of the graph, without `retain_graph=True` (or `create_graph=True`) at the
    first: the same loss twice, two losses over one forward pass, or a hidden state carried from one iteration of a
    training loop to the next.

    ## Why it matters
    Backward frees what the operations saved as it goes. A second pass finds it gone and raises.

    ## What PyTorch says
    ```text
    RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have
    already been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad().
    Specify retain_graph=True if you need to backward through the graph a second time or if you need to access saved
    tensors after calling backward.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    loss.backward()  # IPL501
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    ```

    ## How to fix it
    - Two losses over one forward pass: add them and call `backward()` once.
    - A state carried over from the last iteration: `state = state.detach()` before the next one.
    - Otherwise `retain_graph=True` at the first backward. It costs memory, and does not help when a `step()` in between
      has changed the parameters.

    ## How far the fix may be applied
    It is only shown: recomputing, or one backward of the sum, is often what is meant. Where a loop takes over a state from its
    last round, the state is detached behind the backward; what was computed before the loop is computed in each round where
    the parameters change in between, and keeps its graph where they do not.
    """

    code = "IPL501"
    name = "second-backward"
    outcome = "raises"
    handles = (SecondBackward,)
    url = "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, SecondBackward):
            return None
        doing = f"`{ctx.snippet(event.site) or 'backward()'}`"
        shared = ""
        if event.shared_site is not None:
            shared = f" ({words.named(event.shared_op)}, line {ctx.row(event.shared_site)})"
        first = "the round before" if event.site == event.first_site else f"line {ctx.row(event.first_site)}"
        message = (
            f"{doing} goes through a graph{shared} that the backward of {first} has already freed: PyTorch raises here"
        )
        later = ", in a later round of the loop" if event.in_loop else ""
        steps = words.story(
            ctx,
            (event.shared_site, "this part of the graph is in both"),
            (event.first_site, "the first backward frees it here"),
            *words.calls(event.context),
            (event.site, f"the second backward needs it here, and raises{later}"),
        )
        return self.finding(
            ctx,
            event.site,
            message,
            event.context,
            story=steps,
            torch_error=torch_text.SECOND_BACKWARD,
            advice=order.second_backward(ctx, event),
        )


class InteriorGradIsNone(Rule):
    """The `.grad` of a tensor that is no leaf is read, which is None.

    ## What it finds
    Reads of `.grad` on a tensor that a recorded operation made, without `retain_grad()` on it before the backward.

    ## Why it matters
    Backward keeps gradients in leaves alone. For any other tensor `.grad` is None, and PyTorch only warns. A
    common form is `w = torch.randn(3, requires_grad=True).to(device)`: the leaf is the tensor before `.to`.
    This is a warning and no error, since reading None does no harm by itself; what follows usually does.

    ## What PyTorch says
    ```text
    UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't
    be populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor,
    use .retain_grad() on the non-leaf Tensor.
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    h = w * 2
    h.sum().backward()
    print(h.grad)  # IPL502
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    h = w * 2
    h.retain_grad()
    h.sum().backward()
    print(h.grad)
    ```

    ## How to fix it
    - Call `h.retain_grad()` right after `h` is made, or use `h.register_hook`.
    - Or read the leaf's `.grad`. To make a leaf on a device: `torch.randn(3, device=device, requires_grad=True)`.

    ## How far the fix may be applied
    `retain_grad()` is only shown: where the tensor was meant to be a leaf, making it one is right.
    """

    code = "IPL502"
    name = "interior-grad-read"
    outcome = "warns"
    handles = (InteriorGradRead,)
    severity = Severity.WARNING
    url = "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, InteriorGradRead):
            return None
        read = ctx.snippet(event.site) or ".grad"
        maker = f"made by {words.named(event.made_by)}{words.line(ctx, event.made_site, event.site)}"
        message = f"`{read}` is None: its tensor, {maker}, is no leaf, and backward keeps gradients in leaves alone"
        steps = words.story(
            ctx,
            (event.made_site, "the tensor is made here, by a recorded operation"),
            *words.calls(event.context),
            (event.site, "its `.grad` is read here: None"),
        )
        return self.finding(
            ctx,
            event.site,
            message,
            event.context,
            story=steps,
            torch_error=torch_text.INTERIOR_GRAD,
            advice=_retained(ctx, event, read),
        )


def _retained(ctx: RuleContext, event: InteriorGradRead, read: str) -> Advice:
    """The tensor asked to keep its gradient, behind the statement that makes it."""
    message = "Ask for it before the backward, right after the tensor is made"
    owner = read.removesuffix(".grad")
    if owner == read or not owner.replace(".", "").isidentifier():
        return Advice(message)
    code = Rewrite(f"{owner}.retain_grad()")
    layout, reading = ctx.layout(event.site), ctx.spot(event.site)
    if layout is None or reading is None:
        return Advice(message, code)
    before = [
        node
        for node in flat(layout.function(reading).body)
        if node.lineno < reading.node.lineno and owner in binds(node)
    ]
    if not before or not simple(before[-1]) or not layout.is_whole(before[-1]):
        return Advice(message, code)
    behind = Edit(f"\n{layout.indent(before[-1])}{code.code}", layout.behind(before[-1]))
    return Advice(message, code, "display-only", (behind,))


class ParameterReboundToInterior(Rule):
    """A parameter's name is bound, in its own update, to a tensor that is no leaf.

    ## What it finds
    Hand-written updates such as `w = w - lr * w.grad` in grad mode.

    ## Why it matters
    The right side is a recorded operation, so the new `w` is its result and no leaf: its `.grad` stays None. The
    next iteration fails on that None, or trains nothing, and the graph grows over all iterations.

    ## What PyTorch says
    In the next iteration, at `lr * w.grad`:
    ```text
    TypeError: unsupported operand type(s) for *: 'float' and 'NoneType'
    ```

    ## Example
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    for _ in range(2):
        (w * w).sum().backward()
        w = w - 0.1 * w.grad  # IPL503
    ```

    Use instead:
    ```python
    import torch

    w = torch.ones(3, requires_grad=True)
    for _ in range(2):
        (w * w).sum().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad = None
    ```

    ## How to fix it
    Update the leaf itself, in place and unrecorded: `with torch.no_grad(): w -= lr * w.grad`, then reset `w.grad`. Or
    leave it to an optimizer of `torch.optim`.

    ## How far the fix may be applied
    It is *unsafe*: the leaf itself changes, for everybody who holds it, where before a new tensor was bound to the name; and
    its gradient adds up from then on, unless it is reset.
    """

    code = "IPL503"
    name = "parameter-rebound"
    outcome = "raises"
    handles = (ParameterRebound,)
    url = "https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_leaf.html"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, ParameterRebound):
            return None
        message = (
            f"`{event.name}` is bound to a new tensor that is no leaf: backward no longer fills its `.grad`, "
            "which is None from here on"
        )
        steps = words.story(
            ctx,
            (event.leaf_site, "the leaf is made here"),
            *words.calls(event.context),
            (event.site, f"`{event.name}` stops being the leaf here"),
        )
        advice = Advice("Update the leaf in place, under `torch.no_grad()`", rewrite.update_in_place(ctx, event.site))
        return self.finding(ctx, event.site, message, event.context, story=steps, advice=advice)
