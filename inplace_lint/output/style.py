"""Terminal colours: one place that knows escape sequences."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics import Severity

_SEVERITIES = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;36"}


@dataclass(frozen=True)
class Style:
    """Paints text, or leaves it as it is where colour is off."""

    on: bool

    def paint(self, code: str, text: str) -> str:
        """The text in the given SGR code."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def severity(self, severity: Severity, text: str) -> str:
        """The text in the severity's colour."""
        return self.paint(_SEVERITIES[severity], text)

    def strong(self, text: str) -> str:
        """For what the eye should find first."""
        return self.paint("1", text)

    def frame(self, text: str) -> str:
        """For line numbers and rules around code."""
        return self.paint("1;34", text)

    def step(self, text: str) -> str:
        """For the other places of a finding's story."""
        return self.paint("34", text)

    def added(self, text: str) -> str:
        """For code to write."""
        return self.paint("32", text)

    def removed(self, text: str) -> str:
        """For code to replace."""
        return self.paint("31", text)

    def help(self, text: str) -> str:
        """For the word that starts advice."""
        return self.paint("1;36", text)
