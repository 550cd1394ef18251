"""Pages and drawings that are made from code are as the code makes them. Here, since a change of a rule makes them stale."""

from __future__ import annotations

from inplace_lint.rules import all_rules
from tools.docs.__main__ import DOCS, made


def test_made_files_are_current() -> None:
    stale = [
        str(path.relative_to(DOCS.parent))
        for path, text in made().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "`python -m tools.docs` writes them anew"


def test_nothing_is_left_of_what_is_made_no_longer() -> None:
    there = {*DOCS.glob("rules/*.md"), *DOCS.glob("drawings/*.svg")}
    assert there == set(made()), "`python -m tools.docs` removes them"


def test_every_rule_has_a_page_that_the_index_links_to() -> None:
    index = (DOCS / "rules" / "index.md").read_text(encoding="utf-8")
    for rule in all_rules():
        assert f"[`{rule.code}`]({rule.code}.md) | `{rule.name}` |" in index
        page = (DOCS / "rules" / f"{rule.code}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {rule.name} ({rule.code})\n")
