"""Tables of what the interpreter knows beyond the op model: symbols, tensor methods, container methods.

Each function in a table takes the engine, the state (updated in place), the receiver where there is one, and the call
site; it returns the value, None where the call never returns, or ``NotImplemented`` to let the op model answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond
from inplace_lint.domain.objects import Container, Place, contents, order_of, sequence
from inplace_lint.domain.values import Value, union
from inplace_lint.interp.flow import Flow


@dataclass(frozen=True, slots=True)
class Spread:
    """Positional arguments of unknown number: from position ``start`` on they are what ``tail`` holds, in its order.

    surplus: they are what unknown callers may give besides the parameters that have names (``*args``), as one value; parameters
    that have names have their defaults.
    """

    start: int
    tail: Container
    surplus: Value = field(default_factory=dict)

    def shifted(self, by: int) -> Spread:
        """The same after ``by`` more arguments in front."""
        return Spread(self.start + by, self.tail, self.surplus)

    def after(self, positional: Sequence[Value], number: int) -> Container:
        """The arguments past the first ``number`` as one sequence."""
        if number > self.start:
            return sequence("tuple", None, contents(self.tail))
        own = list(positional[number : self.start])
        before, after = sequences.of(own), order_of(self.tail)
        order = None if before is None or after is None else sequences.concatenated(before, after)
        return sequence("tuple", order, union([*own, contents(self.tail)]))


@dataclass(slots=True)
class CallSite:
    """One call: where, in which flow, with which arguments, and how the source names the callee.

    given: what has to hold, beyond the path, for the callee to be this one.
    """

    place: Place
    flow: Flow
    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    target: str | None = None
    spread: Spread | None = None
    given: Cond = TRUE

    def argument(self, position: int, name: str) -> Value | None:
        """An argument by position or name, None where it was not given."""
        if position < len(self.positional):
            return self.positional[position]
        return self.named.get(name)

    def argument_name(self) -> str | None:
        """How messages call what a function writes; the source's text of the argument is the rule's business."""
        return None


Symbol = Callable[..., Any]
SYMBOLS: dict[str, Symbol] = {}
TENSOR_METHODS: dict[str, Symbol] = {}
METHODS: dict[tuple[str, str], Symbol] = {}


def symbol(*paths: str) -> Callable[[Symbol], Symbol]:
    """Register the meaning of outside functions and classes by dotted name."""

    def register(function: Symbol) -> Symbol:
        for path in paths:
            SYMBOLS[path] = function
        return function

    return register


def tensor_method(*names: str) -> Callable[[Symbol], Symbol]:
    """Register the meaning of tensor methods."""

    def register(function: Symbol) -> Symbol:
        for name in names:
            TENSOR_METHODS[name] = function
        return function

    return register


def method(kind: str, *names: str) -> Callable[[Symbol], Symbol]:
    """Register the meaning of methods of containers (``list``, ``dict`` ...) or of ``any`` receiver."""

    def register(function: Symbol) -> Symbol:
        for name in names:
            METHODS[(kind, name)] = function
        return function

    return register
