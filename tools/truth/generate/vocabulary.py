"""The phrases that random programs are made of: templates over ``{x}`` (read), ``{y}`` (written) and ``{c}`` (constant).

Every template keeps the shape of a floating two-dimensional tensor, unless its name says otherwise.
"""

from __future__ import annotations

UNARY = """
torch.exp({x}) | {x}.exp() | {x}.sigmoid() | torch.sigmoid({x}) | torch.tanh({x}) | {x}.tanh() | F.relu({x})
torch.relu({x}) | {x}.relu() | {x}.abs() | torch.abs({x}) | {x}.sin() | torch.cos({x}) | {x} ** 2 | {x}.pow(3)
torch.pow({x}, 2) | {x}.square() | torch.sqrt({x}.abs() + 1) | ({x}.abs() + 0.1).log() | torch.log1p({x}.abs())
{x}.clamp(min=0) | {x}.clamp(-1, 1) | torch.clamp({x}, max=0.5) | F.gelu({x}) | F.silu({x}) | F.softplus({x})
F.elu({x}) | F.leaky_relu({x}, 0.1) | F.selu({x}) | F.hardtanh({x}) | F.mish({x}) | F.logsigmoid({x}) | F.celu({x})
F.relu6({x}) | F.hardswish({x}) | F.softsign({x}) | F.tanhshrink({x}) | F.hardsigmoid({x}) | {x}.erf() | {x}.expm1()
torch.rsqrt({x} * {x} + 1) | ({x}.abs() + 1).reciprocal() | 1.0 / ({x}.abs() + 2) | {x}.atan() | {x}.sinh() | {x}.cosh()
F.softmax({x}, dim=-1) | {x}.softmax(dim=1) | torch.log_softmax({x}, dim=-1) | F.log_softmax({x}, dim=1)
F.normalize({x}, dim=-1) | F.layer_norm({x}, {x}.shape[-1:]) | {x}.cumsum(dim=0) | {x}.cumprod(dim=1) | {x}.flip(0)
{x}.roll(1, 0) | {x}.tril() | torch.triu({x}) | {x}.clone() | {x} * 2.0 | 0.5 * {x} | {x} / 3.0 | {x} + 1 | 1 - {x} | -{x}
{x} - 0.1 | {x}.mul(1.5) | {x}.add(2) | torch.mul({x}, 3.0) | torch.add({x}, 1.0) | {x}.sub(0.2) | {x}.div(2) | {x}.neg()
torch.where({x} > 0, {x}, {x} * 0.1) | {x}.masked_fill({x} > 1, 0.0) | {x}.nan_to_num() | {x} % 2 | {x}.lerp({x}.detach(), 0.5)
{x} * {x} | {x} + {x} | torch.maximum({x}, -{x}) | {x} * {x}.detach() | {x} - {x}.mean() | {x} / ({x}.norm() + 1)
{x} * (1 - {x}) | {x} * torch.sigmoid({x}) | {x}.sort(dim=-1).values | {x} - {x}.max() | torch.square({x}) + 1
"""

MILD = """
{x} * 2.0 | 0.5 * {x} | {x} + 1 | 1 - {x} | -{x} | {x} / 3.0 | {x}.clone() | {x} - 0.1 | {x}.add(2) | {x}.flip(0)
{x}.cumsum(dim=0) | {x} + {x} | {x} * {c} | {x} + {c} | {c} - {x} | {x} / ({c}.abs() + 1) | torch.add({x}, {c})
"""
"""Ops that keep nothing of their operand or result."""

BINARY = """
{x} * {z} | {x} + {z} | {x} - {z} | {x} / ({z}.abs() + 1) | torch.mul({x}, {z}) | torch.add({x}, {z}) | {x}.mul({z})
torch.maximum({x}, {z}) | torch.minimum({x}, {z}) | torch.where({z} > 0, {x}, {z}) | torch.hypot({x}, {z} + 3)
torch.atan2({x}, {z}.abs() + 1) | {x}.abs().add(1) ** {z} | {x} @ {z}.T @ {z} | torch.matmul({x}.t(), {z}).mean() * {x}
torch.lerp({x}, {z}, 0.3) | torch.addcmul({x}, {z}, {z}) | torch.addcmul({x}, {x}, {z}, value=0.5) | {x} + 2 * {z}
{x}.sub({z}, alpha=2) | torch.cat([{x}, {z}])[:{rows}] | torch.stack([{x}, {z}]).mean(0) | F.softmax({x} + {z}, dim=-1)
torch.einsum('ij,ij->ij', {x}, {z}) | {x} * torch.sigmoid({z}) | torch.exp({x}) * {z} | ({x} - {z}) ** 2
"""

SCALAR = """
{x}.sum() | {x}.mean() | ({x} ** 2).mean() | {x}.pow(2).sum() | {x}.norm() | torch.sum({x}) | torch.mean({x}) | {x}.exp().mean()
({x} * {c}).sum() | F.mse_loss({x}, {c}) | F.l1_loss({x}, {c}) | F.smooth_l1_loss({x}, {c}) | {x}.logsumexp(dim=-1).mean()
{x}.std() | {x}.var() | {x}.abs().sum() | ({x} - {c}).pow(2).mean() | {x}.max() | {x}.amax(dim=1).sum() | {x}.max(dim=1).values.sum()
F.cross_entropy({x}, torch.zeros({rows}, dtype=torch.long)) | F.binary_cross_entropy_with_logits({x}, {c}.sigmoid())
{x}.view(-1).sum() | {x}.t().mean() | {x}[0].sum() | {x}[:, 1].mean() | {x}.sigmoid().sum() | (2 * {x} + 1).sum() | {x}.prod()
"""

PLAIN_SCALAR = """
{x}.sum() | {x}.mean() | torch.sum({x}) | torch.mean({x}) | ({x} + 1).sum() | (3 * {x}).mean() | {x}.view(-1).sum() | {x}[0].sum()
F.l1_loss({x}, {c}) | ({x} * {c}).sum()
"""

KEEPDIM = """
{x}.sum(dim=-1, keepdim=True) | {x}.mean(dim=0, keepdim=True) | {x}.norm(dim=-1, keepdim=True) | {x}.amax(dim=1, keepdim=True)
{x}.max(dim=1, keepdim=True).values | {x}.max(dim=1, keepdim=True)[0] | {x}.std(dim=1, keepdim=True) | {x}.var(dim=1, keepdim=True)
{x}.logsumexp(dim=-1, keepdim=True) | {x}.prod(dim=1, keepdim=True) | {x}.min(dim=0, keepdim=True).values
{x}.amin(dim=0, keepdim=True) | {x}.median(dim=1, keepdim=True).values
"""
"""Reductions to shape (rows, 1) or (1, columns)."""

WRITE = """
{y} += 1 | {y} -= 0.5 | {y} *= 2 | {y} /= 2 | {y} **= 2 | {y}.add_(1.0) | {y}.mul_(0.5) | {y}.sub_(0.1) | {y}.div_(4)
{y}.zero_() | {y}.fill_(0.3) | {y}.clamp_(min=0) | {y}.clamp_(-1, 1) | {y}.relu_() | {y}.sigmoid_() | {y}.tanh_() | {y}.exp_()
{y}.abs_() | {y}.neg_() | {y}.sin_() | {y}.square_() | {y}.pow_(2) | torch.relu_({y}) | F.relu({y}, inplace=True) | F.relu_({y})
F.leaky_relu({y}, 0.2, inplace=True) | F.dropout({y}, 0.5, inplace=True) | F.elu({y}, inplace=True) | F.silu({y}, inplace=True)
F.hardtanh({y}, inplace=True) | F.relu6({y}, inplace=True) | nn.ReLU(inplace=True)({y}) | torch.sigmoid_({y}) | torch.neg_({y})
nn.ReLU(True)({y}) | F.selu({y}, inplace=True) | nn.LeakyReLU(0.1, inplace=True)({y}) | torch.nn.functional.relu({y}, True)
{y}[0] = 0.0 | {y}[:, 0] = 1 | {y}[0, 1] = 2.0 | {y}[:1] += 1 | {y}[0].add_(1) | {y}[1:].zero_() | {y}[..., 0] *= 2 | {y}[-1] -= 1
{y}[{y} > 0] = 0 | {y}[:] = 0.5 | {y}[...] = 3 | {y}[[0, 1]] = 1.0 | {y}[0][1] = 4.0 | {y}[:, :2] /= 2
{y}.copy_({c}) | {y}.copy_(torch.zeros_like({y})) | {y} += {c} | {y} *= {c} | {y}.add_({c}) | {y}.mul_({c}) | {y}.sub_({c}, alpha=0.1)
{y}.addcmul_({c}, {c}) | {y}.lerp_({c}, 0.5) | {y}[0] = {c}[0] | {y}[1] += {c}[1] | {y}.masked_fill_({c} > 0, 0.0)
{y}.masked_fill_({y} > 0, 1.0) | {y}.index_fill_(0, torch.tensor([0]), 1.0) | {y}.index_add_(0, torch.tensor([0, 1]), {c}[:2])
{y}.t().add_(1) | {y}.view(-1)[0] = 2.0 | {y}.T.mul_(2) | {y}.view(-1).add_(1) | {y}.flatten()[1] = 7.0 | {y}.unsqueeze(0).add_(1)
{y}.normal_() | {y}.uniform_(0, 1) | {y}.floor_() | {y}.nan_to_num_() | {y}.cumsum_(0) | {y}.tril_() | {y}.clip_(max=1)
torch.add({y}, 1, out={y}) | torch.exp({y}, out={y}) | {y}.unsqueeze_(0).squeeze_(0) | {y}.bernoulli_(0.5) | {y}.fill_diagonal_(0)
{y}.put_(torch.tensor([0]), torch.tensor([5.0])) | {y}.scatter_(1, torch.zeros({rows}, 1, dtype=torch.long), 2.0)
{y}.squeeze_() | {y}.sqrt_() | {y}.index_copy_(0, torch.tensor([0]), {c}[:1]) | {y}.clamp_max_(0.7) | {y}.reciprocal_()
"""

HIDDEN_WRITE = """
{y}.data.add_(1) | {y}.data[0] = 3.0 | {y}.data *= 2 | {y}.data.zero_() | {y}.data.fill_(0.7) | {y}.data.copy_({c}) | {y}.data.clamp_(0, 1)
{y}.data.mul_(-1) | {y}.data -= 0.1 * {c} | {y}.data[:, 1] += 2 | {y}.detach().numpy()[0] = 1.5 | {y}.detach().numpy().fill(2.0)
{y}.data.numpy()[1, 0] = 9 | {y}.detach().cpu().numpy()[:] = 0.25 | {y}.data.T.add_(1) | {y}.data.view(-1)[1] = 4.0
"""
"""Writes that no version counter sees."""

DETACHED_WRITE = """
{y}.detach().add_(1) | {y}.detach()[0] = 0.0 | {y}.detach().mul_(2) | {y}.detach().zero_() | {y}.detach().clamp_(0, 1) | {y}.detach().copy_({c})
{y}.detach().view(-1)[0] = 2.0 | {y}.detach().fill_(10.0)
"""

HARMLESS = """
{y} = {y} + 1 | {y} = {y} * 2 | {y} = F.relu({y}) | {y} = {y}.clamp(min=0) | {y} = torch.sigmoid({y}) | {y}.add(1) | {y}.clone().add_(1)
{y}.clone().zero_() | F.relu({y}) | {y}.detach().clone().mul_(2) | {y} = {y}.clone() | torch.zeros_like({y}).add_({y}.detach())
{y} = {y}.masked_fill({y} > 0, 0.0) | {y} = nn.ReLU()({y}) | {y} = torch.where({y} > 0, {y}, {c}) | {y} = {y} - {c}
{y}.contiguous().clone()[0] = 1 | {y} = {y}.index_fill(0, torch.tensor([0]), 1.0) | nn.ReLU(inplace=False)({y}) | {y}.detach() + 1
{y} = {y}.clone(); {y} += 1 | {y} = {y} * 1; {y}[0] = 0.0 | {y} = {y}.clone().clamp_(-1, 1) | {y} = {y}.add(1).mul_(2)
"""
"""What looks like a write, or would be one, and is none (or only to fresh memory)."""

VIEW = """
{x}[0] | {x}[:, 0] | {x}[1:] | {x}[:, :2] | {x}.view(-1) | {x}.t() | {x}.T | {x}.transpose(0, 1) | {x}.unsqueeze(0) | {x}.reshape(-1)
{x}.flatten() | {x}.narrow(0, 0, 1) | {x}.select(1, 0) | {x}.permute(1, 0) | {x}.squeeze() | {x}.view_as({x}) | {x}[None]
{x}.diagonal() | {x}[::2] | {x}.expand_as({x}) | {x}.contiguous() | {x}.float() | {x}.to(torch.float32) | {x}[..., -1] | {x}.unfold(0, 1, 1)
torch.transpose({x}, 0, 1) | torch.reshape({x}, (-1,)) | torch.squeeze({x}) | {x}.swapaxes(0, 1) | {x}.movedim(0, 1) | {x}.mT
"""

COPYING = """
{x}[[0, 1]] | {x}[{x} > 0] | {x}.clone()[0] | {x}.index_select(0, torch.tensor([0, 1])) | {x}.repeat(2, 1) | {x}.double() | {x}.t().reshape(-1)
{x}.T.contiguous() | torch.cat([{x}, {x}]) | {x}.t().flatten() | {x}.masked_select({x} > 0) | {x}[torch.tensor([1, 0])] | {x}.take(torch.tensor([0]))
"""
"""Looks like a view, is a copy."""

PIECES = """
{x}.chunk(2, dim=0) | {x}.split(2) | {x}.unbind(0) | torch.chunk({x}, 2, 0) | torch.split({x}, 2, dim=0) | torch.unbind({x})
{x}.split([2, {rows} - 2]) | {x}.unbind(dim=0)
"""
"""Views of which autograd forbids writing to one."""

FREE_PIECES = """
torch.tensor_split({x}, 2) | {x}.tensor_split(2) | {x}.hsplit(1) | {x}.vsplit([1]) | [{x}[0], {x}[1]] | ({x}[:1], {x}[1:])
[row.clone() for row in {x}] | [part + 0 for part in {x}.chunk(2)] | [{x}[i] for i in range(2)] | torch.dsplit({x}.unsqueeze(-1), 1)
"""

ROW_WRITE = """
{y} += 1 | {y} *= 2 | {y}.add_(1) | {y}.zero_() | {y}.mul_(0.5) | {y}.fill_(1.0) | {y}.clamp_(min=0) | {y}[0] = 3.0 | {y}[:1] = 0 | {y}.neg_()
F.relu({y}, inplace=True) | {y}[..., 0] += 2 | {y} -= {y}.mean() | {y}.exp_() | {y}.sub_(1)
"""
"""Writes for a tensor of any shape with at least one dimension."""

NAMES: dict[str, str] = {
    "const": "x data batch features labels coef const ref sample noise obs scores0 y_true prior",
    "leaf": "w weight W theta a params bias alpha beta scale emb kernel gamma latent pose v0",
    "interior": "h hidden out y z feat act logits pred q k energy attn residual acc state result probs u emb_out",
    "view": "row col head part piece v view left first chunk sub top window",
    "scalar": "loss total objective cost nll err value score",
    "misc": "n count idx tmp info msg rate",
    "function": "step apply_update normalize process adjust helper transform compute forward_pass fix_up scale_in "
    "finalize refine encode mix update_buffer post_process sanitize",
    "class": "Net Model Block Encoder Head Policy Actor Critic MLP Residual Cell Layer Backbone Decoder",
    "attr": "act fc proj norm body head layers net lin encoder out_proj conv",
}

COMMENTS = """
# forward | # bookkeeping | # TODO: tune this | # normalise | # update in place to save memory | # keep a copy | # sanity check
# the backward pass | # NOTE: shapes are (batch, features) | # scale | # see section 3 of the paper | # set up | # avoid division by zero
"""


def phrases(text: str) -> tuple[str, ...]:
    """The templates of one of the tables above."""
    return tuple(part.strip() for line in text.strip().splitlines() for part in line.split(" | ") if part.strip())
