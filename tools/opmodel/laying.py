"""From how calls' inputs and outputs lay in memory to rules: the first that explains every call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from inplace_lint.domain.layouts import COPIES, VIEWS, Layout
from inplace_lint.opmodel.schema import Copied
from tools.opmodel.observe import OutputSeen, Seen
from tools.opmodel.relayout import Kept, Lying

UNCLEAR = "unclear"
NEVER, ALWAYS = "never", "always"
"""What stands beside the rules: in no layout, in any."""
Default = Callable[[str], object]


def copied(what: str, group: Sequence[Seen]) -> tuple[Copied, ...] | None:
    """When the calls of a group worked on a copy of an input.

    None where that is so of what is contiguous, and by no rule of what is not: then it is as good as never kept.
    """
    rows = [row for seen in group for row in seen.relaid.kept if row.what == what]
    if all(row.kept for row in rows):
        return ()
    rule = _rule(rows)
    if rule is not None:
        return () if rule == NEVER else (Copied(rule),)
    ways = [_beside(name, rows) for name in sorted({name for row in rows for name in row.ranks} - {what})]
    clear = [way for way in ways if all(one.rule != UNCLEAR for one in way)]
    if clear:
        return min(clear, key=len)
    if not any(row.kept and row.layout.contiguous() for row in rows):
        return None
    if ways and any(one.rule != UNCLEAR for way in ways for one in way):
        return min(ways, key=lambda way: sum(len(one.ranks) for one in way if one.rule == UNCLEAR))
    # Some calls copy what is contiguous, too (a matrix beside a batch): what the others do is what the row says.
    rule = _rule([row for seen in group for row in _usual(what, seen)])
    return (Copied(rule or UNCLEAR),) if rule != NEVER else ()


def _usual(what: str, seen: Seen) -> Sequence[Kept]:
    """What a call that keeps an input if it is contiguous does with it."""
    rows = [row for row in seen.relaid.kept if row.what == what]
    return rows if all(row.kept for row in rows if row.layout.contiguous()) else ()


def _fits(rule: str, rows: Iterable[Kept]) -> bool:
    if rule in (NEVER, ALWAYS):
        return all(row.kept == (rule == NEVER) for row in rows)
    return all(row.layout.copied(rule) is not row.kept for row in rows)


def _rule(rows: Sequence[Kept]) -> str | None:
    """The rule that explains all; None where none does."""
    return next((rule for rule in (NEVER, *COPIES) if rule != UNCLEAR and _fits(rule, rows)), None)


def _beside(beside: str, rows: Sequence[Kept]) -> tuple[Copied, ...]:
    """The rules by how many dimensions another input has."""
    by_rank: dict[int, list[Kept]] = {}
    for row in rows:
        by_rank.setdefault(row.ranks.get(beside, -1), []).append(row)
    found: dict[str, list[int]] = {}
    for rank, part in sorted(by_rank.items()):
        rule = _rule(part) or UNCLEAR
        if rule != NEVER:
            found.setdefault(rule, []).append(rank)
    return tuple(Copied(rule, beside, tuple(ranks)) for rule, ranks in found.items())


def predicted(rules: Sequence[Copied], row: Kept) -> bool | None:
    """Whether a copy is kept by those rules of an input that lies so; None where they do not say."""
    for copied_by in rules:
        if copied_by.beside is None or row.ranks.get(copied_by.beside, -1) in copied_by.ranks:
            return row.layout.copied(copied_by.rule)
    return False


_PREFERRED = (
    "same",
    "unit",
    "drop",
    "pick",
    "cut",
    "swap",
    "order",
    "move",
    "last",
    "reverse",
    "squeeze",
    "flatten",
    "dense",
)


def of_view(members: Sequence[tuple[Seen, OutputSeen]], names: Sequence[str], default: Default) -> str:
    """The rule of views and the parameters it takes; nothing where none explains every call."""
    candidates = [
        (rule, parameters) for rule in _PREFERRED for parameters in itertools.permutations(names, VIEWS[rule][0])
    ]
    shown = [(seen, output) for seen, output in members if output.before and output.before.axes and output.after]
    for seen, output in shown:
        candidates = [one for one in candidates if _explains(*one, seen, output, default)]
    return " ".join((candidates[0][0], *candidates[0][1])) if candidates and shown else ""


def _explains(rule: str, parameters: Sequence[str], seen: Seen, output: OutputSeen, default: Default) -> bool:
    arguments = [_numbers(seen.constants.get(name, default(name))) for name in parameters]
    assert output.before is not None and output.after is not None
    if None in arguments:
        return False
    if rule in ("drop", "cut") and output.before == output.after:
        return True  # the dimension is of another size, the part is all there is
    if rule == "dense" and not output.before.contiguous():
        return True  # what a view of anything else is like, this does not say
    try:
        expected = VIEWS[rule][1](output.before, *arguments)
    except ValueError:
        return False
    return expected is not None and agree(expected, output.after)


def _numbers(value: object) -> tuple[int, ...] | None:
    if type(value) is int:
        return (value,)
    if isinstance(value, (tuple, list)):
        if len(value) == 1 and isinstance(value[0], (tuple, list)):
            return _numbers(value[0])
        if all(type(item) is int for item in value):
            return tuple(value)
    return None


def agree(expected: Layout, seen: Layout) -> bool:
    """Whether a layout is as expected: dimensions in the same order, and the same answers to all that is asked of layouts."""
    layout = expected.of_rank(len(seen.axes))
    if layout is None:
        return False
    axes = zip(layout.axes, seen.axes, strict=True)
    layout = replace(layout, axes=tuple(mine._replace(unit=real.unit) for mine, real in axes))
    orders = [[n for n in one.order if not seen.axes[n].unit and not seen.axes[n].repeated] for one in (layout, seen)]
    return orders[0] == orders[1] and all(layout.copied(rule) in (None, seen.copied(rule)) for rule in COPIES)


def of_new(rows: Sequence[Lying]) -> str:
    """How new outputs lie, in the words of `schema.Output`."""
    if all(_dense(row.layout) for row in rows):
        return ""
    if any(row.follows for row in rows) and all(
        row.follows is not False or (_dense(row.layout) and row.dense_inputs) for row in rows
    ):
        return "follows"
    usual = [row for row in rows if row.dense_inputs]
    if usual and all(_dense(row.layout) for row in usual):
        return "open"
    orders = {tuple(row.layout.order) for row in usual if not _ambiguous(row.layout)}
    clean = all(
        not row.layout.steps and not any(axis.gap or axis.repeated for axis in row.layout.axes) for row in usual
    )
    said = " ".join(("order", *map(str, min(orders, default=()))))
    return said if orders and clean and all(lies_as(said, row) for row in usual) else "unknown"


def lies_as(said: str, row: Lying) -> bool:
    """Whether a new output lies as is said of it."""
    if said == "unknown" or (said != "" and said != "follows" and not row.dense_inputs):
        return True
    if said.startswith("order "):
        order = [int(n) for n in said.split()[1:]]
        if len(order) != len(row.layout.axes):
            return False
        return [n for n in order if not row.layout.axes[n].unit] == [
            n for n in row.layout.order if not row.layout.axes[n].unit
        ]
    return (_dense(row.layout) and (not said or row.dense_inputs)) or (said == "follows" and row.follows is not False)


def _dense(layout: Layout) -> bool:
    return layout.contiguous() is True


def _ambiguous(layout: Layout) -> bool:
    return any(axis.unit for axis in layout.axes)


__all__ = ["agree", "copied", "lies_as", "of_new", "of_view", "predicted"]
