"""How messages call what nobody knows: the tags of unknowns as a person reads them.

The tag ``forward:x.y`` is "`x.y` of `forward`"; tags that begin with ``#`` were made here and are known by who was called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_STEP = re.compile(r" (r?)([^\w\s]+) (\S+)")
_CHAIN = re.compile(rf"(\S+)((?:{_STEP.pattern})+)")
_TIGHT = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "@": 2, "**": 3}
"""How tightly operators bind; comparisons do least."""
_ALONE = 9
_NEGATED = re.compile(r"(.+) ([-+~])")


def describe(tag: str, callees: Mapping[str, str]) -> str:
    """What bears a tag. callees: who returned it, by the tags of results."""
    owner, expression = _split(tag)
    if expression is None:
        return _result(tag, callees) if tag.startswith("#") else f"`{tag}`"
    return f"`{_written(expression)}` of `{owner}`" if "#" not in expression else f"what `{owner}` computes"


def argument(tag: str, callees: Mapping[str, str]) -> str:
    """What bears a tag, where it may be an argument as it was given."""
    owner, expression = _split(tag)
    if expression is not None and expression.isidentifier():
        return f"argument `{expression}` of `{owner}`"
    return describe(tag, callees) if expression is not None else _result(tag, callees)


def _split(tag: str) -> tuple[str, str | None]:
    owner, _, expression = tag.partition(":")
    return (tag, None) if tag.startswith("#") or not expression else (owner, expression)


def _written(expression: str) -> str:
    """Operations as they are written: the tag of ``(1 - x) % 2`` begins with ``x``, from which it follows, then ``r- 1``."""
    if chain := _CHAIN.fullmatch(expression):
        text, inner = chain[1], _ALONE
        for reflected, op, operand in _STEP.findall(chain[2]):
            tight = _TIGHT.get(op, 0)
            if inner < tight or (reflected and inner == tight):
                text = f"({text})"
            text, inner = f"{operand} {op} {text}" if reflected else f"{text} {op} {operand}", tight
        return text
    negated = _NEGATED.fullmatch(expression)
    return f"{negated[2]}{_written(negated[1])}" if negated else expression


def _result(tag: str, callees: Mapping[str, str]) -> str:
    callee = callees.get(tag.rstrip("~"))
    return f"the result of `{callee}(...)`" if callee else "the result of an unknown call"
