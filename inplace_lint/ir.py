"""The intermediate representation: what a definition does, with Python's syntax gone.

Words
-----
*register*
    A numbered temporary of one definition. A register may be assigned on several paths (that is how
    ``a if c else b`` is expressed), so the form is three-address code, not SSA.
*region*
    A tuple of instructions that run in order. Control flow is structured: ``If``, ``While``, ``For``,
    ``With`` and ``Try`` hold regions, and ``Break``, ``Continue``, ``Return`` and ``Raise`` leave them.
*origin*
    A number that names the syntax an instruction came from. Only the lowering that made it can turn it
    into a place in the file, and it does so for findings alone, because computing positions is what costs most.
*code*
    One definition: a module, a function, a lambda or a class body. Its region is made on first use.

This module imports nothing of ours, so that every layer may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, Union

Reg = int
Scope = Literal["local", "free", "global", "class"]


@dataclass(frozen=True, slots=True)
class Const:
    """``dst`` becomes a literal."""

    origin: int
    dst: Reg
    value: object


@dataclass(frozen=True, slots=True)
class Move:
    """``dst`` becomes what ``src`` is: the joining half of a conditional expression."""

    origin: int
    dst: Reg
    src: Reg


@dataclass(frozen=True, slots=True)
class Load:
    """Read a name. Scope ``class`` looks in the class body first and in the globals after that."""

    origin: int
    dst: Reg
    name: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Store:
    """Bind a name."""

    origin: int
    name: str
    scope: Scope
    src: Reg


@dataclass(frozen=True, slots=True)
class Unbind:
    """``del name``."""

    origin: int
    name: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Annotate:
    """A variable annotation without or before its value; data classes are built from these."""

    origin: int
    name: str
    annotation: str


@dataclass(frozen=True, slots=True)
class GetAttr:
    origin: int
    dst: Reg
    obj: Reg
    attr: str


@dataclass(frozen=True, slots=True)
class SetAttr:
    """``obj.attr = src``; ``augmented`` where it ends an augmented assignment."""

    origin: int
    obj: Reg
    attr: str
    src: Reg
    augmented: bool = False


@dataclass(frozen=True, slots=True)
class DelAttr:
    origin: int
    obj: Reg
    attr: str


@dataclass(frozen=True, slots=True)
class GetItem:
    origin: int
    dst: Reg
    obj: Reg
    index: Reg


@dataclass(frozen=True, slots=True)
class SetItem:
    """``obj[index] = src``; ``augmented`` where it ends an augmented assignment."""

    origin: int
    obj: Reg
    index: Reg
    src: Reg
    augmented: bool = False


@dataclass(frozen=True, slots=True)
class DelItem:
    origin: int
    obj: Reg
    index: Reg


@dataclass(frozen=True, slots=True)
class MakeSlice:
    origin: int
    dst: Reg
    lower: Reg | None
    upper: Reg | None
    step: Reg | None


@dataclass(frozen=True, slots=True)
class Unary:
    """``op`` is ``-``, ``+``, ``~`` or ``not``."""

    origin: int
    dst: Reg
    op: str
    operand: Reg


@dataclass(frozen=True, slots=True)
class Binary:
    """``op`` is the operator as written: ``+``, ``@``, ``//``, ``<<`` ..."""

    origin: int
    dst: Reg
    op: str
    left: Reg
    right: Reg


@dataclass(frozen=True, slots=True)
class InPlace:
    """The in-place operator of an augmented assignment; ``op`` without its ``=``.

    The store that Python does afterwards (a ``Store``, ``SetAttr`` or ``SetItem`` of ``dst``) is an
    instruction of its own with the same origin.
    """

    origin: int
    dst: Reg
    op: str
    left: Reg
    right: Reg


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison; chains are lowered to ``If``. ``op`` is ``==``, ``is``, ``is not``, ``in``, ``not in``, ``<`` ..."""

    origin: int
    dst: Reg
    op: str
    left: Reg
    right: Reg


ArgKind = Literal["positional", "keyword", "star", "double_star"]


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a call; ``name`` is set for keywords only."""

    reg: Reg
    kind: ArgKind = "positional"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    origin: int
    dst: Reg
    func: Reg
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a display. ``key`` is set in dicts; ``star`` marks ``*xs`` and ``**d``."""

    reg: Reg
    key: Reg | None = None
    star: bool = False


DisplayKind = Literal["tuple", "list", "set", "dict"]


@dataclass(frozen=True, slots=True)
class Build:
    origin: int
    dst: Reg
    kind: DisplayKind
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Append:
    """A comprehension adds one element (``key`` for a dict)."""

    origin: int
    collection: Reg
    item: Reg
    key: Reg | None = None


@dataclass(frozen=True, slots=True)
class FormatString:
    """An f-string or t-string; its parts were evaluated, the text is not known."""

    origin: int
    dst: Reg
    parts: tuple[Reg | str, ...]


@dataclass(frozen=True, slots=True)
class Unpack:
    """``a, *b, c = src``: element by element into ``targets``; ``star`` is the index of the starred one."""

    origin: int
    src: Reg
    targets: tuple[Reg, ...]
    star: int | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """``import module`` (``name`` is None, ``dst`` the module itself) or ``from module import name``.

    ``import a.b`` without ``as`` binds ``a``: then ``module`` is ``a``, and ``loads`` is ``a.b``.
    """

    origin: int
    dst: Reg
    module: str
    name: str | None = None
    level: int = 0
    loads: str | None = None


@dataclass(frozen=True, slots=True)
class ImportStar:
    origin: int
    module: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class MakeFunction:
    """A function or lambda value; ``defaults`` pairs parameter names with the registers of their defaults."""

    origin: int
    dst: Reg
    code: Code
    defaults: tuple[tuple[str, Reg], ...]


@dataclass(frozen=True, slots=True)
class MakeClass:
    """A class value; its body is ``code``, run at once in a scope of its own."""

    origin: int
    dst: Reg
    code: Code
    bases: tuple[Reg, ...]
    keywords: tuple[tuple[str, Reg], ...]


@dataclass(frozen=True, slots=True)
class Decorate:
    """``dst`` is ``target`` as the decorator returns it."""

    origin: int
    dst: Reg
    decorator: Reg
    target: Reg


@dataclass(frozen=True, slots=True)
class Await:
    origin: int
    dst: Reg
    value: Reg


@dataclass(frozen=True, slots=True)
class Yield:
    """``yield value``; ``yield from`` is a loop that yields what it goes over."""

    origin: int
    dst: Reg
    value: Reg | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Syntax that has no meaning for this analysis; ``operands`` were evaluated."""

    origin: int
    dst: Reg
    reason: str
    operands: tuple[Reg, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    origin: int
    cond: Reg
    then: Region
    orelse: Region


@dataclass(frozen=True, slots=True)
class While:
    """``test`` runs before every round and leaves the condition in ``cond``."""

    origin: int
    test: Region
    cond: Reg
    body: Region
    orelse: Region


@dataclass(frozen=True, slots=True)
class For:
    """Every round puts the next element into ``item``; ``body`` begins with the binding of the target."""

    origin: int
    iterable: Reg
    item: Reg
    body: Region
    orelse: Region
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class With:
    """One context manager; several items nest. ``body`` begins with the binding of ``as``, from ``result``."""

    origin: int
    manager: Reg
    result: Reg
    body: Region
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Handler:
    """One ``except``: ``test`` evaluates the exception type, ``name`` is bound (local scope rules of the code)."""

    origin: int
    test: Region
    exception: Reg | None
    body: Region
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Try:
    """A handler's ``body`` begins with the binding of its name, an ``Unknown`` value."""

    origin: int
    body: Region
    handlers: tuple[Handler, ...]
    orelse: Region
    final: Region


@dataclass(frozen=True, slots=True)
class Return:
    origin: int
    value: Reg | None


@dataclass(frozen=True, slots=True)
class Raise:
    origin: int
    value: Reg | None


@dataclass(frozen=True, slots=True)
class Break:
    origin: int


@dataclass(frozen=True, slots=True)
class Continue:
    origin: int


Instr = Union[  # noqa: UP007
    Const, Move, Load, Store, Unbind, Annotate, GetAttr, SetAttr, DelAttr, GetItem, SetItem, DelItem,
    MakeSlice, Unary, Binary, InPlace, Compare, Call, Build, Append, FormatString, Unpack, Import,
    ImportStar, MakeFunction, MakeClass, Decorate, Await, Yield, Unknown, If, While, For, With, Try,
    Return, Raise, Break, Continue,
]  # fmt: skip
Region = tuple[Instr, ...]

ParamKind = Literal["positional_only", "positional", "vararg", "keyword_only", "kwarg"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``annotation`` is its source text."""

    name: str
    kind: ParamKind = "positional"
    has_default: bool = False
    annotation: str | None = None


CodeKind = Literal["module", "function", "lambda", "class"]


@dataclass(eq=False, slots=True)
class Code:
    """One definition. Compared by identity; its region is lowered on first use and kept.

    ``file`` is the file's key, ``origin`` the definition's own syntax, ``returns`` the source text of the
    return annotation. ``lower`` is the seam through which single definitions are parsed late.
    """

    file: str
    name: str
    qualname: str
    kind: CodeKind
    origin: int
    params: tuple[Parameter, ...]
    lower: Callable[[], Region]
    is_generator: bool = False
    is_async: bool = False
    returns: str | None = None
    docstring: str | None = None
    _body: Region | None = field(default=None, repr=False)

    @property
    def body(self) -> Region:
        """The region of the definition, lowered when first asked for."""
        if self._body is None:
            self._body = self.lower()
        return self._body


def subregions(instr: Instr) -> Iterator[tuple[str, Region]]:
    """The regions that ``instr`` holds, each with a word for it, in the order in which they can run."""
    if isinstance(instr, If):
        yield "then", instr.then
        yield "else", instr.orelse
    elif isinstance(instr, While):
        yield "test", instr.test
        yield "do", instr.body
        yield "else", instr.orelse
    elif isinstance(instr, For):
        yield "do", instr.body
        yield "else", instr.orelse
    elif isinstance(instr, With):
        yield "do", instr.body
    elif isinstance(instr, Try):
        yield "try", instr.body
        for handler in instr.handlers:
            yield "catch", handler.test
            yield "handle", handler.body
        yield "else", instr.orelse
        yield "finally", instr.final


def walk(region: Region) -> Iterator[Instr]:
    """Every instruction of a region, nested ones included, in order."""
    # Not recursive: a chain of a thousand ``elif`` is a thousand regions deep.
    stack: list[Iterator[Instr]] = [iter(region)]
    while stack:
        for instr in stack[-1]:
            yield instr
            held = [iter(inner) for _, inner in subregions(instr)]
            if held:
                stack.extend(reversed(held))
                break
        else:
            stack.pop()


_READ = frozenset(
    {
        *("src", "obj", "index", "lower", "upper", "step", "operand", "left", "right", "func", "collection", "key"),
        *("decorator", "target", "value", "cond", "iterable", "manager", "exception"),
    }
)
"""Fields that hold a register which the instruction reads."""
_HOLDERS = frozenset({"args", "items", "parts", "operands", "bases", "defaults", "keywords"})
"""Fields that hold several, as they are or with what belongs to them."""


_FIELDS: dict[type, tuple[tuple[str, bool], ...]] = {}


def _operand_fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """The fields of an instruction in which operands may stand, each with whether bare numbers in its tuples are registers."""
    known = _FIELDS.get(kind)
    if known is None:
        names = [f.name for f in fields(kind) if f.name in _READ | _HOLDERS or (f.name == "item" and kind is Append)]
        known = _FIELDS[kind] = tuple((it, it in ("parts", "operands", "bases")) for it in names)
    return known


def operands(instr: Instr) -> Iterator[Reg]:
    """The registers that one instruction itself reads, without those that the regions in it read."""
    if isinstance(instr, Const):
        return
    for name, bare in _operand_fields(type(instr)):
        value = getattr(instr, name)
        if isinstance(value, int):
            yield value
        elif isinstance(value, tuple):
            for part in value:
                if isinstance(part, (Arg, Item)):
                    yield part.reg
                    if isinstance(part, Item) and part.key is not None:
                        yield part.key
                elif isinstance(part, tuple) and len(part) == 2:
                    yield part[1]
                elif isinstance(part, int) and bare:
                    yield part


def format_region(region: Region, indent: int = 0) -> str:
    """The region as text, one instruction a line, for tests and for people."""
    pad = "    " * indent
    lines: list[str] = []
    for instr in region:
        parts: list[str] = []
        held = {id(inner) for _, inner in subregions(instr)}
        for f in fields(instr):
            if f.name == "origin":
                continue
            value = getattr(instr, f.name)
            if id(value) in held or f.name == "handlers":
                continue
            if isinstance(value, Code):
                value = f"<{value.kind} {value.qualname}>"
            parts.append(f"{f.name}={value!r}" if not isinstance(value, str) else f"{f.name}={value}")
        lines.append(f"{pad}{type(instr).__name__} {' '.join(parts)}".rstrip())
        for word, inner in subregions(instr):
            if inner:
                lines.append(f"{pad}  {word}:")
                lines.append(format_region(inner, indent + 1))
    return "\n".join(lines)
