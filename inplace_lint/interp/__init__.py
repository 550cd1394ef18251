"""The interpreter: runs the IR over the abstract domain and reports what happens as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inplace_lint.events import Event
    from inplace_lint.lowering import LoweredModule


def analyse(module: LoweredModule) -> list[Event]:
    """Interpret a lowered module and everything it defines; returns what happened, in order of discovery."""
    from inplace_lint.interp.roots import analyse_code
    from inplace_lint.opmodel import lookup

    return analyse_code(module.code, lookup.load())


__all__ = ["analyse"]
