"""Control flow around saves and writes: constant branches, loops, comprehensions, exceptions, early exits."""

from __future__ import annotations

from tools.truth.generate.base import MODES, Writer, producer

_TRUE = ("True", "1 < 2", "len('ab') == 2", "not False", "1", "'relu' == 'relu'", "3 % 2")
_FALSE = ("False", "1 > 2", "0", "not True", "None", "len('') > 0", "'relu' == 'gelu'")


def _condition(w: Writer) -> tuple[str, bool]:
    """A condition that is constant, perhaps through a name, and its value."""
    truth = w.chance(0.5)
    text = w.pick(_TRUE if truth else _FALSE)
    if w.chance(0.5):
        name = w.one("inplace", "use_residual", "flag", "normalize_output", "DEBUG", "training", "freeze", "clip")
        if name not in w.taken:
            w.taken.add(name)
            w.emit(f"{name} = {truth}")
            text = name if w.chance(0.7) else f"{name} is {truth}"
            if text.endswith("is False") or (text.startswith(name) and " is " in text):
                return text, True
            if w.chance(0.2):
                return f"not {name}", not truth
            return text, truth
    return text, truth


@producer("control", 2)
def branch(w: Writer) -> None:
    """A write in one branch, a save perhaps in the other."""
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {w.expression(x, 0.15)}")
    condition, _ = _condition(w)
    target = w.one(x, z)
    first, second = w.write(target), w.one(w.phrase("HARMLESS", y=target), "pass", "pass", f"print({z}.shape)")
    if w.chance(0.5):
        first, second = second, first
    with w.block(f"if {condition}:"):
        w.emit(first)
    if second != "pass" or w.chance(0.3):
        with w.block("else:"):
            w.emit(second)
    w.finish(z)


@producer("control")
def branch_choice(w: Writer) -> None:
    """Which op is used depends on a constant; the write follows."""
    x = w.interior()
    z = w.fresh("interior")
    kind = w.one("'relu'", "'tanh'", "'none'", "'square'")
    name = w.fresh("misc")
    w.emit(f"{name} = {kind}")
    if w.chance(0.5):
        with w.block(f"if {name} == 'relu':"):
            w.emit(f"{z} = F.relu({x})")
        with w.block(f"elif {name} == 'tanh':"):
            w.emit(f"{z} = torch.tanh({x})")
        with w.block(f"elif {name} == 'square':"):
            w.emit(f"{z} = {x} ** 2")
        with w.block("else:"):
            w.emit(f"{z} = {x} + 1")
    elif w.chance(0.5):
        w.emit(f"table = {{'relu': torch.relu, 'tanh': torch.tanh, 'none': lambda t: t + 1, 'square': torch.square}}")  # noqa: F541
        w.emit(f"{z} = table[{name}]({x})")
    else:
        w.emit(f"{z} = {x}.exp() if {name} == 'relu' else {x} * 2")
    w.emit(w.write(w.one(x, z)))
    w.finish(z)


@producer("control", 2)
def loop_accumulate(w: Writer) -> None:
    """An accumulator or state that a loop updates in place or out of place."""
    leaf = w.leaf()
    acc = w.fresh("interior")
    w.emit(f"{acc} = " + w.one(f"torch.zeros({w.shape})", f"{leaf} * 0", f"torch.ones({w.shape})", f"{leaf}.clone()", f"{leaf} + 1"))
    step = w.one("{a} += {l} * i", "{a} += {l}", "{a} = {a} + {l}", "{a} *= {l}", "{a} = {a} * {l}", "{a} += {a} * {l}", "{a} *= 2", "{a}.add_({l}.exp())",
                 "{a} = torch.tanh({a} + {l})", "{a} += torch.tanh({a})", "{a} = {a}.sin()\n{a} += 1", "{a} = {a}.exp()\n{a}.mul_(0.5)", "{a}[0] += {l}[0]",
                 "{a}.mul_(0.9).add_({l})", "{a} = {a} + {l}\n{a} *= 0.5", "{a} += {l} ** 2", "{a} = {l} * {a}\n{a}.clamp_(max=5)",
                 "{a} = F.relu({a} - {l})\n{a} += {l}", "{a}.mul_({l})", "{a} = {a} * {c}\n{a} += {c}", "{a}.addcmul_({l}, {l})",
                 "{a} -= {a}.mean()", "{a} = F.softmax({a} + {l}, dim=-1)\n{a}[0] = 0.0", "{a} = {a}.clone()\n{a} *= {l}",
                 "{a}.div_({l}.abs() + 1)", "{a} = {a}.clone()\n{a}[0] += {l}[0]")  # fmt: skip
    text = w.fill(step, a=acc, l=leaf)
    way = w.rng.randrange(5)
    count = w.one(1, 2, 3)
    if way < 3:
        with w.block(f"for i in range({count}):"):
            w.emit(text)
    elif way == 3:
        w.emit("i = 0")
        with w.block(f"while i < {count}:"):
            w.emit(text, "i += 1")
    else:
        w.emit("i = 1")
        with w.block("while True:"):
            w.emit(text)
            with w.block(f"if i >= {count}:"):
                w.emit("break")
            w.emit("i += 1")
    w.finish(acc)


@producer("control", 2)
def loop_save(w: Writer) -> None:
    """What one round keeps, a later round writes."""
    leaf = w.leaf()
    h, outs = w.fresh("interior"), w.fresh("misc")
    w.emit(f"{h} = {w.expression(leaf, 0.6)}", f"{outs} = []")
    with w.block(f"for i in range({w.one(1, 2, 3)}):"):
        if w.chance(0.35):
            w.emit(f"{h} = {w.expression(h, 0.4)}")
        w.emit(f"{outs}.append({w.one('{h}', '{h}.exp()', '{h} * 2', '{h} ** 2', '{h}.clone()', '{h}.sin()', '{h} * {h}', '{h}.sum()', '{h}.mean()', '{h}.norm()', 'torch.sigmoid({h})').format(h=h)})")
        if w.chance(0.8):
            w.emit(w.write(h) if w.chance(0.8) else w.phrase("HARMLESS", y=h))
    loss = w.fresh("scalar")
    w.emit(w.one(f"{loss} = sum(o.sum() for o in {outs})", f"{loss} = torch.stack([o.sum() for o in {outs}]).sum()", f"{loss} = {outs}[-1].sum()",
                 f"{loss} = {outs}[0].sum() + {h}.sum()", f"{loss} = 0\nfor o in {outs}:\n    {loss} = {loss} + o.mean()",
                 f"{loss} = 0\nfor o in {outs}:\n    {loss} += o.mean()"), f"{loss}.backward()")  # fmt: skip


@producer("control")
def loop_over_list(w: Writer) -> None:
    """A loop over a list of tensors (or layers), writing to what it yields."""
    leaf = w.leaf()
    items = w.fresh("misc")
    w.emit(f"{items} = [{leaf} * k for k in (1.0, 2.0, 3.0)]" if w.chance(0.5) else f"{items} = [{w.expression(leaf, 0.2)}, {w.expression(leaf, 0.2)}]")
    outs = w.fresh("interior")
    saved = w.chance(0.5)
    if saved:
        w.emit(f"{outs} = [{w.one('t.exp()', 't ** 2', 't * 2', 't + 1', 't.sin()', 't.clone()', 't.tanh()')} for t in {items}]")
    header = w.one(f"for t in {items}:", f"for i, t in enumerate({items}):", f"for t, s in zip({items}, [1, 2, 3]):", f"for t in reversed({items}):", f"for t in {items}[1:]:")
    with w.block(header):
        w.emit(w.one("t += 1", "t.mul_(2)", "t = t + 1", "t[0] = 0.0", "t.data.zero_()", "t = t.clone()\nt += 1", "F.relu(t, inplace=True)", "t.clamp_(min=0)", "t *= t.detach()", "print(t.mean())"))
    source = outs if saved else items
    w.emit(f"sum(o.sum() for o in {source}).backward()" if w.chance(0.5) else f"torch.stack({source}).sum().backward()")


@producer("control")
def handlers(w: Writer) -> None:
    """Writes in `try`, `finally`, or after a caught error."""
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {w.expression(x, 0.15)}")
    write = w.write(w.one(x, z))
    way = w.rng.randrange(4)
    if way == 0:
        with w.block("try:"):
            w.emit(write)
        with w.block("except ValueError:"):
            w.emit("pass")
    elif way == 1:
        with w.block("try:"):
            w.emit(f"print({z}.shape)")
        with w.block("finally:"):
            w.emit(write)
    elif way == 2:
        with w.block("try:"):
            w.emit("raise KeyError('missing')")
        with w.block("except KeyError:"):
            w.emit(write)
    else:
        with w.block("try:"):
            w.emit("int('3')")
        with w.block("except ValueError:"):
            w.emit(write)
    if w.chance(0.25):
        with w.block("try:"):
            w.emit(f"{z}.sum().backward()")
        with w.block("except RuntimeError as error:"):
            w.emit("print('failed:', error)")
    else:
        w.finish(z)


@producer("control")
def nested_modes(w: Writer) -> None:
    """Grad modes in one another, as `with` of several items, or switched by calls."""
    x = w.interior()
    z = w.fresh("interior")
    way = w.rng.randrange(4)
    if way == 0:
        with w.block("with torch.no_grad():"), w.block("with torch.enable_grad():"):
            w.emit(f"{z} = {w.expression(x, 0.2)}")
        w.emit(w.write(w.one(x, z)))
    elif way == 1:
        w.emit("torch.set_grad_enabled(False)")
        if w.chance(0.5):
            w.emit(w.write(x))
        w.emit("torch.set_grad_enabled(True)", f"{z} = {w.expression(x, 0.2)}")
        if w.chance(0.6):
            w.emit(w.write(w.one(x, z)))
    elif way == 2:
        w.emit("torch.set_grad_enabled(False)", f"{z} = {w.expression(x, 0.2)}", w.write(w.one(x, z)), "torch.set_grad_enabled(True)")
        w.emit(f"{z} = {z} * {x}")
    else:
        w.emit(f"{z} = {w.expression(x, 0.2)}")
        with w.block(w.one("with torch.no_grad(), torch.enable_grad():", "with torch.enable_grad(), torch.no_grad():", "with torch.autograd.set_grad_enabled(False):",
                           "with torch.set_grad_enabled(1 > 2):", "with torch.inference_mode(False):", "with torch.inference_mode(mode=True):")):  # fmt: skip
            w.emit(w.write(w.one(x, z)))
    w.finish(z)


@producer("control")
def comprehension(w: Writer) -> None:
    """Comprehensions and lambdas that write, or only compute."""
    x = w.interior()
    rows = w.fresh("view")
    w.emit(f"{rows} = " + w.one(f"[{x}[i] for i in range({w.rows})]", f"[r for r in {x}]", f"[r * 2 for r in {x}]", f"[{x}[i].clone() for i in range(2)]",
                                f"[{x}[i].exp() for i in range(3)]", f"{{i: {x}[i] for i in range(3)}}", f"tuple({x}[i].tanh() for i in range(3))"))  # fmt: skip
    out = w.fresh("interior")
    w.emit(f"{out} = " + w.one(f"{rows}[0] * {rows}[1]", f"{rows}[0] + {rows}[1]", f"{rows}[0].exp() + {rows}[2 - 1]", f"{rows}[0] ** 2"))
    w.emit(w.one(f"{rows}[0].add_(1)", f"{rows}[1].mul_(2)", f"[{rows}[i].zero_() for i in range(2)]", f"{x} += 1", f"{x}[-1].fill_(0)", f"{out} += 1", f"{out}.exp_()",
                 f"list(map(lambda t: t.mul_(2), [{rows}[0]]))", f"print([{rows}[i].sum().item() for i in range(2)])"))  # fmt: skip
    w.emit(f"({out}.sum() + {x}.sum()).backward()")


@producer("control")
def early_return(w: Writer) -> None:
    """A function that leaves before its write, or does not."""
    name = w.fresh("function")
    flag = w.chance(0.5)
    with w.definition(), w.block(f"def {name}(x, inplace{w.one('', '=True', '=False') if w.chance(0.4) else ''}):"):
        w.emit(f"out = {w.one('x.exp()', 'torch.tanh(x)', 'x * x', 'x + 1', 'x.sin()', 'F.relu(x)')}")
        with w.block(f"if {w.one('not inplace', 'inplace', 'x is None')}:"):
            w.emit("return out")
        w.emit(w.one("out += 1", "x += 1", "out.mul_(2)", "x.zero_()", "out = out + 1", "out[0] = 0"))
        w.emit("return out")
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {name}({x}, {w.one(f'inplace={flag}', str(flag))})")
    with w.block(w.pick(MODES)) if w.chance(0.1) else w.maybe(0, ""):
        w.emit(f"print({z}.shape)")
    w.finish(z)
