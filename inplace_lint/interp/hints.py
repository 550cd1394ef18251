"""How the source names what registers hold, for messages."""

from __future__ import annotations

from inplace_lint.interp.flow import Flow
from inplace_lint.interp.machine import Machine


class Hints:
    """Names of registers, kept on the machine by definition and register."""

    @staticmethod
    def name(m: Machine, flow: Flow, reg: int, name: str) -> None:
        """The register holds what ``name`` is bound to."""
        m.hints[(id(flow.code), reg)] = name

    @staticmethod
    def attribute(m: Machine, flow: Flow, reg: int, obj: int, attr: str) -> None:
        """The register holds an attribute of another register's object."""
        owner = m.hints.get((id(flow.code), obj))
        if owner is not None:
            m.hints[(id(flow.code), reg)] = f"{owner}.{attr}"

    @staticmethod
    def item(m: Machine, flow: Flow, reg: int, obj: int) -> None:
        """The register holds an element of another register's object."""
        owner = m.hints.get((id(flow.code), obj))
        if owner is not None:
            m.hints[(id(flow.code), reg)] = owner if owner.endswith("[...]") else f"{owner}[...]"

    @staticmethod
    def move(m: Machine, flow: Flow, reg: int, src: int) -> None:
        """The register holds what another one does."""
        owner = m.hints.get((id(flow.code), src))
        if owner is not None:
            m.hints[(id(flow.code), reg)] = owner

    @staticmethod
    def of(m: Machine, flow: Flow, reg: int) -> str | None:
        """The source's name for a register, if it has one."""
        return m.hints.get((id(flow.code), reg))
