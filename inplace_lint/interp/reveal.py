"""What the interpreter believes at a line: the abstract state of a name, for tests and for people.

A comment ``# reveal: NAME WORD...`` on a line says what holds of NAME after that line. NAME is a name with attributes
and constant indices (``self.weight``, ``pieces[0]``, ``state["loss"]``). The words; a group that no word is taken from
is not checked:

| words | what they say |
|---|---|
| ``constant`` ``leaf`` ``interior`` | the statuses it may have; all of them have to be named |
| ``tensor`` ``array`` ``None`` ``literal`` ``list`` ``dict`` ``object`` ... | the kinds of value it may be; all |
| ``grad`` ``no_grad`` ``inference`` | the grad modes that the line may run in; all of them |
| ``saved-by OP`` | a graph that can still run backward keeps its memory for OP; all of them |
| ``unsaved`` | no graph that can still run backward keeps its memory |
| ``overwritten OP`` | what OP saved was written since, and its version counter tells; all of them |
| ``corrupted OP`` | what OP saved was written since, behind the counter's back; all of them |
| ``intact`` | nothing that was saved was written since |
| ``view-of NAME`` | it is a view of what that name holds |
| ``view`` / ``no-view`` | it is a view of something / of nothing |
| ``shares NAME`` | a tensor of that name lies on the same storage |
| ``fresh`` | no other name, element or attribute leads to its storage |
| ``assumed`` / ``settled`` | its status rests on an assumption about a caller / does not |

A line that runs several times (in rounds, for callers) reveals what holds in any of its runs.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from inplace_lint import ir
from inplace_lint.domain.conditions import Cond, both, decisive_texts, maybe_both
from inplace_lint.domain.objects import Container, Frame, Instance, Node, Saved, Tensor, contents, reachable_from
from inplace_lint.domain.state import State
from inplace_lint.domain.values import NOTHING, Atom, Const, Unknown, Value, const, references, union
from inplace_lint.interp.autograd import overlap, requires
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.roots import Analysis
from inplace_lint.lowering import LoweredModule, lower
from inplace_lint.opmodel import lookup

STATUSES = frozenset({"constant", "leaf", "interior"})
MODES = frozenset({"grad", "no_grad", "inference"})
KINDS = frozenset(
    {
        "tensor",
        "array",
        "None",
        "literal",
        "unknown",
        "symbol",
        "callable",
        "list",
        "tuple",
        "set",
        "dict",
        "deque",
        "generator",
        "slice",
        "class",
        "object",
    }
)
WITH_ARGUMENT = frozenset({"saved-by", "overwritten", "corrupted", "view-of", "shares"})
PLAIN = frozenset({"unsaved", "intact", "view", "no-view", "fresh", "assumed", "settled"})

_COMMENT = re.compile(r"#\s*reveal:\s*(.*?)\s*(?=#|$)")
_PATH = re.compile(r"""\.([A-Za-z_]\w*)|\[(-?\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_NAME = re.compile(r"""[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[-?\d+\]|\['[^']*'\]|\["[^"]*"\])*""")
_COMPOUND = (ir.If, ir.While, ir.For, ir.With, ir.Try)


class RevealError(ValueError):
    """A reveal comment that cannot be understood, or that asks for what is not there."""


@dataclass(frozen=True)
class Expectation:
    """One reveal comment: after ``line``, ``words`` hold of ``name``. A word's argument is its second part."""

    line: int
    name: str
    words: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Revealed:
    """What a name may be at a line; every set holds all that is possible.

    ``views`` and ``shares`` name only names that the line can see; ``is_view`` and ``is_shared`` speak of all.
    """

    kinds: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    saved_by: frozenset[str] = frozenset()
    overwritten: frozenset[str] = frozenset()
    corrupted: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()
    assumptions: frozenset[str] = frozenset()
    is_view: bool = False
    is_shared: bool = False

    def __or__(self, other: Revealed) -> Revealed:
        return Revealed(*(getattr(self, f.name) | getattr(other, f.name) for f in fields(self)))

    def __str__(self) -> str:
        words = [*sorted(self.kinds), *sorted(self.statuses), *sorted(self.modes)]
        for word, names in (
            ("saved-by", self.saved_by),
            ("overwritten", self.overwritten),
            ("corrupted", self.corrupted),
            ("view-of", self.views),
            ("shares", self.shares),
        ):
            words += [f"{word} {name}" for name in sorted(names)]
        words += ["unsaved"] if not self.saved_by else []
        words += ["view" if self.is_view else "no-view"] + ([] if self.is_shared else ["fresh"])
        return " ".join([*words, *(["assumed"] if self.assumptions else ["settled"])])


def expectations(source: str) -> list[Expectation]:
    """The reveal comments of a text, in order. Raises ``RevealError`` for a name or word that has no meaning."""
    found: list[Expectation] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found.extend(_expectation(token.start[0], text) for text in _COMMENT.findall(token.string))
    return found


def _expectation(line: int, text: str) -> Expectation:
    name, *rest = text.split() or [""]
    if not _NAME.fullmatch(name) or not rest:
        raise RevealError(f"line {line}: `# reveal: {text}` is not a name followed by words")
    words: list[tuple[str, str]] = []
    parts = iter(rest)
    for word in parts:
        if word in WITH_ARGUMENT:
            argument = next(parts, "")
            if not argument:
                raise RevealError(f"line {line}: `{word}` names nothing")
            words.append((word, argument))
        elif word in STATUSES | MODES | KINDS | PLAIN:
            words.append((word, ""))
        else:
            raise RevealError(f"line {line}: `{word}` is no word of reveal comments")
    return Expectation(line, name, tuple(words))


def reveal_at(source: str, file: str, line: int, name: str, also: Iterable[str] = ()) -> Revealed | None:
    """What ``name`` may be after ``line``; None where the line is never reached or the name not bound there.

    ``also``: further names (with attributes or indices) to be told apart in ``views`` and ``shares``. Raises
    ``RevealError`` where no statement of the analysed program stands on that line, and ``LoweringError`` where the
    text is no Python.
    """
    return _reveal(source, file, [(line, name, tuple(also))])[0]


def check(source: str, file: str) -> list[str]:
    """Where the interpreter disagrees with the reveal comments of a text, a sentence each; empty if it does nowhere.

    Raises ``RevealError`` for a comment that cannot be understood or stands on no statement.
    """
    wanted = expectations(source)
    if not wanted:
        return []
    queries = [
        (it.line, it.name, tuple(arg for word, arg in it.words if word in ("view-of", "shares"))) for it in wanted
    ]
    problems: list[str] = []
    for expected, revealed in zip(wanted, _reveal(source, file, queries), strict=True):
        where = f"line {expected.line}: `{expected.name}`"
        if revealed is None:
            problems.append(f"{where} is not bound there, or the line is never reached")
        else:
            problems += [f"{where}: {problem} (revealed: {revealed})" for problem in _problems(expected, revealed)]
    return problems


def _problems(expected: Expectation, revealed: Revealed) -> Iterator[str]:
    plain = {word for word, _ in expected.words}
    for group, actual in ((STATUSES, revealed.statuses), (MODES, revealed.modes), (KINDS, revealed.kinds)):
        if plain & group and plain & group != actual:
            yield f"expected {_listed(plain & group)}, not {_listed(actual)}"
    for word, actual, none in (
        ("saved-by", revealed.saved_by, "unsaved"),
        ("overwritten", revealed.overwritten, "intact"),
        ("corrupted", revealed.corrupted, "intact"),
    ):
        named = {argument for own, argument in expected.words if own == word}
        if (named or none in plain) and named != actual:
            yield f"expected {word} {_listed(named)}, not {_listed(actual)}"
    for word, actual in (("view-of", revealed.views), ("shares", revealed.shares)):
        for argument in (argument for own, argument in expected.words if own == word):
            if argument not in actual:
                yield f"expected {word} {argument}, not {_listed(actual)}"
    for word, holds in (
        ("view", revealed.is_view),
        ("no-view", not revealed.is_view),
        ("fresh", not revealed.is_shared),
        ("assumed", bool(revealed.assumptions)),
        ("settled", not revealed.assumptions),
    ):
        if word in plain and not holds:
            yield f"expected {word}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "nothing"


# --- where a line ends ---


def _reveal(source: str, file: str, queries: list[tuple[int, str, tuple[str, ...]]]) -> list[Revealed | None]:
    module = lower(source, file)
    ends = _ends(module, {line for line, _, _ in queries})
    for line, _, _ in queries:
        if line not in ends:
            raise RevealError(f"line {line}: no statement stands there")
    asked: dict[int, list[int]] = {}
    for number, (line, _, _) in enumerate(queries):
        asked.setdefault(id(ends[line]), []).append(number)
    results: list[Revealed | None] = [None] * len(queries)
    analysis = Analysis(module.code, lookup.load())

    def observe(instr: ir.Instr, state: State, flow: Flow) -> None:
        if analysis.m.muted:
            return
        for number in asked.get(id(instr), ()):
            _, name, also = queries[number]
            seen = _View(analysis.m, state, flow).reveal(name, also)
            if seen is not None:
                before = results[number]
                results[number] = seen if before is None else before | seen

    analysis.engine.observer = observe
    analysis.run()
    return results


def _ends(module: LoweredModule, lines: set[int]) -> dict[int, ir.Instr]:
    """The last instruction of the statement on each line, in the outermost definition that has one there."""
    ends: dict[int, ir.Instr] = {}

    def visit(code: ir.Code) -> None:
        own: dict[int, ir.Instr] = {}
        for instr in ir.walk(code.body):
            if isinstance(instr, _COMPOUND):
                continue
            row, _, end_row, _ = module.statement_span(instr.origin)
            for line in lines:
                if row <= line <= end_row and line not in ends:
                    own[line] = instr
        ends.update(own)
        for instr in ir.walk(code.body):
            if isinstance(instr, (ir.MakeFunction, ir.MakeClass)):
                visit(instr.code)

    visit(module.code)
    return ends


# --- a name in a state ---


class _View:
    """One state as the frame that runs in it sees it."""

    def __init__(self, machine: Machine, state: State, flow: Flow) -> None:
        self.m = machine
        self.state = state
        self.names: dict[str, Value] = {}
        for frame in self._frames(flow):
            for name, value in frame.names.items():
                if name.isidentifier():
                    self.names.setdefault(name, value)
        self.graph = self._reachable(flow)

    def _frames(self, flow: Flow) -> Iterator[Frame]:
        oid: int | None = flow.frame
        seen: set[int] = set()
        while oid is not None and oid not in seen:
            seen.add(oid)
            frame = self.state.heap.get(oid)
            if not isinstance(frame, Frame):
                break
            yield frame
            oid = frame.parent
        module = self.state.heap.get(flow.module)
        if isinstance(module, Frame) and flow.module not in seen:
            yield module

    def _reachable(self, flow: Flow) -> set[int]:
        """What names still lead to. Temporaries of the running frame are dead at the end of a statement."""
        todo = [flow.frame, flow.module, *self.m.live_frames]
        for registers in self.state.registers[:-1]:
            for value in registers.values():
                todo.extend(references(value))
        seen: set[int] = set()
        while todo:
            oid = todo.pop()
            if oid not in seen and oid in self.state.heap:
                seen.add(oid)
                todo.extend(reachable_from(self.state.heap[oid]))
        return seen

    def possible(self, cond: Cond | None) -> bool:
        """Whether a condition can hold on the path here."""
        return cond is not None and both(cond, self.state.path) is not None

    def look_up(self, path: str) -> Value | None:
        """What a name with attributes and indices refers to; None where it is not bound."""
        match = re.match(r"[A-Za-z_]\w*", path)
        value = self.names.get(match.group()) if match else None
        for part in _PATH.finditer(path):
            if value is None:
                return None
            attr, index, *keys = part.groups()
            key: object = int(index) if index is not None else next((k for k in keys if k is not None), None)
            value = self._attribute(value, attr) if attr else self._element(value, key)
        return None if value is None else self.m.consistent(self.state, value)

    def _attribute(self, value: Value, attr: str) -> Value | None:
        found: list[Value] = []
        for atom in value:
            obj = self.state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(obj, Instance) and attr in obj.attrs:
                found.append(obj.attrs[attr])
            elif isinstance(obj, Tensor) and attr == "grad":
                found.append(const(None) if obj.grad is None else obj.grad)
        return union(found) if found else None

    def _element(self, value: Value, key: object) -> Value | None:
        found: list[Value] = []
        for atom in value:
            box = self.state.heap.get(atom) if isinstance(atom, int) else None
            if not isinstance(box, Container):
                continue
            if box.entries is not None and key in box.entries:
                found.append(box.entries[key])
            elif box.items is not None and isinstance(key, int) and -len(box.items) <= key < len(box.items):
                found.append(box.items[key])
            elif box.rest:
                found.append(contents(box))
        return union(found) if found else None

    def tensors(self, value: Value) -> list[tuple[int, Tensor, Cond]]:
        """The tensors that a value may be; unknowns only where they were found to be one."""
        found: list[tuple[int, Tensor, Cond]] = []
        for atom, cond in value.items():
            oid = self._tensor_of(atom)
            tensor = None if oid is None else self.state.tensor(oid)
            if oid is not None and tensor is not None and self.possible(cond):
                found.append((oid, tensor, cond))
        return found

    def _tensor_of(self, atom: Atom) -> int | None:
        if isinstance(atom, Unknown):
            return self.m.known_tensor(self.state, atom)
        return atom if isinstance(atom, int) else None

    def reveal(self, name: str, also: Iterable[str]) -> Revealed | None:
        """What a name may be here; None where it is not bound."""
        value = self.look_up(name)
        if value is None:
            return None
        kinds = frozenset(self._kind(atom) for atom in value)
        modes = frozenset(mode for mode, cond in self.state.mode.items() if self.possible(cond))
        revealed = Revealed(kinds=kinds, modes=modes)
        for oid, tensor, cond in self.tensors(value):
            revealed |= self._tensor(name, also, oid, tensor, cond)
        return revealed

    def _kind(self, atom: Atom) -> str:
        oid = self._tensor_of(atom)
        if oid is not None:
            obj = self.state.heap.get(oid)
            if isinstance(obj, Tensor):
                return "array" if obj.is_array else "tensor"
            if isinstance(obj, Container):
                return obj.kind
            return {"Function": "callable", "Class": "class", "Instance": "object"}.get(type(obj).__name__, "unknown")
        if isinstance(atom, Const):
            return "None" if atom.value is None else "literal"
        return {"Sym": "symbol", "SliceAtom": "slice", "Unknown": "unknown"}.get(type(atom).__name__, "callable")

    def _tensor(self, name: str, also: Iterable[str], oid: int, tensor: Tensor, cond: Cond) -> Revealed:
        statuses, assumptions = self._statuses(tensor, cond)
        saved_by, overwritten, corrupted = set(), set(), set()
        for op, saved in self._saves(oid, tensor):
            saved_by.add(op)
            overwritten |= {op for own in saved.writes.values() if self.possible(maybe_both(own, saved.cond))}
            corrupted |= {op for own in saved.silent.values() if self.possible(maybe_both(own, saved.cond))}
        others = {other: self.look_up(other) or NOTHING for other in also} | {
            other: value for other, value in self.names.items() if other != name
        }
        views = {other for other, value in others.items() if any(o in tensor.bases for o, _, _ in self.tensors(value))}
        shares = {
            other
            for other, value in others.items()
            if any(t.storages & tensor.storages for _, t, _ in self.tensors(value)) and other != name
        }
        return Revealed(
            statuses=frozenset(statuses),
            saved_by=frozenset(saved_by),
            overwritten=frozenset(overwritten),
            corrupted=frozenset(corrupted),
            views=frozenset(views),
            shares=frozenset(shares),
            assumptions=frozenset(assumptions),
            is_view=any(self.possible(own) for own in tensor.bases.values()),
            is_shared=bool(shares) or self._inside(name, tensor),
        )

    def _statuses(self, tensor: Tensor, cond: Cond) -> tuple[set[str], set[str]]:
        """The statuses that a tensor may have, and what they rest on. A view follows the base that it views."""
        own = dict(zip(("constant", "leaf", "interior"), tensor.status, strict=True))
        through = requires(self.state, tensor)
        if own["leaf"] is None and own["interior"] is None and self.possible(through):
            own["interior"] = through
            own["constant"] = own["constant"] if through else None
        statuses: set[str] = set()
        assumptions: set[str] = set()
        for word, held in own.items():
            together = maybe_both(held, cond)
            if together is not None and self.possible(together):
                statuses.add(word)
                assumptions.update(decisive_texts(together))
        return statuses, assumptions

    def _saves(self, oid: int, tensor: Tensor) -> Iterator[tuple[str, Saved]]:
        """What graphs that can still run backward keep of a tensor's memory, with the op that saved it."""
        for number in self.graph:
            node = self.state.heap.get(number)
            if not isinstance(node, Node) or not all(node.freed.values()):
                continue
            for saved in node.saved:
                shared = saved.storages & tensor.storages and overlap(saved.region, tensor.region)
                if (shared or saved.tensor == oid) and self.possible(saved.cond):
                    yield node.op, saved

    def _inside(self, name: str, tensor: Tensor) -> bool:
        """Whether an element or an attribute of something else lies on the tensor's storage."""
        root = re.split(r"[.\[]", name)[0]
        todo = [oid for other, value in self.names.items() if other != root for oid in references(value)]
        seen: set[int] = set()
        while todo:
            oid = todo.pop()
            obj = self.state.heap.get(oid)
            if oid in seen or obj is None:
                continue
            seen.add(oid)
            if isinstance(obj, Tensor):
                if obj.storages & tensor.storages:
                    return True
            elif isinstance(obj, (Container, Instance)):
                todo.extend(reachable_from(obj))
        return False
