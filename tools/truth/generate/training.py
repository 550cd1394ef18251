"""Training scripts: optimizers, several losses, steps before a stale backward, hidden states, adversaries."""

from __future__ import annotations

from tools.truth.generate.base import Writer, producer
from tools.truth.generate.modules import act, linear

_OPTIMIZERS = ("SGD({p}, lr=0.1)", "Adam({p}, lr=1e-3)", "AdamW({p})", "SGD({p}, lr=0.01, momentum=0.9)", "RMSprop({p}, lr=1e-3)", "Adagrad({p})", "Adam({p}, lr=0.01, foreach=False)")


def optimizer(w: Writer, parameters: str) -> str:
    """An expression that makes an optimizer."""
    prefix = w.one("torch.optim.", "torch.optim.", "optim.")
    return prefix + w.pick(_OPTIMIZERS).format(p=parameters)


def net(w: Writer) -> str:
    """An expression that makes a network of that shape."""
    return w.one(linear(w), f"nn.Sequential({linear(w)}, {act(w)}, {act(w)})", f"nn.Sequential({linear(w)}, {act(w)}, {linear(w)})", f"nn.Sequential({linear(w)}, nn.{w.one('ReLU()', 'Tanh()', 'ReLU(inplace=True)')}, {linear(w)})")


def criterion(w: Writer, out: str) -> str:
    """A loss over ``out``."""
    return w.fill(w.one("F.mse_loss({x}, {c})", "{x}.mean()", "({x} - {c}).pow(2).mean()", "nn.MSELoss()({x}, {c})", "{x}.sum()", "F.binary_cross_entropy_with_logits({x}, {c}.sigmoid())", "({x} ** 2).sum()", "-{x}.mean()"), x=out)


@producer("training", 3)
def loop(w: Writer) -> None:
    """The plain training loop, with the usual slips."""
    model, opt = w.one("model", "net", "policy"), w.one("optimizer", "opt")
    w.emit(f"{model} = {net(w)}", f"{opt} = {optimizer(w, f'{model}.parameters()')}")
    target = w.any_const()
    slip = w.rng.randrange(12)
    if slip == 0:
        w.emit(f"out = {model}({target})", f"loss = {criterion(w, 'out')}")
    if slip == 9:
        w.emit("total = 0")
    with w.block(w.one("for epoch in range(2):", "for step in range(3):", "for _ in range(2):")):
        w.emit(f"{opt}.zero_grad()")
        if slip != 0:
            w.emit(f"out = {model}({target})")
            if slip == 1:
                w.emit("out += 1")
            if slip == 2:
                w.emit("out = torch.sigmoid(out)", w.write("out"))
            w.emit(f"loss = {criterion(w, 'out')}")
        if slip == 3:
            w.emit("loss.backward()", "loss.backward()")
        elif slip == 4:
            w.emit("loss.backward(retain_graph=True)", f"{opt}.step()", "loss.backward()")
        elif slip == 5:
            w.emit("loss.backward(retain_graph=True)", "loss.backward()")
        elif slip == 6:
            w.emit(f"{opt}.step()", "loss.backward()")
        elif slip == 7:
            w.emit(f"for p in {model}.parameters():\n    p.data.clamp_(-0.5, 0.5)", "loss.backward()")
        elif slip == 8:
            w.emit("loss.backward()", f"with torch.no_grad():\n    for p in {model}.parameters():\n        p -= 0.01 * p.grad")
        elif slip == 9:
            w.emit(w.one("total = total + loss", "total += loss", "total += loss.item()", "total += loss.detach()"), "loss.backward()" if w.chance(0.6) else "pass")
        else:
            w.emit("loss.backward()" + w.one("", "", "\ntorch.nn.utils.clip_grad_norm_(" + model + ".parameters(), 1.0)"))
        if w.chance(0.9):
            w.emit(f"{opt}.step()")
        if w.chance(0.2):
            w.emit("print(loss.item())")
    if slip == 9 and w.chance(0.5):
        with w.block("if isinstance(total, torch.Tensor) and total.requires_grad:"):
            w.emit("total.backward()")


@producer("training", 2)
def two_losses(w: Writer) -> None:
    """Two losses over a shared graph; one or two optimizers step between or after the backwards."""
    trunk = w.chance(0.7)
    if trunk:
        w.emit(f"encoder = {net(w)}")
    w.emit(f"head_a = {net(w)}", f"head_b = {net(w)}")
    everything = " + ".join(f"list({name}.parameters())" for name in (["encoder"] if trunk else []) + ["head_a", "head_b"])
    separate = w.chance(0.6)
    if separate:
        w.emit(f"opt_a = {optimizer(w, 'head_a.parameters()')}", f"opt_b = {optimizer(w, 'head_b.parameters()')}")
        if trunk and w.chance(0.4):
            w.emit(f"opt_e = {optimizer(w, 'encoder.parameters()')}")
    else:
        w.emit(f"opt_a = {optimizer(w, everything)}", "opt_b = opt_a")
    x = w.any_const()
    w.emit(f"feat = encoder({x})" if trunk else f"feat = {x}")
    detached = w.chance(0.3)
    w.emit(f"loss_a = {criterion(w, 'head_a(feat)')}")
    second = w.one("head_b(feat.detach())", "head_b(feat)") if detached else w.one("head_b(feat)", "head_b(head_a(feat))", "head_b(feat)", "head_b(head_a(feat).detach())")
    late = w.chance(0.25)
    if not late:
        w.emit(f"loss_b = {criterion(w, second)}")
    retain = w.one("retain_graph=True", "retain_graph=True", "")
    early = w.chance(0.5)
    if w.chance(0.2) and not late:
        w.emit("(loss_a + loss_b).backward()", "opt_a.step()", "opt_b.step()")
        return
    w.emit(f"loss_a.backward({retain})")
    if early:
        w.emit("opt_a.step()")
        if "opt_e" in "\n".join(w.lines) and w.chance(0.5):
            w.emit("opt_e.step()")
    if late:
        if w.chance(0.5) and trunk:
            w.emit(f"feat = encoder({x})")
        w.emit(f"loss_b = {criterion(w, second)}")
    if w.chance(0.3):
        w.emit("opt_b.zero_grad()")
    w.emit("loss_b.backward()")
    if not early:
        w.emit("opt_a.step()")
    w.emit("opt_b.step()")


@producer("training", 2)
def adversarial(w: Writer) -> None:
    """A generator and a discriminator (or an actor and a critic)."""
    g, d = w.one(("gen", "disc"), ("generator", "discriminator"), ("actor", "critic"), ("G", "D"))
    w.emit(f"{g} = {net(w)}", f"{d} = {net(w)}", f"opt_g = {optimizer(w, f'{g}.parameters()')}", f"opt_d = {optimizer(w, f'{d}.parameters()')}")
    x = w.any_const()
    order = w.rng.randrange(7)
    with w.block(w.one("for step in range(2):", "for _ in range(1):")) if w.chance(0.5) else w.maybe(0, ""):
        w.emit(f"fake = {g}({x})")
        d_input = w.one("fake.detach()", "fake.detach()", "fake")
        if order < 2:
            w.emit(f"d_loss = {d}({d_input}).mean() - {d}({x}).mean()", f"g_loss = -{d}(fake).mean()")
            steps = ["opt_d.zero_grad()", f"d_loss.backward({'retain_graph=True' if d_input == 'fake' or w.chance(0.2) else ''})", "opt_d.step()", "opt_g.zero_grad()", "g_loss.backward()", "opt_g.step()"]
            if order == 1:
                steps = ["opt_g.zero_grad()", f"g_loss.backward({w.one('retain_graph=True', '')})", "opt_g.step()", "opt_d.zero_grad()", "d_loss.backward()", "opt_d.step()"]
            if w.chance(0.2):
                steps = [steps[0], steps[1], steps[4], steps[2], steps[5]]
            w.emit(*steps)
        elif order < 5:
            w.emit(f"d_loss = {d}({d_input}).mean() - {d}({x}).pow(2).mean()", "opt_d.zero_grad()", f"d_loss.backward({w.one('', 'retain_graph=True')})", "opt_d.step()")
            if w.chance(0.3):
                w.emit(f"with torch.no_grad():\n    for p in {d}.parameters():\n        p.clamp_(-0.1, 0.1)")
            if w.chance(0.3):
                w.emit(f"fake = {g}({x})")
            w.emit(f"g_loss = -{d}(fake).mean()", "opt_g.zero_grad()", "g_loss.backward()", "opt_g.step()")
        else:
            w.emit(f"value = {d}({x})", f"action = {g}({x})", f"advantage = ({x} - value){w.one('.detach()', '', '')}", "actor_loss = -(action * advantage).mean()", "critic_loss = (value - 1).pow(2).mean()")
            pair = [("actor_loss", "opt_g"), ("critic_loss", "opt_d")]
            w.rng.shuffle(pair)
            for number, (loss, opt) in enumerate(pair):
                w.emit(f"{opt}.zero_grad()", f"{loss}.backward({'retain_graph=True' if number == 0 and w.chance(0.6) else ''})", f"{opt}.step()")


@producer("training")
def hidden_state(w: Writer) -> None:
    """A recurrent state carried across steps, detached or not."""
    kind = w.one("RNNCell", "GRUCell", "LSTMCell", "manual")
    n = w.columns
    w.emit(f"cell = nn.Linear({2 * n}, {n})" if kind == "manual" else f"cell = nn.{kind}({n}, {n})")
    w.emit(f"opt = {optimizer(w, 'cell.parameters()')}", f"h = torch.zeros({w.shape})")
    if kind == "LSTMCell":
        w.emit(f"c = torch.zeros({w.shape})")
    x = w.any_const()
    with w.block("for t in range(2):"):
        if kind == "manual":
            w.emit(f"h = torch.tanh(cell(torch.cat([{x}, h], dim=1)))")
        elif kind == "LSTMCell":
            w.emit(f"h, c = cell({x}, (h, c))")
        else:
            w.emit(f"h = cell({x}, h)")
        if w.chance(0.25):
            w.emit(w.one("h *= 0.9", "h[0] = 0", "h = h * 0.9", "h = h.clone()\nh *= 0.9"))
        w.emit(f"loss = {criterion(w, 'h')}", "opt.zero_grad()", f"loss.backward({w.one('', '', 'retain_graph=True')})", w.one("opt.step()", "opt.step()", "pass"))
        w.emit(w.one("h = h.detach()", "h.detach_()", "pass", "h = h.data", "h = h.detach().clone()"))
        if kind == "LSTMCell" and w.chance(0.6):
            w.emit("c = c.detach()")


@producer("training")
def penalty(w: Writer) -> None:
    """`autograd.grad` with `create_graph`: gradient penalties and inner loops."""
    w.emit(f"net = {net(w)}", f"opt = {optimizer(w, 'net.parameters()')}")
    x = w.leaf()
    w.emit(f"out = net({x})")
    create = w.one("create_graph=True", "create_graph=True", "retain_graph=True", "")
    w.emit(f"grads = torch.autograd.grad(out.{w.one('sum()', 'pow(2).sum()', 'exp().mean()')}, {x}{', ' + create if create else ''})[0]")
    w.emit(w.one("gp = (grads.norm(dim=1) - 1).pow(2).mean()", "gp = grads.pow(2).sum()", "gp = grads.sum()", "grads += 1\ngp = grads.sum()", "gp = grads.detach().sum()", "gp = grads.pow(2).sum()\ngrads.mul_(2)"))
    w.emit(f"loss = {criterion(w, 'out')} + gp" if create else "loss = gp + net(torch.ones_like(" + x + ")).sum()")
    if w.chance(0.3):
        w.emit("opt.step()")
    w.emit("loss.backward()", "opt.step()")


@producer("training")
def target_network(w: Writer) -> None:
    """A target network copied, averaged or aliased between the forward and the backward."""
    w.emit(f"online = {net(w)}", w.one("target = copy.deepcopy(online)", f"target = {net(w)}", "target = online", "target = copy.deepcopy(online)\nfor p in target.parameters():\n    p.requires_grad_(False)"))
    w.emit(f"opt = {optimizer(w, 'online.parameters()')}")
    x = w.any_const()
    update = w.one("tp.data.copy_(0.9 * tp.data + 0.1 * p.data)", "tp.data.mul_(0.9).add_(p.data, alpha=0.1)", "tp.data = p.data.clone()", "with torch.no_grad():\n    tp.mul_(0.9).add_(0.1 * p)", "tp.copy_(p)")
    with w.maybe(0.6, "with torch.no_grad():"):
        w.emit(f"goal = target({x})")
    w.emit(f"loss = F.mse_loss(online({x}), goal{w.one('', '.detach()')})")
    early = w.chance(0.4)
    same = "target = copy" in "\n".join(w.lines) or "target = online" in "\n".join(w.lines)
    polyak = f"for p, tp in zip(online.parameters(), target.parameters()):\n    {update}".replace("\n    tp.mul", "\n        tp.mul") if same else "opt.zero_grad()"
    w.emit(*(([polyak, "loss.backward()", "opt.step()"]) if early else ["loss.backward()", "opt.step()", polyak]))


@producer("training")
def trainer_class(w: Writer) -> None:
    """A trainer with the optimizer in an attribute and an update helper."""
    name = w.one("Trainer", "Agent", "Learner")
    with w.definition(), w.block(f"class {name}:"):
        with w.block("def __init__(self):"):
            w.emit(f"self.actor = {net(w)}", f"self.critic = {net(w)}", f"self.actor_opt = {optimizer(w, 'self.actor.parameters()')}", f"self.critic_opt = {optimizer(w, 'self.critic.parameters()')}")
        with w.block(f"def apply(self, opt, loss, retain={w.one('False', 'True')}):"):
            w.emit("opt.zero_grad()", "loss.backward(retain_graph=retain)", "opt.step()")
        with w.block("def update(self, obs):"):
            w.emit("action = self.actor(obs)", f"q = self.critic({w.one('action', 'action.detach()', 'obs', 'action')})", "actor_loss = -self.critic(action).mean()", "critic_loss = (q - 1).pow(2).mean()")
            pair = ["self.apply(self.critic_opt, critic_loss{})", "self.apply(self.actor_opt, actor_loss{})"]
            if w.chance(0.4):
                pair.reverse()
            if w.chance(0.3):
                w.emit(pair[0].format(w.one("", ", True")), "actor_loss = -self.critic(self.actor(obs)).mean()", "critic_loss = (self.critic(obs) - 1).pow(2).mean()", pair[1].format(""))
            else:
                w.emit(pair[0].format(w.one("", ", True", ", retain=True")), pair[1].format(""))
            w.emit("return actor_loss.item()")
    w.emit(f"agent = {name}()", f"agent.update({w.any_const()})")
    if w.chance(0.3):
        w.emit(f"agent.update({w.any_const()})")


@producer("training")
def manual_descent(w: Writer) -> None:
    """Gradient descent by hand on leaves, in its right and wrong forms."""
    leaf = w.leaf()
    update, reset = w.one(
        ("with torch.no_grad():\n    {w} -= 0.1 * {w}.grad", "{w}.grad.zero_()"),
        ("with torch.no_grad():\n    {w} -= 0.1 * {w}.grad", "{w}.grad = None"),
        ("{w}.data -= 0.1 * {w}.grad", "{w}.grad.zero_()"),
        ("{w} = {w} - 0.1 * {w}.grad", ""),
        ("{w} -= 0.1 * {w}.grad", "{w}.grad.zero_()"),
        ("{w} = ({w} - 0.1 * {w}.grad).detach().requires_grad_()", ""),
        ("{w}.data.sub_(0.1 * {w}.grad.data)", "{w}.grad.data.zero_()"),
        ("{w}.data = {w}.data - 0.1 * {w}.grad", "{w}.grad.zero_()"),
        ("with torch.no_grad():\n    {w} = {w} - 0.1 * {w}.grad", ""),
        ("with torch.no_grad():\n    {w}.copy_({w} - 0.1 * {w}.grad)", "{w}.grad.zero_()"),
        ("{w} = torch.tensor(({w} - 0.1 * {w}.grad).tolist(), requires_grad=True)", ""),
        ("{w} = {w}.sub({w}.grad, alpha=0.1)", ""),
    )
    with w.block("for step in range(3):"):
        out = w.interior(leaf)
        w.emit(f"loss = {criterion(w, out)}", "loss.backward()", update.format(w=leaf))
        if reset:
            w.emit(reset.format(w=leaf))
    w.emit(f"print({leaf}.sum().item())")
