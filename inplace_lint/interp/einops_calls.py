"""``einops``: a pattern says whether the result is a view or a copy, as the backend for PyTorch makes it of simple methods."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from inplace_lint.domain.objects import Container, Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, Sym, Unknown, Value, const, constant_of, one
from inplace_lint.interp import calls, instances, layout
from inplace_lint.interp.binding import Arguments
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.ops import OpCall, call_op
from inplace_lint.interp.registry import CallSite, method, symbol

Groups = list[list[str]]
_TOKEN = re.compile(r"\(|\)|\.\.\.|…|[\w]+")
REDUCTIONS = {"max": "amax", "min": "amin"}
"""einops' names of reductions where PyTorch's method is called otherwise."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The two sides of a pattern: for each dimension the axes that are composed in it; a dimension of one has none."""

    left: Groups
    right: Groups

    @property
    def axes(self) -> list[str]:
        """The axes of the left side, in the order of memory."""
        return [axis for group in self.left for axis in group]

    @property
    def kept(self) -> list[str]:
        """The axes of the right side."""
        return [axis for group in self.right for axis in group]

    @property
    def splits(self) -> bool:
        """Whether dimensions are taken apart (or dimensions of one dropped) first."""
        return any(len(group) != 1 for group in self.left)

    @property
    def composes(self) -> bool:
        """Whether axes are put together (or dimensions of one added) last."""
        return any(len(group) != 1 for group in self.right)

    @property
    def permutes(self) -> bool:
        """Whether the axes that stay come in another order."""
        stay = [axis for axis in self.kept if axis in self.axes]
        return stay != [axis for axis in self.axes if axis in stay]

    @property
    def new(self) -> list[str]:
        """Axes along which the tensor is repeated."""
        return [axis for axis in self.kept if axis not in self.axes]

    @property
    def composed_are_neighbours(self) -> bool:
        """Whether every two axes that are put together lie next to each other in memory, so that this is a view."""
        order = self.axes
        for group in self.right:
            for first, second in itertools.pairwise(group):
                if first not in order or second not in order or order.index(second) != order.index(first) + 1:
                    return False
        return True

    @property
    def composed_were_one(self) -> bool:
        """Whether only axes of one former dimension are put together, whatever the layout of the whole."""
        return self.composed_are_neighbours and all(
            len(group) < 2 or any(set(group) <= set(former) for former in self.left) for group in self.right
        )


def parse(text: object) -> Pattern | None:
    """A pattern with its two sides; None where the text is not known or is none."""
    if not isinstance(text, str) or text.count("->") != 1:
        return None
    sides = [_side(side) for side in text.split("->")]
    return Pattern(sides[0], sides[1])


def _side(text: str) -> Groups:
    groups: Groups = []
    inside: list[str] | None = None
    for token in _TOKEN.findall(text):
        if token == "(":
            inside = []
        elif token == ")":
            groups.append(inside or [])
            inside = None
        else:
            # Dots stand for any number of axes; two are enough to see whether they are put together.
            axes = [] if token == "1" else ["...1", "...2"] if token in ("...", "…") else [token]
            if inside is not None:
                inside += axes
            else:
                groups += [[axis] for axis in axes] or [[]]
    return groups


# --- functions ---


@symbol("einops.rearrange", "einops.einops.rearrange")
def rearrange(engine: Engine, state: State, site: CallSite) -> Value:
    """``rearrange(tensor, pattern, **sizes)``."""
    return _run(engine, state, site, site.argument(0, "tensor"), site.argument(1, "pattern"), None)


@symbol("einops.repeat", "einops.einops.repeat")
def repeat(engine: Engine, state: State, site: CallSite) -> Value:
    """``repeat(tensor, pattern, **sizes)``."""
    return _run(engine, state, site, site.argument(0, "tensor"), site.argument(1, "pattern"), None)


@symbol("einops.reduce", "einops.einops.reduce")
def reduce(engine: Engine, state: State, site: CallSite) -> Value:
    """``reduce(tensor, pattern, reduction, **sizes)``."""
    reduction = site.argument(2, "reduction") or ANYTHING
    return _run(engine, state, site, site.argument(0, "tensor"), site.argument(1, "pattern"), reduction)


@symbol("einops.einsum", "einops.einops.einsum")
def einsum(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``einsum(*tensors, pattern)``: PyTorch's, with the pattern first."""
    if len(site.positional) < 2:
        return ANYTHING
    *tensors, pattern = site.positional
    return calls.call_symbol(
        engine, state, "torch.einsum", CallSite(site.place, site.flow, [pattern, *tensors], {}, site.target)
    )


@symbol("einops.pack")
def pack(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``pack(tensors, pattern)``: a concatenation, and the shapes that it was made of."""
    joined = calls.call_symbol(
        engine, state, "torch.cat", CallSite(site.place, site.flow, site.positional[:1], {}, site.target)
    )
    if joined is None:
        return None
    shapes = one(engine.m.fresh(state, site.place[1], "packed shapes", "no", False))
    return one(state.allocate(engine.m.oid(site.place[1], "packed"), Container("tuple", (joined, shapes))))


def _run(
    engine: Engine,
    state: State,
    site: CallSite,
    tensor: Value | None,
    text: Value | None,
    reduction: Value | None,
) -> Value:
    value = tensor or ANYTHING
    if any(isinstance(state.heap.get(a), Container) for a in value if isinstance(a, int)):
        stacked = calls.call_symbol(
            engine, state, "torch.stack", CallSite(site.place, site.flow, [value], {}, site.target)
        )
        value = ANYTHING if stacked is None else stacked
    name = "reduce" if reduction is not None else "repeat" if (site.target or "").endswith("repeat") else "rearrange"
    if not engine.m.tensors(state, value):
        return {engine.m.fresh(state, site.place[1], f"result of {name}", "no"): frozenset()}
    pattern = parse(constant_of(text))
    whole = [(found.contiguous, layout.is_piece(found)) for _, found, _ in engine.m.tensors(state, value)]
    layouts = {None if piece and not dense else dense for dense, piece in whole}
    step = _Steps(engine, state, site, name)
    if pattern is None:
        return step("clone", value)
    reduced = reduction is not None and any(axis not in pattern.kept for axis in pattern.axes)
    if pattern.splits:
        value = step("view", value, _unknown_size())
    if pattern.permutes:
        value = step("permute", value, _unknown_size())
    if reduced:
        word = constant_of(reduction)
        if not isinstance(word, str):
            return {engine.m.fresh(state, site.place[1], f"result of {name}", "likely"): frozenset()}
        return step(REDUCTIONS.get(word, word), value, const(0))
    if pattern.new:
        value = step("unsqueeze", value, const(0))
        value = step("expand", value, const(-1), _unknown_size())  # a size for each axis
    if pattern.composes:
        # What was contiguous before it was permuted is a view if neighbours are put together; reshape asks otherwise.
        if pattern.composed_were_one or (pattern.composed_are_neighbours and layouts == {True}):
            value = step("view", value, _unknown_size())
        elif pattern.composed_are_neighbours and False not in layouts:
            value = step("reshape", value, _unknown_size())
        else:
            value = step("clone", value)
    return value


def _unknown_size() -> Value:
    return {Unknown("", "no", False): frozenset()}


@dataclass(slots=True)
class _Steps:
    """Calls the tensor methods that einops calls, one after the other, under the name of the einops function."""

    engine: Engine
    state: State
    site: CallSite
    name: str
    number: int = 0

    def __call__(self, method_name: str, value: Value, *arguments: Value) -> Value:
        self.number += 1
        m = self.engine.m
        row = m.model.method(method_name)
        tag = f"einops {self.number} {method_name} {m.alternative}"
        call = OpCall(self.site.place, self.name, "function", self.name, None, tag=tag)
        result = None
        if row is not None:
            result = call_op(self.engine, self.state, row.variants, Arguments([value, *arguments]), call)
        if result is None:
            return {m.fresh(self.state, self.site.place[1], f"result of {self.name}", "likely"): frozenset()}
        return result


# --- layers ---

REARRANGE, REDUCE = "einops.layers.torch.Rearrange", "einops.layers.torch.Reduce"


def _layer(engine: Engine, state: State, site: CallSite) -> Value:
    """A layer: the function with its pattern given."""
    path = REDUCE if (site.target or "").endswith("Reduce") else REARRANGE
    return instances.make_outside(engine, state, path, site)


symbol(REARRANGE)(_layer)
symbol(REDUCE)(_layer)


@method(REARRANGE, "__call__", "forward")
def call_rearrange(engine: Engine, state: State, oid: int, site: CallSite) -> Value:
    """``Rearrange(pattern)(x)``."""
    layer = state.heap.get(oid)
    config = layer.config if isinstance(layer, Instance) else {}
    text = config.get("*0", config.get("pattern"))
    reduction = config.get("*1", config.get("reduction"))
    is_reduce = isinstance(layer, Instance) and layer.cls == Sym(REDUCE)
    return _run(engine, state, site, site.argument(0, "input"), text, (reduction or ANYTHING) if is_reduce else None)


method(REDUCE, "__call__", "forward")(call_rearrange)
