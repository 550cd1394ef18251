"""`nn.Module` classes: activations in place, residual connections, containers, sub-modules, defaults, factories."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer

_ACTS = ("nn.ReLU(inplace=True)", "nn.ReLU()", "nn.ReLU(True)", "nn.Sigmoid()", "nn.Tanh()", "nn.LeakyReLU(0.2, inplace=True)", "nn.ELU(inplace=True)", "nn.GELU()", "nn.SiLU(inplace=True)",
         "nn.Hardtanh(inplace=True)", "nn.Softmax(dim=-1)", "nn.Identity()", "nn.Dropout(0.3)", "nn.Dropout(0.2, inplace=True)", "nn.ReLU6(inplace=True)", "nn.Softplus()", "nn.Mish(inplace=True)",
         "nn.Hardswish(inplace=True)", "nn.LayerNorm({n})", "nn.BatchNorm1d({n})", "nn.CELU(inplace=True)", "nn.LogSoftmax(dim=-1)", "nn.PReLU()", "nn.SELU(inplace=True)", "nn.Threshold(0.1, 0.0, inplace=True)")  # fmt: skip


def act(w: Writer) -> str:
    """A module that keeps the shape and owns few parameters."""
    return w.pick(_ACTS).format(n=w.columns)


def linear(w: Writer) -> str:
    """A layer that keeps the shape."""
    return f"nn.Linear({w.columns}, {w.columns}{w.one('', '', ', bias=False')})"


def sequence(w: Writer, low: int = 2, high: int = 5) -> str:
    """A Sequential of layers and activations."""
    parts = [linear(w) if w.chance(0.45) else act(w) for _ in range(w.rng.randrange(low, high))]
    return f"nn.Sequential({', '.join(parts)})"


def _train(w: Writer, name: str, arguments: str = "") -> None:
    """Make the module, run it on data and go backward."""
    net, out = w.fresh("attr"), w.fresh("interior")
    w.emit(f"{net} = {name}({arguments})")
    x = w.const() if w.chance(0.7) else w.leaf()
    w.emit(f"{out} = {net}({x})")
    w.finish(out)


@producer("modules", 4)
def forward(w: Writer) -> None:
    """A module with a few layers; its forward uses them, and may write to what they return."""
    name = w.fresh("class")
    a, b, c = w.fresh("attr"), w.fresh("attr"), w.fresh("attr")
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block("def __init__(self):"):
            w.emit("super().__init__()", f"self.{a} = {linear(w)}", f"self.{b} = {w.one(act(w), act(w), sequence(w))}", f"self.{c} = {w.one(linear(w), act(w), sequence(w), sequence(w))}")
        w.lines.append("")
        with w.block("def forward(self, x):"):
            h = "h"
            w.emit(w.one(f"h = self.{a}(x)", f"h = self.{a}(x)", f"h = self.{b}(self.{a}(x))"))
            steps = [f"h = self.{b}(h)", f"y = self.{b}(h)\nh = h + y", f"y = self.{b}(h)\nh += y", f"y = self.{b}(h)\ny += h\nh = y", f"h = F.relu(h, inplace=True)", f"h = self.{c}(h)",  # noqa: F541
                     "h += x", "h = h + x", f"h *= torch.sigmoid(h)", f"h = h * torch.sigmoid(h)", f"self.{b}(h)", f"y = self.{c}(h)\ny += x\nh = y", f"h += self.{c}(h)", f"h = h + self.{c}(h)",  # noqa: F541
                     "h = torch.sigmoid(h)\nh *= 2", "h = torch.tanh(h)\nh = h * 2", "h = F.softmax(h, dim=-1)\nh[:, 0] = 0", "h[0] = 0.0", "h *= 0.5", "h = h.exp()\nh += 1", "h = h.clamp(min=0)\nh += x",
                     f"h = F.dropout(h, 0.1, self.training, inplace=True)", f"gate = torch.sigmoid(self.{a}(h))\nh = h * gate\ngate += 1", f"y = self.{b}(h).mul_(2)\nh = y + h"]  # noqa: F541  # fmt: skip
            w.emit(*w.rng.sample(steps, w.rng.randrange(1, 4)))
            if w.chance(0.25):
                with w.block(w.one("if not self.training:", "if self.training:", "if h.requires_grad:", "if torch.is_grad_enabled():")):
                    w.emit(w.write(h, rows=True))
            w.emit(w.one("return h", "return h", f"return self.{a}(h)", f"return self.{c}(h)", "return h + x", "return h * 2"))
    _train(w, name)


@producer("modules", 2)
def residual(w: Writer) -> None:
    """A residual block whose first or last layer may be in place."""
    name = w.fresh("class")
    inplace = w.one("inplace=True", "inplace=True", "")
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block("def __init__(self, dim):"):
            w.emit(w.one("super().__init__()", f"super({name}, self).__init__()"))
            w.emit("self.fc1 = nn.Linear(dim, dim)", "self.fc2 = nn.Linear(dim, dim)", f"self.act = nn.{w.one('ReLU', 'LeakyReLU', 'ELU', 'SiLU', 'Hardtanh')}({inplace})",
                   w.one("self.norm = nn.LayerNorm(dim)", "self.norm = nn.BatchNorm1d(dim)", "self.norm = nn.Identity()", "self.norm = nn.Sequential()"))  # fmt: skip
        with w.block("def forward(self, x):"):
            w.emit(w.one("identity = x", "residual = x", "identity = self.norm(x)", "identity = x.clone()").replace("residual", "identity"))
            first = w.one("out = self.act(self.fc1(x))", "out = self.fc1(self.act(x))", "out = self.norm(self.fc1(x))\nout = self.act(out)", "out = self.act(x)\nout = self.fc1(out)", "out = torch.sigmoid(self.fc1(x))")
            w.emit(first, w.one("out = self.fc2(out)", "out = self.fc2(out)", "out = self.act(self.fc2(out))", "pass"))
            w.emit(w.one("out += identity", "out += identity", "out = out + identity", "out *= identity", "out.add_(identity)", "identity += out\nout = identity"))
            w.emit(w.one("return self.act(out)", "return out", "out = self.act(out)\nreturn out", "return F.relu(out, inplace=True)"))
    if w.chance(0.4):
        net, out = w.fresh("attr"), w.fresh("interior")
        blocks = ", ".join([f"{name}({w.columns})"] * w.one(1, 2, 3))
        w.emit(f"{net} = nn.Sequential(nn.Linear({w.columns}, {w.columns}), {blocks})")
        w.emit(f"{out} = {net}({w.any_const()})")
        w.finish(out)
    else:
        _train(w, name, str(w.columns))


@producer("modules", 2)
def sequential(w: Writer) -> None:
    """A Sequential built in one of several ways, with a write to what goes in or comes out."""
    net, out = w.fresh("attr"), w.fresh("interior")
    parts = [linear(w) if w.chance(0.4) else act(w) for _ in range(w.rng.randrange(2, 6))]
    way = w.rng.randrange(4)
    if way < 2:
        w.emit(f"{net} = nn.Sequential({', '.join(parts)})")
    elif way == 2:
        w.emit("layers = []", *(f"layers.append({part})" for part in parts), f"{net} = nn.Sequential(*layers)")
    else:
        items = ", ".join(f"('m{i}', {part})" for i, part in enumerate(parts))
        w.emit(f"{net} = nn.Sequential(OrderedDict([{items}]))")
    x = w.make(w.one("const", "interior", "interior"))
    w.emit(f"{out} = {net}({x})")
    if w.chance(0.6):
        w.emit(w.write(w.one(out, out, x)) if w.chance(0.85) else w.phrase("HARMLESS", y=out))
    w.finish(out)


@producer("modules", 2)
def module_list(w: Writer) -> None:
    """A ModuleList or ModuleDict walked in forward, with features kept and changed."""
    name = w.fresh("class")
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block("def __init__(self, n=2):"):
            w.emit("super().__init__()")
            kind = w.rng.randrange(3)
            layer = w.one(linear(w), sequence(w), act(w), f"nn.Sequential({linear(w)}, {act(w)})")
            if kind == 0:
                w.emit(f"self.layers = nn.ModuleList([{layer} for _ in range(n)])")
            elif kind == 1:
                w.emit("self.layers = nn.ModuleList()")
                with w.block("for _ in range(n):"):
                    w.emit(f"self.layers.append({layer})")
            else:
                w.emit(f"self.layers = nn.ModuleDict({{'a': {layer}, 'b': {linear(w)}}})")
            w.emit(f"self.stem = {linear(w)}")
        with w.block("def forward(self, x):"):
            w.emit("x = self.stem(x)", "feats = []")
            header = "for layer in self.layers:" if kind < 2 else w.one("for layer in self.layers.values():", "for name, layer in self.layers.items():")
            with w.block(header):
                w.emit(w.one("x = layer(x)", "x = x + layer(x)", "x += layer(x)", "y = layer(x)\ny += x\nx = y", "x = layer(x).mul_(0.5)", "x = torch.tanh(layer(x))"))
                w.emit("feats.append(x)")
                if w.chance(0.3):
                    w.emit(w.write("x", rows=True))
            w.emit(w.one("return x", "return torch.stack(feats).sum(0)", "return feats[-1] + feats[0]", "out = feats[0]\nfor f in feats[1:]:\n    out += f\nreturn out", "return sum(feats)"))
    _train(w, name, w.one("", "n=3", "1"))


@producer("modules", 2)
def submodule(w: Writer) -> None:
    """A user's own sub-module, whose last op decides whether its result may be written."""
    inner, outer = w.fresh("class"), w.fresh("class")
    base = w.chance(0.2)
    with w.definition(), w.block(f"class {inner}(nn.Module):"):
        with w.block(f"def __init__(self, dim={w.columns}, inplace={w.one('True', 'False')}):"):
            w.emit("super().__init__()", "self.fc = nn.Linear(dim, dim)", f"self.act = nn.{w.one('ReLU', 'LeakyReLU', 'ELU', 'Hardtanh')}(inplace=inplace)", "self.inplace = inplace")
        with w.block("def forward(self, x):"):
            w.emit(w.one("return self.act(self.fc(x))", "return self.fc(self.act(x))", "return torch.sigmoid(self.fc(x))", "return F.relu(self.fc(x), inplace=self.inplace)", "return F.relu(self.fc(x))",
                         "return self.fc(x)", "return x * torch.sigmoid(x)", "h = self.fc(x)\nif self.inplace:\n    h += x\nelse:\n    h = h + x\nreturn h", "return self.act(x)", "return x",
                         "return F.softmax(self.fc(x), dim=-1)", "self.last = self.fc(x)\nreturn self.last.exp()", "return self.fc(x).mul_(2)"))  # fmt: skip
    if base:
        child = w.fresh("class")
        with w.definition(), w.block(f"class {child}({inner}):"), w.block("def forward(self, x):"):
            w.emit(w.one("return super().forward(x).add_(1)", "return super().forward(x) + 1", "return self.fc(x)", "h = super().forward(x)\nh *= 2\nreturn h"))
        inner = child
    with w.definition(), w.block(f"class {outer}(nn.Module):"):
        with w.block("def __init__(self):"):
            w.emit("super().__init__()", f"self.stem = {linear(w)}", f"self.block = {inner}({w.one('', 'inplace=True', 'inplace=False', str(w.columns))})")
        with w.block("def forward(self, x):"):
            w.emit("h = self.stem(x)", w.one("y = self.block(h)", "y = self.block(h)", "y = self.block(self.block(h))", "y = self.block(h).clone()"))
            w.emit(w.one("y += h", "y = y + h", "h += y\ny = h", "y *= 2", "y[0] = 0", "y.relu_()", "y = y * h", "h.zero_()", "pass", "y /= y.sum(dim=-1, keepdim=True)", "y.clamp_(max=3)"))
            w.emit("return y")
    _train(w, outer)


@producer("modules")
def buffers(w: Writer) -> None:
    """Buffers and parameters of a module written in forward or in a method."""
    name = w.fresh("class")
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block("def __init__(self):"):
            w.emit("super().__init__()", f"self.weight = nn.Parameter(torch.randn({w.columns}, {w.columns}))", f"self.scale = nn.Parameter(torch.ones({w.columns}))")
            w.emit(f"self.register_buffer('running', torch.zeros({w.columns}))")
            if w.chance(0.4):
                w.emit(w.one("self.weight.data.uniform_(-0.1, 0.1)", "nn.init.xavier_uniform_(self.weight)", "self.reset()", "with torch.no_grad():\n    self.weight.mul_(0.5)", "self.scale.data.fill_(1.0)", "self.weight.fill_diagonal_(0)", "self.scale[0] = 2.0"))
        with w.block("def reset(self):"):
            w.emit(w.one("nn.init.zeros_(self.scale)", "self.scale.data.zero_()", "self.running.zero_()", "nn.init.uniform_(self.weight)"))
        with w.block("def forward(self, x):"):
            use = w.one("h = x @ self.weight * self.scale", "h = F.linear(x, self.weight)", "h = x @ self.weight + self.running", "h = (x @ self.weight) * self.running.exp()", "h = (x @ self.weight - self.running) / (self.running.abs() + 1)")
            update = w.one("self.running += h.detach().mean(0)", "self.running = self.running + 1", "self.running.mul_(0.9).add_(x.detach().mean(0))", "with torch.no_grad():\n    self.running.mul_(0.9)",
                           "with torch.no_grad():\n    self.weight.clamp_(-1, 1)", "self.weight.data.clamp_(-1, 1)", "self.running.zero_()", "self.scale.data.div_(2)", "self.running.copy_(h.mean(0))", "self.running += h.mean(0)",
                           "self.running = 0.9 * self.running + 0.1 * h.detach().mean(0)")  # fmt: skip
            if "h." in update or w.chance(0.6):
                w.emit(use, update)
            else:
                w.emit(update, use)
            w.emit("return h")
    if w.chance(0.3):
        net = w.fresh("attr")
        w.emit(f"{net} = {name}()", f"(({net}({w.any_const()}) + {net}({w.any_const()})).sum()).backward()")
    else:
        _train(w, name)


@producer("modules")
def flags(w: Writer) -> None:
    """`inplace` chosen by an argument, a string, a factory, or set afterwards."""
    factory, name = w.fresh("function"), w.fresh("class")
    with w.definition(), w.block(f"def {factory}(kind, inplace={w.one('True', 'False')}):"):
        with w.block("if kind == 'relu':"):
            w.emit("return nn.ReLU(inplace=inplace)")
        with w.block("elif kind == 'tanh':"):
            w.emit("return nn.Tanh()")
        w.emit(w.one("return nn.Identity()", "return nn.Sigmoid()", "raise ValueError(kind)"))
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block(f"def __init__(self, activation={w.one(repr('relu'), repr('tanh'))}, **kwargs):"):
            w.emit("super().__init__()", f"self.fc = {linear(w)}", f"self.act = {factory}(activation, **kwargs)", f"self.gate = {w.one('nn.Sigmoid()', 'nn.Tanh()', 'nn.Identity()', 'nn.Softplus()', 'nn.GELU()')}")
            if w.chance(0.2):
                w.emit("for m in self.modules():\n    if isinstance(m, nn.ReLU):\n        m.inplace = " + w.one("True", "False"))
        with w.block("def forward(self, x):"):
            w.emit("h = self.gate(self.fc(x))", w.one("y = self.act(h)", "y = self.act(h.clone())", "h = self.act(h)\ny = h", "y = self.act(h) + h", "y = self.act(h) * h"))
            w.emit(w.one("y += x", "y = y + x", "return y", "y *= 2", "pass"))
            w.emit("return y")
    _train(w, name, w.one("", "'relu'", "'tanh'", "activation='relu', inplace=True", "inplace=False", "'relu', inplace=False"))


@producer("modules")
def convolution(w: Writer) -> None:
    """Convolutional blocks on images."""
    name = w.fresh("class")
    with w.definition(), w.block(f"class {name}(nn.Module):"):
        with w.block("def __init__(self, ch=4):"):
            w.emit("super().__init__()", "self.conv1 = nn.Conv2d(3, ch, 3, padding=1)", "self.bn = nn.BatchNorm2d(ch)", "self.conv2 = nn.Conv2d(ch, ch, 3, padding=1)",
                   f"self.relu = nn.ReLU(inplace={w.one('True', 'False', 'True')})", w.one("self.pool = nn.MaxPool2d(2)", "self.pool = nn.AvgPool2d(2)", "self.pool = nn.AdaptiveAvgPool2d(1)"))  # fmt: skip
        with w.block("def forward(self, x):"):
            w.emit(w.one("h = self.relu(self.bn(self.conv1(x)))", "h = self.conv1(x)\nh = self.relu(h)", "h = self.bn(self.conv1(x))", "h = torch.sigmoid(self.conv1(x))"))
            w.emit(w.one("y = self.conv2(h)", "y = self.bn(self.conv2(h))", "y = self.relu(self.conv2(h))", "y = self.conv2(self.relu(h))"))
            w.emit(w.one("y += h", "y = y + h", "h += y\ny = h", "y *= h", "y = torch.cat([y, h], 1)", "y *= self.pool(h).mean(dim=(2, 3), keepdim=True)", "att = torch.sigmoid(y.mean(dim=(2, 3), keepdim=True))\ny = y * att\natt *= 2"))
            w.emit(w.one("return self.pool(self.relu(y))", "return self.pool(y)", "y = self.pool(y)\ny += 1\nreturn y", "y = self.relu(y)\ny[:, 0] = 0\nreturn self.pool(y)", "return F.interpolate(y, scale_factor=2).mul_(2)", "return y.flatten(1)"))
    net = w.fresh("attr")
    w.emit(f"{net} = {name}()", f"image = torch.randn(2, 3, 4, 4{w.one('', ', requires_grad=True')})", f"result = {net}(image)", w.one("result.sum().backward()", "(result ** 2).mean().backward()", "loss = result.mean()\nloss.backward()"))
