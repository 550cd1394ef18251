"""The graph's life: second backward, retained and created graphs, `.grad` of interiors, rebinding."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer


@producer("lifetime", 3)
def second_backward(w: Writer) -> None:
    """Two backwards through all or part of a graph."""
    leaf = w.leaf()
    h = w.interior(leaf)
    a, b = w.fresh("scalar"), w.fresh("scalar")
    w.emit(f"{a} = {w.scalar(h)}")
    way = w.rng.randrange(7)
    retain = w.one("", "", "retain_graph=True", "create_graph=True", "retain_graph=False")
    if way < 2:
        w.emit(f"{a}.backward({retain})", f"{a}.backward()")
    elif way < 4:
        w.emit(f"{b} = {w.scalar(h)}", f"{a}.backward({retain})", f"{b}.backward()")
    elif way == 4:
        w.emit(f"{a}.backward({retain})", f"{h} = {w.expression(leaf)}", f"{b} = {w.scalar(h)}", f"{b}.backward()")
    elif way == 5:
        w.emit(f"g, = torch.autograd.grad({a}, {w.one(leaf, h)}{', ' + retain if retain else ''})", f"{a}.backward()")
    else:
        with w.block(f"for _ in range({w.one(1, 2)}):"):
            if w.chance(0.3):
                w.emit(f"{a} = {w.scalar(h)}")
            w.emit(f"{a}.backward({retain})")


@producer("lifetime", 2)
def grad_of_interior(w: Writer) -> None:
    """`.grad` of leaves and interiors read."""
    leaf = w.leaf()
    h = w.interior(leaf)
    if w.chance(0.3):
        w.emit(w.one(f"{h}.retain_grad()", f"{h}.retain_grad()", f"{leaf}.retain_grad()", f"{h}.register_hook(lambda g: g * 2)", f"{h}.requires_grad_()"))
    w.emit(f"{w.scalar(h)}.backward()" if w.chance(0.6) else f"loss = {w.scalar(h)}\nloss.backward()")
    target = w.one(leaf, h, h, f"{h}.detach()", f"{leaf}.detach()")
    w.emit(w.one(f"print({target}.grad)", f"g = {target}.grad", f"if {target}.grad is not None:\n    print({target}.grad.norm())", f"assert {leaf}.grad is not None", f"print({target}.grad is None)", f"grads = [p.grad for p in ({leaf}, {target})]"))


@producer("lifetime", 2)
def rebound(w: Writer) -> None:
    """What looks like a leaf no longer is one."""
    leaf = w.leaf()
    change = w.one("{w} = {w} * 0.1", "{w} = {w}.exp()", "{w} = {w}.detach().clone().requires_grad_()", "{w} = {w}.to(torch.float32)", "{w} = {w}.double()", "{w} = {w} / 2", "{w} = nn.Parameter({w}.detach() * 2)", "{w}.data *= 0.1",
                   "{w} = {w}.requires_grad_()", "{w} = {w}.clone()", "with torch.no_grad():\n    {w} *= 0.1", "{w} = {w}.view(-1).view_as({w})", "{w} = {w}.cpu()")  # fmt: skip
    w.emit(change.format(w=leaf))
    out = w.interior(leaf)
    w.finish(out)
    w.emit(w.one(f"print({leaf}.grad)", f"step = {leaf}.grad", f"print({leaf}.is_leaf)", f"if {leaf}.grad is None:\n    print('no gradient')"))


@producer("lifetime")
def double_backward(w: Writer) -> None:
    """Gradients of gradients, with writes between."""
    leaf = w.leaf()
    h = w.interior(leaf)
    w.emit(f"loss = {w.scalar(h, 0.2)}", f"g, = torch.autograd.grad(loss, {leaf}, create_graph={w.one('True', 'True', 'True', 'False')})")
    if w.chance(0.6):
        w.emit(w.write(w.one(h, "g", h)))
    w.emit(w.one(f"(g ** 2).sum().backward()", "g.sum().backward()", f"(g.sum() + {leaf}.sum()).backward()", f"(g * {leaf}).sum().backward()"))  # noqa: F541


@producer("lifetime")
def partial(w: Writer) -> None:
    """Backward that stops at `inputs=` or at a detach, so that a stale save is never asked for."""
    leaf = w.leaf()
    h = w.interior(leaf)
    z = w.fresh("interior")
    w.emit(f"{z} = {w.expression(h, 0.2)}")
    w.emit(w.write(w.one(leaf + ".detach()", h + ".detach()", h)) if w.chance(0.7) else f"{h} = {h} + 1")
    other = w.leaf()
    w.emit(w.one(f"{z}.sum().backward(inputs=[{leaf}])", f"torch.autograd.grad({z}.sum(), {leaf})", f"({z}.detach().sum() + {other}.sum()).backward()", f"({z}.sum() * 0 + {other}.sum()).backward()",
                 f"{other}.sum().backward()", f"{z}.sum().backward()"))  # fmt: skip
