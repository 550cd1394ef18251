"""Whether Python's own parser reads a text."""

from __future__ import annotations

import ast
import warnings


def parsed(source: str) -> ast.Module | SyntaxError:
    """The tree of a text, or what keeps the Python that runs us from reading it: newer syntax, null bytes, too deep a nest."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or "nested too deeply")
