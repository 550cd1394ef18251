"""The site: it is built without a warning, every link on it leads somewhere, and it loads nothing from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from inplace_lint.rules import all_rules

pytest.importorskip("material", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[2]
LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")}


class Page(HTMLParser):
    """A page's links, what it loads, its anchors, and its paragraphs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.paragraphs: list[str] = []
        self._within = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loaded += [given[name] for kind, name in LOADING if kind == tag and name in given]
        if tag == "p":
            self._within = True
            self.paragraphs.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.paragraphs[-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_and_every_rule_is_there(site: Path, pages: dict[Path, Page]) -> None:
    for name in ("guide", "how-it-works", "contributing", "changelog", *(f"rules/{rule.code}" for rule in all_rules())):
        assert site / name / "index.html" in pages
    for source in (ROOT / "docs").glob("*.md"):
        assert site / source.stem / "index.html" in pages
        assert f"{source.stem}/" in pages[site / "index.html"].links


def test_every_link_and_every_anchor_exists(site: Path, pages: dict[Path, Page]) -> None:
    lost = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (
                parts.fragment and target in pages and parts.fragment not in pages[target].anchors
            ):
                lost.append((str(path.relative_to(site)), link))
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page]) -> None:
    assert {it for page in pages.values() for it in page.loaded if urlsplit(it).netloc} == set()


def test_lists_and_tables_are_no_paragraphs(pages: dict[Path, Page]) -> None:
    """A list needs an empty line before it here, and none where the repository is shown."""
    broken = [
        (path.parent.name, text[:80])
        for path, page in pages.items()
        for text in page.paragraphs
        if any(line.startswith(("- ", "| ", "1. ", "```")) for line in text.splitlines())
    ]
    assert broken == []
