"""Lowering: the only layer that knows Python's syntax. Source text in, IR out."""

from inplace_lint.lowering.module import LoweredModule, lower
from inplace_lint.lowering.parsing import LoweringError
from inplace_lint.lowering.units import Span

__all__ = ["LoweredModule", "LoweringError", "Span", "lower"]
