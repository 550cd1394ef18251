"""The drawings of the guide: memory and its version counters, what operations keep, and how three programs end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.docs.svg import Canvas, Tone


def drawings() -> dict[str, str]:
    """Every drawing by the name of its file."""
    made: tuple[Callable[[], Canvas], ...] = (memory, kept, saved, silent, columns, steps, pipeline)
    return {f"{draw.__name__}.svg": draw().svg() for draw in made}


def memory() -> Canvas:
    """Which names of one memory share a version counter."""
    canvas = Canvas(
        760,
        366,
        "One storage, three kinds of names",
        "h, its view h[0] and h.detach() share the storage and one version counter. h.data shares the storage and has a "
        "counter of its own. h.numpy() shares the storage and has no counter.",
    )
    canvas.text(24, 34, "names", tone="muted", size=13)
    canvas.text(262, 34, "who counts a write", tone="muted", size=13)
    canvas.text(566, 34, "storage: the memory", tone="muted", size=13)
    rows = [("h", 48), ("h[0]", 92), ("h.detach()", 136), ("h.data", 216), ("h.numpy()", 296)]
    for name, y in rows:
        canvas.box(24, y, 140, 34, name, tone="tensor")
        canvas.line((164, y + 17), (214, y + 17))
    canvas.line((214, 65), (214, 153))
    canvas.arrow((214, 109), (260, 109))
    canvas.badge(262, 109, "the version counter of h", width=196)
    canvas.text(262, 143, "a write through any of the three", size=13)
    canvas.text(262, 161, "is counted, and found out", tone="good", size=13, bold=True)
    canvas.arrow((214, 233), (260, 233))
    canvas.badge(262, 233, "a counter of its own", width=196)
    canvas.text(262, 267, "counted where nobody looks", tone="bad", size=13, bold=True)
    canvas.line((214, 313), (540, 313))
    canvas.text(262, 337, "counted nowhere", tone="bad", size=13, bold=True)
    canvas.line((458, 109), (540, 109))
    canvas.line((458, 233), (540, 233))
    canvas.line((540, 109), (540, 313))
    canvas.arrow((540, 202), (564, 202))
    for n in range(4):
        canvas.box(566 + 42 * n, 180, 42, 44, f"{n + 1}.0", round_=0, tone="kept" if n == 0 else "plain")
    canvas.text(566, 248, "h[0]: the first place,", tone="muted", size=13)
    canvas.text(566, 266, "no counter of its own", tone="muted", size=13)
    return canvas


@dataclass(frozen=True)
class _Op:
    """An operation for ``kept``: its name, inputs and result, each with whether backward keeps it."""

    name: str
    inputs: tuple[tuple[str, bool], ...]
    result: tuple[str, bool]
    code: str
    says: str


def kept() -> Canvas:
    """What four operations keep for their backward."""
    ops = [
        _Op("add", (("a", False), ("b", False)), ("y", False), "y = a + b", "keeps nothing"),
        _Op("sin", (("a", True),), ("y", False), "y = a.sin()", "keeps its input"),
        _Op("exp", (("a", False),), ("y", True), "y = a.exp()", "keeps its result"),
        _Op("mul", (("a", True), ("b", True)), ("y", False), "y = a * b", "keeps both inputs"),
    ]
    canvas = Canvas(
        760,
        284,
        "What operations keep for their backward",
        "add keeps nothing, sin keeps its input, exp keeps its result, mul keeps both inputs. What is kept must not be "
        "written before backward; everything else may be.",
    )
    for n, op in enumerate(ops):
        left = 14 + n * 184
        middle = left + 90
        canvas.text(middle, 36, op.code, anchor="middle", code=True, size=15, bold=True)
        single = len(op.inputs) == 1
        for m, (name, keeps) in enumerate(op.inputs):
            x = middle - 22 if single else left + 24 + m * 88
            canvas.box(x, 56, 44, 32, name, tone="kept" if keeps else "tensor")
            canvas.arrow((x + 22, 88), (middle if single else middle - 14 + 28 * m, 116))
        canvas.box(middle - 38, 116, 76, 32, op.name, round_=16)
        canvas.arrow((middle, 148), (middle, 172))
        canvas.box(middle - 22, 172, 44, 32, op.result[0], tone="kept" if op.result[1] else "tensor")
        canvas.text(middle, 230, op.says, anchor="middle", size=13.5, bold=True)
        if n:
            canvas.line((left - 2, 24), (left - 2, 238), dashed=True)
    canvas.box(24, 255, 16, 16, tone="kept", round_=3)
    canvas.text(48, 268, "kept: not to be written before backward", tone="muted", size=13)
    canvas.box(384, 255, 16, 16, tone="tensor", round_=3)
    canvas.text(408, 268, "not kept: may be written in place", tone="muted", size=13)
    return canvas


@dataclass(frozen=True)
class _Step:
    """A line of a program, and what is true after it: the value that exp made, its counter, and what the node of exp holds."""

    code: str
    value: str
    version: str
    node: str
    says: str
    tone: Tone = "tensor"
    node_tone: Tone = "kept"


def _trace(title: str, description: str, steps: Sequence[tuple[str, Sequence[_Step]]], height: int) -> Canvas:
    """Programs line by line: at the left the code, then the memory of exp's result with its counter, then the graph."""
    canvas = Canvas(760, height, title, description)
    canvas.text(24, 30, "code", tone="muted", size=13)
    canvas.text(206, 30, "memory of exp's result", tone="muted", size=13)
    canvas.text(452, 30, "graph: what exp keeps", tone="muted", size=13)
    y = 44
    for heading, program in steps:
        if heading:
            canvas.rule(y)
            canvas.text(24, y + 24, heading, size=13.5, bold=True)
            y += 36
        for step in program:
            canvas.text(24, y + 24, step.code, code=True, size=14)
            canvas.box(206, y + 2, 76, 34, step.value, tone=step.tone)
            canvas.badge(292, y + 19, f"version {step.version}", tone="counter" if step.version == "0" else "bad")
            canvas.arrow((450, y + 19), (380, y + 19), dashed=True)
            canvas.box(452, y + 2, 132, 34, step.node, tone=step.node_tone, code=False, size=13)
            tone = step.node_tone if step.node_tone in ("bad", "good") else "muted"
            for n, words in enumerate(step.says.split("\n")):
                lines = step.says.count("\n")
                canvas.text(598, y + 24 - 8 * lines + 17 * n, words, size=13, tone=tone, bold=tone != "muted")
            y += 50
    return canvas


def saved() -> Canvas:
    """A saved result that is written, and the same written out of place."""
    first = _Step("y = w.exp()", "2.72", "0", "y, at version 0", "exp's derivative\nis its result")
    return _trace(
        "A write to a saved tensor, and the same out of place",
        "In place: exp keeps y at version 0, y += 1 makes it version 1, and backward compares and raises. Out of place: "
        "y = y + 1 makes another tensor, the kept one stays at version 0, and backward is right.",
        [
            (
                "In place",
                [
                    first,
                    _Step("y += 1", "3.72", "1", "y, at version 0", "", tone="bad"),
                    _Step("y.backward()", "3.72", "1", "0 is not 1", "raises", tone="bad", node_tone="bad"),
                ],
            ),
            (
                "Out of place: y is another tensor from then on, the first one is still there",
                [
                    first,
                    _Step("y = y + 1", "2.72", "0", "y, at version 0", "the kept tensor\nis untouched"),
                    _Step("y.backward()", "2.72", "0", "0 is 0", "w.grad is 2.72", node_tone="good"),
                ],
            ),
        ],
        436,
    )


def silent() -> Canvas:
    """The same write through ``.data``: the value is gone, and the counter does not tell."""
    return _trace(
        "A write through .data",
        "exp keeps y at version 0. y.data += 1 changes the value and not the counter. Backward compares 0 with 0, finds "
        "nothing wrong, and multiplies by 3.72 where the derivative is 2.72.",
        [
            (
                "",
                [
                    _Step("y = w.exp()", "2.72", "0", "y, at version 0", "exp's derivative\nis its result"),
                    _Step("y.data += 1", "3.72", "0", "y, at version 0", "nobody noticed", tone="bad"),
                    _Step(
                        "y.backward()",
                        "3.72",
                        "0",
                        "0 is 0",
                        "w.grad is 3.72:\nwrong, no error",
                        tone="bad",
                        node_tone="bad",
                    ),
                ],
            )
        ],
        206,
    )


def columns() -> Canvas:
    """A loop that fills a buffer: one counter for all of it."""
    canvas = Canvas(
        760,
        322,
        "A buffer that is filled column by column",
        "Each round keeps column i - 1 for sin's backward, at the version of that moment, and then writes column i. The "
        "write is counted for the whole buffer, so that every column kept before is out of date.",
    )
    canvas.text(24, 32, "out[:, 0] = w", code=True, size=14)
    canvas.text(24, 54, "for i in range(1, 4): out[:, i] = out[:, i - 1].sin()", code=True, size=14)
    canvas.text(206, 86, "out: one storage, one counter", tone="muted", size=13)
    canvas.text(500, 86, "what this round's sin keeps", tone="muted", size=13)
    for i in range(1, 4):
        y = 100 + (i - 1) * 58
        canvas.text(24, y + 24, f"after round i = {i}", size=13.5)
        for n in range(4):
            tone: Tone = "bad" if n == i else "kept" if n == i - 1 else "plain"
            canvas.box(206 + 42 * n, y, 42, 36, str(n), tone=tone, round_=0)
        canvas.badge(388, y + 18, f"version {i + 1}")
        canvas.box(500, y, 236, 36, f"column {i - 1}, at version {i}", tone="kept", code=False, size=13)
    canvas.text(24, 294, "out.sum().backward()", code=True, size=14)
    said = "column 2 was kept at version 3, the counter stands at 4: raises"
    canvas.text(206, 294, said, tone="bad", size=13.5, bold=True)
    return canvas


def steps() -> Canvas:
    """Two losses over one forward pass, and two orders of what follows."""
    canvas = Canvas(
        760,
        380,
        "Two losses over one discriminator, and the order of step and backward",
        "Both losses go through the discriminator D, whose weights the graph keeps at version 0. If D's optimizer steps "
        "first, the weights are at version 1 when the generator's loss goes backward, which raises. Both backwards first, "
        "then the step, is right.",
    )
    canvas.text(24, 34, "one forward pass; the graph keeps D's weights as they are now", tone="muted", size=13)
    canvas.box(24, 62, 84, 40, "noise")
    canvas.box(164, 62, 84, 40, "G", tone="tensor")
    canvas.box(304, 62, 84, 40, "D", tone="kept")
    canvas.arrow((108, 82), (162, 82))
    canvas.arrow((248, 82), (302, 82))
    canvas.badge(300, 124, "version 0", width=92)
    canvas.arrow((388, 82), (420, 82), (420, 66), (460, 66))
    canvas.arrow((388, 82), (420, 82), (420, 118), (460, 118))
    canvas.box(462, 48, 110, 36, "loss_d", tone="plain")
    canvas.box(462, 100, 110, 36, "loss_g", tone="plain")
    canvas.text(586, 71, "trains D", tone="muted", size=13)
    canvas.text(586, 123, "trains G, through D", tone="muted", size=13)
    for y, heading, tone_, order in (
        (160, "Fails: the step comes between", "bad", ("loss_d.backward()", "opt_d.step()", "loss_g.backward()")),
        (266, "Works: the step comes last", "good", ("loss_d.backward()", "loss_g.backward()", "opt_d.step()")),
    ):
        canvas.rule(y)
        canvas.text(24, y + 26, heading, tone=tone_, size=13.5, bold=True)
        written = False
        for n, code in enumerate(order):
            x = 24 + n * 244
            steps_now = code == "opt_d.step()"
            ends_badly = written and not steps_now
            box: Tone = "bad" if ends_badly else "counter" if steps_now else "plain"
            canvas.box(x, y + 40, 200, 36, code, tone=box)
            written = written or steps_now
            said = "D: version 1, kept: 0, raises" if ends_badly else f"D: version {int(written)}"
            canvas.text(x + 100, y + 94, said, anchor="middle", size=13, tone="bad" if ends_badly else "muted")
            if n < 2:
                canvas.arrow((x + 200, y + 58), (x + 242, y + 58))
    return canvas


def pipeline() -> Canvas:
    """From files to findings."""
    canvas = Canvas(
        760,
        168,
        "From files to findings",
        "Text is screened, lowered to a small representation, interpreted over abstract tensors, settled between files, and "
        "becomes findings. The op model, made from PyTorch, feeds the interpreter.",
    )
    stages = [
        ("screen", "a byte search,\na quick parse"),
        ("lower", "syntax to a small\nrepresentation"),
        ("interpret", "over tensors\nwithout values"),
        ("settle", "callers in\nother files"),
        ("report", "rules, stories,\nfixes"),
    ]
    for n, (name, words) in enumerate(stages):
        x = 24 + n * 148
        canvas.box(x, 24, 112, 40, name, tone="kept" if name == "interpret" else "tensor", code=False)
        for m, line in enumerate(words.split("\n")):
            canvas.text(x + 56, 86 + 17 * m, line, anchor="middle", tone="muted", size=12.5)
        if n < len(stages) - 1:
            canvas.arrow((x + 112, 44), (x + 147, 44))
    canvas.badge(274, 144, "op model, made from PyTorch", width=204)
    canvas.arrow((376, 133), (376, 110), tone="counter")
    return canvas
