"""Numbers and flags of an object that its methods change: what ``__init__`` sets is there until the first call only.

A method that is looked at for unknown callers may run at any time of the object's life, so a counter that starts at zero
(``self.size``, ``self.steps``) and a flag that is switched later have values that nobody knows.
"""

from __future__ import annotations

from dataclasses import replace

from inplace_lint import ir
from inplace_lint.domain.objects import Class, Function, Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Const, Unknown, Value, one
from inplace_lint.interp import classes
from inplace_lint.interp.machine import Machine


def loosen(m: Machine, state: State) -> None:
    """Forget the numbers and flags that methods of the objects' own classes assign anew."""
    for oid, thing in list(state.heap.items()):
        if not isinstance(thing, Instance) or not isinstance(thing.cls, int):
            continue
        names = [name for name in _assigned(state, thing.cls) if _is_plain(thing.attrs.get(name))]
        if not names:
            continue
        attrs = dict(thing.attrs)
        for name in names:
            tag = f"#{name} of {oid}"
            m.note_tag(tag)
            attrs[name] = one(Unknown(tag, "no", False))
        state.put(oid, replace(thing, attrs=attrs))


def _is_plain(value: Value | None) -> bool:
    return bool(value) and all(isinstance(atom, Const) and isinstance(atom.value, (int, float)) for atom in value or ())


def _assigned(state: State, cls: int) -> set[str]:
    """The attributes of ``self`` that methods other than ``__init__`` assign, in a class and those it derives from."""
    found: set[str] = set()
    for base in classes.order(state, cls):
        made = state.heap.get(base) if isinstance(base, int) else None
        if not isinstance(made, Class):
            continue
        for name, value in made.attrs.items():
            for atom in value:
                function = state.heap.get(atom) if isinstance(atom, int) else None
                if name != "__init__" and isinstance(function, Function) and isinstance(function.code, ir.Code):
                    found |= _set_on_self(function.code)
    return found


def _set_on_self(code: ir.Code) -> set[str]:
    found: set[str] = set()
    own: set[int] = set()
    first = code.params[0].name if code.params else None
    for instr in ir.walk(code.body):
        if isinstance(instr, ir.Load) and instr.name == first and instr.scope == "local":
            own.add(instr.dst)
        elif isinstance(instr, ir.SetAttr) and instr.obj in own:
            found.add(instr.attr)
    return found
