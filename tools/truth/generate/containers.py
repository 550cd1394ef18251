"""Tensors in lists, dicts, tuples, data classes and attributes; aliases through names."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer


def _place(w: Writer, value: str) -> str:
    """Put ``value`` into a container; return how to reach it."""
    box = w.fresh("misc")
    way = w.rng.randrange(9)
    if way == 0:
        w.emit(f"{box} = [{value}]")
        return f"{box}[{w.one('0', '-1')}]"
    if way == 1:
        w.emit(f"{box} = {{'x': {value}, 'n': 3}}")
        return f"{box}['x']"
    if way == 2:
        w.emit(f"{box} = ({value}, 1)")
        return f"{box}[0]"
    if way == 3:
        w.emit(f"{box} = []", f"{box}.append({value})")
        return f"{box}[{w.one('0', '-1')}]"
    if way == 4:
        w.emit(f"{box} = {{}}", f"{box}['h'] = {value}")
        return w.one(f"{box}['h']", f"{box}.get('h')")
    if way == 5:
        name = w.fresh("class")
        with w.definition():
            w.emit("@dataclass")
            with w.block(f"class {name}:"):
                w.emit("value: torch.Tensor", "scale: float = 1.0")
        w.emit(f"{box} = {name}({value})" if w.chance(0.5) else f"{box} = {name}(value={value}, scale=2.0)")
        return f"{box}.value"
    if way == 6:
        name = w.fresh("class")
        with w.definition(), w.block(f"class {name}:"), w.block("def __init__(self, tensor):"):
            w.emit("self.tensor = tensor")
        w.emit(f"{box} = {name}({value})")
        return f"{box}.tensor"
    if way == 7:
        w.emit(f"Pair = namedtuple('Pair', ['first', 'second'])", f"{box} = Pair({value}, 0)")  # noqa: F541
        return f"{box}.first"
    w.emit(f"{box} = [[{value}], [1, 2]]")
    return f"{box}[0][0]"


@producer("containers", 3)
def boxed(w: Writer) -> None:
    """The operand or the result is written through a container."""
    x = w.interior()
    z = w.fresh("interior")
    early = w.chance(0.4)
    path = _place(w, x) if early else ""
    w.emit(f"{z} = {w.expression(x if w.chance(0.6) or not early else path, 0.15)}")
    if not early:
        path = _place(w, w.one(x, z, x, f"{x}.clone()", f"{z} + 1"))
    write = w.write(path, rows=True)
    if w.chance(0.2):
        alias = w.fresh("view")
        w.emit(f"{alias} = {path}")
        write = w.write(alias, rows=True)
    elif w.chance(0.2):
        write = w.phrase("HARMLESS", y=path) if "." not in path and "get" not in path and "(" not in path else f"print({path})"
    if ("get(" in path or ")" in path) and any(op in write for op in (" += ", " -= ", " *= ")) and not write.startswith("F."):
        write = f"{path}.add_(1)"
    w.emit(write)
    w.finish(z)


@producer("containers", 2)
def aliases(w: Writer) -> None:
    """Several names for one tensor, some of which are rebound."""
    x = w.interior()
    a = w.fresh("view")
    z = w.fresh("interior")
    w.emit(w.one(f"{a} = {x}", f"{a} = {x}", f"{a}, _ = {x}, 1", f"{a} = _b = {x}", f"{a} = {x}.clone()", f"{a} = {x} if True else None", f"{a} = {x}.contiguous()",
                 f"{a} = {x}.view({w.shape})", f"({a} := {x})", f"{a} = {x}.to(torch.float32)", f"{a} = {x}.double()", f"{a} = {x} * 1", f"{a} = {x}.cpu()", f"{a} = [{x}][0]"))  # fmt: skip
    w.emit(f"{z} = {w.expression(w.one(x, a), 0.1)}")
    w.emit(w.write(w.one(x, a, z)) if w.chance(0.8) else w.phrase("HARMLESS", y=w.one(x, a)))
    w.finish(z)


@producer("containers")
def pyramid(w: Writer) -> None:
    """A list of feature maps, merged top down as detection necks do."""
    leaf = w.leaf()
    feats = w.fresh("interior")
    op = w.one("{l} * {k}", "torch.relu({l} - {k})", "torch.tanh({l} * {k})", "{l} + {k}", "F.relu({l} * {k}, inplace=True)", "torch.sigmoid({l}) * {k}", "({l} * {k}).exp()")
    w.emit(f"{feats} = [{', '.join(op.format(l=leaf, k=k) for k in ('1.0', '0.5', '0.2'))}]")
    with w.block(f"for i in range(len({feats}) - 1, 0, -1):"):
        up = w.one(f"{feats}[i]", f"{feats}[i] * 2", f"torch.tanh({feats}[i])", f"{feats}[i].clone()", f"{feats}[i] ** 2", f"F.relu({feats}[i])")
        w.emit(w.one(f"{feats}[i - 1] += {up}", f"{feats}[i - 1] = {feats}[i - 1] + {up}", f"{feats}[i - 1].add_({up})", f"{feats}[i - 1] *= {up}", f"{feats}[i - 1] = {feats}[i - 1].clone()\n{feats}[i - 1] += {up}"))
    if w.chance(0.3):
        w.emit(f"{feats} = [f.sum() for f in {feats}]")
    w.emit(f"sum(f.sum() for f in {feats}).backward()" if w.chance(0.7) else f"{feats}[0].sum().backward()")


@producer("containers")
def history(w: Writer) -> None:
    """A list or queue of past states while the state itself is updated in place."""
    leaf = w.leaf()
    state, log = w.fresh("interior"), w.fresh("misc")
    w.emit(f"{state} = {leaf} * 0.5", f"{log} = {w.one('[]', 'deque(maxlen=4)')}")
    with w.block(f"for t in range({w.one(2, 3)}):"):
        w.emit(w.one(f"{state} += {leaf}", f"{state} = {state} + {leaf}", f"{state} *= 0.9", f"{state}.mul_(0.5).add_({leaf})", f"{state} = torch.tanh({state})", f"{state}[t % 2] += 1", f"{state} = {state} * {leaf}"))
        w.emit(f"{log}.append({w.one('{s}', '{s}.clone()', '{s} ** 2', '{s}.exp()', '{s}.detach()', '{s} * {l}', '{s} + 0', '({s} - 1).abs()').format(s=state, l=leaf)})")
    out = w.fresh("interior")
    w.emit(f"{out} = torch.stack(list({log})).sum() + {state}.sum()")
    if w.chance(0.3):
        w.emit(f"{log}[0].{w.one('zero_', 'neg_', 'exp_')}()")
    w.emit(f"{out}.backward()")


@producer("containers")
def dict_batch(w: Writer) -> None:
    """A batch dictionary passed around and changed."""
    leaf = w.leaf()
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(batch):"):
        w.emit(w.one("batch['h'] += 1", "batch['h'] = batch['h'] + 1", "batch['h'].clamp_(min=0)", "batch['mask'][0] = 0", "h = batch['h']\nh *= 2", "batch['h'] = batch['h'].clone()\nbatch['h'][0] = 1",
                     "batch.update(h=batch['h'] * 2)", "for key in batch:\n    batch[key] *= 2", "for key, value in batch.items():\n    value.add_(1)"))  # fmt: skip
        if w.chance(0.7):
            w.emit("return batch")
    batch = w.fresh("misc")
    w.emit(f"{batch} = {{'h': {w.expression(leaf, 0.3)}, 'mask': torch.ones({w.shape})}}")
    out = w.fresh("interior")
    w.emit(f"{out} = " + w.one(f"{batch}['h'] * {batch}['mask']", f"{batch}['h'].exp()", f"{batch}['h'] + {batch}['mask']", f"{batch}['h'] ** 2", f"{batch}['h'] * {leaf}"))
    w.emit(f"{name}({batch})")
    w.finish(out)
