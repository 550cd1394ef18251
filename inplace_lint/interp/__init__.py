"""The interpreter: runs the IR over the abstract domain and reports what happens as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inplace_lint.assumptions import USUAL, Assumptions

if TYPE_CHECKING:
    from inplace_lint.interp.roots import Root
    from inplace_lint.lowering import LoweredModule
    from inplace_lint.project import Project


def analyse(module: LoweredModule, project: Project | None = None, assumed: Assumptions = USUAL) -> list[Root]:
    """Interpret a lowered module and everything it defines, with what it imports from its project: a result an entry point."""
    from inplace_lint.interp.roots import analyse_code
    from inplace_lint.opmodel import lookup

    return analyse_code(module.code, lookup.load(), project, assumed, module.source)


__all__ = ["analyse"]
