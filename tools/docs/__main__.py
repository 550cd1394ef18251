"""``python -m tools.docs``: writes the rules' pages (docs/rules) and the drawings (docs/drawings) anew."""

from __future__ import annotations

from pathlib import Path

from tools.docs import drawings, rule_pages

DOCS = Path(__file__).parents[2] / "docs"


def made() -> dict[Path, str]:
    """Every file that is made, with its text."""
    pages = {DOCS / "rules" / name: text for name, text in rule_pages.pages().items()}
    return pages | {DOCS / "drawings" / name: text for name, text in drawings.drawings().items()}


def main() -> None:
    """Writes the files that have changed, and removes those that nothing makes any longer."""
    files = made()
    for old in [*DOCS.glob("rules/*.md"), *DOCS.glob("drawings/*.svg")]:
        if old not in files:
            old.unlink()
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(DOCS.parent))


if __name__ == "__main__":
    main()
