"""Statements in a row that each need `torch.no_grad()`: one block for all of them instead of a block for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from ..diagnostics import Applicability, Diagnostic, Edit, Fix, Position, Span
from ..events import Site
from .base import RuleContext
from .layout import Layout, Spot

BLOCK = "with torch.no_grad():\n"
_CODES = ("IPL101", "IPL102")

Key = TypeVar("Key")


def joined(found: Mapping[Key, Diagnostic], sites: Mapping[Key, Site], ctx: RuleContext) -> dict[Key, Diagnostic]:
    """The findings, by key; those of one run with a fix that puts the whole run into a block. sites: where each writes."""
    blocks: dict[int, list[tuple[Spot, Layout, Key]]] = {}
    for key, one in found.items():
        site = sites.get(key)
        if site is None or one.code not in _CODES or not _is_block(one.fix):
            continue
        layout, spot = ctx.layout(site), ctx.spot(site)
        if layout is not None and spot is not None and layout.is_whole(spot.node):
            blocks.setdefault(id(spot.block), []).append((spot, layout, key))
    result = dict(found)
    for entries in blocks.values():
        for run in _runs(
            sorted(entries, key=lambda entry: entry[0].index), {key: _level(found[key]) for *_, key in entries}
        ):
            _, layout, first = run[0]
            edit = _edit(layout, run[0][0], run[-1][0])
            for _, _, key in run:
                code = "\n".join(line.removeprefix(layout.indent(run[0][0].node)) for line in edit.content.split("\n"))
                message = fix.message if (fix := found[key].fix) is not None else ""
                result[key] = replace(
                    found[key],
                    fix=Fix(_level(found[first]), message, (edit,)),
                    suggestion=code,
                    suggestion_span=edit.span,
                )
    return result


def _is_block(fix: Fix | None) -> bool:
    return fix is not None and len(fix.edits) == 1 and fix.edits[0].content.startswith(BLOCK)


def _level(found: Diagnostic) -> Applicability:
    return found.fix.applicability if found.fix is not None else "display-only"


def _runs(
    entries: Iterable[tuple[Spot, Layout, Key]], levels: Mapping[Key, Applicability]
) -> Iterator[list[tuple[Spot, Layout, Key]]]:
    """The entries, in order, cut where a statement of the block stands between, or where the fix may be applied less or more far.

    Runs of one statement are none.
    """
    run: list[tuple[Spot, Layout, Key]] = []
    for entry in entries:
        if run and (entry[0].index > run[-1][0].index + 1 or levels[entry[2]] != levels[run[-1][2]]):
            if run[0][0].index < run[-1][0].index:
                yield run
            run = []
        run.append(entry)
    if run and run[0][0].index < run[-1][0].index:
        yield run


def _edit(layout: Layout, first: Spot, last: Spot) -> Edit:
    """The rows from the first statement to the last one's end, inside the block."""
    start, end = first.node, last.node
    rows = list(layout.lines[start.lineno - 1 : end.end_lineno])
    stop = layout.column(end.end_lineno or 0, end.end_col_offset or 0)
    rows[-1] = rows[-1][: stop - 1]
    indented = [f"    {row}" if row.strip() else row for row in rows]
    begin = Position(start.lineno, layout.column(start.lineno, start.col_offset))
    span = Span(layout.filename, begin, Position(end.end_lineno or 0, stop))
    return Edit(BLOCK + "\n".join(indented), span)
