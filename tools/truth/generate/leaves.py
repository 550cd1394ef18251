"""Leaves: written with grad mode on, off, through views, after a flag was changed, by `out=`."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer

_OFF = ("with torch.no_grad():", "with torch.no_grad():", "with torch.set_grad_enabled(False):", "with torch.inference_mode():")

_LEAF_WRITES = (
    "{w} += 1", "{w} -= 0.1 * {c}", "{w}.add_(10.)", "{w}[:] = 0", "{w}[...] = 1.0", "{w}.mul_(0.9)", "{w}.clamp_(-1, 1)",
    "{w}.zero_()", "{w}.fill_(0.5)", "{w}.copy_({c})", "{w}.normal_()", "{w}.uniform_(-1, 1)", "{w}.relu_()", "{w}.sub_({c})",
    "F.relu({w}, inplace=True)", "nn.ReLU(inplace=True)({w})", "{w}.unsqueeze_(0)", "{w}.t_()", "torch.relu_({w})", "{w} **= 2",
    "{w}[[0, 1]] += 1", "{w}[{w} > 0] = 0", "{w}.div_({w}.detach().norm())", "{w}.exponential_()", "{w}.masked_fill_({w} > 0, 0.)",
)  # fmt: skip

_VIEW_WRITES = (
    "{w}[0] = 0", "{w}[0] += 1", "{w}[:, 1] *= 2", "{w}.T.add_(1)", "{w}.view(-1).add_(1)", "{w}[0, 0] = 3.0", "{w}[1:].zero_()",
    "{w}.view(-1)[0] = 1.0", "{w}.t()[0] = 1", "{w}.reshape(-1).mul_(2)", "{w}[0].copy_({c}[0])", "{w}.flatten()[1] = 2", "{w}[0][1] = 5.",
    "{w}.transpose(0, 1).clamp_(min=0)", "{w}.diagonal().fill_(1.0)", "{w}.narrow(0, 0, 1).zero_()", "{w}[..., 0] -= 1",
    "{w}.squeeze()[0] = 1.", "{w}.select(0, 1).add_(2)", "{w}.unsqueeze(0).add_(1)",
)  # fmt: skip

_FINE = (
    "{w}[{w} > 0].add_(1)", "{w}.data.add_(1)", "{w}.data.fill_(10.)", "{w}.detach().fill_(10.)", "{w}.detach()[0] = 0", "{w}.data[0] = 1",
    "nn.init.zeros_({w})", "nn.init.xavier_uniform_({w})", "nn.init.normal_({w}, 0, 0.1)", "nn.init.constant_({w}, 0.3)",
    "{w}.clone().add_(1)", "{w}.data = {w}.data * 0.9", "{w}.data.clamp_(-1, 1)", "torch.nn.utils.clip_grad_norm_([{w}], 1.0)",
    "{w}.requires_grad_(True)", "{w}[[0, 1]].mul_(2)", "{w}.double().add_(1)", "({w} + 0).add_(1)", "{w}.data -= 0.1", "{w}.grad = None",
    "{w}.grad = torch.zeros_like({w})\n{w}.grad.add_(1)", "{w}.detach().numpy()[0] = 1",
)  # fmt: skip


def _use(w: Writer, leaf: str) -> None:
    out = w.interior(leaf)
    w.finish(out)


def _statement(w: Writer, leaf: str) -> str:
    table = w.one(_LEAF_WRITES, _VIEW_WRITES, _FINE)
    return w.fill(w.pick(table), w=leaf)


@producer("leaves", 3)
def write_leaf(w: Writer) -> None:
    """One write to a leaf, guarded or not, before its use."""
    leaf = w.leaf()
    statement = _statement(w, leaf)
    if w.chance(0.35):
        with w.block(w.pick(_OFF)):
            w.emit(statement)
    elif w.chance(0.15):
        with w.block("with torch.no_grad():"), w.maybe(0.5, "with torch.enable_grad():"):
            w.emit(statement)
    else:
        w.emit(statement)
    _use(w, leaf)


@producer("leaves", 2)
def write_after_use(w: Writer) -> None:
    """A leaf written, legally, between its use and the backward."""
    leaf = w.leaf()
    out = w.fresh("interior")
    w.emit(f"{out} = " + (w.expression(leaf, 0.3) if w.chance(0.5) else w.fill(w.one("{x} * {c}", "{x} @ {c}.t() @ {x}", "{c} * {x} + 1",
           "F.linear({c}, {x})", "{x} * {x}", "({x} - {c}).pow(2)"), x=leaf)))  # fmt: skip
    statement = w.fill(w.pick(w.one(_LEAF_WRITES, _VIEW_WRITES, _FINE, _FINE)), w=leaf)
    if "data" in statement or "detach" in statement or statement in _FINE or w.chance(0.1):
        w.emit(statement)
    else:
        with w.block(w.pick(_OFF[:3])):
            w.emit(statement)
    w.finish(out)


@producer("leaves", 2)
def toggles(w: Writer) -> None:
    """`requires_grad` is switched around a write."""
    leaf = w.leaf()
    out = None
    if w.chance(0.4):
        out = w.interior(leaf)
    statement = _statement(w, leaf)
    way = w.rng.randrange(6)
    if way == 0:
        w.emit(f"{leaf}.requires_grad_(False)", statement, f"{leaf}.requires_grad_(True)")
    elif way == 1:
        w.emit(f"{leaf}.requires_grad = False", statement, f"{leaf}.requires_grad = True")
    elif way == 2:
        w.emit(f"{leaf}.requires_grad_(False)", f"{leaf}.requires_grad_()", statement)
    elif way == 3:
        w.emit(f"{leaf} = {leaf}.detach()", statement, f"{leaf}.requires_grad_()")
    elif way == 4:
        w.emit(f"{leaf} = {leaf}.detach().clone()", statement, f"{leaf}.requires_grad = True")
    else:
        w.emit(f"if {leaf}.requires_grad:\n    {statement}".replace("\n{", "\n    {"))
    last = w.interior(leaf)
    w.finish(*([last] if out is None else [last, out]))


@producer("leaves")
def constants(w: Writer) -> None:
    """The same writes to a tensor that needs no grad, before or after it becomes a leaf."""
    x = w.const()
    statement = _statement(w, x).replace("\n", "; ")
    if w.chance(0.5):
        w.emit(statement, f"{x}.requires_grad_()")
    elif w.chance(0.5):
        w.emit(f"{x}.requires_grad_()", statement)
    else:
        leaf = w.leaf()
        out = w.fresh("interior")
        first = w.chance(0.5)
        if first:
            w.emit(statement)
        w.emit(f"{out} = {w.binary(leaf, x)}")
        if not first:
            w.emit(statement)
        w.finish(out)
        return
    _use(w, x)


@producer("leaves")
def outs(w: Writer) -> None:
    """`out=` into and from tensors with and without grad."""
    names = {"const": w.const(), "leaf": w.leaf(), "interior": w.interior()}
    source, target = w.one("const", "const", "leaf", "interior"), w.one("const", "const", "leaf", "interior")
    op = w.one("torch.add({s}, 1, out={t})", "torch.exp({s}, out={t})", "torch.mul({s}, 2, out={t})", "torch.sigmoid({s}, out={t})",
               "torch.matmul({s}, {s}.t(), out={t}.new_empty({r}, {r}))", "torch.clamp({s}, min=0, out={t})")  # fmt: skip
    statement = op.format(s=names[source], t=names[target], r=w.rows)
    with w.maybe(0.3, "with torch.no_grad():"):
        w.emit(statement)
    w.finish(names["interior"])


@producer("leaves")
def parameters(w: Writer) -> None:
    """A manual update over parameters of a module or a list."""
    if w.chance(0.5):
        net = w.fresh("attr")
        w.emit(f"{net} = nn.Linear({w.columns}, {w.columns})")
        group, use = f"{net}.parameters()", f"{net}({w.any_const()})"
    else:
        a, b = w.leaf(), w.leaf()
        group = w.fresh("misc")
        w.emit(f"{group} = [{a}, {b}]")
        use = f"{a} * {w.any_const()} + {b}"
    out = w.fresh("interior")
    w.emit(f"{out} = {use}")
    w.finish(out)
    update = w.one("p -= 0.1 * p.grad", "p.add_(p.grad, alpha=-0.1)", "p.data -= 0.1 * p.grad", "p.data.add_(-0.1 * p.grad)", "p.sub_(p.grad)",
                   "p.copy_(p - 0.1 * p.grad)", "p = p - 0.1 * p.grad", "p.grad.zero_()", "p.clamp_(-1, 1)", "p.data.clamp_(-0.5, 0.5)",
                   "p.mul_(0.99)", "p[0] = 0")  # fmt: skip
    guarded = w.chance(0.45)
    with w.block("with torch.no_grad():") if guarded else w.maybe(0.0, ""), w.block(f"for p in {group}:"):
        w.emit(update)
        if w.chance(0.3):
            w.emit("p.grad.zero_()" if "p = p" not in update else "pass")
    if w.chance(0.4):
        w.emit(f"{out} = {use}")
        w.finish(out)
