"""The table of settings for people, editors and programs, and settings as the TOML that would give them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from .model import Settings
from .table import Option, options

_TYPES = {
    "rules": "list of rules",
    "patterns": "list of patterns",
    "rules-by-pattern": "table of pattern to list of rules",
    "boolean": "true or false",
    "format": "name of a format",
    "path": "path",
    "file": "path",
    "version": "version, or conditions on it",
}


def describe() -> str:
    """Every setting with its default and meaning, as TOML with comments."""
    return "\n".join(f"{_comment(option)}\n{_line(option)}\n" for option in options().values())


def _comment(option: Option) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(option.doc, 98))


def _line(option: Option) -> str:
    if option.default is None:
        return f"# {option.key} = (unset)"
    return f"{option.key} = {_toml(option, option.default)}"


def details(option: Option) -> str:
    """One setting: what it means, its default, its type and an example."""
    default = "none" if option.default is None else _toml(option, option.default)
    return "\n".join(
        [
            *textwrap.wrap(option.doc, 100),
            "",
            f"Default value: {default}",
            f"Type: {type_of(option)}",
            "Example usage:",
            "```toml",
            option.example,
            "```",
            "",
        ]
    )


def as_markdown(option: Option) -> str:
    """One setting as the documentation prints it."""
    default = "none" if option.default is None else f"`{_toml(option, option.default)}`"
    if len(default) > 100:
        default = f"\n```toml\n{option.key} = {_toml(option, option.default)}\n```\n"
    scope = "the run" if option.of_run else "each file"
    example = f"```toml\n{option.example}\n```"
    facts = f"Type: {type_of(option)}. Default: {default.strip() if '```' not in default else default}"
    facts = f"{facts.rstrip()}. Holds for {scope}." if "```" not in default else f"{facts}Holds for {scope}."
    return f"### `{option.key}`\n\n{option.doc}\n\n{facts}\n\n{example}\n"


def as_objects() -> dict[str, dict[str, Any]]:
    """Every setting as plain data, by its key."""
    return {
        option.key: {
            "doc": option.doc,
            "default": option.default,
            "value_type": type_of(option),
            "example": option.example,
            "scope": "run" if option.of_run else "file",
        }
        for option in options().values()
    }


def type_of(option: Option) -> str:
    """The type in words."""
    return " | ".join(f'"{choice}"' for choice in option.choices) or _TYPES[option.kind]


def as_toml(settings: Settings) -> str:
    """Settings as the lines that would set them, in the order of the table."""
    return "".join(
        f"{option.key} = {_toml(option, value)}\n" if value is not None else f"# {option.key} = (unset)\n"
        for option in options().values()
        if option.field in {it.name for it in fields(Settings)}
        for value in [getattr(settings, option.field)]
    )


def _toml(option: Option, value: Any) -> str:
    """A value of a setting, from the table or from ``Settings``, as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if option.kind == "rules-by-pattern":
        pairs = value.items() if isinstance(value, dict) else value
        inner = ", ".join(f"{_string(pattern)} = {_list(rules)}" for pattern, rules in pairs)
        return f"{{ {inner} }}" if inner else "{}"
    return _list(value) if isinstance(value, (tuple, list)) else _string(str(value))


def _list(items: Iterable[str]) -> str:
    strings = [_string(item) for item in items]
    whole = f"[{', '.join(strings)}]"
    return whole if len(whole) < 90 else "[\n" + "".join(f"    {item},\n" for item in strings) + "]"


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def whole_schema() -> str:
    """A JSON schema of ``inplace-lint.toml`` and of ``[tool.inplace-lint]``, for editors."""
    from ..rules import all_rules

    codes = [rule.code for rule in all_rules()]
    selectors = ["ALL", *sorted({code[:4] for code in codes}), *codes, *(rule.name for rule in all_rules())]
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of inplace-lint",
        "type": "object",
        "additionalProperties": False,
        "properties": {option.key: _property(option) for option in options().values()},
        "definitions": {"rule": {"type": "string", "anyOf": [{"enum": selectors}, {"pattern": "^IPL[0-9]{0,3}$"}]}},
    }
    return json.dumps(whole, indent=2) + "\n"


def _property(option: Option) -> dict[str, Any]:
    shape: dict[str, Any] = {"description": option.doc}
    if option.default is not None:
        shape["default"] = option.default
    rules = {"type": "array", "items": {"$ref": "#/definitions/rule"}}
    if option.kind == "boolean":
        shape["type"] = "boolean"
    elif option.kind == "rules":
        shape.update(rules)
    elif option.kind == "patterns":
        shape.update({"type": "array", "items": {"type": "string"}})
    elif option.kind == "rules-by-pattern":
        shape.update({"type": "object", "additionalProperties": rules})
    else:
        shape["type"] = "string"
        if option.kind == "format":
            from ..output import formats

            shape["enum"] = list(formats())
        elif option.choices:
            shape["enum"] = list(option.choices)
    return shape
