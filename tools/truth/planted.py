"""Faults planted into programs that are right: one in-place write that changes no value, at a random place.

Random programs are made of what their producers know; these have the shapes of training code as people write it. Whether the
write breaks anything is torch's to say: about a third of them does.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator, Sequence

from tools.truth.fixtures import Fixture
from tools.truth.generate import Program
from tools.truth.oracle import Oracle

WRITES = ("{0}.mul_(1)", "{0} *= 1", "{0}.add_(0)", "{0}[...] = {0} * 1", "{0}[0] = {0}[0] * 1", "{0}[0] *= 1")
"""All of them leave every value as it is, so that the rest of the program does what it did."""
REACHED = "raise LookupError('planted')"
TRIES = 8
"""Places that are tried in a program until a write there tells something."""

Place = tuple[int, int, str]
"""The line after which a write goes, its indentation and the name that it writes to."""

_LEAVES = (ast.Return, ast.Break, ast.Continue, ast.Raise)
_APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Match)


def places(source: str) -> list[Place]:
    """Where a write can go: after each statement, to each name that its function binds or reads from ``self``."""
    tree = ast.parse(source)
    found: list[Place] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            _in_block(node.body, _names(node), found)
    _in_block(tree.body, _names(ast.Module([s for s in tree.body if not isinstance(s, _APART)], [])), found)
    return found


def _names(scope: ast.AST) -> list[str]:
    names = set()
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg) and node.arg not in ("self", "cls", "ctx"):
            names.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            names.add(f"self.{node.attr}")
    return sorted(names)


def _in_block(body: Sequence[ast.stmt], names: list[str], found: list[Place]) -> None:
    for statement in body:
        if isinstance(statement, _APART):
            continue
        inner = [block for field in ("body", "orelse", "finalbody") if (block := getattr(statement, field, None))]
        if not inner and not isinstance(statement, _LEAVES):
            found += [(statement.end_lineno or statement.lineno, statement.col_offset, name) for name in names]
        for block in inner:
            _in_block(block, names, found)


def plant(source: str, place: Place, text: str) -> str:
    """The source with a statement after a place's line."""
    lines = source.splitlines(keepends=True)
    line, indentation, _ = place
    return "".join([*lines[:line], " " * indentation + text + "\n", *lines[line:]])


def planted(cases: Iterable[Fixture], seed: int, count: int, oracle: Oracle) -> Iterator[Program]:
    """Up to ``count`` programs, each another fixture that is right with a write at a random place that its run reaches.

    What is drawn for a fixture depends on the seed and its name alone, so that new fixtures leave the others' programs as they
    are. Where the write is to no tensor, or to an unbound name, another place is tried.
    """
    right = [
        case for case in cases if case.runs and not (case.expected or case.torch or case.gaps or case.false_alarms)
    ]
    dice = {case.name: random.Random(f"inplace-lint/planted/{seed}/{case.name}") for case in right}
    drawn = {name: rng.random() for name, rng in dice.items()}
    made = 0
    for case in sorted(right, key=lambda case: drawn[case.name]):
        program = None if made >= count else _planted(case, seed, dice[case.name], oracle)
        if program is not None:
            made += 1
            yield program


def _planted(case: Fixture, seed: int, rng: random.Random, oracle: Oracle) -> Program | None:
    open_places = places(case.source)
    for place in rng.sample(open_places, min(TRIES, len(open_places))):
        source = plant(case.source, place, rng.choice(WRITES).format(place[2]))
        if not oracle.judge(source).decided:
            continue
        probe = oracle.judge(plant(case.source, place, REACHED))
        if any("planted" in text for _, text in probe.errors):
            return Program(seed, case.name, f"{place[0] + 1}", source)
    return None
