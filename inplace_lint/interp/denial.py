"""Uses that show an unknown value to be no tensor that requires grad: a dict, a string, a NumPy array.

An argument of which nothing is said may be anything; the engine follows what happens if it is a tensor that requires grad. Code
tells more than it says: no tensor has ``.items()`` or an element named ``"image"``, and NumPy refuses a tensor that requires
grad ("Can't call numpy() on Tensor that requires grad"). Findings that rest on such an argument requiring grad are dropped.
"""

from __future__ import annotations

import re

from inplace_lint.domain.objects import Container
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Const, Unknown, Value, one
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.parts import outwards

_OF_PYTHON = frozenset(name for kind in (dict, list, tuple, set, str, bytes) for name in dir(kind) if name[0] != "_")
OF_ARRAYS = frozenset({"astype", "tobytes", "flat", "itemset", "tofile"})
"""Attributes of NumPy's arrays, which need not be installed here, that tensors lack."""
_ARITHMETIC = re.compile(r" r?(\+|-|\*\*?|//?|%) ")
"""What follows the tag of an operand in the tag of the result."""
_TAKE_TENSORS = frozenset({"torch.nn.ParameterList", "torch.nn.ParameterDict", "torch.nn.Buffer"})
_ARRAY_LIBRARIES = ("numpy.", "cv2.", "PIL.", "scipy.", "skimage.", "sklearn.", "pandas.")
"""Libraries whose functions take arrays, and tensors only where they need no grad."""


def deny(m: Machine, state: State, value: Value) -> None:
    """What may be the value is no tensor that requires grad."""
    for atom in value:
        if isinstance(atom, Unknown):
            m.grounds.refute(state.path, atom.tag)
        elif isinstance(atom, int) and (tensor := state.tensor(atom)) is not None:
            m.grounds.refute(state.path, tensor.assumed)
            # What is no tensor was no part of one either.
            for base in tensor.bases:
                if (whole := state.tensor(base)) is not None:
                    m.grounds.refute(state.path, whole.assumed)


def by_key(m: Machine, state: State, owner: Value, index: Value) -> None:
    """Elements of tensors have no names."""
    if is_name(index):
        deny(m, state, owner)


def by_index(m: Machine, state: State, index: Value) -> None:
    """What tells places in a tensor is integer or boolean, and so are the parts of it."""
    for atom in index:
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container):
            for item in box.items or ():
                deny(m, state, item)
        else:
            deny(m, state, one(atom))


def by_operand(m: Machine, state: State, tensors: Value, other: Value) -> None:
    """Arithmetic with an array, which a tensor that requires grad refuses ("Can't call numpy() on Tensor that requires grad")."""
    if m.grounds.arrays and any(_is_array(m, atom) for atom in other):
        deny(m, state, tensors)


def _is_array(m: Machine, atom: Atom) -> bool:
    wholes = outwards(m.part_of, atom) if isinstance(atom, Unknown) else ()
    return any(whole.tag in m.grounds.arrays for whole in wholes)


def by_membership(m: Machine, state: State, sought: Atom, box: Atom) -> None:
    """``"name" in box``: a tensor takes no text there."""
    if isinstance(sought, Const) and isinstance(sought.value, str):
        deny(m, state, one(box))


def is_name(index: Value) -> bool:
    """Whether an index is text, which none of a tensor's is."""
    return len(index) == 1 and isinstance(key := next(iter(index)), Const) and isinstance(key.value, str)


def by_attribute(m: Machine, state: State, owner: Value, attr: str) -> None:
    """Attributes of Python's own types, or of arrays, that tensors lack."""
    foreign = attr in OF_ARRAYS or (attr in _OF_PYTHON and m.model.method(attr) is None)
    if foreign and m.model.property(attr) is None:
        deny(m, state, owner)


def by_call(m: Machine, state: State, path: str, arguments: list[Value]) -> None:
    """Arguments of functions that take no tensor requiring grad."""
    if path.startswith(_ARRAY_LIBRARIES):
        for value in arguments:
            deny(m, state, value)
    elif path == "builtins.range" or (m.model.module(path) is not None and path not in _TAKE_TENSORS):
        for value in arguments:
            _deny_numbers(m, state, value)


def _deny_numbers(m: Machine, state: State, value: Value) -> None:
    """What is a size, and what it was computed from, is a number."""
    for atom in value:
        while isinstance(atom, Unknown):
            m.grounds.refute(state.path, atom.tag)
            whole = m.part_of.get(atom.tag)
            if whole is None or not _ARITHMETIC.match(atom.tag, len(whole.tag)):
                break
            atom = whole
