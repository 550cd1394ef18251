"""``python -m tools.settings``: writes what is made from the table of settings, the schema for editors and the documentation."""

from __future__ import annotations

from pathlib import Path

from inplace_lint.settings import whole_schema
from inplace_lint.settings.describe import as_markdown
from inplace_lint.settings.table import options

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "inplace_lint" / "settings" / "schema.json"
PAGE = ROOT / "docs" / "settings.md"
MARK = "<!-- Made by `python -m tools.settings` from inplace_lint/settings/options.toml -->\n"


def page(text: str) -> str:
    """The documentation with its list of settings made anew."""
    head, mark, _ = text.partition(MARK)
    return head + mark + "".join(f"\n{as_markdown(option)}" for option in options().values())


def main() -> None:
    """Writes both files."""
    SCHEMA.write_text(whole_schema(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
