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
    """``count`` programs, each a random fixture that is right with a write at a random place that its run reaches.

    What the write is to may be no tensor, or unbound: such programs are undecided, as torch's verdict says.
    """
    rng = random.Random(f"inplace-lint/planted/{seed}")
    right = [
        case for case in cases if case.runs and not (case.expected or case.torch or case.gaps or case.false_alarms)
    ]
    made = 0
    while right and made < count:
        case = rng.choice(right)
        open_places = places(case.source)
        if not open_places:
            right.remove(case)
            continue
        place = rng.choice(open_places)
        probe = oracle.judge(plant(case.source, place, REACHED))
        if not any("planted" in text for _, text in probe.errors):
            continue
        made += 1
        write = rng.choice(WRITES).format(place[2])
        yield Program(seed, case.name, f"{place[0] + 1}", plant(case.source, place, write))
