"""The same saves and writes through more of Python: walrus, match, generators, decorators, properties, dunders, swaps."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer

_SAVE = ("{x}.exp()", "{x} * {x}", "{x} + 1", "torch.tanh({x})", "{x}.sin()", "{x} * 2", "{x} ** 2", "F.relu({x})", "{x}.clone()", "-{x}", "{x}.sigmoid()", "{x}.abs()")


def _save(w: Writer, x: str) -> str:
    return w.pick(_SAVE).format(x=x)


@producer("syntax", 3)
def spelled(w: Writer) -> None:
    """Unusual spellings of a write."""
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {_save(w, x)}")
    y = w.one(x, z)
    w.emit(w.one(f"torch.Tensor.add_({y}, 1)", f"getattr({y}, 'add_')(1)", f"{y}.__iadd__(1)", f"{y}.__setitem__(0, 2.0)", f"torch.Tensor.mul({y}, 2)", f"getattr({y}, 'mul')(2)", f"{y} = {y}.__add__(1)",
                 f"operator.iadd({y}, 1)", f"operator.add({y}, 1)", f"torch.add({y}, 1, out={y})" if w.chance(0.2) else f"{y}.add_(other=1)", f"{y}.add_(1, alpha=2)", f"{y}[0], {y}[1] = 1.0, 2.0", f"{y}[0] = {y}[1] = 0.5",
                 f"for {y}[0] in (1.0, 2.0):\n    pass", f"_ = {y}.zero_()", f"({y}.mul_(2)).add_(1)", f"{y} = {y}.mul_(2)", f"{y} = {y}.mul(2).add_(1)", f"({y} := {y} + 1)", f"print({y}.neg_().sum().item())",
                 f"assert {y}.clamp_(0, 1) is not None", f"if {y}.mul_(2).sum() > 1e9:\n    pass", f"{y}[0:1], rest = 0.0, 1", f"{y}[:, ::2] -= 1", f"{y}[None][0] = 0", f"{y}[slice(0, 1)] = 3", f"{y}[(0, 1)] = 3", f"{y}[..., :1].fill_(0)",
                 f"{y}[-1][-1] = 9", f"print(f'{{{y}.sub_(1).mean()}}')", f"print(f'{{{y}.sub(1).mean()}}')", f"lambda: {y}.zero_()", f"(lambda t: t.zero_())({y})", f"{y}.zero_", f"{y}.zero_() if True else None", f"False and {y}.zero_()",
                 f"True and {y}.zero_()", f"[{y}.zero_() for _ in ()]", f"[{y}.zero_() for _ in (1,)]", f"any({y}.add_(1) is None for _ in range(1))", f"del {y}" if w.chance(0) else f"del {w.any_const()}"))  # fmt: skip
    if "operator." in w.lines[-1]:
        w.prelude.insert(0, "import operator")
    w.finish(z)


@producer("syntax", 2)
def rebinding(w: Writer) -> None:
    """Names are swapped, chained, deleted and bound again, so that the written tensor is another one."""
    a = w.interior()
    b = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {_save(w, a)}")
    w.emit(w.one(f"{a}, {b} = {b}, {a}", f"{a} = {b}", f"{b} = {a}", f"{a} = {b} = {a} + {b}", f"{a}, {b} = {a}, {a}", f"({a}, [{b}]) = ({b}, [{a}])", f"old = {a}\n{a} = {b}", f"{a} = {a} if 1 else {b}", f"{a} = {a} or {b}" if w.chance(0) else f"{a} = None or {b}",
                 f"{a} = ({b}, {a})[1]", f"{a} = [{a}, {b}].pop()", f"{a} = dict(a={a}, b={b})['b']", f"*_, {b} = [{b}, {a}]", f"for {b} in [{b}, {a}]:\n    pass"))  # fmt: skip
    w.emit(w.write(w.one(a, b), rows=True))
    w.finish(z)


@producer("syntax", 2)
def generators(w: Writer) -> None:
    """Generator functions and expressions that hand out tensors."""
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(x):"):
        w.emit(w.one("yield x", "yield x[0]\nyield x[1]", "for i in range(x.size(0)):\n    yield x[i]", "yield from x", "yield x.exp()", "yield x.clone()", "yield from (r * 2 for r in x)", "yield from x.split(1)"))
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {_save(w, x)}")
    with w.block(f"for t in {name}({w.one(x, z)}):"):
        w.emit(w.one("t += 1", "t.mul_(2)", "t = t + 1", "t.zero_()", "print(t.sum().item())", "t.add(1)", "t[0] = 0"))
    w.finish(z)


@producer("syntax", 2)
def user_decorator(w: Writer) -> None:
    """The program's own decorators and context managers."""
    deco, name = w.fresh("function"), w.fresh("function")
    with w.definition(), w.block(f"def {deco}(fn):"):
        if w.chance(0.5):
            w.emit("@functools.wraps(fn)")
        with w.block("def wrapper(*args, **kwargs):"):
            w.emit(w.one("return fn(*args, **kwargs)", "with torch.no_grad():\n    return fn(*args, **kwargs)", "out = fn(*args, **kwargs)\nreturn out + 1", "args[0].mul_(2)\nreturn fn(*args, **kwargs)", "return fn(args[0].clone(), **kwargs)", "out = fn(*args, **kwargs)\nout += 1\nreturn out"))
        w.emit("return wrapper")
    with w.definition():
        w.emit(f"@{deco}")
        with w.block(f"def {name}(t):"):
            w.emit(w.one("t += 1\nreturn t", "return t.exp()", "return t + 1", "return t.mul_(2)", "t = t * 2\nreturn t", "return torch.sigmoid(t)"))
    x = w.interior()
    z, y = w.fresh("interior"), w.fresh("interior")
    w.emit(f"{z} = {_save(w, x)}", f"{y} = {name}({w.one(x, z)})")
    w.finish(*w.one((z,), (z, x))) if "no_grad" in w.defs[-2] else w.finish(z, y)


@producer("syntax", 2)
def classes(w: Writer) -> None:
    """Plain classes: properties, static methods, class attributes, operators, inheritance, `__call__`."""
    name = w.fresh("class")
    with w.definition(), w.block(f"class {name}:"):
        if w.chance(0.3):
            w.emit("scale = 2.0")
        with w.block("def __init__(self, t):"):
            w.emit(w.one("self.t = t", "self.t = t", "self.t = t.clone()", "self._t = t\nself.t = self._t"))
        if w.chance(0.4):
            w.emit("@property")
            with w.block("def value(self):"):
                w.emit(w.one("return self.t", "return self.t.exp()", "return self.t * 1", "return self.t[0]"))
        else:
            w.emit("value = property(lambda self: self.t)" if w.chance(0.5) else "def value_of(self):\n    return self.t\nvalue = property(value_of)")
        with w.block(f"def {w.one('bump', 'bump')}(self):"):
            w.emit(w.one("self.t += 1", "self.t = self.t + 1", "self.t.mul_(2)", "self.t[0] = 0", "self.value.add_(1)", "return self.t.add(1)", "self.t = self.t.clone()\nself.t += 1", "t = self.t\nt *= 2"))
            w.emit(w.one("return self", "pass"))
        if w.chance(0.5):
            w.emit("@staticmethod")
            with w.block("def touch(t):"):
                w.emit(w.one("t.mul_(2)", "t = t * 2", "t += 1", "return t.exp()"))
        else:
            w.emit("@classmethod")
            with w.block("def touch(cls, t):"):
                w.emit(w.one("t.mul_(2)", "t = t * 2", "return cls(t).t.add_(1)", "return cls(t + 1)"))
    x = w.interior()
    z, box = w.fresh("interior"), w.fresh("misc")
    late = w.chance(0.3)
    if not late:
        w.emit(f"{box} = {name}({x})")
    w.emit(f"{z} = {_save(w, x)}")
    if late:
        w.emit(f"{box} = {name}({w.one(x, z)})")
    w.emit(w.one(f"{box}.bump()", f"{box}.bump()", f"{box}.touch({x})", f"{name}.touch({z})", f"{box}.value.add_(1)", f"{box}.t.zero_()", f"{box}.t = {box}.t + 1", f"{box}.t += 1", f"setattr({box}, 't', None)", f"print({box}.value.shape)"))
    w.finish(z)


@producer("syntax")
def patterns(w: Writer) -> None:
    """`match` statements, nested unpacking, starred arguments."""
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {_save(w, x)}")
    way = w.rng.randrange(3)
    if way == 0:
        w.emit(f"mode = {w.one(repr('add'), repr('none'), repr('scale'))}")
        with w.block("match mode:"):
            with w.block("case 'add':"):
                w.emit(w.write(w.one(x, z)))
            with w.block("case 'scale':"):
                w.emit(w.one(f"{x} = {x} * 2", f"{x}.mul_(2)", f"{z}.mul_(2)"))
            with w.block("case _:"):
                w.emit("pass")
    elif way == 1:
        name = w.fresh("function")
        with w.block(f"def {name}(first, *rest, scale=1, **options):"):
            w.emit(w.one("first.mul_(scale)", "for t in rest:\n    t.add_(1)", "rest[0].zero_()", "options['t'].add_(1)", "first = first + scale", "[t.add(1) for t in rest]"))
        w.emit(w.one(f"{name}({x}, {z}, t={x})", f"{name}(*[{x}.clone(), {z}], t={x}.clone())", f"{name}({z}, {x}.clone(), **{{'t': {z}}})", f"{name}({x}.clone(), {x}.clone(), t={z}, scale=2)"))
    else:
        w.emit(w.one(f"(p, (q1, r1)), s = ({x}, ({z}, 1)), 2", f"[p, q1] = {x}, {z}", f"p, *q1 = [{x}, {z}]\nq1 = q1[0]", f"p = q1 = {x}", f"p, q1 = (t.clone() for t in ({x}, {z}))", f"p, q1 = zip(*[({x}, {z})])\np, q1 = p[0], q1[0]"))
        w.emit(w.one("p += 1", "q1 *= 2", "p.zero_()", "q1[0] = 1", "p = p + 1"))
    w.finish(z)


@producer("syntax")
def nonlocal_state(w: Writer) -> None:
    """Nested functions that rebind or write to what an outer function holds."""
    outer = w.fresh("function")
    with w.definition(), w.block(f"def {outer}(x):"):
        w.emit(f"h = {_save(w, 'x')}", "total = h.detach() * 0")
        with w.block("def bump():"):
            w.emit(w.one("nonlocal h\nh += 1", "nonlocal h\nh = h + 1", "h.mul_(2)", "total.add_(1)", "nonlocal total\ntotal = total + h", "x.add_(1)", "return h + 1", "nonlocal h\nh = h.clone()\nh += 1"))
        if w.chance(0.3):
            with w.block("for _ in range(2):"):
                w.emit("bump()")
        else:
            w.emit("bump()")
        w.emit(w.one("return h", "return h", "return h + total", "return h * total"))
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {outer}({x})")
    w.finish(z)


@producer("syntax")
def custom_function(w: Writer) -> None:
    """A custom autograd Function."""
    name = w.one("Square", "MyReLU", "Scale")
    keep = w.one("x", "out", "x")
    with w.definition(), w.block(f"class {name}(torch.autograd.Function):"):
        w.emit("@staticmethod")
        with w.block("def forward(ctx, x):"):
            w.emit("out = x * x", f"ctx.save_for_backward({keep})" if w.chance(0.8) else "ctx.k = 2", "return out")
        w.emit("@staticmethod")
        with w.block("def backward(ctx, grad):"):
            w.emit("saved = ctx.saved_tensors", "return grad * (saved[0] if saved else 2)")
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {name}.apply({x})")
    w.emit(w.write(w.one(x, z)) if w.chance(0.7) else w.phrase("HARMLESS", y=w.one(x, z)))
    w.finish(z)
