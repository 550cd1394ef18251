"""NumPy's functions on arrays that share a tensor's memory: what they write, and which of them give the memory on."""

from __future__ import annotations

from typing import Any

from inplace_lint.domain.objects import Container
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NONE, NOTHING, Method, Unknown, Value, constant_of, union
from inplace_lint.interp import calls
from inplace_lint.interp.autograd import WriteInfo, bump
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.parts import DEEPEST
from inplace_lint.interp.registry import CallSite, symbol

WRITING = ("copyto", "place", "put", "put_along_axis", "putmask", "fill_diagonal", "random.shuffle")
"""Functions that write to their first argument and return nothing."""
MAKING = (
    "array",
    "empty",
    "zeros",
    "ones",
    "full",
    "empty_like",
    "zeros_like",
    "ones_like",
    "full_like",
    "arange",
    "linspace",
    "logspace",
    "geomspace",
    "eye",
    "identity",
    "diag",
    "tile",
    "repeat",
    "stack",
    "concatenate",
    "hstack",
    "vstack",
    "dstack",
    "column_stack",
    "meshgrid",
    "broadcast_to",
    "pad",
    "loadtxt",
    "genfromtxt",
    "fromiter",
    "frombuffer",
    "fromfile",
    "fromstring",
    "sort",
    "argsort",
    "argwhere",
    "flatnonzero",
    "random.permutation",
)
"""Functions that return an array, never a scalar, whatever they are given."""
SEVERAL = ("nonzero", "where")
"""Functions that, given one argument, return arrays in a tuple."""
MOST_DIMENSIONS = 4
"""Arrays of such a tuple that are known as such."""


@symbol(*(f"numpy.{name}" for name in WRITING))
def writing(engine: Engine, state: State, site: CallSite) -> Value:
    """A function that is called for what it writes."""
    _write(engine, state, site.positional[0] if site.positional else NOTHING, site)
    return NONE


@symbol("numpy.asarray", "numpy.asanyarray", "numpy.ascontiguousarray")
def asarray(engine: Engine, state: State, site: CallSite) -> Value | None:
    """``np.asarray(tensor)`` is ``tensor.numpy()``: an array on the tensor's memory."""
    found: list[Value] = []
    for atom in site.positional[0] if site.positional else ANYTHING:
        tensor = state.tensor(atom) if isinstance(atom, int) else None
        if tensor is None or tensor.is_array or "dtype" in site.named:
            found.append({atom: frozenset()} if tensor is not None and tensor.is_array else ANYTHING)
            continue
        rest = CallSite(site.place, site.flow, [], {}, site.target)
        value = calls.call_method(engine, state, Method(atom, "numpy"), rest)
        found.append(ANYTHING if value is None else value)
    return union(found) or ANYTHING


def call(engine: Engine, state: State, path: str, site: CallSite) -> Any:
    """Any other function of NumPy: ``out=`` is written; what an array has as a method, the method says."""
    out = site.named.get("out")
    if out is not None and constant_of(out) is not None:
        _write(engine, state, out, site)
        return out
    if constant_of(site.named.get("copy"), True) is False and path == "numpy.nan_to_num":
        _write(engine, state, site.positional[0] if site.positional else NOTHING, site)
    name = path.rsplit(".", 1)[-1]
    first = site.positional[0] if site.positional else NOTHING
    atom = next(iter(first)) if len(first) == 1 else None
    tensor = state.tensor(atom) if isinstance(atom, int) else None
    if tensor is not None and tensor.is_array and isinstance(atom, int) and engine.m.model.method(name) is not None:
        rest = CallSite(site.place, site.flow, site.positional[1:], site.named, site.target)
        return calls.tensor_method(engine, state, atom, name, rest)
    return NotImplemented


def note_array(engine: Engine, path: str, value: Value, site: CallSite) -> None:
    """Remember that a function's result is an array: a tensor that requires grad refuses arithmetic with it."""
    name = path.removeprefix("numpy.")
    sized = name == "random.choice" and (len(site.positional) > 1 or "size" in site.named)
    tags = [atom.tag for atom in value if isinstance(atom, Unknown) and atom.tag]
    if name in SEVERAL and len(site.positional) == 1:
        engine.m.grounds.arrays.update(f"{tag}[{n}]" for tag in tags for n in range(MOST_DIMENSIONS))
    elif name in MAKING or sized:
        engine.m.grounds.arrays.update(tags)


def _write(engine: Engine, state: State, value: Value, site: CallSite, depth: int = 0) -> None:
    name = (site.target or "").rsplit(".", 1)[-1]
    info = WriteInfo(site.place, "out" if "out" in site.named else "function", name)
    for atom, cond in value.items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            for item in (box.items or ()) if depth < DEEPEST else ():
                _write(engine, state, item, site, depth + 1)
        elif isinstance(atom, int) and state.tensor(atom) is not None:
            bump(engine.m, state, atom, cond, info, False)
