"""What is looked at on its own, and how often."""

from __future__ import annotations

from engine_checks import program

from inplace_lint.interp import analyse
from inplace_lint.lowering import lower


def entry_points(source: str) -> list[str]:
    """The definitions that were looked at on their own, by the text of their first line, in order."""
    module = lower(program(source), "program.py")
    lines = module.source.splitlines()
    origins = [root.definition[1] for root in analyse(module) if root.definition is not None]
    return [lines[module.span(origin)[0] - 1].strip() for origin in origins]


def test_a_definition_of_several_names_is_looked_at_once() -> None:
    source = """\
def first(x):
    return x.exp()

class Transform:
    def __call__(self, data):
        return data

again = first
TransformD = TransformDict = Transform
"""
    assert entry_points(source) == ["def first(x):", "class Transform:", "def __call__(self, data):"]
