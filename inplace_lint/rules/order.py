"""Where steps and backwards stand in the wrong order: the order that works, as edits of the statements around them.

All of it is only shown. What a loss is meant to see, the parameters before a step or after it, the author has to say.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..diagnostics import Edit
from ..events import SavedOverwritten, SecondBackward, Site
from . import rewrite
from .base import Advice, Rewrite, RuleContext
from .dataflow import (
    Flow,
    binds,
    callees,
    flat,
    loop_around,
    made_before,
    mentions,
    name_of,
    reads,
    siblings,
    simple,
)
from .layout import Function, Layout, Spot

BACKWARD_FIRST = "Run the backward first, then the update (or compute this loss anew after the update)"
EVERY_BACKWARD_FIRST = "Run every backward first, then the updates"
ANEW_AFTER = "Compute this loss anew after the update: its old graph needs the parameters' old values"
ANEW_IN_ROUND = "Compute it anew in every round: its graph is used up, or out of date, after the first"
DETACHED_STATE = "Detach what one round hands to the next"
DETACHED_BEFORE = "Detach what was computed before the loop, so that no backward goes through it"


def reorder(ctx: RuleContext, event: SavedOverwritten) -> Advice:
    """The order in which an update of parameters and a backward through their old values can both run."""
    backward = event.backward_site
    if backward is None:
        return Advice("Update the parameters only after every backward through this forward pass has run")
    words = Advice("Run this backward before the update, or compute its loss anew after the update")
    layout, spots = ctx.layout(backward), _frame(ctx, [*event.context.calls, event.write.site], backward)
    if layout is None or spots is None:
        return words
    update, needs = spots
    if isinstance(needs.node, Function):
        return _anew_in_round(layout, needs, needs) or words
    pair = siblings(layout, update, needs)
    if pair is not None and pair[0].index < pair[1].index:
        return _update_first(layout, update, pair[0], pair[1], needs) or words
    loop = loop_around(layout, update, needs)
    if loop is None:
        return words
    return (
        _detached(layout, loop.node, needs)
        or _anew_in_round(layout, loop, needs)
        or _split(layout, loop, update, needs)
        or words
    )


def second_backward(ctx: RuleContext, event: SecondBackward) -> Advice:
    """How to go on where a backward finds its graph freed."""
    keep = Advice(
        "Add the losses and call `backward()` once, or keep the graph at the first call",
        rewrite.with_argument(ctx, event.first_site, "retain_graph=True"),
        "display-only",
    )
    if not event.in_loop:
        return keep
    words = Advice(
        "Detach what one round hands to the next (`state = state.detach()`), or compute it anew in every round"
    )
    layout, spot = ctx.layout(event.site), ctx.spot(event.site)
    if layout is None or spot is None:
        return words
    loop = loop_around(layout, spot, spot)
    function = layout.function(spot)
    if loop is None:
        if isinstance(function, ast.Module):
            return words
        region = layout.spot(function)
        again = _detached(layout, function, spot)
        return again or (_anew_in_round(layout, region, spot) if event.site == event.first_site else None) or words
    found = _detached(layout, loop.node, spot)
    if found is not None:
        return found
    steps = any(isinstance(part, ast.Attribute) and part.attr == "step" for part in ast.walk(loop.node))
    if event.site == event.first_site and not steps and _given(ctx, event, loop):
        return keep
    return _anew_in_round(layout, loop, spot) or words


def _frame(ctx: RuleContext, sites: Sequence[Site], backward: Site) -> tuple[Spot, Spot] | None:
    """The statements, in one function, in which the update runs and in which the backward does.

    The second one is the function's definition where the update runs it by itself, as a closure.
    """
    layout, needs = ctx.layout(backward), ctx.spot(backward)
    if layout is None or needs is None:
        return None
    function = layout.function(needs)
    spots = [ctx.spot(site) if site.file == backward.file else None for site in sites]
    for number in range(len(spots) - 1, -1, -1):
        update = spots[number]
        if update is None:
            continue
        if layout.function(update) is function:
            pair = siblings(layout, update, needs)
            looped = loop_around(layout, update, needs) is not None
            if pair is not None and (pair[0].index < pair[1].index or looped):
                return update, needs
        if isinstance(function, ast.Module):
            continue
        # The backward is in a helper: in one that is called again after the update, or that the update calls.
        for around in layout.around(update):
            if isinstance(around.node, Function):
                break
            for node in around.block[around.index + 1 :]:
                if _mentions(node, function.name, called=True):
                    return update, layout.spot(node)
        if _mentions(update.node, function.name, called=False):
            region = layout.spot(function)
            return (update, region) if region.block is update.block else None
        loop = loop_around(layout, update, update)
        if loop is not None and _mentions(update.node, function.name, called=True):
            return update, update
    return None


def _mentions(node: ast.AST, name: str, called: bool) -> bool:
    """Whether a function of that name is called in a node, or stands there as an argument."""
    for part in ast.walk(node):
        for one in ([part.func] if called else part.args) if isinstance(part, ast.Call) else ():
            if name in (getattr(one, "id", None), getattr(one, "attr", None)):
                return True
    return False


def _shown(message: str, edits: Sequence[Edit]) -> Advice:
    lines = [line.strip() for edit in edits for line in edit.content.split("\n") if line.strip()]
    return Advice(message, Rewrite("\n".join(lines)), "display-only", tuple(edits))


def _update_first(layout: Layout, update: Spot, first: Spot, last: Spot, needs: Spot) -> Advice | None:
    """The update stands before the backward: it moves behind it, or what the backward needs is computed behind it."""
    between = list(flat(first.block[first.index + 1 : last.index + 1]))
    resets = _owners(between, "zero_grad")
    anew = _anew_after(layout, first, last, needs)
    # Gradients that are reset in between would be mixed with those of the other loss.
    if anew is not None and (resets or "create_graph" in layout.text(needs.node)):
        return anew
    own = _owners([update.node], "step")
    moved = (
        layout.is_whole(first.node)
        and layout.is_whole(last.node)
        and not own & resets
        and not (binds(first.node) & set().union(*(reads(node) for node in between)) if simple(first.node) else set())
        and not _calls([first.node], "backward")
        and not any(_mentions(first.node, name, called=True) for name in _called_in(needs))
    )
    if not moved:
        return anew
    rows = layout.lines[layout.first_row(first.node) - 1 : first.node.end_lineno]
    text = "".join(f"\n{row.rstrip()}" for row in rows)
    shown = "\n".join([layout.text(needs.node).split("\n")[0], *layout.rows(first.node)])
    edits = (Edit("", layout.span(first.node)), Edit(text, layout.behind(last.node)))
    return Advice(BACKWARD_FIRST, Rewrite(shown), "display-only", edits)


def _called_in(spot: Spot) -> set[str]:
    """The helpers that a statement calls, where it is no backward itself."""
    if _calls([spot.node], "backward"):
        return set()
    return {name.rsplit(".", 1)[-1] for name in callees(spot.node)}


def _calls(nodes: Sequence[ast.stmt], method: str) -> list[ast.Call]:
    return [
        part
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == method
    ]


def _owners(nodes: Sequence[ast.stmt], method: str) -> set[str]:
    """What a method is called on, as text."""
    return {ast.unparse(it.func.value) for it in _calls(nodes, method) if isinstance(it.func, ast.Attribute)}


def _anew_after(layout: Layout, first: Spot, last: Spot, needs: Spot) -> Advice | None:
    """What the backward needs and was computed before the update, computed behind it."""
    needed = reads(needs.node)
    for node in reversed(list(flat(first.block[first.index + 1 : last.index + 1]))):
        if node.lineno < needs.node.lineno and simple(node) and binds(node) & needed:
            needed |= reads(node)
    made = made_before(layout, first, needed)
    if not made or not layout.is_whole(first.node):
        return None
    anew = Edit(_text(layout, made, layout.indent(first.node)), layout.behind(first.node))
    return _shown(ANEW_AFTER, [*_gone(layout, first, made), anew])


def _gone(layout: Layout, until: Spot, made: Sequence[ast.stmt], through: bool = True) -> list[Edit]:
    """Deletions of those statements whose results nobody reads up to a statement."""
    edits: list[Edit] = []
    others = [node for node in until.block[: until.index + through] if node not in made]
    for node in reversed(made):
        if any(binds(node) & mentions(one) for one in others if one.lineno > node.lineno):
            others.append(node)
        else:
            edits.insert(0, Edit("", layout.span(node)))
    return edits


def _text(layout: Layout, nodes: Sequence[ast.stmt], indent: str) -> str:
    return "".join(f"\n{indent}{row}" for node in nodes for row in layout.rows(node))


def _given(ctx: RuleContext, event: SecondBackward, loop: Spot) -> bool:
    """Whether the part of the graph that two rounds share was made before the loop."""
    shared = event.shared_site
    if shared is None or shared.file != event.site.file:
        return False
    last = loop.node.end_lineno or 0
    return not loop.node.lineno <= ctx.span(shared).start.row <= last


def _detached(layout: Layout, region: ast.AST, needs: Spot) -> Advice | None:
    """What a round takes over from the last one, detached behind the backward, or where it is handed on."""
    flow = Flow(getattr(region, "body", []))
    names = flow.carried(reads(needs.node))
    if isinstance(region, Function):
        names = [name for name in names if name.startswith("self.")]
    elif not names:
        # An object's own state, such as a meter's total, on which backward is called.
        names = sorted(_state_of(needs.node, flow))
    edits: list[Edit] = []
    behind: list[str] = []
    indent = layout.indent(needs.node)
    for name in names:
        line = _detach(layout, name)
        last = max(flow.bound.get(name, [needs.node]), key=lambda node: node.lineno)
        if last.lineno <= needs.node.lineno:
            behind.append(f"\n{indent}{line}")
        elif simple(last) and layout.is_whole(last):
            edits.append(Edit(f"\n{layout.indent(last)}{line}", layout.behind(last)))
        else:
            return None
    if behind and not layout.is_whole(needs.node):
        return None
    if behind:
        edits.insert(0, Edit("".join(behind), layout.behind(needs.node)))
    return _shown(DETACHED_STATE, edits) if edits else None


def _state_of(node: ast.stmt, flow: Flow) -> set[str]:
    """The attribute of an object made elsewhere on which backward is called: ``meter.total.backward()``."""
    found = set()
    for call in _calls([node], "backward"):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name) and owner.value.id not in flow.bound:
            found.add(ast.unparse(owner))
    return found


def _detach(layout: Layout, name: str) -> str:
    """The statement that detaches a state, which is a tuple where an LSTM keeps it whole."""
    bound = [node for node in ast.walk(layout.tree) if isinstance(node, ast.Assign) and name in binds(node)]
    values = [node.value for node in bound if any(name_of(target) == name for target in node.targets)]
    pairs = any(isinstance(value, ast.Tuple) for value in values)
    nothing = any(isinstance(value, ast.Constant) and value.value is None for value in values)
    if pairs or (nothing and any("LSTM" in line for line in layout.lines)):
        return f"{name} = tuple(part.detach() for part in {name})"
    return f"{name} = {name}.detach()"


def _anew_in_round(layout: Layout, region: Spot, needs: Spot) -> Advice | None:
    """What was computed before a loop (or a closure) and is used up in its first round, computed in each of them."""
    node = region.node
    body: Sequence[ast.stmt] = getattr(node, "body", [])
    flow = Flow(body)
    backwards = _calls(body, "backward")
    roots = reads(needs.node) if needs.node is not node else set().union(*(reads(one) for one in backwards), set())
    inside = flow.origins(roots)
    targets = binds(node.target) if isinstance(node, (ast.For, ast.AsyncFor)) else set()
    for spot in layout.around(region):
        if spot.node is not node and isinstance(spot.node, Function):
            return None
        made = made_before(layout, spot, inside - targets)
        if made is None:
            return None
        if made:
            break
    else:
        return None
    new = set().union(*(binds(one) for one in made))
    crossing = sorted(new & set().union(*(reads(one) for one in flat(body))))
    # What rounds hand on as well is no matter of the first one alone.
    if not crossing or new & set(flow.bound) or not layout.is_whole(body[0]):
        return None
    own = {ast.unparse(call.func) for one in made for call in ast.walk(one) if isinstance(call, ast.Call)}
    networks = {name for name in own & set().union(*(callees(one) for one in body)) if _is_network(name)}
    if networks and needs.node is not node:
        lines = "".join(f"\n{layout.indent(made[-1])}{_detach(layout, name)}" for name in crossing)
        return _shown(DETACHED_BEFORE, [Edit(lines, layout.behind(made[-1]))])
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body) > 1:
        first = body[1]
    text = _text(layout, made, layout.indent(first)).removeprefix("\n") + "\n"
    return _shown(ANEW_IN_ROUND, [*_gone(layout, spot, made, through=False), Edit(text, layout.ahead(first))])


def _is_network(name: str) -> bool:
    return "." not in name or name.startswith("self.")


def _split(layout: Layout, loop: Spot, update: Spot, needs: Spot) -> Advice | None:
    """A loop over losses of one graph: the backwards in it, the resets before it and the updates behind it."""
    node = loop.node
    if not isinstance(node, ast.For) or node.orelse or not layout.is_whole(node):
        return None
    flow = Flow(node.body)
    targets = binds(node.target)
    if update.owner is not node or not targets & flow.origins(reads(needs.node)):
        return None
    header = "\n".join(layout.lines[node.lineno - 1 : node.body[0].lineno - 1])
    inner, outer = layout.indent(node.body[0]), layout.indent(node)
    resets = [one for one in node.body if isinstance(one, ast.Expr) and _calls([one], "zero_grad")]
    left = [one for one in node.body if one is not update.node and one not in resets]
    ahead, behind = "", ""
    for one in (*resets, update.node):
        used = {part.id for part in ast.walk(one) if isinstance(part, ast.Name)}
        if used & (set(flow.bound) - targets) or not layout.is_whole(one) or not isinstance(one, ast.Expr):
            return None
        rows = layout.rows(one)
        lines = [f"{outer}{row}" for row in rows]
        if used & targets:
            lines = [header, *(f"{inner}{row}" for row in rows)]
        if one is update.node:
            behind = "".join(f"{line}\n" for line in lines)
        else:
            ahead += "".join(f"{line}\n" for line in lines)
    edits = [Edit("", layout.span(one)) for one in resets]
    if node.body[-1] is update.node:
        edits.append(Edit(behind, layout.span(update.node)))
    else:
        edits += Edit("", layout.span(update.node)), Edit(f"\n{behind.rstrip()}", layout.behind(node))
    if ahead:
        edits.append(Edit(ahead, layout.ahead(node)))
    return _shown(EVERY_BACKWARD_FIRST, edits) if left else None
