"""A seeded generator of runnable PyTorch programs, about half of which autograd finds fault with.

Each topic is a file of producers; a producer writes one kind of program with random ops, names, order and style.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.truth.generate.assemble import assemble
from tools.truth.generate.base import TOPICS, Writer

__all__ = ["Program", "generate", "programs", "topics"]

_NO_TOPICS = {"base", "assemble", "vocabulary"}


@dataclass(frozen=True)
class Program:
    """One generated program. Seed and topic are all it takes to make it again."""

    seed: int
    topic: str
    producer: str
    source: str


def topics() -> tuple[str, ...]:
    """The names of all topics."""
    if not TOPICS:
        for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
            if module.name not in _NO_TOPICS:
                importlib.import_module(f"{__name__}.{module.name}")
    return tuple(sorted(TOPICS))


def generate(seed: int, topic: str | None = None) -> Program:
    """The program of that seed, on ``topic`` or on a random one. Raises ``KeyError`` for a topic that does not exist."""
    known = topics()
    rng = random.Random(f"inplace-lint/{topic}/{seed}")
    chosen = topic if topic is not None else rng.choice(known)
    rows = TOPICS[chosen]
    name, function, _ = rng.choices(rows, [weight for _, _, weight in rows])[0]
    writer = Writer(rng)
    function(writer)
    return Program(seed, chosen, name, assemble(writer))


def programs(seed: int, count: int, topic: str | None = None) -> Iterator[Program]:
    """``count`` programs with consecutive seeds from ``seed`` on."""
    for number in range(seed, seed + count):
        yield generate(number, topic)
