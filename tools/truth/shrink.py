"""Make a disagreeing program small: drop statements as long as linter and torch disagree in the same way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tools.truth.compare import Comparison, Linter, compare, lint
from tools.truth.generate import Program
from tools.truth.oracle import Oracle

Interesting = Callable[[str], bool]


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def _calls_own(tree: ast.Module, statement: ast.stmt) -> bool:
    """Whether ``statement`` calls a function of the program: without it, code is linted that never runs."""
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in defined


def _candidates(source: str) -> Iterator[str]:
    """Smaller programs, each one step away: without a statement, or with a block's body in place of the block."""
    tree = ast.parse(source)
    count = sum(len(body) for body in _bodies(tree))
    for way in ("drop", "unwrap"):
        for number in reversed(range(count)):
            copy = ast.parse(source)
            position = 0
            for body in _bodies(copy):
                if number < position + len(body):
                    index = number - position
                    inner = getattr(body[index], "body", [])
                    if isinstance(body[index], ast.Expr) and _calls_own(copy, body[index]):
                        break
                    if way == "drop":
                        body[index : index + 1] = [] if len(body) > 1 else [ast.Pass()]
                    elif isinstance(body[index], (ast.With, ast.If, ast.For, ast.While, ast.Try)):
                        body[index : index + 1] = inner
                    else:
                        break
                    changed = ast.unparse(ast.fix_missing_locations(copy))
                    if changed != source and len(changed) < len(source):
                        yield changed
                    break
                position += len(body)


def minimise(source: str, interesting: Interesting, budget: int = 400) -> str:
    """The smallest program that greedy deletion reaches while ``interesting`` holds, in at most ``budget`` trials."""
    current = ast.unparse(ast.parse(source))
    if not interesting(current):
        return source
    progress = True
    while progress and budget > 0:
        progress = False
        for candidate in _candidates(current):
            budget -= 1
            if interesting(candidate):
                current, progress = candidate, True
                break
            if budget <= 0:
                break
    return current


def shrink(comparison: Comparison, oracle: Oracle, linter: Linter = lint, budget: int = 400) -> Comparison:
    """The comparison on a smaller program that shows the same disagreement."""
    kind = comparison.disagreement
    first = comparison.verdict.findings[0].code if comparison.verdict.findings else ""
    found = {code for _, code in comparison.found}

    def tried(source: str) -> Comparison | None:
        verdict = oracle.judge(source)
        if not verdict.decided:
            return None
        program = Program(comparison.program.seed, comparison.program.topic, comparison.program.producer, source)
        return compare(program, verdict, linter)

    def interesting(source: str) -> bool:
        other = tried(source)
        if other is None or other.disagreement != kind:
            return False
        if kind == "missed" and first not in {finding.code for finding in other.verdict.findings}:
            return False
        return kind != "false-alarm" or bool(found & {code for _, code in other.found})

    return tried(minimise(comparison.program.source, interesting, budget)) or comparison
