"""Straight-line programs: save, write, go backward, in every order and under every grad mode."""

from __future__ import annotations

from tools.truth.generate.base import MODES, Writer, producer


def _maybe_mode(w: Writer, statement: str, probability: float = 0.2) -> None:
    if w.chance(probability):
        with w.block(w.pick(MODES)):
            w.emit(statement)
    else:
        w.emit(statement)


@producer("straight", 3)
def save_and_write(w: Writer) -> None:
    """A tensor, an op on it, a write to the operand or the result, and the backward: in some order."""
    x = w.interior()
    z = w.fresh("interior")
    before = w.chance(0.15)
    target = x if before or w.chance(0.5) else z
    write = w.write(target) if w.chance(0.85) else w.phrase("HARMLESS", y=target)
    if before:
        _maybe_mode(w, write, 0.1)
    w.emit(f"{z} = {w.expression(x, 0.1)}")
    late = w.chance(0.12)
    if not before and not late:
        if w.chance(0.3):
            w.aside(x)
        _maybe_mode(w, write)
    w.finish(*([z] if w.chance(0.8) else [z, x]))
    if late:
        with w.maybe(0.5, "with torch.no_grad():"):
            w.emit(write)


@producer("straight", 2)
def two_operands(w: Writer) -> None:
    """A binary op; one operand may be a constant or a leaf, and one of the three tensors is written."""
    x = w.interior()
    other = w.one("const", "leaf", "interior")
    z = w.make(other)
    r = w.fresh("interior")
    w.emit(f"{r} = {w.binary(x, z)}" if w.chance(0.7) else f"{r} = {w.binary(z, x)}")
    target = w.one(x, z, r)
    _maybe_mode(w, w.write(target) if w.chance(0.9) else w.phrase("HARMLESS", y=target), 0.25 if target != z else 0.5)
    w.finish(r)


@producer("straight", 3)
def soup(w: Writer) -> None:
    """Several tensors, several ops and writes, any order."""
    pool = [w.leaf()]
    leaves = list(pool)
    if w.chance(0.5):
        pool.append(w.const())
    inner: list[str] = []
    for _ in range(w.rng.randrange(3, 9)):
        kind = w.rng.random()
        if kind < 0.5 or not inner:
            source = w.pick(inner[-2:] + leaves) if inner else w.pick(leaves)
            name = w.fresh("interior")
            if w.chance(0.3):
                w.emit(f"{name} = {w.binary(source, w.pick(pool + inner))}")
            else:
                w.emit(f"{name} = {w.expression(source, 0.5)}")
            inner.append(name)
        elif kind < 0.62:
            y = w.pick(inner)
            if w.chance(0.6):
                w.emit(w.phrase("HARMLESS", y=y))
            else:
                w.aside(y)
        elif kind < 0.8:
            _maybe_mode(w, w.write(w.pick(inner)), 0.1)
        else:
            y, old = w.pick(inner), w.pick(inner)
            alias = w.fresh("interior")
            w.emit(f"{alias} = {old}" if w.chance(0.5) else f"{alias} = {w.expression(y)}")
            inner.append(alias)
    w.finish(*dict.fromkeys([inner[-1], *w.rng.sample(inner, min(len(inner), w.one(1, 2, 3)))]))


@producer("straight")
def reductions(w: Writer) -> None:
    """Normalisation by a reduction that keeps its dimension, written out of place or in place."""
    x = w.interior()
    r = w.fresh("interior")
    w.emit(f"{r} = {w.phrase('KEEPDIM', x=x)}")
    way = w.rng.randrange(6)
    if way < 2:
        op = w.one("-=", "/=", "*=", "+=")
        w.emit(f"{x} {op} {r}")
        w.finish(x)
    elif way < 4:
        out = w.fresh("interior")
        w.emit(f"{out} = {x} {w.one('-', '*', '/', '+')} {r}")
        w.emit(w.one(f"{out} += 1", f"{r} += 1", f"{r}.clamp_(min=0.1)", f"{out} /= 2", f"{r}.mul_(2)", f"{out}.exp_()"))
        w.finish(out)
    elif way == 4:
        w.emit(f"{r} = {r} + 1", w.one(f"{r}.clamp_(min=1e-3)", f"{r} += 1e-6", f"{r}.sqrt_()", f"{r}.add_(2).pow_(2)"))
        out = w.fresh("interior")
        w.emit(f"{out} = {x} / {r}")
        w.finish(out)
    else:
        w.emit(w.one(f"{x} -= {x}.mean()", f"{x} /= {x}.sum()", f"{x} /= {x}.norm()", f"{x} *= {x}", f"{x} += {x}",
                     f"{x} **= 2", f"{x} -= {x}.max()", f"{x}.div_({x}.sum() + 1)", f"{x}.mul_({x}.detach())",
                     f"{x}.sub_({x}.mean(dim=1, keepdim=True))", f"{x} /= {x}.sum(dim=-1, keepdim=True)"))  # fmt: skip
        w.finish(x)


@producer("straight")
def masks(w: Writer) -> None:
    """Masks and indices: themselves saved, or used to write."""
    x = w.interior()
    m, out = w.fresh("misc"), w.fresh("interior")
    way = w.rng.randrange(5)
    if way == 0:
        w.emit(f"{m} = {x}.detach() > 0")
        w.emit(f"{out} = " + w.one(f"{x}.masked_fill({m}, 0.0)", f"torch.where({m}, {x}, torch.zeros_like({x}))",
                                   f"{x} * {m}.float()", f"{x} * {m}"))  # fmt: skip
        w.emit(w.one(f"{m}[0] = True", f"{m}.logical_not_()", f"{m} |= True", f"{m} = ~{m}", f"{m} = {m}.clone()\n{m}[0] = False"))
    elif way == 1:
        w.emit(f"{m} = torch.tensor([0, 1])")
        w.emit(f"{out} = " + w.one(f"{x}[{m}]", f"{x}.index_select(0, {m})", f"torch.embedding({x}, {m})", f"F.embedding({m}, {x})"))
        w.emit(w.one(f"{m} += 1", f"{m}[0] = 1", f"{m} = {m} + 1", f"{m}.zero_()", f"print({m}.sum())"))
    elif way == 2:
        w.emit(f"{m} = torch.zeros({w.rows}, dtype=torch.long)")
        w.emit(f"{out} = F.{w.one('cross_entropy', 'nll_loss')}({x}, {m})")
        w.emit(w.one(f"{m}[0] = 1", f"{m} += 1", f"{m} = {m} + 1", f"{out} *= 2", f"{m}.clone().fill_(1)"))
        w.emit(f"{out}.backward()")
        return
    elif way == 3:
        w.emit(f"{out} = {w.expression(x)}")
        w.emit(w.one(f"{out}[{out} > 0] = 0", f"{out}[{out}.isnan()] = 0", f"{out}[{x} > 0] *= 2", f"{x}[{out} > 0] = 0",
                     f"{out} = {out}.masked_fill({out} > 1, 1.0)", f"{out}.masked_fill_({x} < 0, float('-1'))"))  # fmt: skip
    else:
        w.emit(f"{m} = torch.ones({w.shape})", f"{m}[0] = 0", f"{out} = {x} * {m}")
        w.emit(w.one(f"{m}[1] = 0", f"{m} = {m} * 0", f"{out} += 1", f"{out} = {out}.exp()\n{m}.zero_()", f"{x}.add_(1)"))
    w.finish(out)


@producer("straight")
def activations(w: Writer) -> None:
    """A chain of activations, functional or modules, one of which may be in place."""
    h = w.interior()
    calls = ["F.relu({h})", "F.relu({h}, inplace=True)", "nn.ReLU(inplace=True)({h})", "nn.Sigmoid()({h})", "F.elu({h}, inplace=True)",
             "nn.Tanh()({h})", "F.leaky_relu({h}, inplace=True)", "F.dropout({h}, 0.3)", "nn.Dropout(0.2, inplace=True)({h})",
             "nn.Hardtanh(inplace=True)({h})", "F.silu({h}, inplace=True)", "torch.relu_({h})", "F.gelu({h})", "nn.Identity()({h})",
             "nn.Softmax(dim=-1)({h})", "nn.ReLU6(inplace=True)({h})", "F.threshold({h}, 0.1, 0.0, inplace=True)", "nn.ELU()({h})",
             "nn.SiLU(inplace=True)({h})", "nn.Softplus()({h})", "F.hardswish({h}, inplace=True)", "F.mish({h}, inplace=True)"]  # fmt: skip
    for _ in range(w.rng.randrange(2, 5)):
        call = w.pick(calls).format(h=h)
        if w.chance(0.25):
            name = w.fresh("interior")
            w.emit(f"{name} = {call}")
            if w.chance(0.5):
                h = name
        elif w.chance(0.15):
            w.emit(call)
        else:
            w.emit(f"{h} = {call}")
    if w.chance(0.3):
        w.emit(w.write(h))
    w.finish(h)
