"""The table of settings: what the program, the documentation and editors know of it is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from inplace_lint.settings import Settings, describe, whole_schema
from inplace_lint.settings.table import options, toml

Run = Callable[..., Any]

ROOT = Path(__file__).parents[2]
OF_FILES = {"extend", "required-version"}
"""Keys that are about settings files themselves."""


def test_each_setting_is_a_field_and_each_field_a_setting() -> None:
    assert {it.name for it in fields(Settings)} == {it.field for it in options().values() if it.key not in OF_FILES}


def test_a_setting_is_described_in_full() -> None:
    for option in options().values():
        assert option.doc.endswith(".") and "\n" not in option.doc
        example = option.example.replace("[tool.inplace-lint.", "[")
        assert list(toml.loads(example)) == [option.key]
        assert (option.kind == "choice") == bool(option.choices)


def test_every_example_is_valid(tmp_path: Path, inplace_lint: Run) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    for option in options().values():
        if option.key not in OF_FILES:
            (tmp_path / "inplace-lint.toml").write_text(option.example.replace("[tool.inplace-lint.", "[") + "\n")
            assert inplace_lint("check", "--show-settings", "a.py").status == 0, option.key


def test_the_list_of_settings_is_toml_with_the_defaults() -> None:
    listed = toml.loads(describe())
    assert listed == {option.key: option.default for option in options().values() if option.default is not None}


def test_one_setting_is_described_as_in_ruff(tmp_path: Path, inplace_lint: Run) -> None:
    ran = inplace_lint("config", "assume-severity")
    assert ran.status == 0 and 'Default value: "warning"\nType: "error" | "warning" | "info"\n' in ran.out
    assert "Example usage:\n```toml\n" in ran.out
    assert inplace_lint("config").out == describe()
    ran = inplace_lint("config", "selct")
    assert ran.status == 2 and "did you mean `select`?" in ran.err
    listed = json.loads(inplace_lint("config", "--output-format", "json").out)
    assert list(listed) == list(options())


def test_the_schema_in_the_repository_is_current(inplace_lint: Run) -> None:
    kept = (ROOT / "inplace_lint" / "settings" / "schema.json").read_text(encoding="utf-8")
    assert kept == whole_schema(), "run: python -m tools.settings"
    assert inplace_lint("config", "--schema").out == kept


def test_the_schema_accepts_the_defaults_and_the_examples_and_refuses_mistakes() -> None:
    schema = json.loads(whole_schema())

    def valid(key: str, value: Any) -> bool:
        shape = schema["properties"].get(key)
        return shape is not None and _fits(value, shape, schema)

    for option in options().values():
        value = toml.loads(option.example.replace("[tool.inplace-lint.", "["))[option.key]
        assert valid(option.key, value), option.key
        assert option.default is None or valid(option.key, option.default), option.key
    assert schema["additionalProperties"] is False
    mistakes: list[tuple[str, Any]] = [
        ("selct", []),
        ("fix", "yes"),
        ("select", "IPL1"),
        ("select", ["nope"]),
        ("severity", "eror"),
        ("per-file-ignores", {"a.py": "IPL1"}),
    ]
    assert [key for key, value in mistakes if valid(key, value)] == []


def _fits(value: Any, shape: dict[str, Any], schema: dict[str, Any]) -> bool:
    """As much of JSON schema as ours uses."""
    if "$ref" in shape:
        shape = schema["definitions"][shape["$ref"].rsplit("/", 1)[1]]
    kinds: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}
    if "type" in shape and not isinstance(value, kinds[shape["type"]]):
        return False
    if "enum" in shape and value not in shape["enum"]:
        return False
    if "pattern" in shape and not re.search(shape["pattern"], value):
        return False
    if "anyOf" in shape and not any(_fits(value, one, schema) for one in shape["anyOf"]):
        return False
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    below = shape.get("items") or shape.get("additionalProperties") or {}
    return all(_fits(it, below, schema) for it in inner)


def test_the_documentation_is_current_and_has_every_setting() -> None:
    from tools.settings import page

    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^### `(.+)`$", text, re.MULTILINE) == list(options())
    assert text == page(text), "run: python -m tools.settings"
