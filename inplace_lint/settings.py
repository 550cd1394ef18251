"""The settings: their names, defaults and meanings, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from .diagnostics import Severity


@dataclass(frozen=True)
class Settings:
    """What a run looks for and what it shows. Each field says in its metadata what it means."""

    select: tuple[str, ...] = field(
        default=("ALL",), metadata={"doc": "Rules to enable: codes, prefixes of codes, names, or ALL."}
    )
    extend_select: tuple[str, ...] = field(default=(), metadata={"doc": "Rules to enable on top of `select`."})
    ignore: tuple[str, ...] = field(
        default=(), metadata={"doc": "Rules to disable. Where a rule is in both, the more specific selector wins."}
    )
    exclude: tuple[str, ...] | None = field(
        default=None,
        metadata={
            "doc": "Files and folders to leave out of a walk, as patterns. Unset: version control, caches, builds."
        },
    )
    extend_exclude: tuple[str, ...] = field(default=(), metadata={"doc": "Patterns to leave out on top of `exclude`."})
    severity: Severity = field(
        default=Severity.WARNING, metadata={"doc": "The least severity that is shown: error, warning or info."}
    )
    fail_on: Severity = field(
        default=Severity.WARNING, metadata={"doc": "The least severity that makes the exit status 1."}
    )
    output_format: str = field(
        default="full", metadata={"doc": "How findings are printed; `inplace-lint check --help` lists the formats."}
    )


def describe() -> str:
    """Every setting with its default and meaning, as TOML with comments."""
    defaults = Settings()
    return "\n".join(
        f"# {setting.metadata['doc']}\n{_line(setting.name, getattr(defaults, setting.name))}\n"
        for setting in fields(Settings)
    )


def _line(name: str, value: object) -> str:
    key = name.replace("_", "-")
    if value is None:
        return f"# {key} = (unset)"
    if isinstance(value, tuple):
        items = ", ".join(f'"{item}"' for item in value)
        return f"{key} = [{items}]"
    return f'{key} = "{value}"'
