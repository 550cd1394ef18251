"""Imports within the project: a module's own statements are run when a name of it is first asked for.

They run muted, in a state of their own, so that what another module does at its top is neither reported here nor depends on
where it was first needed. The heap that is left is the module's *image*. Only what a name leads to is put from there into the
state that asked: a large project costs what is used of it. Objects are named by where they are made, hence the same in every
state, and two states that linked the same class agree on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from inplace_lint import ir
from inplace_lint.domain.conditions import TRUE, Cond, add_to
from inplace_lint.domain.heap import Effort
from inplace_lint.domain.objects import Frame, Obj, reachable_from
from inplace_lint.domain.state import State
from inplace_lint.domain.values import ANYTHING, NOTHING, Atom, Imported, Sym, Unknown, Value, const, one, references
from inplace_lint.interp import calls, outline
from inplace_lint.interp.budget import Budget, BudgetExceeded
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.machine import Machine

IMAGE_STEPS = 20_000
"""Instructions that an imported module's own statements may take; past them only its definitions count."""


@dataclass(frozen=True, slots=True)
class Image:
    """A module after its statements have run: its frame's number, and everything that was made."""

    frame: int
    heap: Mapping[int, Obj]

    @property
    def names(self) -> Frame:
        """The module's frame."""
        frame = self.heap.get(self.frame)
        return frame if isinstance(frame, Frame) else Frame({}, None)


def frame_of(m: Machine, key: str) -> int:
    """The number of a module's frame."""
    number = m.named_oid("module", key)
    m.module_frames[number] = key
    return number


# --- the instructions ---


def imported(engine: Engine, instr: ir.Import) -> Value:
    """What an import binds: a module of the project or a name in one, or a symbol for what lies outside."""
    m = engine.m
    path = "." * instr.level + instr.module
    if m.project is not None:
        key = m.project.find(m.file, instr.module, instr.level)
        if key is not None:
            return one(Imported(key, instr.name))
        whole = m.project.dotted(m.file, instr.module, instr.level)
        if whole.partition(".")[0] == "torch":
            path = whole
    if instr.name is not None:
        path = f"{path}.{instr.name}" if not path.endswith(".") else path + instr.name
    return outside(engine, public(engine, path))


def outside(engine: Engine, path: str) -> Value:
    """Something outside the project: what a stub says of it, or a symbol."""
    described = None if engine.m.project is None else engine.m.project.stub(path)
    return one(Sym(path) if described is None else Imported(*described))


def public(engine: Engine, path: str) -> str:
    """The name by which the op model knows something of torch that is imported from where it is defined."""
    path = calls.canonical(path)
    if path.startswith("torch.nn.modules.") and engine.m.model.module(path) is None:
        short = f"torch.nn.{path.rsplit('.', 1)[-1]}"
        if engine.m.model.module(short) is not None:
            return short
    return path


def star(engine: Engine, instr: ir.ImportStar) -> Value:
    """What a star import reads its names from."""
    m = engine.m
    key = None if m.project is None else m.project.find(m.file, instr.module, instr.level)
    return one(Sym("." * instr.level + instr.module) if key is None else Imported(key))


# --- names ---


def resolve(engine: Engine, state: State, value: Value) -> Value:
    """A value with names of other modules replaced by what they are bound to there."""
    if not any(isinstance(atom, Imported) and atom.name is not None for atom in value):
        return value
    found: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        if isinstance(atom, Imported) and atom.name is not None:
            there = name_in(engine, state, atom.file, atom.name) or ANYTHING
            for inner, own in there.items():
                add_to(found, inner, cond or own)
        else:
            add_to(found, atom, cond)
    return found


def name_in(engine: Engine, state: State, key: str, name: str, seen: set[str] | None = None) -> Value | None:
    """What ``name`` is in a module of the project, its objects put into the state; None where nothing binds it.

    ``seen`` holds the modules that a search through star imports has asked: many ways lead to a module that all others import.
    """
    m = engine.m
    asked = (key, name)
    if seen is not None:
        if key in seen:
            return None
        seen.add(key)
    inner = None if m.project is None else m.project.submodule(key, name)
    if asked in m.resolving:
        # ``from . import name`` in the package itself: the name is bound to what has to be found yet.
        return None if inner is None else one(Imported(inner))
    m.resolving.add(asked)
    try:
        frame = frame_of(m, key)
        value = bound_in(engine, state, frame, name)
        if value is not None:
            return value
        if inner is not None:
            return one(Imported(inner))
        return None if name.startswith("_") else from_stars(engine, state, frame, name, seen)
    finally:
        m.resolving.discard(asked)


def bound_in(engine: Engine, state: State, frame: int, name: str) -> Value | None:
    """What a module's own statements bind ``name`` to, given its frame; None where they do not."""
    value = module_frame(engine, state, frame).names.get(name)
    if value is None:
        return None
    key = engine.m.module_frames.get(frame)
    return value if key is None else linked(engine, state, key, value)


def from_stars(engine: Engine, state: State, frame: int, name: str, seen: set[str] | None = None) -> Value | None:
    """What a name is that only star imports of a module can bind; None where none of them binds it for certain."""
    outside: dict[Atom, Cond] = {}
    seen = set() if seen is None else seen
    for atom in module_frame(engine, state, frame).names.get("*", NOTHING):
        if isinstance(atom, Imported):
            value = name_in(engine, state, atom.file, name, seen)
            if value is not None:
                return value
        elif isinstance(atom, Sym):
            outside[atom] = TRUE
    found = calls.from_star_imports(engine, outside, name)
    return None if found is ANYTHING else found


def linked(engine: Engine, state: State, key: str, value: Value) -> Value:
    """The value, resolved, with all that it leads to in the state's heap."""
    value = resolve(engine, state, value)
    image = engine.m.images.get(key)
    if image is not None:
        link(engine.m, state, image, references(value))
    return value


def link(m: Machine, state: State, image: Image, roots: Iterable[int]) -> None:
    """Put objects of an image into a state, with all they lead to except the frames of modules."""
    heap, made = state.heap, image.heap
    todo = [oid for oid in roots if oid not in heap]
    while todo:
        oid = todo.pop()
        obj = made.get(oid)
        if oid in heap or obj is None or oid in m.module_frames:
            continue
        heap[oid] = obj
        todo.extend(n for n in reachable_from(obj) if n not in heap)


def module_frame(engine: Engine, state: State, frame: int) -> Frame:
    """The names of a module: as the state has them, or as they are after its statements have run."""
    own = state.heap.get(frame)
    if isinstance(own, Frame):
        return own
    key = engine.m.module_frames.get(frame)
    image = None if key is None else load(engine, key)
    return Frame({}, None) if image is None else image.names


def keep_frame(engine: Engine, state: State, frame: int) -> None:
    """Give the state its own copy of a module's frame, which is about to be written."""
    if frame in engine.m.module_frames and frame not in state.heap:
        state.heap[frame] = module_frame(engine, state, frame)


# --- images ---


def load(engine: Engine, key: str) -> Image | None:
    """The image of a module; None while its statements are still running, as in an import cycle."""
    m = engine.m
    image = m.images.get(key)
    if image is not None:
        return image
    if key in m.loading or m.project is None:
        return None
    m.loading.add(key)
    try:
        module = m.project.module(key)
        image = Image(frame_of(m, key), {}) if module is None else _run(engine, key, module.code)
    finally:
        m.loading.discard(key)
    m.images[key] = image
    return image


def _run(engine: Engine, key: str, code: ir.Code) -> Image:
    m = engine.m
    frame = frame_of(m, key)
    name = key.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
    with _apart(m, key, code, frame):
        for whole, limit in ((True, IMAGE_STEPS), (False, 10 * IMAGE_STEPS)):
            statements = code.body if whole else outline.definitions(code.body)
            state = State()
            start = {"__name__": const(name), "__file__": one(Unknown("", "no", False))}
            state.heap[frame] = Frame(start, None)
            flow = Flow(frame, frame, code)
            m.budget = Budget(limit)
            try:
                end = engine.run(statements, state, flow)
            except (BudgetExceeded, RecursionError):
                continue
            if end is None and flow.raises:
                end = flow.raises[-1]
            if end is not None:
                return Image(frame, end.heap)
    return Image(frame, {})


_OF_A_RUN = (
    *("file", "ctx", "calls", "codes", "depths", "loops", "unrolled", "budget", "live_frames"),
    *("visited", "fixpoints", "recursions", "on_return", "alternative"),
)
"""The machine's fields that belong to one run."""


@contextmanager
def _apart(m: Machine, key: str, code: ir.Code, frame: int) -> Iterator[None]:
    """The machine as at the beginning of a module, muted; as it was afterwards."""
    kept = {name: getattr(m, name) for name in _OF_A_RUN}
    m.file, m.ctx, m.calls, m.codes, m.depths, m.loops, m.unrolled = key, (), (), (code,), (0,), (), 1
    m.live_frames, m.visited, m.fixpoints, m.recursions = [frame], {}, {}, {}
    m.on_return = None
    m.muted += 1
    spent = Effort.passed
    try:
        yield
    finally:
        m.muted -= 1
        for name, value in kept.items():
            setattr(m, name, value)
        # What an image costs counts for no one who happens to need it first.
        m.budget.forgive(Effort.passed - spent)
