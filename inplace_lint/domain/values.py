"""Values: what a name, a register, an attribute or an element may be.

A value is a mapping from *atoms* (the possibilities) to the condition under which each is the one. Most have one atom.
A heap object is named by its number, a plain ``int``: positive for one object, negative for the
summary of all older objects of the same allocation site (see ``state``). Python's own integers are ``Const``.
Values are never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Union

from inplace_lint.domain.conditions import TRUE, Cond, add_to, both


@dataclass(frozen=True, slots=True)
class Const:
    """A literal. ``kind`` keeps ``1``, ``1.0`` and ``True`` apart."""

    value: object
    kind: str

    def __repr__(self) -> str:
        return f"Const({self.value!r})"


@dataclass(frozen=True, slots=True)
class Sym:
    """Something outside the analysed source, by its full dotted name: ``torch.nn.functional.relu``, ``builtins.len``."""

    path: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A module of the project, by its key, or what a name in it is bound to, as long as nothing has asked for that."""

    file: str
    name: str | None = None


GradHope = Literal["assume", "likely", "no"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value of which only its identity is known: the same tag is the same value.

    grad: whether, used as a tensor, it may require grad: under an assumption that is stated, as a matter of
    course (what a submodule returns), or not at all. tensor: it can be one.
    """

    tag: str
    grad: GradHope = "assume"
    tensor: bool = True


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a receiver that is no function of the analysed source: ``y.add_``, ``xs.append``."""

    receiver: Atom
    name: str


@dataclass(frozen=True, slots=True)
class BoundFunction:
    """A function of the analysed source (a heap object) with its first argument."""

    receiver: Atom
    function: int


@dataclass(frozen=True, slots=True)
class SliceAtom:
    """A slice with constant or unknown (``...``) bounds."""

    lower: object
    upper: object
    step: object


@dataclass(frozen=True, slots=True)
class SuperAtom:
    """``super()``: attributes of ``receiver`` looked up past ``cls`` (a heap object) in its order of bases."""

    receiver: Atom
    cls: int


Atom = Union[int, Const, Sym, Imported, Unknown, Method, BoundFunction, SliceAtom, SuperAtom]  # noqa: UP007
Value = Mapping[Atom, Cond]

NOTHING: Value = {}


def const(value: object) -> Value:
    """The value that is this literal."""
    return {Const(value, type(value).__name__): TRUE}


NONE_ATOM = Const(None, "NoneType")
NONE: Value = {NONE_ATOM: TRUE}
ANYTHING: Value = {Unknown("", "no", False): TRUE}


def one(atom: Atom) -> Value:
    """The value that is this atom."""
    return {atom: TRUE}


def union(values: Iterable[Value]) -> Value:
    """Any of the values."""
    joined: dict[Atom, Cond] = {}
    for value in values:
        for atom, cond in value.items():
            add_to(joined, atom, cond)
    return joined


def under(value: Value, cond: Cond) -> Value:
    """The value where ``cond`` holds as well; possibilities that contradict it are gone."""
    if not cond:
        return value
    kept: dict[Atom, Cond] = {}
    for atom, own in value.items():
        together = both(own, cond)
        if together is not None:
            kept[atom] = together
    return kept


def known(value: Value) -> Const | None:
    """The literal that the value is for certain, if it is one."""
    if len(value) == 1:
        (atom,) = value
        if isinstance(atom, Const):
            return atom
    return None


def constant_of(value: Value | None, default: object = ...) -> object:
    """The literal's Python value, or ``default`` where the value is no literal for certain."""
    if value is None:
        return default
    atom = known(value)
    return default if atom is None else atom.value


@dataclass(frozen=True, slots=True)
class Renaming:
    """New numbers for objects (and storages and counters), and new tags for unknowns."""

    ids: Mapping[int, int]
    tags: Mapping[str, str]

    def number(self, oid: int) -> int:
        """The new number of an object."""
        return self.ids.get(oid, oid)

    def atom(self, atom: Atom) -> Atom:
        """The atom under its new names."""
        if isinstance(atom, int):
            return self.ids.get(atom, atom)
        if isinstance(atom, (Const, Sym)):
            return atom
        if isinstance(atom, Unknown):
            tag = self.tags.get(atom.tag)
            return atom if tag is None else Unknown(tag, atom.grad, atom.tensor)
        if isinstance(atom, Method):
            receiver = self.atom(atom.receiver)
            return atom if receiver is atom.receiver else Method(receiver, atom.name)
        if isinstance(atom, BoundFunction):
            return BoundFunction(self.atom(atom.receiver), self.number(atom.function))
        if isinstance(atom, SuperAtom):
            return SuperAtom(self.atom(atom.receiver), self.number(atom.cls))
        return atom

    def value(self, value: Value) -> Value:
        """The value under new names; the same mapping where nothing changes."""
        if len(value) == 1:
            ((atom, cond),) = value.items()
            new = self.atom(atom)
            return value if new is atom or new == atom else {new: cond}
        changed = False
        renamed: dict[Atom, Cond] = {}
        for atom, cond in value.items():
            new = self.atom(atom)
            changed = changed or new != atom
            add_to(renamed, new, cond)
        return renamed if changed else value

    def numbers(self, ids: frozenset[int]) -> frozenset[int]:
        """A set of numbers under new names."""
        if self.ids.keys().isdisjoint(ids):
            return ids
        return frozenset(self.ids.get(i, i) for i in ids)

    def keys(self, record: Mapping[int, Cond]) -> Mapping[int, Cond]:
        """A record by number under new names."""
        if self.ids.keys().isdisjoint(record):
            return record
        renamed: dict[int, Cond] = {}
        for oid, cond in record.items():
            add_to(renamed, self.ids.get(oid, oid), cond)
        return renamed


def references(value: Value) -> Iterable[int]:
    """The heap objects that the value can reach in one step."""
    for atom in value:
        yield from _atom_references(atom)


def _atom_references(atom: Atom) -> Iterable[int]:
    if isinstance(atom, int):
        yield atom
    elif isinstance(atom, Method):
        yield from _atom_references(atom.receiver)
    elif isinstance(atom, BoundFunction):
        yield from _atom_references(atom.receiver)
        yield atom.function
    elif isinstance(atom, SuperAtom):
        yield from _atom_references(atom.receiver)
        yield atom.cls


def unknown_tags(atom: Atom) -> Iterable[str]:
    """The tags of unknowns inside an atom."""
    if isinstance(atom, Unknown):
        yield atom.tag
    elif isinstance(atom, (Method, BoundFunction, SuperAtom)):
        yield from unknown_tags(atom.receiver)


def is_unknown(atom: Atom) -> bool:
    """Whether nothing but identity is known of an atom: an unknown, or an attribute of one that has no name of its own."""
    if isinstance(atom, Method):
        return is_unknown(atom.receiver)
    return isinstance(atom, Unknown)
