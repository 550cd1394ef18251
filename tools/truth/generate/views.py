"""Views: of interiors, of constants, of pieces, made in other grad modes, expanded, and what only looks like a view."""

from __future__ import annotations

from tools.truth.generate.base import MODES, Writer, producer


@producer("views", 2)
def view_write(w: Writer) -> None:
    """A view (or a copy) of something; one of the two is written after one of the two was saved."""
    x = w.interior() if w.chance(0.7) else w.leaf()
    v = w.fresh("view")
    w.emit(f"{v} = {w.phrase('VIEW' if w.chance(0.7) else 'COPYING', x=x)}")
    z = w.fresh("interior")
    saved_view = w.chance(0.4)
    source = v if saved_view else x
    rowwise = w.one("{x}.sin()", "{x} ** 2", "{x} * {x}", "{x}.exp()", "{x} * 3", "{x}.tanh()", "{x} + 1", "torch.sigmoid({x})", "{x}.abs()",
                    "{x}.log1p()", "F.gelu({x})", "{x}.mul({x}.detach())", "F.relu({x})", "{x}.clamp(min=0)")  # fmt: skip
    w.emit(f"{z} = {w.fill(rowwise, x=source)}")
    target = w.one(v, x, x, v, z)
    with w.block(w.pick(MODES[:4])) if w.chance(0.15) else w.maybe(0, ""):
        w.emit(w.write(target, rows=True))
    w.emit(f"{w.fresh('scalar')} = {z}.sum()")
    w.emit(w.one(f"{z}.sum().backward()", f"{z}.mean().backward()", f"({z}.sum() + {x}.sum()).backward()"))


@producer("views", 2)
def pieces(w: Writer) -> None:
    """Several outputs of one op, one of which (or the base) is written."""
    x = w.interior() if w.chance(0.8) else w.leaf()
    if w.chance(0.15):
        x = w.const()
    table = "PIECES" if w.chance(0.7) else "FREE_PIECES"
    parts = w.fresh("view")
    w.emit(f"{parts} = {w.phrase(table, x=x)}")
    piece = f"{parts}[0]"
    if w.chance(0.5):
        piece = w.fresh("view")
        w.emit(f"{piece} = {parts}[0]")
    if w.chance(0.2):
        view = w.fresh("view")
        w.emit(f"{view} = {piece}[0:1]")
        piece = view
    out = w.fresh("interior")
    way = w.rng.randrange(8)
    if way < 4:
        with w.block(w.pick(MODES[:4])) if w.chance(0.15) else w.maybe(0, ""):
            w.emit(w.write(piece, rows=True))
    elif way < 5:
        w.emit(f"{x} += 1")
    elif way < 6:
        w.emit(f"{parts} = list({parts})", f"{piece} = {piece} + 1")
    else:
        w.emit(f"{parts} = [part.clone() for part in {parts}]", w.write(f"{parts}[0]", rows=True))
    w.emit(f"{out} = " + w.one(f"{piece}.sum()", f"{x}.sum()", f"({piece} * 2).sum()", f"{piece}.sum() + {x}.mean()"))
    if way < 6 or w.chance(0.5):
        leaf = w.leaf()
        w.emit(f"({out} + {leaf}.sum()).backward()")
    else:
        w.emit(f"({out} * torch.ones(1, requires_grad=True)).backward()")


@producer("views", 2)
def iterated(w: Writer) -> None:
    """Rows of a tensor in a loop, by iteration, unpacking, enumerate, zip, or index."""
    x = w.interior() if w.chance(0.85) else w.const()
    way = w.rng.randrange(7)
    write = w.one("row += 1", "row *= 2", "row.add_(1)", "row = row + 1", "row.clamp_(min=0)", "row = row * 2", "row[0] = 0.0", "row.zero_()",
                  "row = F.relu(row, inplace=True)", "row = row.clone()\nrow += 1", "print(row.sum().item())", "row.detach().add_(1)",
                  "row -= row.mean()", "row.data.mul_(2)")  # fmt: skip
    outs = w.fresh("misc")
    w.emit(f"{outs} = []")
    if way == 0:
        header = f"for row in {x}:"
    elif way == 1:
        header = f"for i, row in enumerate({x}):"
    elif way == 2:
        header = f"for row, other in zip({x}, {w.any_const()}):"
    elif way == 3:
        header = f"for row in {x}.unbind(0):"
    elif way == 4:
        header = f"for row in {x}.split(1):"
    else:
        header = f"for i in range({w.rows}):"
    with w.block(header):
        if header.startswith("for i in"):
            w.emit(w.one(f"row = {x}[i]", f"row = {x}[i]", f"row = {x}.select(0, i)", f"row = {x}[i].clone()"))
        if w.chance(0.3):
            w.emit(f"{outs}.append({w.one('row', 'row.exp()', 'row * 2', 'row ** 2')})")
            w.emit(write)
        else:
            w.emit(write, f"{outs}.append({w.one('row', 'row.exp()', 'row * 2', 'row ** 2')})")
    total = w.fresh("interior")
    w.emit(f"{total} = torch.stack([o.sum() for o in {outs}])")
    w.emit(f"({total}.sum() + {w.leaf()}.sum()).backward()")


@producer("views")
def unpacked(w: Writer) -> None:
    """A tensor taken apart by assignment."""
    x = w.interior()
    a, b = w.fresh("view"), w.fresh("view")
    w.emit(w.one(f"{a}, {b}, *rest = {x}", f"{a}, {b} = {x}[0], {x}[1]", f"{a}, {b} = {x}[:2]", f"{a}, {b} = {x}.chunk(2, dim=0)",
                 f"{a}, {b} = {x}[:2].clone()", f"{a}, {b} = torch.tensor_split({x}, 2)", f"({a}, {b}) = {x}.split([1, {w.rows} - 1])",
                 f"{a}, {b} = {x}.max(dim=1).values[:2]", f"{a}, {b} = {x}.max(dim=1)"))  # fmt: skip
    w.emit(w.one(f"{a} += 1", f"{a} = {a} + 1", f"{a}.mul_(2)", f"{a} *= {b}.float().mean().detach()", f"{a}[0] = 1", f"{x}[0] = 1.0"))
    w.emit(w.one(f"({a}.sum() + {x}.sum()).backward()", f"{a}.sum().backward()", f"({a}.exp().sum()).backward()", f"{x}.sum().backward()"))


@producer("views", 2)
def no_grad_view(w: Writer) -> None:
    """A view made in one grad mode and written in another."""
    x = w.interior() if w.chance(0.7) else w.leaf()
    v = w.fresh("view")
    mode = w.one("with torch.no_grad():", "with torch.no_grad():", "with torch.inference_mode():", "with torch.enable_grad():")
    inside = w.chance(0.25)
    with w.block(mode):
        w.emit(f"{v} = {w.phrase('VIEW' if w.chance(0.75) else 'COPYING', x=x)}")
        if inside:
            w.emit(w.write(v, rows=True))
    if not inside:
        target = v if w.chance(0.8) else x
        with w.maybe(0.2, "with torch.no_grad():"):
            w.emit(w.write(target, rows=True))
    out = w.fresh("interior")
    w.emit(f"{out} = {w.expression(x)}")
    if w.chance(0.2):
        w.emit(f"print({v}.sum())")
    w.finish(out)


@producer("views", 2)
def expanded(w: Writer) -> None:
    """Expanded memory, written in ways that torch forbids, tolerates, or that went to a copy."""
    x = w.one("const", "leaf", "interior")
    base = w.fresh("view")
    if x == "const":
        w.emit(f"{base} = torch.randn({w.rows}, 1)")
    elif x == "leaf":
        w.emit(f"{base} = torch.randn({w.rows}, 1, requires_grad=True)")
    else:
        w.emit(f"{base} = torch.randn({w.rows}, 1, requires_grad=True) * 2")
    e = w.fresh("interior")
    way = w.one(f"{base}.expand({w.rows}, {w.columns})", f"{base}.expand(-1, {w.columns})", f"{base}.expand_as({w.any_const()})",
                f"torch.broadcast_to({base}, ({w.rows}, {w.columns}))", f"{base}.expand({w.shape}).clone()", f"{base}.repeat(1, {w.columns})",
                f"{base}.expand({w.shape}).contiguous()", f"torch.broadcast_tensors({base}, {w.any_const()})[0]", f"{base} + torch.zeros({w.shape})")  # fmt: skip
    w.emit(f"{e} = {way}")
    with w.block(w.pick(MODES[:4])) if w.chance(0.2) or x == "leaf" else w.maybe(0, ""):
        w.emit(w.one(f"{e} += 1", f"{e}.mul_(2)", f"{e}.relu_()", f"{e}.clamp_(min=0)", f"{e}.copy_({w.any_const()})", f"{e}.add_({w.any_const()})",
                     f"{e}.fill_(1.0)", f"{e}.zero_()", f"{e}[0] = 0.0", f"{e}[:, 0] += 1", f"{e} *= {w.any_const()}", f"{e} = {e} + 1",
                     f"{e}.data.add_(1)", f"F.relu({e}, inplace=True)", f"{e}[0, 0] = 2.0", f"{e} = {e}.clone().add_(1)", f"{base}.add_(1)",
                     f"{e}[0].add_(1)"))  # fmt: skip
    out = w.fresh("interior")
    w.emit(f"{out} = {e} * {w.leaf()}")
    w.finish(out)


@producer("views")
def buffer(w: Writer) -> None:
    """A buffer filled by index writes, whose rows earlier steps may have kept."""
    x = w.leaf()
    w.const() if w.chance(0.3) else None
    buf = w.fresh("interior")
    w.emit(f"{buf} = torch.{w.one('zeros', 'ones', 'empty')}({w.shape})" if w.chance(0.7) else f"{buf} = {x} * 1")
    if "empty" in w.lines[-1]:
        w.emit(f"{buf}.fill_(0.2)")
    op = w.one("torch.tanh({p})", "{p}.sin()", "{p} * {x}[i]", "{p} + {x}[i]", "{p} * 0.5 + {x}[i]", "torch.sigmoid({p} + {x}[i])", "{p} ** 2", "{p}.clone() * {x}[i]",
               "{p} * {x}.detach()[i]", "torch.exp({x}[i])", "{x}[i] * 2", "{x}[i].abs() + {p}", "torch.relu({p} - {x}[i])")  # fmt: skip
    with w.block(f"for i in range(1, {w.rows}):"):
        w.emit(f"{buf}[i] = {op.format(p=f'{buf}[i - 1]', x=x)}")
    if w.chance(0.2):
        w.emit(f"{buf} = {buf}.exp()")
    w.finish(buf)


@producer("views")
def shared_base(w: Writer) -> None:
    """Disjoint slices of one storage: the counter is shared all the same."""
    x = w.interior()
    a, b = w.fresh("view"), w.fresh("view")
    copy = w.one("", "", "", ".clone()")
    w.emit(f"{a} = {x}[0]{copy}", f"{b} = {x}[1]")
    z = w.fresh("interior")
    w.emit(f"{z} = " + w.one(f"{a} * {a}", f"{a}.sin()", f"{a} * 2", f"{a}.exp()", f"{a} + 1", f"{a} * {b}", f"{a}.tanh()", f"{a} ** 2"))
    w.emit(w.one(f"{b} += 1", f"{x}[1] = 0.0", f"{b}.zero_()", f"{x}[1:] *= 2", f"{b} = {b} * 2", f"{b}.mul_(3)", f"{x}[-1].neg_()"))
    w.emit(w.one(f"({z}.sum() + {b}.sum()).backward()", f"{z}.sum().backward()", f"({z}.mean() + {x}.mean()).backward()"))


@producer("views")
def metadata(w: Writer) -> None:
    """In-place changes of shape, which count as writes, and overlapping writes."""
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {w.expression(x, 0.2)}")
    y = w.one(x, z)
    w.emit(w.one(f"{y}.unsqueeze_(0)", f"{y}.t_()", f"{y}.squeeze_()", f"{y}.transpose_(0, 1)", f"{y} = {y}.t()", f"{y} = {y}.unsqueeze(0)",
                 f"{y}.swapaxes_(0, 1)", f"{y}[1:] += {y}[:-1]", f"{y}[1:] += {y}[:-1].clone()", f"{y}[:, 1:] = {y}[:, :-1].clone()",
                 f"{y}.detach_()", f"{y}[0].detach_()"))  # fmt: skip
    w.emit(f"({z}.sum() + torch.ones(1, requires_grad=True).sum()).backward()")
