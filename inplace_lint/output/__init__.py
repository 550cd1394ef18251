"""Output formats: one module a format, each with ``render(report) -> str``. A new module is a new format."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable

from . import statistics
from .cells import by_cell, in_cell
from .report import Report, closing, diff_summary, no_lines, plural, summary

__all__ = [
    "Report",
    "closing",
    "diff_summary",
    "formats",
    "in_cell",
    "no_lines",
    "plural",
    "render",
    "render_statistics",
    "summary",
]

_HELPERS = frozenset({"cells", "places", "report", "statistics", "style", "suggestion", "words"})


def formats() -> tuple[str, ...]:
    """The names of the formats, as the command line takes them."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in names if name not in _HELPERS))


def render(name: str, report: Report) -> str:
    """The report in the format of that name, which must be one of ``formats()``."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    renderer: Callable[[Report], str] = module.render
    return _storable(renderer(by_cell(report, getattr(module, "CELLS", "rows"))))


def render_statistics(name: str, report: Report) -> str:
    """How often each rule was hit, in a format that ``statistics.FORMATS`` names."""
    return _storable(statistics.render(name, report))


def _storable(text: str) -> str:
    """The text without halves of characters, which stand for the bytes of file names that are no UTF-8."""
    if text.isascii() or not _HALVES.search(text):
        return text
    return _HALVES.sub("\ufffd", text)


_HALVES = re.compile("[\ud800-\udfff]")
