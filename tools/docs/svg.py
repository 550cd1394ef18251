"""A small canvas for drawings of boxes, arrows and words, written as SVG that can be read on a light and on a dark page.

A drawing stands on a card of its own colour, so that it is legible whatever lies behind it; where the reader's system asks
for dark colours the card and all on it are dark. Lengths are in pixels of the drawing's own coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Literal

Tone = Literal["plain", "tensor", "kept", "bad", "good", "counter"]
Anchor = Literal["start", "middle", "end"]

_SANS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True)
class Scheme:
    """Colours: of the card, the words, the lines, and for each tone of a box its fill, its edge and words in its colour."""

    card: str
    edge: str
    ink: str
    muted: str
    line: str
    tones: dict[Tone, tuple[str, str, str]]


LIGHT = Scheme(
    card="#fbfaf7",
    edge="#dcdad3",
    ink="#20262e",
    muted="#59626e",
    line="#7a838e",
    tones={
        "plain": ("#ffffff", "#9aa2ac", "#20262e"),
        "tensor": ("#e4eefa", "#3c74ba", "#27568f"),
        "kept": ("#fdeccd", "#b3761a", "#83530a"),
        "bad": ("#fbe2df", "#c0392b", "#a32a1d"),
        "good": ("#def2e2", "#2d7d45", "#1e6a35"),
        "counter": ("#eceaf6", "#6a5bb0", "#4d3f92"),
    },
)
DARK = Scheme(
    card="#1e232b",
    edge="#3a424d",
    ink="#e7eaef",
    muted="#aab3bf",
    line="#87919d",
    tones={
        "plain": ("#2a313b", "#707b88", "#e7eaef"),
        "tensor": ("#203850", "#6ba6e8", "#9cc5f3"),
        "kept": ("#49361a", "#e0ab4b", "#f0c67c"),
        "bad": ("#4c2524", "#ef837a", "#ffa39b"),
        "good": ("#1e3e2a", "#62c07d", "#86da9e"),
        "counter": ("#332e52", "#a396ee", "#c2b8fb"),
    },
)


def style(scheme: Scheme) -> str:
    """The rules of style sheet for one scheme."""
    rules = [
        f".card{{fill:{scheme.card};stroke:{scheme.edge}}}",
        f".ink{{fill:{scheme.ink}}}",
        f".muted{{fill:{scheme.muted}}}",
        f".line{{stroke:{scheme.line};fill:none}}",
        f".head{{fill:{scheme.line}}}",
    ]
    for tone, (fill, edge, ink) in scheme.tones.items():
        rules += [f".{tone}{{fill:{fill};stroke:{edge}}}", f".{tone}-ink{{fill:{ink}}}"]
        rules += [f".{tone}-line{{stroke:{edge};fill:none}}", f".{tone}-head{{fill:{edge}}}"]
    return "".join(rules)


@dataclass
class Canvas:
    """Takes shapes one by one, in the order in which they cover each other, and gives the SVG text.

    ``title`` and ``description`` are what a reader hears who does not see the drawing.
    """

    width: int
    height: int
    title: str
    description: str
    _shapes: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        tone: str = "ink",
        size: float = 14,
        code: bool = False,
        bold: bool = False,
    ) -> None:
        """Words on the base line ``y``. ``tone`` is ``ink``, ``muted``, or a box's tone for words in its colour."""
        name = tone if tone in ("ink", "muted") else f"{tone}-ink"
        more = ' font-weight="600"' if bold else ""
        kind = f"{name} code" if code else name
        self._shapes.append(
            f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size:g}"{more}>'
            f"{escape(words, quote=False)}</text>"
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        words: str = "",
        *,
        tone: Tone = "plain",
        code: bool = True,
        size: float = 14,
        round_: float = 6,
        dashed: bool = False,
    ) -> None:
        """A box with words in its middle."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._shapes.append(
            f'<rect class="{tone}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_:g}"'
            f' stroke-width="1.5"{dash}/>'
        )
        if words:
            self.text(x + width / 2, y + height / 2 + size * 0.35, words, anchor="middle", code=code, size=size)

    def badge(self, x: float, y: float, words: str, *, tone: Tone = "counter", width: float = 84) -> None:
        """A small pill, its left end at ``x`` and its middle at ``y``: a counter, say."""
        self.box(x, y - 11, width, 22, words, tone=tone, code=False, size=12.5, round_=11)

    def line(self, *points: tuple[float, float], tone: str = "line", dashed: bool = False, arrow: bool = False) -> None:
        """A line through the points, with a head at its end if it is an arrow. ``tone``: ``line``, or a box's tone."""
        name = "line" if tone == "line" else f"{tone}-line"
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        self._shapes.append(f'<path class="{name}" d="{path}" stroke-width="1.5"{dash}/>')
        if arrow:
            self._head(points[-2], points[-1], "head" if tone == "line" else f"{tone}-head")

    def arrow(self, *points: tuple[float, float], tone: str = "line", dashed: bool = False) -> None:
        """A line that ends in a head."""
        self.line(*points, tone=tone, dashed=dashed, arrow=True)

    def _head(self, before: tuple[float, float], at: tuple[float, float], name: str) -> None:
        """The head of an arrow: a triangle of its own, since markers take no class in some renderers."""
        across, down = at[0] - before[0], at[1] - before[1]
        length = (across**2 + down**2) ** 0.5 or 1
        ux, uy = across / length, down / length
        corners = [
            at,
            (at[0] - 9 * ux - 4 * uy, at[1] - 9 * uy + 4 * ux),
            (at[0] - 9 * ux + 4 * uy, at[1] - 9 * uy - 4 * ux),
        ]
        points = " ".join(f"{x:.4g},{y:.4g}" for x, y in corners)
        self._shapes.append(f'<polygon class="{name}" points="{points}"/>')

    def rule(self, y: float, left: float = 20) -> None:
        """A thin line across the card."""
        self._shapes.append(f'<path class="line" d="M{left:g} {y:g} H{self.width - left:g}" stroke-width="0.6"/>')

    def svg(self) -> str:
        """The drawing."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img" aria-labelledby="title description">\n'
            f'<title id="title">{escape(self.title)}</title>\n'
            f'<desc id="description">{escape(self.description)}</desc>\n'
            f"<style>text{{font-family:{_SANS}}}.code{{font-family:{_MONO}}}{style(LIGHT)}"
            f"@media (prefers-color-scheme:dark){{{style(DARK)}}}</style>\n"
            f'<rect class="card" x="0.5" y="0.5" width="{self.width - 1}" height="{self.height - 1}" rx="10"/>\n'
            + "\n".join(self._shapes)
            + "\n</svg>\n"
        )
