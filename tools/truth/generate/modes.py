"""Inference tensors, decorated functions and constants computed without grad."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer


@producer("modes", 2)
def inference_tensor(w: Writer) -> None:
    """A tensor made in inference mode (or merely in no_grad), then written or used outside."""
    x = w.make(w.one("const", "leaf", "interior"))
    t = w.fresh("interior")
    with w.block(w.one("with torch.inference_mode():", "with torch.inference_mode():", "with torch.no_grad():", "with torch.inference_mode(False):")):
        w.emit(f"{t} = {w.expression(x)}")
        if w.chance(0.2):
            w.emit(w.write(t))
    way = w.rng.randrange(7)
    leaf = w.leaf()
    out = w.fresh("interior")
    if way == 0:
        w.emit(w.write(t), f"{out} = {leaf} * 2")
    elif way == 1:
        w.emit(f"{t} = {t}.clone()", w.write(t), f"{out} = {leaf} * {t}")
    elif way == 2:
        w.emit(f"{out} = {w.binary(leaf, t)}")
    elif way == 3:
        w.emit(f"{out} = {leaf} + {t}")
    elif way == 4:
        with w.block("with torch.inference_mode():"):
            w.emit(w.write(t))
        w.emit(f"{out} = {leaf} + {t}")
    elif way == 5:
        w.emit(f"{t} = {t} + 1", w.write(t), f"{out} = {leaf} + 1")
    else:
        w.emit(f"{out} = {leaf} * {t}.clone()")
    w.finish(out)


@producer("modes", 2)
def decorated(w: Writer) -> None:
    """A function under a grad-mode decorator that updates or computes."""
    name = w.fresh("function")
    decorator = w.one("@torch.no_grad()", "@torch.no_grad()", "@torch.no_grad", "@torch.inference_mode()", "@torch.enable_grad()", "@torch.set_grad_enabled(False)", "")
    with w.definition():
        if decorator:
            w.emit(decorator)
        with w.block(f"def {name}(p):"):
            w.emit(w.one("p.add_(1)", "p += 1", "p[0] = 0", "p.mul_(0.9)", "p.copy_(torch.zeros_like(p))", "p = p * 2", "p.clamp_(-1, 1)"))
            w.emit("return p")
    leaf = w.leaf()
    target = leaf
    out = w.fresh("interior")
    if w.chance(0.5):
        w.emit(f"{name}({target})", f"{out} = {w.expression(leaf, 0.3)}")
    else:
        if w.chance(0.5):
            target = w.interior(leaf)
        w.emit(f"{out} = {w.expression(target, 0.3)}", f"{name}({target})")
    w.finish(out)


@producer("modes")
def computed_without_grad(w: Writer) -> None:
    """What no_grad computes is a constant, to be written as one likes; what a graph saved of it is not."""
    x = w.interior()
    t = w.fresh("interior")
    with w.block(w.one("with torch.no_grad():", "with torch.no_grad():", "with torch.set_grad_enabled(False):", "if True:")):
        w.emit(f"{t} = {w.expression(x, 0.2)}")
    out = w.fresh("interior")
    steps = [w.write(t), f"{out} = {w.binary(x, t)}"]
    w.rng.shuffle(steps)
    if w.chance(0.3):
        steps.insert(1, w.write(t))
    w.emit(*steps)
    if not any(step.startswith(f"{out} =") for step in steps):
        w.emit(f"{out} = {x} * 2")
    w.finish(out)


@producer("modes")
def detached(w: Writer) -> None:
    """`detach()` cuts the graph and shares memory and counter."""
    x = w.interior()
    d = w.fresh("view")
    z = w.fresh("interior")
    make = f"{d} = " + w.one(f"{x}.detach()", f"{x}.detach()", f"{x}.detach().clone()", f"{x}.clone().detach()", f"{x}.detach().requires_grad_()", f"torch.tensor({x}.tolist())", f"{x}.detach() * 1")
    lines = [make, f"{z} = {w.expression(x, 0.1)}"]
    if w.chance(0.5):
        lines.reverse()
    w.emit(*lines)
    w.emit(w.write(d) if "requires_grad_" not in make or w.chance(0.2) else f"{d} = {d} * 2\n{d} += 1")
    w.finish(z)
