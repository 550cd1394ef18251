"""Output formats: one module a format, each with ``render(report) -> str``. A new module is a new format."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from .report import Report, diff_summary, no_lines, plural, summary

__all__ = ["Report", "diff_summary", "formats", "no_lines", "plural", "render", "summary"]

_HELPERS = frozenset({"report", "style"})


def formats() -> tuple[str, ...]:
    """The names of the formats, as the command line takes them."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in names if name not in _HELPERS))


def render(name: str, report: Report) -> str:
    """The report in the format of that name, which must be one of ``formats()``."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    renderer: Callable[[Report], str] = module.render
    return renderer(report)
