"""What every topic writes with: a random source, a growing program, fresh names, and the common phrases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tools.truth.generate import vocabulary

Item = TypeVar("Item")

INDENT = "    "

MODES = (
    "with torch.no_grad():",
    "with torch.no_grad():",
    "with torch.inference_mode():",
    "with torch.set_grad_enabled(False):",
    "with torch.enable_grad():",
    "with torch.set_grad_enabled(True):",
    "with torch.autograd.no_grad():",
)


@cache
def _table(name: str) -> tuple[str, ...]:
    return vocabulary.phrases(getattr(vocabulary, name))


@dataclass
class Layout:
    """What the assembly may do with a program's body. ``wrap``: it may become the body of a function."""

    wrap: bool = True


class Writer:
    """One program in the making.

    Statements go to ``lines`` at the current depth (`emit`, `block`), top-level definitions to ``defs``. The shape
    of every ordinary tensor is (``rows``, ``columns``).
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.rows = rng.choice((3, 4, 5))
        self.columns = rng.choice((3, 4, 6))
        self.lines: list[str] = []
        self.defs: list[str] = []
        self.prelude: list[str] = []  # comes first, wherever that is, because any statement may use it
        self.layout = Layout()
        self.taken: set[str] = set()
        self.noise = rng.choice((0.0, 0.05, 0.15, 0.25))
        self.depth = 0
        self.constant = ""

    # -- choices -------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def pick(self, options: Sequence[Item]) -> Item:
        """One of them."""
        return self.rng.choice(options)

    def one(self, *options: Item) -> Item:
        """One of them."""
        return self.rng.choice(options)

    def fresh(self, role: str) -> str:
        """A name that suits ``role`` (a key of ``vocabulary.NAMES``) and is not taken."""
        words = [word for word in vocabulary.NAMES[role].split() if word not in self.taken]
        if words:
            name = self.pick(words)
        else:
            stem = self.pick(vocabulary.NAMES[role].split())
            name = next(f"{stem}{i}" for i in range(2, 999) if f"{stem}{i}" not in self.taken)
        self.taken.add(name)
        return name

    # -- text ----------------------------------------------------------------------------------------------

    def emit(self, *statements: str) -> None:
        """Write statements (which may have several lines, indented among themselves)."""
        for statement in statements:
            if self.noise and self.chance(self.noise) and self._may_interrupt(statement):
                self._noise()
            for line in statement.split("\n"):
                self.lines.append(INDENT * self.depth + line if line else line)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Indent what is written in the body under ``header``."""
        self.emit(header)
        self.depth += 1
        before = len(self.lines)
        try:
            yield
        finally:
            if len(self.lines) == before:
                self.lines.append(INDENT * self.depth + "pass")
            self.depth -= 1

    @contextmanager
    def maybe(self, probability: float, header: str) -> Iterator[None]:
        """`block` that often, else nothing."""
        if self.chance(probability):
            with self.block(header):
                yield
        else:
            yield

    @contextmanager
    def definition(self) -> Iterator[list[str]]:
        """What is written in the body becomes a top-level definition."""
        lines, depth = self.lines, self.depth
        self.lines, self.depth = [], 0
        try:
            yield self.lines
        finally:
            self.defs.append("\n".join(self.lines))
            self.lines, self.depth = lines, depth

    def _may_interrupt(self, statement: str) -> bool:
        """Whether a statement may come before this one: not between a decorator and its function, nor before `else`."""
        if self.lines and self.lines[-1].lstrip().startswith("@"):
            return False
        return not statement.startswith(("else", "elif", "except", "finally", "case ", "@"))

    def _noise(self) -> None:
        number = self.rng.randrange(1, 9)
        name = self.fresh("misc") if self.chance(0.5) else "step_size"
        options = [
            self.pick(_table("COMMENTS")),
            f"{name} = {number}",
            f"{name} = {number} * 0.1",
            f'print("stage {number}")',
            f"{name} = {number}\n{name} += 1",
            f"{name} = [{number}]\n{name}.append({number})\n{name}[0] = 2",
            f"{name} = torch.zeros({number})\n{name} += 1",
            f'{name} = f"run {{{number}:03d}}"',
            f"{name} = {{'lr': 0.{number}}}\n{name}['lr'] *= 0.5",
            f"{name} = torch.arange({number}).float()\n{name}[0] = 1",
            f"assert {number} > 0, 'size'",
            f"{name} = max({number}, 2)",
        ]
        for line in self.pick(options).split("\n"):
            self.lines.append(INDENT * self.depth + line)

    # -- tensors -------------------------------------------------------------------------------------------

    @property
    def shape(self) -> str:
        """The ordinary shape, as arguments."""
        return f"{self.rows}, {self.columns}"

    def const(self, name: str | None = None) -> str:
        """Make a tensor that needs no grad."""
        name = name or self.fresh("const")
        self.emit(f"{name} = torch.{self.one('randn', 'rand', 'ones', 'randn')}({self.shape})")
        return name

    def any_const(self) -> str:
        """A constant tensor's name, made on first use and reused."""
        if not self.constant:
            self.constant = self.fresh("const")
            self.prelude.append(f"{self.constant} = torch.{self.one('randn', 'rand', 'ones', 'randn')}({self.shape})")
        return self.constant

    def leaf(self, name: str | None = None) -> str:
        """Make a leaf that requires grad."""
        name = name or self.fresh("leaf")
        maker = self.one("randn", "rand", "ones", "randn", "randn")
        self.emit(
            self.one(
                f"{name} = torch.{maker}({self.shape}, requires_grad=True)",
                f"{name} = torch.{maker}({self.shape}, requires_grad=True)",
                f"{name} = torch.{maker}({self.shape}).requires_grad_()",
                f"{name} = nn.Parameter(torch.{maker}({self.shape}))",
                f"{name} = torch.{maker}({self.shape})\n{name}.requires_grad = True",
                f"{name} = torch.{maker}({self.shape})\n{name}.requires_grad_(True)",
                f"{name} = torch.full(({self.shape}), 0.4, requires_grad=True)",
            )
        )
        return name

    def make(self, kind: str) -> str:
        """Make a tensor of that kind: ``const``, ``leaf`` or ``interior``."""
        if kind == "const":
            return self.const()
        return self.leaf() if kind == "leaf" else self.interior()

    def interior(self, source: str | None = None, name: str | None = None) -> str:
        """Make a tensor that a recorded op computes."""
        source = source or self.leaf()
        name = name or self.fresh("interior")
        self.emit(f"{name} = {self.expression(source)}")
        return name

    # -- phrases -------------------------------------------------------------------------------------------

    def fill(self, template: str, **names: str) -> str:
        """The template with names in it; constants come from `any_const`."""
        if "{c}" in template and "c" not in names:
            names["c"] = self.any_const()
        return template.format(rows=self.rows, **names)

    def phrase(self, table: str, **names: str) -> str:
        """A random template of a table of `vocabulary`, filled."""
        return self.fill(self.pick(_table(table)), **names)

    def expression(self, x: str, mild: float = 0.35) -> str:
        """An expression of the ordinary shape over ``x``; ``mild`` that often keeps nothing for backward."""
        return self.phrase("MILD" if self.chance(mild) else "UNARY", x=x)

    def binary(self, x: str, z: str) -> str:
        """An expression over two tensors."""
        return self.phrase("BINARY", x=x, z=z)

    def write(self, y: str, rows: bool = False) -> str:
        """A statement that writes to ``y`` in place; with ``rows``, one that suits any shape."""
        return self.phrase("ROW_WRITE" if rows else "WRITE", y=y)

    def scalar(self, x: str, plain: float = 0.5) -> str:
        """A scalar over ``x``; ``plain`` that often keeps nothing of it."""
        return self.phrase("PLAIN_SCALAR" if self.chance(plain) else "SCALAR", x=x)

    def finish(self, *roots: str) -> None:
        """Sum up ``roots`` to a loss and go backward, one way or another."""
        scalars = [self.scalar(root) for root in roots]
        whole = " + ".join(scalars)
        way = self.rng.randrange(10)
        if way < 5 or len(roots) > 1:
            loss = self.fresh("scalar")
            self.emit(f"{loss} = {whole}")
            self.emit(self.one(f"{loss}.backward()", f"{loss}.backward()", f"torch.autograd.backward({loss})"))
        elif way < 7:
            self.emit(f"({whole}).backward()")
        elif way < 8:
            self.emit(f"{roots[0]}.backward(torch.ones_like({roots[0]}))")
        else:
            self.emit(f"{roots[0]}.sum().backward()")

    def aside(self, y: str) -> None:
        """Something that reads ``y`` and means nothing to autograd."""
        self.emit(
            self.one(
                f"print({y}.shape)",
                f"print('mean', {y}.mean().item())",
                f"{self.fresh('misc')} = {y}.size(0)",
                f"assert {y}.dim() >= 1",
                f"{self.fresh('misc')} = {y}.detach().clone()",
                f"{self.fresh('misc')} = {y}.sum().item()",
                f"{self.fresh('misc')} = float({y}.detach().max())",
            )
        )


Producer = Callable[[Writer], None]
TOPICS: dict[str, list[tuple[str, Producer, float]]] = {}
"""Topic -> its producers, each with its name and weight."""


def producer(topic: str, weight: float = 1.0) -> Callable[[Producer], Producer]:
    """Register a function that writes one kind of program."""

    def register(function: Producer) -> Producer:
        TOPICS.setdefault(topic, []).append((function.__name__, function, weight))
        return function

    return register
