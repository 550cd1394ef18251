"""Writes behind autograd's back: `.data`, `.numpy()`, and their honest cousins `.detach()` and `clone()`."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer


@producer("hidden", 3)
def through_alias(w: Writer) -> None:
    """The operand or result of an op is written through `.data`, `.numpy()` or `.detach()`, before or after."""
    x = w.interior() if w.chance(0.6) else w.leaf()
    z = w.fresh("interior")
    early = w.chance(0.15)
    target = x if early or w.chance(0.6) else z
    table = w.one("HIDDEN_WRITE", "HIDDEN_WRITE", "DETACHED_WRITE", "HARMLESS")
    write = w.phrase(table, y=target)
    if early and not target.startswith(x):
        early = False
    if early and "HARMLESS" not in table:
        w.emit(write)
    w.emit(f"{z} = {w.expression(x, 0.1)}" if w.chance(0.7) else f"{z} = {w.binary(x, w.leaf())}")
    if not early:
        with w.maybe(0.15, "with torch.no_grad():"):
            w.emit(write)
    w.finish(z)


@producer("hidden", 2)
def named_alias(w: Writer) -> None:
    """The alias gets a name first."""
    x = w.interior() if w.chance(0.6) else w.leaf()
    alias = w.fresh("view")
    make = f"{alias} = " + w.one(f"{x}.data", f"{x}.detach()", f"{x}.detach().numpy()", f"{x}.detach().clone()", f"{x}.data.numpy()", f"{x}.data[0]",
                                 f"{x}.data.view(-1)", f"{x}.detach().t()", f"{x}.clone().detach()", f"{x}.detach()[1:]",
                                 f"{x}.detach().cpu().numpy().copy()", f"torch.from_numpy({x}.detach().numpy())", f"{x}.data.clone()")  # fmt: skip
    first = w.chance(0.5)
    if first:
        w.emit(make)
    z = w.fresh("interior")
    w.emit(f"{z} = {w.expression(x, 0.1)}")
    if not first:
        w.emit(make)
    if "numpy()" in make and "from_numpy" not in make:
        w.emit(w.one(f"{alias} += 1", f"{alias}[0] = 3", f"{alias} *= 2", f"{alias}.fill(0.1)", f"{alias}[:] = 0.7", f"{alias} = {alias} + 1",
                     f"print({alias}.mean())", f"np.clip({alias}, 0, 0.3, out={alias})"))  # fmt: skip
    else:
        w.emit(w.write(alias, rows=True))
    w.finish(z)


@producer("hidden")
def from_numpy(w: Writer) -> None:
    """A tensor over a numpy array that is written later."""
    array, x, z = w.fresh("const"), w.fresh("const"), w.fresh("interior")
    w.emit(f"{array} = np.random.RandomState(0).rand({w.shape}).astype(np.float32)")
    make = w.one("torch.from_numpy({a})", "torch.as_tensor({a})", "torch.tensor({a})", "torch.from_numpy({a}).clone()", "torch.from_numpy({a}.copy())", "torch.asarray({a})")
    w.emit(f"{x} = {make.format(a=array)}")
    leaf = w.leaf()
    w.emit(f"{z} = {w.binary(leaf, x)}")
    if w.chance(0.8):
        w.emit(w.one(f"{array} += 1", f"{array}[0] = 3", f"{array} *= 2", f"{array}[:] = 0.1", f"{array} = {array} * 2", f"{array}.fill(2)"))
    w.finish(z)


@producer("hidden")
def swapped(w: Writer) -> None:
    """`.data = ` on a parameter, before or after it was used."""
    x = w.leaf()
    new = w.one(f"{x}.data = torch.randn({w.shape})", f"{x}.data = {x}.data.clone()", f"{x}.data = {x}.data * 0.5", f"{x}.data.copy_({x}.data * 2)",
                f"{x}.data = {x}.data.clamp(-0.1, 0.1)", f"{x}.data.mul_(0.5)")  # fmt: skip
    first = w.chance(0.4)
    if first:
        w.emit(new)
    z = w.interior(x)
    if not first:
        w.emit(new)
    w.finish(z)


@producer("hidden", 2)
def clip_between(w: Writer) -> None:
    """Weights clipped or averaged between the use and the backward, or after it."""
    net = w.fresh("attr")
    x = w.any_const()
    deep = w.chance(0.5)
    body = f"nn.Linear({w.columns}, {w.columns})"
    w.emit(f"{net} = nn.Sequential({body}, nn.{w.one('Tanh', 'ReLU', 'Sigmoid')}(), {body})" if deep else f"{net} = {body}")
    out = w.fresh("interior")
    w.emit(f"{out} = {net}({x})")
    update = w.one("p.data.clamp_(-0.01, 0.01)", "p.data.mul_(0.9)", "p.data = p.data.clamp(-0.01, 0.01)", "p.detach().clamp_(-0.1, 0.1)", "p.data.add_(torch.randn_like(p))",
                   "p.data.copy_(torch.zeros_like(p))")  # fmt: skip
    late = w.chance(0.4)
    if late:
        w.finish(out)
    with w.block(f"for p in {net}.parameters():"):
        w.emit(update)
    if not late:
        w.finish(out)
