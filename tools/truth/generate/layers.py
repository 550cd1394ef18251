"""Single layers of torch.nn and functionals beyond the element-wise: which of them keep what they are given, or give."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer

_IMAGE = ("F.conv2d({x}, weight, padding=1)", "F.max_pool2d({x}, 2)", "F.avg_pool2d({x}, 2)", "F.adaptive_avg_pool2d({x}, 1)", "F.interpolate({x}, scale_factor=2)", "F.interpolate({x}, scale_factor=2, mode='bilinear')", "F.pad({x}, (1, 1))",
          "F.batch_norm({x}, None, None, training=True)", "F.instance_norm({x})", "F.group_norm({x}, 1)", "F.pixel_shuffle({x}.repeat(1, 2, 1, 1), 2)", "F.unfold({x}, 2)", "F.adaptive_max_pool2d({x}, 2)", "F.local_response_norm({x}, 2)",
          "{x}.flatten(1)", "{x}.mean(dim=(2, 3))", "{x}.permute(0, 2, 3, 1)", "F.softmax({x}, dim=1)", "{x}.amax(dim=1)", "{x}.sum(1)", "F.dropout2d({x}, 0.2)", "F.conv_transpose2d({x}, weight, padding=1)", "{x} * gate", "{x} + gate",
          "torch.cat([{x}, {x}], dim=1)", "F.relu({x})", "F.lp_pool2d({x}, 2, 2)", "F.grid_sample({x}, torch.zeros(2, 4, 4, 2), align_corners=False)", "torch.roll({x}, 1, dims=3)", "F.channel_shuffle({x}, 2)", "F.alpha_dropout({x}, 0.1)")  # fmt: skip

_SEQUENCE = ("nn.GRU(6, 6, batch_first=True)({x})[0]", "nn.LSTM(6, 6)({x})[0]", "nn.RNN(6, 6)({x})[0]", "nn.MultiheadAttention(6, 2, batch_first=True)({x}, {x}, {x})[0]", "nn.TransformerEncoderLayer(6, 2, 12, batch_first=True)({x})",
             "F.scaled_dot_product_attention({x}, {x}, {x})", "torch.bmm({x}, {x}.transpose(1, 2))", "torch.einsum('bij,bkj->bik', {x}, {x})", "nn.Conv1d(3, 3, 1)({x})", "nn.LayerNorm(6)({x})", "nn.Linear(6, 6)({x})", "{x}.cumsum(1)", "{x}.logcumsumexp(1)",
             "F.glu({x}, dim=-1)", "{x}.gather(2, torch.zeros(2, 3, 1, dtype=torch.long))", "{x}.index_select(1, torch.tensor([0, 1]))", "{x}.topk(2, dim=-1).values", "{x}.topk(2, dim=-1)[0]", "torch.cdist({x}, {x} + 1)", "{x}.norm(dim=-1)",
             "F.cosine_similarity({x}, {x} + 1, dim=-1)", "F.normalize({x}, dim=-1)", "F.softmin({x}, dim=-1)", "F.gumbel_softmax({x})", "{x}.masked_fill({x} > 0, 0.0)", "{x}.tril()", "{x} / {x}.sum(-1, keepdim=True)", "nn.RMSNorm(6)({x})",
             "nn.Bilinear(6, 6, 6)({x}, {x})", "{x}.unfold(1, 2, 1)", "torch.stack([{x}, {x}])", "{x}.std(dim=-1, unbiased=False)", "F.embedding_bag(torch.zeros(2, 2, dtype=torch.long), {x}[0])", "{x}.repeat_interleave(2, dim=0)", "{x}.sort(-1)[0]",
             "torch.baddbmm(torch.zeros(2, 3, 3), {x}, {x}.mT)", "torch.kron({x}[0], {x}[0])", "{x}.diff(dim=1)", "{x}.logsumexp(-1)", "torch.linalg.norm({x}, dim=-1)", "torch.tensordot({x}, {x}, dims=([2], [2]))" )  # fmt: skip

_WRITES = ("{y} += 1", "{y} *= 2", "{y}.add_(1)", "{y}.zero_()", "{y}.clamp_(min=0)", "F.relu({y}, inplace=True)", "{y}[0] = 0", "{y}[:1] *= 2", "{y}.exp_()", "{y}.mul_(0.5)", "{y} -= {y}.mean()", "nn.ReLU(inplace=True)({y})", "{y} = {y} + 1",
           "{y} = F.relu({y})", "{y}.clone().zero_()", "{y}.neg_()", "{y}.copy_(torch.zeros_like({y}))", "{y}[..., 0] = 1", "{y}.sigmoid_()", "{y}.data.mul_(2)", "{y}.detach().mul_(2)", "{y}.masked_fill_({y} > 0, 0)")  # fmt: skip


def _program(w: Writer, table: tuple[str, ...], shape: str, extra: list[str]) -> None:
    source = w.fresh("leaf")
    w.emit(f"{source} = torch.randn({shape}, requires_grad=True)", *extra)
    x, z = w.fresh("interior"), w.fresh("interior")
    w.emit(f"{x} = {source} * 1.5", f"{z} = {w.pick(table).format(x=x)}")
    y = w.one(x, z, z)
    w.emit(w.pick(_WRITES).format(y=y))
    w.emit(w.one(f"{z}.sum().backward()", f"{z}.mean().backward()", f"loss = {z}.sum() + {x}.sum()\nloss.backward()", f"{z}.pow(2).sum().backward()"))


@producer("layers", 2)
def image(w: Writer) -> None:
    """One op on feature maps, then a write."""
    gate = w.one("", ", requires_grad=True")
    _program(w, _IMAGE, "2, 2, 4, 4", ["weight = torch.randn(2, 2, 3, 3, requires_grad=True)", f"gate = torch.rand(1, 2, 1, 1{gate})"])


@producer("layers", 3)
def sequence_op(w: Writer) -> None:
    """One op on sequences, then a write."""
    _program(w, _SEQUENCE, "2, 3, 6", [])


@producer("layers")
def losses(w: Writer) -> None:
    """A loss whose input or target is written before the backward."""
    logits, target = w.fresh("interior"), w.fresh("const")
    leaf = w.leaf()
    w.emit(f"{logits} = {leaf} * 2")
    kind = w.rng.randrange(3)
    if kind == 0:
        w.emit(f"{target} = torch.rand({w.shape})")
        loss = w.one("F.mse_loss({x}, {t})", "F.l1_loss({x}, {t})", "F.smooth_l1_loss({x}, {t})", "F.binary_cross_entropy_with_logits({x}, {t})", "F.huber_loss({x}, {t})", "nn.MSELoss(reduction='sum')({x}, {t})", "F.binary_cross_entropy({x}.sigmoid(), {t})",
                     "F.kl_div(F.log_softmax({x}, -1), {t}, reduction='batchmean')", "F.poisson_nll_loss({x}, {t})", "F.soft_margin_loss({x}, {t})", "nn.BCEWithLogitsLoss()({x}, {t})", "nn.L1Loss()({x}, {t})", "(({x} - {t}) ** 2).mean()", "({x} * {t}).sum()")  # fmt: skip
        change = w.one("{t} += 1", "{t}.clamp_(0.1, 0.9)", "{t}[0] = 1", "{t} = {t} * 2", "{x} += 1", "{x}.zero_()", "{x} = {x} + 1", "{t}.zero_()", "{x}[0] = 0", "print({t}.sum())")
    elif kind == 1:
        w.emit(f"{target} = torch.zeros({w.rows}, dtype=torch.long)")
        loss = w.one("F.cross_entropy({x}, {t})", "F.nll_loss(F.log_softmax({x}, dim=-1), {t})", "nn.CrossEntropyLoss()({x}, {t})", "F.multi_margin_loss({x}, {t})", "F.cross_entropy({x}, {t}, label_smoothing=0.1)")
        change = w.one("{t} += 1", "{t}[0] = 1", "{t} = {t} + 1", "{x} += 1", "{x}[0] = 0", "{x} = {x} * 2", "{t}.fill_(1)", "{t}.clone().fill_(1)")
    else:
        w.emit(f"{target} = {w.fresh('leaf')} = torch.rand({w.shape}, requires_grad=True)")
        loss = w.one("F.mse_loss({x}, {t} * 1)", "F.cosine_embedding_loss({x}, {t}, torch.ones({r}))", "F.triplet_margin_loss({x}, {t}, {x} + 1)", "F.pairwise_distance({x}, {t}).sum()").replace("{r}", str(w.rows))
        change = w.one("{x} += 1", "{x}.mul_(2)", "{x} = {x} * 2", "{x}[0] = 0", "with torch.no_grad():\n    {t}.mul_(0.5)")
    out = w.fresh("scalar")
    w.emit(f"{out} = {loss.format(x=logits, t=target)}", change.format(x=logits, t=target), f"{out}.backward()")


@producer("layers")
def embeddings(w: Writer) -> None:
    """Embedding tables and indices."""
    w.emit("table = nn.Embedding(10, 4)", "ids = torch.tensor([[1, 2], [3, 4]])", f"e = {w.one('table(ids)', 'F.embedding(ids, table.weight)', 'table.weight[ids]', 'table(ids).clone()')}")
    w.emit(w.one("pass", f"z = {w.one('e * 2', 'e.tanh()', 'e ** 2', 'e.exp()')}\ne = z", "e = nn.Linear(4, 4)(e)"))
    w.emit(w.one("e += 1", "ids += 1", "e[:, 0] = 0", "ids = ids + 1", "table.weight.data[0] = 0", "with torch.no_grad():\n    table.weight[0].fill_(0)", "table.weight[0] = 0", "e.mul_(2)", "F.dropout(e, 0.1, inplace=True)", "ids[0, 0] = 5"))
    w.emit(w.one("e.sum().backward()", "e.pow(2).sum().backward()", "(e.sum() + table(ids).sum()).backward()"))
