"""A mend of libcst's parser (1.9.0 and before), which refuses ``return(a if b else c)`` and ``assert(lambda: x)``.

When it asks whether a keyword may stand right before an expression, it overlooks the parentheses of conditional expressions, and
for those of a lambda it fails with a ``TypeError``. All other expressions are asked about rightly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

_ASKED = "_safe_to_use_with_word_operator"
_KINDS: tuple[type[cst.BaseExpression], ...] = (cst.IfExp, cst.Lambda)


def allow_parenthesised() -> bool:
    """Let libcst see those parentheses from now on. Returns whether that was something new."""
    mended = False
    for kind in _KINDS:
        known: Callable[[Any, Any], bool] | None = vars(kind).get(_ASKED)
        if known is not None and known.__module__ != __name__:
            setattr(kind, _ASKED, _seeing_parentheses(known))
            mended = True
    return mended


def _seeing_parentheses(known: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def safe(self: Any, position: Any) -> bool:
        return bool(self.lpar and self.rpar) or known(self, position)

    return safe
