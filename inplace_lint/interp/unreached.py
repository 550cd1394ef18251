"""Private helpers whose callers were all looked at and never got to calling them: fast paths for inference, for example.

Such a helper would otherwise be run for unknown callers, though everyone who may call it is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from inplace_lint import ir


def direct_calls(code: ir.Code) -> dict[str, set[ir.Code]]:
    """By the private names of a module's code: the definitions that call them, for names that are used for nothing else."""
    callers: dict[str, set[ir.Code]] = {}
    other: set[str] = set()
    for inner in definitions(code):
        named: dict[int, str] = {}
        for instr in ir.walk(inner.body):
            if isinstance(instr, ir.Call) and instr.func in named:
                callers.setdefault(named.pop(instr.func), set()).add(inner)
            name = instr.name if isinstance(instr, ir.Load) else instr.attr if isinstance(instr, ir.GetAttr) else ""
            if is_private(name):
                named[instr.dst] = name  # type: ignore[union-attr]
        other.update(named.values())
    return {name: found for name, found in callers.items() if name not in other}


def is_private(name: str) -> bool:
    """Whether a name is for the module's own use: one leading underscore, no special name."""
    return name.startswith("_") and not name.startswith("__")


def definitions(code: ir.Code) -> Iterator[ir.Code]:
    """A code and every definition in it."""
    yield code
    for instr in ir.walk(code.body):
        if isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
            yield from definitions(instr.code)
