"""The settings as the rest of the program sees them: typed, with the table's defaults."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from ..assumptions import Assumptions, Belief
from ..diagnostics import Severity
from .table import Option, options

Ignores = tuple[tuple[str, tuple[str, ...]], ...]
"""Patterns of files, each with the rules that are off there."""


def as_python(option: Option, value: Any) -> Any:
    """A valid value of a setting as Python code uses it: lists as tuples, severities as such."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return tuple((pattern, tuple(rules)) for pattern, rules in value.items())
    if option.kind == "choice" and "warning" in option.choices:
        return Severity.parse(value)
    return value


_DEFAULTS: dict[str, Any] = {key: as_python(option, option.default) for key, option in options().items()}


@dataclass(frozen=True)
class Settings:
    """What holds for a file, or for a run; the fields are the keys of the table, which says what each means.

    Patterns with a slash in them are relative to the working directory, unless they are absolute.
    """

    select: tuple[str, ...] = _DEFAULTS["select"]
    ignore: tuple[str, ...] = _DEFAULTS["ignore"]
    extend_select: tuple[str, ...] = _DEFAULTS["extend-select"]
    fixable: tuple[str, ...] = _DEFAULTS["fixable"]
    extend_fixable: tuple[str, ...] = _DEFAULTS["extend-fixable"]
    unfixable: tuple[str, ...] = _DEFAULTS["unfixable"]
    per_file_ignores: Ignores = _DEFAULTS["per-file-ignores"]
    extend_per_file_ignores: Ignores = _DEFAULTS["extend-per-file-ignores"]
    include: tuple[str, ...] = _DEFAULTS["include"]
    extend_include: tuple[str, ...] = _DEFAULTS["extend-include"]
    markdown: bool = _DEFAULTS["markdown"]
    exclude: tuple[str, ...] = _DEFAULTS["exclude"]
    extend_exclude: tuple[str, ...] = _DEFAULTS["extend-exclude"]
    respect_gitignore: bool = _DEFAULTS["respect-gitignore"]
    force_exclude: bool = _DEFAULTS["force-exclude"]
    fix: bool = _DEFAULTS["fix"]
    fix_only: bool = _DEFAULTS["fix-only"]
    unsafe_fixes: bool = _DEFAULTS["unsafe-fixes"]
    show_fixes: bool = _DEFAULTS["show-fixes"]
    output_format: str = _DEFAULTS["output-format"]
    severity: Severity = _DEFAULTS["severity"]
    fail_on: Severity = _DEFAULTS["fail-on"]
    baseline: str | None = _DEFAULTS["baseline"]
    cache_dir: str = _DEFAULTS["cache-dir"]
    assume_arguments_require_grad: Belief = _DEFAULTS["assume-arguments-require-grad"]
    assume_forward_is_trained: bool = _DEFAULTS["assume-forward-is-trained"]
    assume_results_are_trained: Belief = _DEFAULTS["assume-results-are-trained"]
    assume_unknown_calls_save: bool = _DEFAULTS["assume-unknown-calls-save"]
    assume_severity: Severity = _DEFAULTS["assume-severity"]

    def of(self, filename: str) -> Settings:
        """These, for every file: a run may have settings that differ from file to file; see ``SettingsSource``."""
        return self

    @property
    def run(self) -> Settings:
        """These, for the run as a whole."""
        return self

    @cached_property
    def assumptions(self) -> Assumptions:
        """What the analysis takes for granted."""
        return Assumptions(
            self.assume_arguments_require_grad,
            self.assume_forward_is_trained,
            self.assume_results_are_trained,
            self.assume_unknown_calls_save,
        )


class SettingsSource(Protocol):
    """Where the settings of a run come from: ``Settings`` themselves, or a ``Resolver`` that reads files."""

    @property
    def run(self) -> Settings:
        """What holds for the run as a whole."""
        raise NotImplementedError

    def of(self, filename: str) -> Settings:
        """What holds for a file, or for what lies in a folder."""
        raise NotImplementedError
