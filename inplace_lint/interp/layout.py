"""Memory layout as far as it decides what autograd does: dtypes, shapes, contiguity, regions, pieces of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inplace_lint.domain.conditions import TRUE, Cond, Fact, maybe_both
from inplace_lint.domain.objects import Container, Place, Tensor
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Const, SliceAtom, Sym, Unknown, Value, constant_of, known, one
from inplace_lint.interp import keys
from inplace_lint.interp.autograd import requires
from inplace_lint.opmodel.schema import Output

if TYPE_CHECKING:
    from inplace_lint.interp.machine import Machine
    from inplace_lint.interp.ops import OpCall

MOST_PIECES = 12
"""Pieces of a split that are kept apart; more are one summary."""

Shape = tuple[int | None, ...]

_KINDS = {
    "float": "float",
    "float16": "float",
    "float32": "float",
    "float64": "float",
    "bfloat16": "float",
    "half": "float",
    "double": "float",
    "complex": "complex",
    "complex64": "complex",
    "complex128": "complex",
    "cfloat": "complex",
    "bool": "bool",
}


def dtype_kind(dtype: str | None) -> str | None:
    """``float``, ``complex``, ``int`` or ``bool``; None where it is not known."""
    if dtype is None:
        return None
    return _KINDS.get(dtype, "float" if dtype.startswith("float") else "int")


def may_require_grad(dtype: str | None) -> bool:
    """Only floating and complex tensors can require grad."""
    return dtype_kind(dtype) in (None, "float", "complex")


_DTYPES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "FloatTensor": "float32",
    "LongTensor": "int64",
}


CONVERSIONS = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "char": "int8",
    "byte": "uint8",
    "bool": "bool",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
"""The methods that convert, by the dtype they convert to."""


def dtype_of(value: Value | None) -> str | None:
    """The dtype that a value names (``torch.float32``, ``torch.long``, ``bool``), or None."""
    if value is None or len(value) != 1:
        return None
    (atom,) = value
    if not isinstance(atom, Sym):
        return None
    owner, _, name = atom.path.rpartition(".")
    if owner == "builtins":
        return {"float": "float32", "int": "int64", "bool": "bool", "complex": "complex64"}.get(name)
    if owner == "torch":
        return (
            _DTYPES.get(name, name) if name in _KINDS or name in _DTYPES or name.startswith(("int", "uint")) else None
        )
    return None


_ORDER = ("bool", "int", "float", "complex")


def promote(dtypes: Sequence[str | None]) -> str | None:
    """The dtype of an elementwise op over tensors of these dtypes; None where one is unknown and decides."""
    best: str | None = None
    unknown = False
    for dtype in dtypes:
        kind = dtype_kind(dtype)
        if kind is None:
            unknown = True
        elif best is None or _ORDER.index(kind) > _ORDER.index(dtype_kind(best) or "bool"):
            best = dtype
        elif dtype != best and kind == dtype_kind(best):
            best = "float64" if "float64" in (dtype, best) else best
    if unknown:
        return None
    return best


def result_dtype(
    state: State, output: Output, inputs: Sequence[Tensor], bound: Mapping[str, Value], name: str
) -> str | None:
    """The dtype of a new output; a conversion is named after its dtype, or makes that of a tensor that it is given."""
    named = dtype_of(bound.get("dtype")) or (CONVERSIONS.get(name) if output.maybe == "dtype" else None)
    if named is not None:
        return named
    if _model(state, output, bound) is not None:
        return _model(state, output, bound) or None
    if output.dtype == "bool":
        return "bool"
    if output.dtype == "int":
        return "int64"
    if output.dtype == "complex":
        return "complex64"
    first = inputs[0].dtype if inputs else None
    if output.dtype == "same":
        return first
    joined = promote([t.dtype for t in inputs]) if inputs else "float32"
    if output.dtype == "float":
        return joined if dtype_kind(joined) == "float" else "float32" if joined or not inputs else None
    if output.dtype == "promote":
        numbers = [constant_of(v) for v in bound.values()]
        if any(isinstance(n, float) for n in numbers) and dtype_kind(joined) in ("int", "bool"):
            return "float32"
        return joined
    return None


def _model(state: State, output: Output, bound: Mapping[str, Value]) -> str | None:
    """The dtype of the tensor that a conversion is told to make another one like; empty where nobody knows it."""
    if output.maybe not in ("dtype", "values"):
        return None
    models = [state.tensor(atom) if isinstance(atom, int) else None for atom in bound.get("other", NOTHING)]
    if not models or None in models:
        return None
    dtypes = {tensor.dtype or "" for tensor in models if tensor is not None}
    return next(iter(dtypes)) if len(dtypes) == 1 else ""


def broadcast(shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape that tensors of these shapes broadcast to."""
    if any(s is None for s in shapes) or not shapes:
        return None
    known_shapes = [s for s in shapes if s is not None]
    rank = max(len(s) for s in known_shapes)
    result: list[int | None] = []
    for position in range(rank):
        sizes = [s[len(s) - rank + position] for s in known_shapes if len(s) - rank + position >= 0]
        larger = {n for n in sizes if n != 1}
        result.append(1 if not larger else next(iter(larger)) if len(larger) == 1 else None)
    return tuple(result)


def numbers_in(state: State, value: Value | None) -> Shape | None:
    """A shape argument: an int, or a tuple or list of ints; unknown sizes are None."""
    if value is not None and len(value) > 1 and all(isinstance(a, Const) for a in value):
        return None
    if value is None or len(value) != 1:
        return None
    (atom,) = value
    if isinstance(atom, Const) and isinstance(atom.value, int) and not isinstance(atom.value, bool):
        return (atom.value,)
    if isinstance(atom, Const) and isinstance(atom.value, tuple):
        return tuple(n if isinstance(n, int) else None for n in atom.value)
    if isinstance(atom, int):
        box = state.heap.get(atom)
        if isinstance(box, Container) and box.items is not None:
            sizes: list[int | None] = []
            for item in box.items:
                n = constant_of(item)
                sizes.append(n if isinstance(n, int) else None)
            return tuple(sizes)
    return None


def result_shape(
    state: State, output: Output, inputs: Sequence[tuple[str, Tensor]], bound: Mapping[str, Value]
) -> Shape | None:
    """The shape of a new output, where its rule and its inputs say it."""
    if output.shape == "scalar":
        return ()
    if not inputs:
        return numbers_in(state, bound.get("size"))
    if output.shape == "broadcast":
        return broadcast([t.shape for _, t in inputs])
    if output.shape == "same":
        return inputs[0][1].shape
    return None


def keeps_memory(
    state: State, output: Output, oid: int, base: Tensor, bound: Mapping[str, Value], name: str, joined: bool
) -> tuple[Cond | None, Cond | None]:
    """When an output of the row's kind shares its input's memory, and when it is a copy instead.

    joined: the dimensions that it puts together are known to join, though the tensor is not contiguous.
    """
    moved = moves(base, bound, output)
    model = _model(state, output, bound) if base.dtype is not None else None
    if output.maybe is None or (output.maybe in ("values", "shape") and not moved and model is None):
        return TRUE, None
    copy = constant_of(bound.get("copy"), False)
    if copy is True:
        return None, TRUE
    shares: bool | None = None
    what: str = output.maybe
    if model is not None and (model or not may_require_grad(base.dtype)):
        # A mask that is made like something unknown is made like what is computed with: a copy.
        shares = model == base.dtype
    elif output.maybe == "values":
        shares = True
    elif output.maybe == "contiguous":
        shares = base.contiguous
        form = bound.get("memory_format")
        if form and any(isinstance(atom, Sym) and atom.path != "torch.contiguous_format" for atom in form):
            shares = False if shares else None
        elif joined:
            shares = True
        if name in ("reshape", "flatten") and is_piece(base):
            shares, what = None, "piece"
    elif output.maybe == "dtype":
        wanted = dtype_of(bound.get("dtype"))
        wanted = wanted or CONVERSIONS.get(name)
        if output.dtype in ("float", "int", "bool", "complex") and wanted is None:
            wanted = {"float": "float32", "int": "int64"}.get(output.dtype, output.dtype)
        if wanted is not None and base.dtype is not None:
            shares = wanted == base.dtype
        elif wanted is None:
            shares = True
    if shares is not False and moved:
        shares, what = None, "device"
    if shares is None:
        key = f"{keys.DTYPE if what == 'dtype' else f'{what} of '}{oid}"
        same, other = frozenset({Fact(key, True, _ALREADY[what], True)}), frozenset({Fact(key, False, "", False)})
        if what == "dtype" and base.dtype is None:
            # What needs no grad, a mask or labels, is converted since it is of another dtype; what needs it is floating-point.
            kept = maybe_both(same, requires(state, base))
            return (kept, other) if kept is not None else (None, TRUE)
        return same, other
    return (TRUE, None) if shares else (None, TRUE)


_ALREADY = {
    "contiguous": "the tensor already has that memory format",
    "dtype": "the tensor already has that dtype",
    "device": "the tensor already is on that device",
    "piece": "the piece has the new shape without a copy",
}


def moves(base: Tensor, bound: Mapping[str, Value], output: Output) -> bool:
    """Whether a conversion may go to another device, where it makes a copy, and a copy may be written unlike ``base``."""
    if output.kind != "same" or (base.expanded is None and base.status.leaf is None):
        return False
    if output.maybe == "values":
        return "device" in bound  # with none given, the default one
    device = bound.get("device")
    if device is None or constant_of(device) is None:
        # What stands first in ``to(...)`` is a dtype or a device.
        device = bound.get("dtype")
    return device is not None and constant_of(device) not in (None, "cpu") and dtype_of(device) is None


def region(state: State, base: Tensor, bound: Mapping[str, Value], output: Output) -> tuple[int, ...]:
    """The constant indices that lead to a view, as far as they are known."""
    index = bound.get("index")
    if index is None or output.kind != "view":
        return base.region
    if base.bases and not base.region:
        return ()
    steps: list[int] = []
    for item in index_items(state, index):
        n = constant_of(item)
        if not isinstance(n, int) or isinstance(n, bool):
            break
        steps.append(n)
    return (*base.region, *steps)


def index_items(state: State, index: Value) -> list[Value]:
    """The parts of an index: those of a tuple, or the index alone."""
    if len(index) == 1:
        (atom,) = index
        if isinstance(atom, int):
            box = state.heap.get(atom)
            if isinstance(box, Container) and box.kind == "tuple" and box.items is not None:
                return list(box.items)
    return [index]


def whole(state: State, index: Value) -> bool:
    """Whether an index takes the whole tensor (``[:]``, ``[...]``): no view is made for the write."""
    for item in index_items(state, index):
        if len(item) != 1:
            return False
        (atom,) = item
        if isinstance(atom, Const) and atom.value is ...:
            continue
        if isinstance(atom, SliceAtom) and atom == SliceAtom(None, None, None):
            continue
        return False
    return True


def expansion(state: State, base: Tensor, output: Output, bound: Mapping[str, Value], place: Place) -> Place | None:
    """Where the memory of a view was expanded, if several of its elements may share one place."""
    dims = expanded_dims(state, base, output, bound)
    if dims is not None and not dims:
        return None
    if output.expanded:
        return place
    if base.expanded is not None and "index" in bound and dims is None:
        return None
    return base.expanded


EXPAND_SOME = frozenset({"broadcast_tensors"})
"""Ops of several tensors that expand those which are smaller than others, and hand out the rest as they are."""
SOME_DIMENSION = frozenset({0})
"""Stands for the dimensions that repeat one element, where it is known that there are some and not which."""
_ADD_A_DIMENSION = ("unsqueeze", "unsqueeze_")


def expanded_dims(state: State, base: Tensor, output: Output, bound: Mapping[str, Value]) -> frozenset[int] | None:
    """Which dimensions of a view, counted from its end (-1 is the last), repeat one element; None where it is not known."""
    if output.expanded:
        wanted = numbers_in(state, bound.get("size"))
        for model in bound.get("other", NOTHING):
            like = state.tensor(model) if isinstance(model, int) else None
            wanted = None if like is None else like.shape
        if wanted is None or base.shape is None:
            # Who writes sizes one by one has another number of them in mind than is there; a whole shape may be there already.
            unknown = wanted is None and ("other" in bound or len(bound.get("size", NOTHING)) == 1)
            return None if unknown and base.made_by not in _ADD_A_DIMENSION else SOME_DIMENSION
        found: set[int] = set()
        unsure = False
        for back in range(1, len(wanted) + 1):
            size = wanted[-back]
            old = base.shape[-back] if back <= len(base.shape) else 1
            unsure = unsure or old is None
            if old == 1 and size not in (-1, 1):
                found.add(-back)  # a size that nobody knows is hardly one
        if unsure:
            return SOME_DIMENSION if found else None
        return frozenset(found)
    if base.expanded is None:
        return frozenset()
    index = bound.get("index")
    if index is None and base.expanded_dims:
        return base.expanded_dims if output.kind in ("same", "data", "detached") else SOME_DIMENSION
    if index is None or base.expanded_dims is None or base.shape is None:
        return None
    if base.expanded_dims == SOME_DIMENSION:
        # Slices leave every dimension where it is; an index may take away the one that repeats an element.
        sliced = all(isinstance(atom, SliceAtom) for item in index_items(state, index) for atom in item)
        return SOME_DIMENSION if sliced else None
    left: list[bool] = []
    rest = [-(len(base.shape) - n) in base.expanded_dims for n in range(len(base.shape))]
    for item in index_items(state, index):
        atom = known(item)
        if atom is not None and (atom.value is None or atom.value is ...):
            return None
        if not rest:
            return None
        repeated = rest.pop(0)
        if len(item) == 1 and isinstance(next(iter(item)), SliceAtom):
            left.append(repeated)
    left.extend(rest)
    return frozenset(n - len(left) for n, repeated in enumerate(left) if repeated)


ENDLESS = 1 << 40
"""The length that an unknown first dimension is taken to have: long enough for slices to overlap."""


def row_range(state: State, base: Tensor, bound: Mapping[str, Value]) -> tuple[int, int] | None:
    """The rows of a whole, contiguous tensor that a slice of its first dimension takes; such a view is dense."""
    index = bound.get("index")
    if index is None or base.bases or not base.contiguous:
        return None
    items = index_items(state, index)
    (atom,) = items[0] if len(items) == 1 and len(items[0]) == 1 else (None,)
    part = python_slice(atom) if isinstance(atom, SliceAtom) else None
    if part is None or part.step not in (None, 1):
        return None
    size = base.shape[0] if base.shape else None
    start, stop, _ = part.indices(ENDLESS if size is None else size)
    return (start, stop)


def view_shape(state: State, base: Tensor, output: Output, bound: Mapping[str, Value]) -> Shape | None:
    """The shape of a view, for the simple cases: an index, a shape given in full, a whole-tensor alias."""
    if output.shape == "same":
        return base.shape
    if output.kind in ("detached", "data", "array") or (output.kind == "same"):
        return base.shape
    index = bound.get("index")
    if index is not None and base.shape is not None:
        return _indexed_shape(state, base.shape, index)
    if output.expanded and base.shape is not None and (sizes := numbers_in(state, bound.get("size"))) is not None:
        old: Shape = (*(None for _ in range(len(sizes) - len(base.shape))), *base.shape)
        return tuple(o if n == -1 else n for n, o in zip(sizes, old, strict=False))
    for name in ("shape", "size"):
        wanted = numbers_in(state, bound.get(name))
        if wanted is not None:
            return tuple(None if n is None or n < 0 else n for n in wanted)
    return None


def _is_counter(index: Value) -> bool:
    """Whether an index is a number, though not a known one: a loop's counter, or what was computed from one."""
    return bool(index) and all(isinstance(atom, Unknown) and bool(atom.tag) and not atom.tensor for atom in index)


def _indexed_shape(state: State, shape: Shape, index: Value) -> Shape | None:
    result: list[int | None] = []
    rest = list(shape)
    for item in index_items(state, index):
        atom = known(item)
        if atom is not None and atom.value is None:
            result.append(1)
        elif not rest or (atom is not None and atom.value is ...):
            return None
        elif (atom is not None and isinstance(atom.value, int)) or _is_counter(item):
            rest.pop(0)
        else:
            size = rest.pop(0)
            if len(item) == 1 and next(iter(item)) == SliceAtom(None, None, None):
                result.append(size)
            else:
                result.append(_slice_size(item, size))
    return (*result, *rest)


def _slice_size(item: Value, size: int | None) -> int | None:
    (atom,) = item if len(item) == 1 else (None,)
    if size is None or not isinstance(atom, SliceAtom):
        return None
    part = python_slice(atom)
    return None if part is None else len(range(size)[part])


def python_slice(atom: SliceAtom) -> slice | None:
    """The slice, where its bounds are known; None otherwise."""
    lower, upper, step = atom.lower, atom.upper, atom.step
    if (
        (lower is None or isinstance(lower, int))
        and (upper is None or isinstance(upper, int))
        and (step is None or isinstance(step, int))
    ):
        return slice(lower, upper, step if step != 0 else None)
    return None


def is_piece(tensor: Tensor) -> bool:
    """Whether an op cut it out of a tensor, with others: it is dense but for the one dimension along which that was done."""
    return any(mark.kind == "multi" and mark.place == tensor.made for mark in tensor.marks)


def view_contiguous(base: Tensor, output: Output) -> bool | None:
    """Whether a view's memory is contiguous."""
    if output.breaks_contiguity:
        return False if base.contiguous or is_piece(base) else None
    return base.contiguous


def pieces(
    m: Machine,
    state: State,
    tensor: Tensor,
    call: OpCall,
    tag: str,
    bound: Mapping[str, Value] | None,
    count: int | None = None,
) -> Value:
    """Several outputs of one op, as a tuple: each on its own where their number is known, one summary otherwise."""
    count = count or _piece_count(state, tensor, bound)
    origin = call.place[1]
    fresh = tensor.storages == frozenset({m.oid(origin, tag)})
    if count is None:
        oid = -m.oid(origin, tag)
        own = frozenset({oid})
        one_of = replace(tensor, storages=own, counters=own, shape=None) if fresh else replace(tensor, shape=None)
        if oid not in state.heap:
            state.heap[oid] = one_of
        else:
            state.put(oid, one_of)
        box = Container("tuple", None, None, one(oid))
    else:
        items: list[Value] = []
        for number in range(count):
            oid = m.oid(origin, f"{tag} piece {number}")
            own = frozenset({oid})
            one_of = replace(tensor, storages=own, counters=own, shape=None) if fresh else replace(tensor, shape=None)
            items.append(one(state.allocate(oid, one_of)))
        box = Container("tuple", tuple(items))
    return one(state.allocate(m.oid(origin, f"{tag} pieces"), box))


def _piece_count(state: State, tensor: Tensor, bound: Mapping[str, Value] | None) -> int | None:
    if bound is None:
        return None
    for name in ("chunks", "sections", "indices_or_sections"):
        count = constant_of(bound.get(name, NOTHING)) if name in bound else None
        if isinstance(count, int) and 0 < count <= MOST_PIECES:
            return count
    sizes = numbers_in(state, bound.get("split_size_or_sections"))
    if sizes is not None and len(sizes) > 1 and len(sizes) <= MOST_PIECES:
        return len(sizes)
    return None
