"""Helper functions: that write to arguments, return aliases, keep arguments for backward; closures, recursion, globals."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer

_BODY_WRITES = ("{p} += 1", "{p}.mul_(2)", "{p}[0] = 0.0", "{p} = {p} + 1", "{p} = {p} * 2", "{p}.clamp_(min=0)", "F.relu({p}, inplace=True)", "{p} *= 0.5",
                "{p} = F.relu({p})", "{p}.data.add_(1)", "{p} = {p}.clone()\n{p} += 1", "{p} -= {p}.mean()", "{p}.detach().add_(1)", "torch.sigmoid_({p})",
                "{p}[:, 0] *= 3", "{p}.add(1)", "{p} = {p}.clamp(0, 1)", "{p}.view(-1)[0] = 1", "with torch.no_grad():\n    {p}.add_(1)", "{p}.zero_()")  # fmt: skip

_RETURNS = ("{p}", "{p}", "{p} * 2", "{p}.exp()", "{p}.view(-1).view_as({p})", "{p}.clone()", "{p}.sum(dim=-1, keepdim=True) + {p}", "torch.tanh({p})", "{p} ** 2", "F.relu({p})", "{p}.T.T")


def _decorate(w: Writer) -> None:
    if w.chance(0.15):
        w.emit(w.one("@torch.no_grad()", "@torch.no_grad()", "@torch.enable_grad()", "@torch.inference_mode()", "@torch.set_grad_enabled(False)"))


def _signature(w: Writer, name: str, parameter: str) -> str:
    typed = w.chance(0.25)
    hint, result = (": torch.Tensor", " -> torch.Tensor") if typed else ("", "")
    more = w.one("", "", "", ", scale=1.0", ", *args", ", **kwargs", ", eps: float = 1e-6")
    return f"def {name}({parameter}{hint}{more}){result}:"


@producer("functions", 3)
def helper(w: Writer) -> None:
    """A helper that may write to its argument, called before or after the argument was used."""
    name = w.fresh("function")
    p = w.one("x", "t", "tensor", "inp", "arr")
    with w.definition():
        _decorate(w)
        with w.block(_signature(w, name, p)):
            if w.chance(0.2):
                w.emit('"""Adjust a tensor."""')
            w.emit(w.pick(_BODY_WRITES).format(p=p))
            w.emit(f"return {w.pick(_RETURNS).format(p=p)}")
    x = w.interior()
    z, y = w.fresh("interior"), w.fresh("interior")
    way = w.rng.randrange(4)
    if way == 0:
        w.emit(f"{z} = {w.expression(x, 0.1)}", f"{name}({w.one(x, z)})")
        w.finish(z)
    elif way == 1:
        w.emit(f"{z} = {w.expression(x, 0.1)}", f"{y} = {name}({w.one(x, z)})")
        w.finish(*w.one((z,), (y,), (z, y)))
    elif way == 2:
        w.emit(f"{z} = {name}({x})")
        w.emit(w.write(w.one(x, z)) if w.chance(0.5) else f"print({z}.shape)")
        w.finish(z)
    else:
        w.emit(f"{z} = {name}({w.expression(x, 0.2)})", f"{y} = {name}({z})")
        w.finish(*w.one((z,), (y,), (z, y)))


@producer("functions", 2)
def alias_return(w: Writer) -> None:
    """A helper returns its argument, a view of it, or something fresh; the caller writes to what came back."""
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(x, flag=True):"):
        w.emit(w.one("return x", "return x[0:2]", "return x.view(-1)", "return x.clone()", "return x + 0", "return x if flag else x.clone()", "y = x\nreturn y", "return (x, 1)[0]",
                     "return x.detach()", "return x.data", "if flag:\n    return x.T\nreturn x", "return x.chunk(2)[0]", "return {'x': x}['x']", "return x.contiguous()", "return x.exp()"))  # fmt: skip
    x = w.interior()
    z, y = w.fresh("interior"), w.fresh("view")
    first = w.chance(0.5)
    call = f"{y} = {name}({x}{w.one('', ', False', ', flag=True')})"
    if first:
        w.emit(call)
    w.emit(f"{z} = {w.expression(x, 0.1)}")
    if not first:
        w.emit(call)
    w.emit(w.write(y, rows=True) if w.chance(0.85) else f"{y} = {y} + 1")
    w.finish(z)


@producer("functions", 2)
def saver(w: Writer) -> None:
    """A helper whose op keeps its argument or its result; the caller writes."""
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(x, w=None):"):
        w.emit(f"h = {w.expression('x', 0.2)}")
        if w.chance(0.4):
            w.emit(f"h = {w.expression('h', 0.2)}")
        w.emit("return h" if w.chance(0.7) else "return h, x")
    several = "return h, x" in w.defs[-1]
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z}, _ = {name}({x})" if several else f"{z} = {name}({x})")
    w.emit(w.write(w.one(x, z)) if w.chance(0.8) else w.phrase("HARMLESS", y=w.one(x, z)))
    w.finish(z)


@producer("functions")
def closure(w: Writer) -> None:
    """Closures, lambdas and partials that write to what they captured or were given."""
    x = w.interior()
    z = w.fresh("interior")
    f = w.fresh("function")
    way = w.rng.randrange(6)
    w.emit(f"{z} = {w.expression(x, 0.1)}")
    target = w.one(x, z)
    if way == 0:
        w.emit(f"{f} = lambda t: {w.one('t.add_(1)', 't.mul_(2)', 't + 1', 't.clamp_(min=0)', 'torch.relu_(t)', 't.clone().add_(1)', 'F.relu(t, inplace=True)', 't.exp()')}", f"{f}({target})")
    elif way == 1:
        with w.block(f"def {f}():"):
            w.emit(w.one(f"{target}.add_(1)", f"{target}[0] = 1", f"return {target} + 1", f"{target}.data.add_(1)", f"{target}.clone().zero_()"))
        w.emit(f"{f}()")
    elif way == 2:
        with w.block(f"def {f}(scale):"):
            with w.block("def inner(t):"):
                w.emit(w.one("t.mul_(scale)", "t *= scale", "return t * scale", "t.add_(scale)", "t = t * scale"))
                w.emit("return t")
            w.emit("return inner")
        w.emit(f"{f}(2.0)({target})")
    elif way == 3:
        w.emit(f"{f} = functools.partial(F.{w.one('relu', 'leaky_relu', 'elu', 'silu', 'hardtanh')}, inplace={w.one('True', 'False', 'True')})", f"{f}({target})")
    elif way == 4:
        w.emit(f"{f} = {target}.{w.one('add_', 'mul_', 'add', 'clamp_', 'mul', 'sub_')}", f"{f}(2)")
    else:
        w.emit(f"list(map({w.one('torch.relu_', 'torch.relu', 'F.relu_', 'torch.exp', 'torch.neg_', 'torch.sigmoid_')}, [{target}]))")
    w.finish(z)


@producer("functions")
def recursion(w: Writer) -> None:
    """A function that calls itself."""
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(h, depth):"):
        with w.block("if depth == 0:"):
            w.emit("return h")
        first = f"h = {w.expression('h', 0.3)}" if w.chance(0.6) else "pass"
        write = w.one("h += 1", "h.mul_(0.5)", "h = h + 1", "h[0] = 0.0", "h = F.relu(h, inplace=True)", "h *= 2", "h = h * 2")
        w.emit(*((first, write) if w.chance(0.6) else (write, first)))
        w.emit(f"return {name}(h, depth - 1)")
    x = w.interior()
    z = w.fresh("interior")
    w.emit(f"{z} = {name}({x}, {w.one(1, 2, 3)})")
    w.finish(z)


@producer("functions")
def global_state(w: Writer) -> None:
    """Module-level tensors that functions read, keep and write."""
    w.layout.wrap = False
    name, f, g = w.one("STATE", "BUFFER", "CACHE", "weights"), w.fresh("function"), w.fresh("function")
    boxed = w.chance(0.3)
    ref = f"{name}['h']" if boxed else name
    with w.definition():
        w.emit(f"{name} = {{'h': torch.ones({w.shape})}}" if boxed else f"{name} = torch.ones({w.shape}{w.one('', '', ', requires_grad=True')})")
    leafy = "requires_grad" in w.defs[-1]
    with w.definition(), w.block(f"def {f}(x):"):
        w.emit(f"return {w.one('x * {r}', 'x + {r}', '(x * {r}).exp()', 'x * {r} + 1', 'x - {r}', 'torch.maximum(x, {r})').format(r=ref)}")
    with w.definition():
        if leafy and w.chance(0.7):
            w.emit("@torch.no_grad()")
        with w.block(f"def {g}():"):
            if not boxed:
                w.emit(f"global {name}")
            w.emit(w.one("{r}.mul_(0.9)", "{r} += 1", "{r} = {r} * 0.9", "{r}.zero_()", "{r}.data.add_(1)", "{r}[0] = 3", "print({r}.sum())", "{r} = {r} + 1").format(r=ref))
    leaf = w.leaf()
    out = w.fresh("interior")
    w.emit(f"{out} = {f}({leaf} * 2)", f"{g}()")
    if w.chance(0.3):
        w.emit(f"{out} = {out} + {f}({leaf})")
    w.finish(out)


@producer("functions")
def defaults(w: Writer) -> None:
    """An `inplace` argument with a default, passed or not, through one or two levels."""
    inner, outer = w.fresh("function"), w.fresh("function")
    default = w.one("True", "False")
    with w.definition(), w.block(f"def {inner}(x, inplace={default}):"):
        w.emit(w.one("return F.relu(x, inplace=inplace)", "if inplace:\n    x += 1\n    return x\nreturn x + 1", "return x.add_(1) if inplace else x.add(1)",
                     "out = x if inplace else x.clone()\nout.clamp_(min=0)\nreturn out", "return F.leaky_relu(x, 0.1, inplace)", "return F.dropout(x, 0.5, True, inplace)"))  # fmt: skip
    f = inner
    if w.chance(0.5):
        with w.definition(), w.block(f"def {outer}(x, **kwargs):"):
            w.emit(w.one(f"return {inner}(x, **kwargs)", f"return {inner}(x)", f"h = x * 2\nreturn {inner}(h, **kwargs)", f"return {inner}(x, inplace={w.one('True', 'False')})"))
        f = outer
    x = w.interior()
    z, y = w.fresh("interior"), w.fresh("interior")
    w.emit(f"{z} = {w.expression(x, 0.1)}")
    w.emit(f"{y} = {f}({w.one(x, z)}{w.one('', ', inplace=True', ', inplace=False')})")
    w.finish(z, y) if w.chance(0.5) else w.finish(z)


@producer("functions")
def loss_function(w: Writer) -> None:
    """A loss or a metric computed by a function, which may tamper with its inputs."""
    name = w.fresh("function")
    with w.definition(), w.block(f"def {name}(pred, target):"):
        w.emit(w.one("diff = pred - target", "diff = (pred - target).abs()", "diff = pred * target", "diff = F.softmax(pred, dim=-1) - target", "diff = torch.sigmoid(pred)"))
        if w.chance(0.5):
            w.emit(w.one("sq = diff ** 2", "sq = diff.abs()", "sq = diff * 2", "sq = diff.exp()", "sq = diff * diff"))
        else:
            w.emit("sq = diff")
        w.emit(w.one("diff += 1e-6", "sq[target > 0.5] = 0", "sq *= 0.5", "target.clamp_(0, 1)", "target[0] = 1", "sq = sq * 0.5", "pred.clamp_(-5, 5)", "sq.clamp_(max=10)", "sq[0] = 0", "diff.zero_()", "sq = sq.masked_fill(target > 1, 0.0)"))
        w.emit(w.one("return sq.mean()", "return sq.sum()", "return (sq + 1).mean()", "return sq.sqrt().mean() if False else sq.mean()"))
    x = w.interior()
    loss = w.fresh("scalar")
    w.emit(f"{loss} = {name}({x}, {w.any_const()})", f"{loss}.backward()")
