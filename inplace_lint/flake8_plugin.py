"""The rules as a plugin of flake8, which finds it by the entry point of the installed package.

flake8 hands over one file at a time, selects codes and honours ``# noqa`` itself, on top of what the settings files say. What the
file imports is read, and findings in other files are left to when flake8 comes to them.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from . import __version__

if TYPE_CHECKING:
    from .settings import Resolver

_NOQA = re.compile(r"(?<=#)(?P<between>[^#\n]*?)noqa\b", re.IGNORECASE)
# flake8 has a code of its own for what cannot be parsed, and judges its own comments.
_LEFT_TO_FLAKE8 = frozenset({"IPL000", "IPL900"})


class Plugin:
    """One file's check, as flake8 runs it."""

    name = "inplace-lint"
    version = __version__
    _noqa: ClassVar[bool] = True
    _stdin_name: ClassVar[str] = "stdin"
    _resolver: ClassVar[Resolver | None] = None

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self._filename = filename
        self._lines = lines

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Takes note of those of flake8's options that matter here."""
        cls._noqa = not options.disable_noqa
        cls._stdin_name = options.stdin_display_name

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Row from 1, column from 0 in characters, ``CODE message``, and this class, for each finding of the file."""
        from .api import check_text
        from .output.words import sentence
        from .settings import SettingsError

        source = "".join(self._lines)
        if not self._noqa:
            # All comments that suppress are to have no effect, those that only we know among them.
            source = _NOQA.sub(lambda found: f"{found['between']}----", source)
        name = self._stdin_name if self._filename == "-" else self._filename
        try:
            result = check_text(source, name, self._settings())
        except SettingsError as error:
            yield 1, 0, f"IPL001 the file was not checked: {error}", type(self)
            return
        for found in result.diagnostics:
            if found.span.filename == name and found.code not in _LEFT_TO_FLAKE8:
                start = found.span.start
                yield start.row, start.column - 1, f"{found.code} {sentence(found)}", type(self)
        for failure in result.failures:
            # An exception would end flake8's whole run, and silence would look like a clean file.
            yield (
                1,
                0,
                f"IPL001 internal error, the file was not checked: {failure.error} (please report this)",
                type(self),
            )

    @classmethod
    def _settings(cls) -> Resolver:
        """The settings files, each read once for all files."""
        from .settings import Resolver

        if cls._resolver is None:
            cls._resolver = Resolver()
        return cls._resolver
