"""Longer, realistic shapes: time steps, attention, scans, normalisation, physics."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer


@producer("sequences", 2)
def time_steps(w: Writer) -> None:
    """States written into a preallocated tensor, step by step."""
    n = w.columns
    w.emit(f"w_h = torch.randn({n}, {n}, requires_grad=True)", f"inputs = torch.randn(4, {w.rows}, {n})")
    keep = w.one("outputs = torch.zeros(4, {r}, {n})", "outputs = []", "outputs = inputs @ w_h").format(r=w.rows, n=n)
    w.emit(keep, f"h = torch.zeros({w.rows}, {n})")
    listed = "[]" in keep
    with w.block("for t in range(4):"):
        w.emit(w.one("h = torch.tanh(inputs[t] + h @ w_h)", "h = inputs[t] + h @ w_h", "h = torch.sigmoid(h @ w_h) * inputs[t]", "h = h + inputs[t] @ w_h", "h = (inputs[t] @ w_h).relu() + h"))
        if w.chance(0.3):
            w.emit(w.one("h *= 0.5", "h += inputs[t]", "h = h * 0.5", "h[0] = 0.0", "h = h.clone()\nh.mul_(0.9)"))
        if listed:
            w.emit(w.one("outputs.append(h)", "outputs.append(h.clone())", "outputs.append(h)\nh = h * 1", "outputs.append(h[0])"))
        else:
            w.emit(w.one("outputs[t] = h", "outputs[t] += h", "outputs[t] = h\nif t > 0:\n    outputs[t] += outputs[t - 1]", "outputs[t, 0] = h[0] * outputs[t - 1, 0]", "outputs[t].copy_(h)", "outputs[t] = h * outputs[t]"))
    w.emit("result = torch.stack(outputs)" if listed else "result = outputs", w.one("result.sum().backward()", "(result ** 2).mean().backward()", "loss = result.mean() + h.sum()\nloss.backward()"))


@producer("sequences", 2)
def attention(w: Writer) -> None:
    """Scores, mask, softmax, dropout, output."""
    n = w.columns
    name = w.one("attention", "attend", "scaled_dot_product")
    with w.definition(), w.block(f"def {name}(q, k, v, mask=None):"):
        w.emit("scores = q @ k.transpose(-2, -1)")
        w.emit(w.one("scores /= math.sqrt(q.size(-1))", "scores = scores / math.sqrt(q.size(-1))", "scores *= q.size(-1) ** -0.5", "scores.div_(2.0)"))
        with w.block("if mask is not None:"):
            w.emit(w.one("scores.masked_fill_(mask == 0, -1e9)", "scores = scores.masked_fill(mask == 0, -1e9)", "scores[mask == 0] = -1e9", "scores += (1 - mask) * -1e4"))
        w.emit(w.one("attn = F.softmax(scores, dim=-1)", "attn = scores.softmax(-1)", "attn = torch.exp(scores)\nattn = attn / attn.sum(-1, keepdim=True)", "attn = torch.exp(scores)\nattn /= attn.sum(-1, keepdim=True)",
                     "scores -= scores.max(dim=-1, keepdim=True).values\nattn = scores.exp()\nattn = attn / attn.sum(-1, keepdim=True)", "attn = torch.sigmoid(scores)"))  # fmt: skip
        w.emit(w.one("pass", "attn = F.dropout(attn, 0.1)", "attn[:, 0] = 0", "attn = F.dropout(attn, 0.1, inplace=True)", "attn *= 0.9", "attn = attn.clone()\nattn[0] = 0", "scores.zero_()", "attn.masked_fill_(attn < 0.01, 0.0)", "v = v * 1.0"))
        w.emit(w.one("return attn @ v", "out = attn @ v\nout += q\nreturn out", "out = attn @ v\nattn *= 2\nreturn out", "return torch.matmul(attn, v), attn"))
    pair = "return torch.matmul(attn, v), attn" in w.defs[-1]
    x = w.leaf()
    w.emit(f"w_q = nn.Linear({n}, {n})", f"q = w_q({x})", f"k, v = {w.one(f'w_q({x}), w_q({x})', 'q, q', f'{x} * 2, {x} + 1')}")
    mask = w.one("", ", torch.tril(torch.ones({r}, {r}))", ", mask=torch.ones({r}, {r})").format(r=w.rows)
    w.emit(f"out, weights = {name}(q, k, v{mask})" if pair else f"out = {name}(q, k, v{mask})")
    if w.chance(0.3):
        w.emit(w.write(w.one("out", "q", "v"), rows=True))
    w.finish("out")


@producer("sequences")
def normalise(w: Writer) -> None:
    """Hand-written normalisation with in-place steps."""
    x = w.interior()
    out = w.fresh("interior")
    w.emit(f"mu = {x}.mean(dim=-1, keepdim=True)", w.one(f"sd = {x}.std(dim=-1, keepdim=True)", f"sd = {x}.var(dim=-1, keepdim=True).sqrt()", f"sd = (({x} - mu) ** 2).mean(-1, keepdim=True).sqrt()", f"sd = {x}.norm(dim=-1, keepdim=True)", f"sd = {x}.abs().amax(-1, keepdim=True)"))
    w.emit(w.one("sd += 1e-5", "sd = sd + 1e-5", "sd.clamp_(min=1e-5)", "sd = sd.clamp(min=1e-5)", "pass"))
    w.emit(w.one(f"{out} = ({x} - mu) / sd", f"{x} -= mu\n{out} = {x} / sd", f"{x} -= mu\n{x} /= sd\n{out} = {x}", f"{out} = {x} - mu\n{out} /= sd", f"{out} = ({x} - mu).div_(sd)", f"{out} = {x}.sub(mu).mul_(sd.reciprocal())"))
    w.emit(w.one("pass", f"{out} *= 2", f"{out}[0] = 0", f"mu.zero_()", f"sd *= 2", f"{out} = {out} * 2", f"{out}.clamp_(-3, 3)"))  # noqa: F541
    w.finish(out)


@producer("sequences")
def simulation(w: Writer) -> None:
    """A particle or grid simulation that updates its state in place."""
    w.emit(f"pos = torch.zeros({w.shape})", f"vel = torch.randn({w.shape}, requires_grad=True)" if w.chance(0.6) else f"v0 = torch.randn({w.shape}, requires_grad=True)\nvel = v0 * 1.0")
    w.emit("dt = 0.1")
    with w.block(f"for _ in range({w.one(2, 3)}):"):
        force = w.one("-pos", "-torch.sin(pos)", "-pos ** 3", "torch.ones_like(pos)", "-0.5 * vel", "-(pos * vel)", "-pos / (pos.norm() + 1)")
        w.emit(f"force = {force}")
        leafy = "vel = torch.randn" in "\n".join(w.lines)
        w.emit("vel = vel + force * dt" if leafy or w.chance(0.5) else "vel += force * dt")
        w.emit(w.one("pos += vel * dt", "pos = pos + vel * dt", "pos.add_(vel, alpha=dt)", "pos[0] += vel[0] * dt", "pos = pos.clone()\npos += dt * vel"))
    w.finish("pos")


@producer("sequences")
def scatter(w: Writer) -> None:
    """Aggregation into a fresh tensor by index."""
    leaf = w.leaf()
    out = w.fresh("interior")
    w.emit(f"idx = torch.tensor([{', '.join(str(i % 2) for i in range(w.rows))}])", f"{out} = torch.zeros({w.shape})")
    source = w.one(f"{leaf} * 2", f"{leaf}.exp()", leaf, f"torch.tanh({leaf})")
    w.emit(f"src = {source}")
    w.emit(w.one(f"{out}.index_add_(0, idx, src)", f"{out}[idx] = src", f"{out}[idx] += src", f"{out} = {out}.index_add(0, idx, src)", f"for i, j in enumerate(idx.tolist()):\n    {out}[j] += src[i]", f"for i in range({w.rows}):\n    {out}[idx[i]] = src[i] * {out}[idx[i]]"))
    w.emit(w.one("pass", "idx += 1", "idx[0] = 1", f"{out}[0] *= 2", f"{out} = {out}.sqrt()\n{out} += 1", "src.mul_(2)" if source != leaf else "pass", f"{out} = {out}.tanh()\n{out}.add_(1)"))
    w.finish(out)
