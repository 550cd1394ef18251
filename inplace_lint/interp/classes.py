"""Classes of the analysed source: the order of bases, attribute lookup, what outside class they end in."""

from __future__ import annotations

from inplace_lint.domain.objects import Class, Instance
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Sym, Unknown, Value

PLAIN_BASES = frozenset(
    {
        "builtins.object",
        "abc.ABC",
        "typing.Generic",
        "typing.Protocol",
        "enum.Enum",
        "builtins.Exception",
        "typing.NamedTuple",
        "builtins.dict",
        "builtins.list",
        "collections.OrderedDict",
        "collections.UserDict",
        "collections.deque",
    }
)


def order(state: State, cls: Atom) -> list[Atom]:
    """The class and its bases in lookup order (left to right, each once); outside classes are symbols."""
    found: list[Atom] = []
    todo: list[Atom] = [cls]
    while todo:
        atom = todo.pop(0)
        if atom in found:
            found.remove(atom)
        found.append(atom)
        made = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(made, Class) and len(found) < 64:
            todo = [next(iter(base)) for base in made.bases if base] + todo
    return found


def lookup(state: State, cls: Atom, attr: str, past: Atom | None = None, receiver: Atom | None = None) -> Value | None:
    """A class attribute by the order of bases; ``past``: only in what follows that class in the receiver's order."""
    start = cls
    if past is not None and isinstance(receiver, int):
        instance = state.heap.get(receiver)
        if isinstance(instance, Instance):
            start = instance.cls
        elif isinstance(instance, Class):
            start = receiver
    bases = order(state, start)
    if past is not None and past in bases:
        bases = bases[bases.index(past) + 1 :]
    for atom in bases:
        made = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(made, Class) and attr in made.attrs:
            return made.attrs[attr]
    return None


def outside_base(state: State, cls: Atom) -> str | None:
    """The dotted name of the first class of torch among the bases, or None."""
    for atom in order(state, cls):
        if isinstance(atom, Sym) and atom.path.startswith("torch."):
            return atom.path
    return None


MODULE_BASES = ("torch.nn.", "torch.jit.ScriptModule")
LIGHTNING = ("LightningModule",)


def is_module(state: State, cls: Atom) -> bool:
    """Whether instances are ``nn.Module``: a base is one, or is named like a module class of another library."""
    for atom in order(state, cls):
        if isinstance(atom, Sym) and (
            atom.path.startswith(MODULE_BASES) or atom.path.rsplit(".", 1)[-1] in (*LIGHTNING, "Module", "BaseModule")
        ):
            return True
    return False


def all_known(state: State, cls: Atom) -> bool:
    """Whether every base is of the source or one whose attributes are known."""
    for atom in order(state, cls):
        if isinstance(atom, Unknown):
            return False
        if isinstance(atom, Sym) and atom.path not in PLAIN_BASES and not atom.path.startswith(("torch.", "builtins.")):
            return False
    return True


def method_names(state: State, cls: Atom) -> set[str]:
    """The names of a class's own and inherited methods and other attributes, as far as they are known."""
    names: set[str] = set()
    for base in order(state, cls):
        made = state.heap.get(base) if isinstance(base, int) else None
        if isinstance(made, Class):
            names.update(made.attrs)
    return names


def name_of(state: State, cls: Atom) -> str:
    """The class's name for messages."""
    made = state.heap.get(cls) if isinstance(cls, int) else None
    if isinstance(made, Class):
        return made.name
    return cls.path.rsplit(".", 1)[-1] if isinstance(cls, Sym) else "object"
