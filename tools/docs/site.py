"""mkdocs' hook: pages that stand outside ``docs``, links to files of the repository, and what fills the navigation.

README, CONTRIBUTING and CHANGELOG are pages of the site without a copy in the repository. A link out of ``docs`` leads to such a
page where there is one, and to the file itself, which then goes to the site as it is, where there is none.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}

_LINK = re.compile(r"(\]\()([^)\s#]+)([^)\s]*\))")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Completes the navigation: a page for each rule, and at the end of *Use it* the guides that nobody has put in order."""
    names = [path.name for path in (ROOT / "docs" / "rules").glob("IPL*.md")]
    # Rules about the check itself come last.
    codes = sorted(names, key=lambda name: (name.startswith(("IPL0", "IPL9")), name))
    listed = str(config.nav)
    guides = sorted(path.name for path in (ROOT / "docs").glob("*.md") if f"'{path.name}'" not in listed)
    for entry in config.nav or []:
        if "Rules" in entry:
            entry["Rules"] += [f"rules/{name}" for name in codes]
        if "Use it" in entry:
            entry["Use it"] += guides
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages from outside ``docs``, and the files of the repository that pages link to."""
    for source, name in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=links(text, source)))
    linked = {target for page in files.documentation_pages() for target in _outside(page)}
    for target in sorted(linked):
        if (ROOT / target).is_file() and files.get_file_from_path(target) is None:
            files.append(File.generated(config, target, abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Makes a page's links out of ``docs`` lead to where those files are on the site."""
    if page.parent is None:
        # A page without a section of its own needs no list of the section's pages beside it.
        page.meta["hide"] = ["navigation"]
    if page.file.src_uri in PAGES.values():
        return markdown
    return links(markdown, f"docs/{page.file.src_uri}")


def links(markdown: str, source: str) -> str:
    """The text of a page with its links as the site needs them. ``source`` is the page's path in the repository."""
    own = _on_site(source)

    def relinked(match: re.Match[str]) -> str:
        target = match[2]
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        return f"{match[1]}{posixpath.relpath(_on_site(path), posixpath.dirname(own) or '.')}{match[3]}"

    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(relinked, part) for part in parts)


def _on_site(path: str) -> str:
    """Where a file of the repository is on the site."""
    return PAGES.get(path, path.removeprefix("docs/"))


def _outside(page: File) -> set[str]:
    """The files outside ``docs`` that a page of ``docs`` or one of ``PAGES`` links to, by their path in the repository."""
    source = next((one for one, name in PAGES.items() if name == page.src_uri), f"docs/{page.src_uri}")
    text = (ROOT / source).read_text(encoding="utf-8")
    text = "".join(part for part in _FENCE.split(text) if not part.startswith("```"))
    found: set[str] = set()
    for match in _LINK.finditer(text):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        if not re.match(r"[a-z]+:", match[2]) and not path.startswith("docs/") and path not in PAGES:
            found.add(path)
    return found
