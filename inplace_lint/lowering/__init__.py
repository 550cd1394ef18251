"""Lowering: the only layer that knows Python's syntax. Source text in, IR out.

``lower(source, file)`` makes a ``LoweredModule``: ``.code`` is the module's definition, and ``.span(origin)``,
``.statement_span(origin)``, ``.text(origin)`` and ``.node(origin)`` lead from an instruction back to the source.

| file | what it does |
|---|---|
| `module.py` | puts it together |
| `parsing.py`, `room.py` | libcst's parser, with errors of ours and room for deep syntax |
| `late.py` | cuts the bodies of functions out, to be parsed when they are asked for |
| `units.py` | parsed pieces, origins, positions |
| `scopes.py` | which scope each name belongs to |
| `builder.py` | emits instructions; the registry that maps a type of node to the function that lowers it |
| the others | these functions, a kind of syntax a file |
"""

from inplace_lint.lowering.module import LoweredModule, lower
from inplace_lint.lowering.parsing import LoweringError
from inplace_lint.lowering.units import Span

__all__ = ["LoweredModule", "LoweringError", "Span", "lower"]
