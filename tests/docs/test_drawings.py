"""The drawings can be read: on a light and on a dark page, in whatever font, and by those who do not see them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.docs.drawings import drawings
from tools.docs.svg import DARK, LIGHT, Scheme

DOCS = Path(__file__).parents[2] / "docs"
DRAWN = drawings()
SVG = "{http://www.w3.org/2000/svg}"


def luminance(color: str) -> float:
    """The relative luminance of ``#rrggbb``, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """How well one colour stands out from the other: 1 for not at all, 21 for black on white."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_edges_stand_out_as_accessibility_guidelines_ask(scheme: Scheme) -> None:
    for ink in (scheme.ink, scheme.muted, *(ink for _, _, ink in scheme.tones.values())):
        assert contrast(ink, scheme.card) >= 4.5
    for fill, edge, _ in scheme.tones.values():
        assert contrast(scheme.ink, fill) >= 4.5
        assert max(contrast(edge, fill), contrast(edge, scheme.card)) >= 2.5


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_has_words_for_those_who_do_not_see_it_and_a_card_of_its_own(name: str) -> None:
    root = ElementTree.fromstring(DRAWN[name])
    title, description = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert title and description and len(description) > len(title)
    card = root.find(f"{SVG}rect")
    assert card is not None and card.get("class") == "card"
    assert "prefers-color-scheme:dark" in DRAWN[name]


@pytest.mark.parametrize("name", DRAWN)
def test_words_stay_on_the_card(name: str) -> None:
    root = ElementTree.fromstring(DRAWN[name])
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for text in root.iter(f"{SVG}text"):
        size, words = float(text.get("font-size", 0)), text.text or ""
        # DejaVu, which is among the widest: a little more than half the size for each letter.
        each = 0.605 if "code" in text.get("class", "") else 0.63 if text.get("font-weight") else 0.58
        long = len(words) * size * each
        x, y = float(text.get("x", 0)), float(text.get("y", 0))
        left = x - long / 2 if text.get("text-anchor") == "middle" else x
        assert left >= 4 and left + long <= width - 4, words
        assert size <= y <= height - 6, words


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_shown_somewhere_with_words_in_its_place(name: str) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in DOCS.glob("*.md"))
    shown = re.findall(rf"!\[([^\]]+)\]\(drawings/{name}\)", pages)
    assert shown and all(len(words) > 20 for words in shown)
