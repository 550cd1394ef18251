"""What all parts of the interpreter share: names for objects, the call stack, unknown values, emitted events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inplace_lint import ir
from inplace_lint.assumptions import USUAL, Assumptions
from inplace_lint.domain.conditions import CHOICE, IN_EARLIER, TRUE, Cond, Fact, both, decisive_texts
from inplace_lint.domain.objects import CONSTANT, Node, Place, Status, Tensor, in_next_round
from inplace_lint.domain.state import State
from inplace_lint.domain.values import Atom, Renaming, Unknown, Value
from inplace_lint.events import Context, Event, GaveUp, ParameterRebound, Site
from inplace_lint.interp import keys, wording
from inplace_lint.interp.budget import Budget
from inplace_lint.interp.generations import Generations
from inplace_lint.interp.grounds import Grounds
from inplace_lint.interp.holders import Holders
from inplace_lint.interp.iterated import Iterated
from inplace_lint.interp.parts import outwards
from inplace_lint.opmodel.lookup import OpModel

if TYPE_CHECKING:
    from inplace_lint.interp.functions import Call
    from inplace_lint.interp.linking import Image
    from inplace_lint.project import Project

CALL_DEPTH = 24
"""Nested calls that are followed; deeper ones are unknown."""
RECURSION = 6
"""Activations of one definition at a time that are followed."""
RECURSIVE_CALLS = 100
"""Calls of a definition from within itself that one entry point follows: recursion may branch."""

MOST_PARTS = 9
"""Attributes of attributes of an unknown that are told apart inside a loop, which ends the sooner the fewer there are."""


@dataclass(slots=True)
class Pending:
    """An event with the condition it rests on; whether it is reported is decided when all uses of unknowns were seen."""

    event: Event
    cond: Cond


class Machine:
    """The interpreter's context. One machine analyses the definitions of one program."""

    def __init__(self, model: OpModel, project: Project | None = None, assumed: Assumptions = USUAL) -> None:
        self.assumed = assumed
        self.model = model
        self.project = project
        self.images: dict[str, Image] = {}
        self.loading: set[str] = set()
        self.resolving: set[tuple[str, str]] = set()
        self.module_frames: dict[int, str] = {}
        self.file = ""
        self.ctx: tuple[object, ...] = ()
        self.calls: tuple[Place, ...] = ()
        self.codes: tuple[ir.Code, ...] = ()
        self.depths: tuple[int, ...] = ()
        self.loops: tuple[Place, ...] = ()
        self.root = "<module>"
        self.muted = 0
        self.budget = Budget()
        self.pending: list[Pending] = []
        self.iterated = Iterated()
        self.grounds = Grounds()
        self.several: set[int] = set()
        self.generations = Generations()
        self.visited: dict[ir.Code, None] = {}
        """The definitions that ran, in order."""
        self.costly: set[ir.Code] = set()
        """Definitions that are followed no more in this run, since a call of them cost too much."""
        self.too_large: set[ir.Code] = set()
        """Those of them that cost so much in one call that no later run follows them either."""
        self.noted: set[ir.Code] = set()
        """Definitions of which this run has said that it does not follow them."""
        self.root_place: Place = ("", 0)
        self.trained: set[str] = set()
        self.asked: set[str] = set()
        """Private attributes that were read from unknown objects: whose they are, nobody knows."""
        self.live_frames: list[int] = []
        self.captured: set[int] = set()
        self.told: set[int] = set()
        self.alternative = self.backwards = self.steps = 0
        self.compiled: set[Place] = set()
        self.lent: dict[int, tuple[str, Place]] = {}
        self.context_modes: dict[int, dict[str, Cond]] = {}
        self.suspended: dict[int, Call] = {}
        self.takers: dict[ir.Code, dict[int, type]] = {}
        self.patterns: dict[str, str] = {}
        self.counters: dict[str, Place | None] = {}
        self.computing: dict[Place, bool] = {}
        self.type_of: dict[str, Unknown] = {}
        """What an unknown class is the class of."""
        self.first_numbers: dict[str, int] = {}
        """The literal that the counter of a tag begins at."""
        self.round_path: dict[Place, Cond] = {}
        """What held when the running round of a loop began."""
        self.first_round: dict[Place, bool | None] = {}
        """Of the running loops: whether their round is the first one."""
        self.last_numbers: dict[str, frozenset[int]] = {}
        """The literals that the counter of a tag may end at."""
        self.stops_before: dict[str, frozenset[str]] = {}
        """The tags of the unknown numbers that the counter of a tag may stop before."""
        self.kept_boxes: set[str] = set()
        """The tags of indices that a non-maximum suppression gave."""
        self.registries: dict[int, int] = {}
        self.complete: dict[int, list[Value]] = {}
        self.universal: set[int] = set()
        self.emptied: dict[Place, dict[tuple[int, str | None, str], set[Atom]]] = {}
        """What loops took from each of several objects that they met: by the holder, its attribute the fact that it is met, and
        the literals that they gave to it instead."""
        self.asked_last: set[str] = set()
        self.last_visit: dict[Place, tuple[Cond | None, Cond | None]] = {}
        self.first_visit: dict[Place, bool | None] = {}
        self.rebound: dict[Place, ParameterRebound] = {}
        self.recursions: dict[ir.Code, int] = {}
        self.parameter_attrs: set[str] = set()
        self.attribute_of: dict[str, tuple[Unknown, str]] = {}
        self.network_parts: dict[str, set[str]] = {}
        self.part_of: dict[str, Unknown] = {}
        self.holding: set[str] = set()
        self.steps_to: dict[str, int] = {}
        self.callees: dict[str, str] = {}
        self.evident: dict[tuple[ir.Code, Atom | None], frozenset[str]] = {}
        self.zeroed: set[str] = set()
        self.fixpoints: dict[object, State] = {}
        self.on_return: tuple[ir.Code, list[tuple[State, Value]]] | None = None
        self.hints: dict[tuple[int, int], str] = {}
        self._oids: dict[object, int] = {}
        self._keys: dict[int, object] = {}
        self.loops_of: dict[int, tuple[Place, ...]] = {}
        self._tensors: set[int] = set()
        self._older_of: dict[tuple[int, Place], int] = {}
        self._tag_loops: dict[str, tuple[Place, ...]] = {}
        self._made_in: dict[Place, set[int]] = {}
        self._asked_in: dict[Place, tuple[set[str], dict[str, str]]] = {}
        self.unrolled = 1
        self.holders = Holders()
        self.brief = False
        """Loops of unknown length are run for two rounds only."""
        self.looped = False
        """A loop of unknown length was run."""

    # --- names for objects ---

    def oid(self, origin: int, tag: object = "") -> int:
        """The number of the object that the syntax at ``origin`` makes in the present context."""
        return self._intern((self.file, origin, tag, self.ctx))

    def named_oid(self, *key: object) -> int:
        """The number of an object that is found by what it is, not by where it is made."""
        number = self._oids.get(key)
        if number is None:
            loops: tuple[Place, ...] = ()
            for part in key:
                own = self.loops_of.get(abs(part), ()) if isinstance(part, int) else ()
                if key[0] in ("assumed", "parameters", "given", keys.NAMED) and isinstance(part, str):
                    own = self._tag_loops.get(part, ())
                loops = own if len(own) > len(loops) else loops
            number = self._new(key, loops)
        return number

    def of_this_round(self, number: int) -> int:
        """The name that an object had in the round which made it; the number itself where it has no other one."""
        key = self._keys.get(abs(number))
        while isinstance(key, tuple) and key[:1] in (("older",), ("previous",)):
            number = key[1]
            key = self._keys.get(abs(number))
        return number

    def made_here(self, *key: object) -> int:
        """The number of an object that is found by what it is, and that each round of the running loops makes anew."""
        number = self._oids.get(key)
        return self._new(key, self.loops) if number is None else number

    def _intern(self, key: object) -> int:
        number = self._oids.get(key)
        if number is None:
            number = self._new(
                key, tuple(part[1] for part in self.ctx if isinstance(part, tuple) and part[:1] == ("loop",))
            )
        return number

    def number_of(self, thing: object) -> int:
        """A number for something that can be hashed, always the same one."""
        return self._intern(("number of", thing))

    def _new(self, key: object, loops: tuple[Place, ...]) -> int:
        number = self._oids[key] = len(self._oids) + 1
        self._keys[number] = key
        if loops:
            self.loops_of[number] = loops
            for loop in loops:
                self._made_in.setdefault(loop, set()).update((number, -number))
        return number

    def next_round(self, state: State, loop: Place) -> None:
        """The end of a round of ``loop``: what the round made becomes part of what older rounds made.

        Objects made in the body get the names of their summaries, unknowns get other tags, and the
        round's questions are open again. The next round then makes everything afresh. Tensors are told apart for one
        round more, since the next round works on what this one hands to it: ``x = x + f(x)``.
        """
        questions, tags = self._asked_in.setdefault(loop, (set(), {}))
        for tag, later in list(tags.items()):
            if later not in self._tag_loops:
                loops = self._tag_loops[tag]
                self._tag_in(later, loops[: loops.index(loop) + 1])
            whole = self.part_of.get(tag)
            if whole is not None and later not in self.part_of:
                self.part_of[later] = replace(whole, tag=tags.get(whole.tag, whole.tag))
        heap = state.heap
        ids: dict[int, int] = {}
        made = self._made_in.setdefault(loop, set())
        for oid in sorted(heap.held(made), key=lambda n: (abs(n), n < 0)):
            if oid > 0 and oid not in self._tensors and isinstance(heap[oid], (Tensor, Node)):
                self._tensors.add(oid)
            if (older := self._older(oid, loop)) != oid:
                ids[oid] = older
        for oid in sorted(self._tensors & made):
            # Saved tensors name counters of tensors that are gone.
            if oid not in ids and (older := self._older(oid, loop)) != oid:
                ids[oid] = older
        state.map_conditions(self._forget_round(loop), questions)
        for oid, node in heap.freed():
            heap[oid] = in_next_round(node)
        if ids or tags:
            state.rename(Renaming(ids, tags))

    def _tag_in(self, tag: str, loops: tuple[Place, ...]) -> None:
        """Note that a tag came up in those loops, with the tag that it has in an older round of each."""
        self._tag_loops[tag] = loops
        bare = tag.rstrip("~")
        depth = len(self._tag_loops.get(bare, loops))
        for number, loop in enumerate(loops):
            questions, tags = self._asked_in.setdefault(loop, (set(), {}))
            questions.update((tag, f"rg:{tag}", f"{tag}{keys.BEFORE}", f"rg:{tag}{keys.BEFORE}"))
            # A "~" for each loop out from the innermost one: what an inner loop's older rounds made is not taken for
            # what was there in older rounds of the outer one.
            later = f"{bare}{'~' * max(depth - number, len(tag) - len(bare))}"
            if later != tag:
                tags[tag] = later

    def _older(self, oid: int, loop: Place) -> int:
        known = self._older_of.get((oid, loop))
        if known is None:
            known = self._name_of_older(oid, loop)
            if oid < 0 or oid in self._tensors:  # others may turn out to be tensors
                self._older_of[oid, loop] = known
        return known

    def _name_of_older(self, oid: int, loop: Place) -> int:
        number = abs(oid)
        loops = self.loops_of.get(number)
        if loops is None or loop not in loops:
            return oid
        key = self._keys[number]
        if isinstance(key, tuple) and key[:1] == ("older",) and key[2] == loop:
            return -number
        if isinstance(key, tuple) and key[:1] == ("previous",) and key[2] == loop:
            return -self._named_after("older", key[1], loop)
        if isinstance(key, tuple) and key[:1] == ("assumed",):
            tag = str(key[1])
            later = self._asked_in[loop][1].get(tag, tag)
            return oid if later == tag else -self.named_oid("assumed", later)
        if oid > 0 and loops[-1] == loop and oid in self._tensors:
            return self._named_after("previous", oid, loop)
        return -self._named_after("older", oid, loop)

    def _named_after(self, word: str, oid: int, loop: Place) -> int:
        """The name for what ``oid`` named in the round before, or in older ones."""
        known = self._oids.get((word, oid, loop))
        if known is None:
            loops = self.loops_of[abs(oid)]
            known = self._new((word, oid, loop), loops[: loops.index(loop) + 1])
            if word == "previous":
                self._tensors.add(known)
        return known

    def in_fixpoint(self) -> bool:
        """Whether a loop that is running is iterated to a fixpoint rather than round by round."""
        return self.fixpoint_depth() > 0

    def fixpoint_depth(self) -> int:
        """How many loops that are iterated to a fixpoint are running."""
        return sum(isinstance(part, tuple) and part[:1] == ("loop",) for part in self.ctx)

    def place(self, origin: int) -> Place:
        """The place of the syntax at ``origin`` in the running file."""
        return (self.file, origin)

    # --- unknown values ---

    def fresh(self, state: State, origin: int, word: str, grad: str = "no", tensor: bool = True) -> Unknown:
        """An unknown value made here; what an earlier round called the same is another one from now on."""
        word = word if len(word) < 40 else word[:40]
        tag = f"#{word}@{self._intern(('file', self.file))}.{origin}.{self._intern(self.ctx)}"
        oid = self._oids.get(("assumed", tag))
        if oid is not None and oid in state.heap:
            state.age(oid)
        self.note_tag(tag)
        return Unknown(tag, grad, tensor)  # type: ignore[arg-type]

    def note_tag(self, tag: str) -> None:
        """Remember the loops in which a tag came up, since their next round may answer it otherwise."""
        if tag not in self._tag_loops:
            self._tag_in(tag, self.loops)

    def note_tag_of(self, tag: str, loop: Place | None) -> None:
        """Remember a tag that each round of a running loop answers for itself, whatever runs inside."""
        if tag not in self._tag_loops:
            loops = self.loops
            self._tag_in(tag, loops[: loops.index(loop) + 1] if loop in loops else loops)

    def seat(self, oid: Atom, loop: Place, each: bool, visit: int | None = None) -> Fact:
        """The fact that a running loop over many things is at this one, in this round or in the visit of that number.

        each: loops around it go over other things every time.
        """
        inside = self.ctx[: self.ctx.index(("loop", loop)) + 1] if ("loop", loop) in self.ctx else self.ctx
        # Each visit has a context of its own; what it is about is the same in all of them.
        visits = (n for n, part in enumerate(inside) if isinstance(part, tuple) and part[0] == loop)
        inside = inside if visit is None else inside[: next(visits, len(inside))]
        tag = f"{keys.EACH if each else keys.SLOT}{oid} {self._intern(('seat', loop, inside))}"
        self.note_tag_of(tag, loop)
        self.generations.seated_in[tag] = loop
        return Fact(tag, keys.NOW if visit is None else keys.VISIT + visit)

    def loop_of(self, tag: str) -> Place | None:
        """The innermost loop of which each round answers a tag for itself; None where none does."""
        return (self._tag_loops.get(tag) or (None,))[-1]

    def tag_of_loop(self, word: str, inside: tuple[object, ...], loop: Place) -> str:
        """A tag that every round of a loop in its context answers for itself."""
        tag = f"{word}:{self._intern(('loop', word, inside))}"
        if tag not in self._tag_loops:
            loops = self.loops
            self._tag_loops[tag] = loops[: loops.index(loop) + 1] if loop in loops else loops
        return tag

    def derived(self, base: Unknown, suffix: str, tensor: bool | None = None, grad: str | None = None) -> Unknown:
        """An unknown that follows from another one alone."""
        tag = base.tag + suffix
        if "~" in base.tag.rstrip("~"):
            # What follows from what followed in an older round has no identity worth keeping; loops end by it.
            return Unknown("", "no", base.tensor)
        steps = self.steps_to.get(base.tag, 0) + 1
        if len(tag) > 120 or steps > (MOST_PARTS if self.loops else 3 * MOST_PARTS):
            return Unknown("", "no", base.tensor)
        self.steps_to[tag] = steps
        if tag not in self._tag_loops:
            self._tag_in(tag, self._tag_loops.get(base.tag, ()))
        self.part_of.setdefault(tag, base)
        if tag.startswith(keys.SHAPE):
            return Unknown(tag, "no", False)
        return Unknown(tag, grad or base.grad, base.tensor if tensor is None else tensor)  # type: ignore[arg-type]

    def _forget_round(self, loop: Place) -> Callable[[Cond], Cond]:
        """A rewriting of conditions for the next round of ``loop``: its own questions are open again.

        The answers of the last round that a finding may have to show are kept as facts that contradict nothing.
        """

        def change(cond: Cond) -> Cond:
            changed = None
            for fact in cond:
                if fact.parts:
                    if any(loop in self._tag_loops.get(keys.tag_of(part), ()) for part in fact.parts):
                        later = [change(frozenset({part})) for part in fact.parts]
                        changed = (cond if changed is None else changed) - {fact}
                        changed |= later[0] if all(one == later[0] for one in later) else TRUE
                    continue
                tag = keys.tag_of(fact)
                loops = self._tag_loops.get(tag, ())
                if loop not in loops:
                    continue
                if tag.startswith(keys.SLOT):
                    changed = (cond if changed is None else changed) - {fact}
                    if (loops[-1] == loop or tag.startswith(keys.EACH)) and fact.value != keys.ELSEWHERE:
                        changed |= {Fact(tag, keys.EARLIER)}
                    continue
                past = Fact(f"{tag}{keys.BEFORE}", True)
                if loops[-1] == loop and (fact == past or (fact.value is False and past in cond)):
                    continue
                changed = cond if changed is None else changed
                if loops[-1] == loop and fact.value is True and keys.ONE_ROUND.fullmatch(tag):
                    # A counter that was n in this round never is again.
                    changed = (changed - {fact}) | {Fact(fact.key, False), past}
                    continue
                changed -= {fact}
                if fact.decisive or fact.key.startswith(keys.MEMBER):
                    changed |= {Fact(f"{fact.key}={fact.value}{IN_EARLIER}", True, fact.text, fact.decisive)}
            return cond if changed is None else changed

        return change

    def choice(self, place: Place, number: int, member: bool) -> Cond:
        """The condition that, of several things a value may be at ``place``, this one is used there.

        member: they are modules, which come from a collection whose order may be lost.
        """
        key = f"{keys.MEMBER if member else CHOICE}{place[0]}:{place[1]}:{self._intern(('choice', place, self.ctx))}"
        self.note_tag(key)
        # That it was used in some round outlives the joining of rounds in which it was.
        ever = {Fact(f"{key}={number}{IN_EARLIER}", True)} if member else ()
        return frozenset({Fact(key, number), *ever})

    def question_here(self, word: str, place: Place) -> str:
        """The key of a question that every visit of a place in its context answers for itself."""
        key = f"#{word}@{place[0]}:{place[1]}:{self._intern((word, place, self.ctx))}"
        self.note_tag(key)
        return key

    def question(self, atom: Unknown, answer: bool) -> Cond:
        """The condition that an unknown is true (or false)."""
        tag = atom.tag
        if tag.startswith("not "):
            return self.question(Unknown(tag[4:], atom.grad, atom.tensor), not answer)
        if not tag:
            return TRUE
        known_by_caller = not tag.startswith("#")
        word = "true" if answer else "false"
        return frozenset(
            {Fact(tag, answer, f"{self.describe(tag)} is {word}" if known_by_caller else "", known_by_caller)}
        )

    def describe(self, tag: str) -> str:
        """A tag as a person reads it: ``forward:x.y`` is `x.y` of `forward`."""
        return wording.describe(tag, self.callees)

    def known_tensor(self, state: State, atom: Unknown) -> int | None:
        """The tensor that an unknown was found to be, if it was used as one before."""
        if not atom.tag:
            return None
        oid = self._oids.get(("assumed", atom.tag))
        if oid is None:
            return None
        return oid if oid in state.heap else -oid if -oid in state.heap else None

    def stands_for(self, oid: int) -> str | None:
        """The tag of the unknown by which an object is found; None where it is found by no tag."""
        key = self._keys.get(abs(oid))
        if (
            isinstance(key, tuple)
            and len(key) == 2
            and key[0] in ("assumed", "parameters", "given", keys.PUT_INTO, keys.NAMED)
        ):
            return str(key[1])
        return None

    def wholes(self, tag: str) -> Iterable[str]:
        """A tag, and the tags of what its unknown was taken out of: who holds a part holds the whole."""
        for _ in range(4):
            yield tag
            part = self.part_of.get(tag)
            if part is None:
                return
            tag = part.tag

    def materialise(self, state: State, atom: Unknown) -> int | None:
        """The tensor that an unknown stands for; None where it cannot be one."""
        if (known := self.known_tensor(state, atom)) is not None:
            return known
        if not atom.tensor or not atom.tag or atom.tag.startswith("not "):
            return None
        oid = self.named_oid("assumed", atom.tag)
        if oid not in state.heap:
            if atom.grad == "assume" and self.assumed.arguments_require_grad != "stated":
                status = CONSTANT if self.assumed.arguments_require_grad == "no" else Status(interior=TRUE)
            elif atom.grad == "assume":
                text = f"{wording.argument(atom.tag, self.callees)} requires grad"
                yes = frozenset({Fact(f"rg:{atom.tag}", True, text, True)})
                no = frozenset({Fact(f"rg:{atom.tag}", False, "", False)})
                status = Status(constant=no, interior=yes)
            elif atom.grad == "likely":
                status = Status(interior=TRUE)
            else:
                status = CONSTANT
            tensor = Tensor(
                made=(self.file, -1),
                made_by="",
                storages=frozenset({oid}),
                counters=frozenset({oid}),
                status=status,
                nodes=self._nodes_of_whole(state, atom) if status.interior is not None else {},
                assumed=atom.tag,
                contiguous=None,
            )
            state.heap[oid] = tensor
        return oid

    def _nodes_of_whole(self, state: State, atom: Unknown) -> Mapping[int, Cond]:
        """The graph of what an unknown was taken out of: ``out, h = net(x)`` and ``out.loss`` come from one call."""
        for whole in outwards(self.part_of, self.part_of.get(atom.tag)):
            known = self.known_tensor(state, whole)
            tensor = None if known is None else state.tensor(known)
            if tensor is not None:
                return tensor.nodes
        return {}

    def tensors(self, state: State, value: Value, known: bool = False) -> list[tuple[int, Tensor, Cond]]:
        """The tensors that a value may be, unknown ones made real; ``known``: only those found, or likely, to be one."""
        found: list[tuple[int, Tensor, Cond]] = []
        for atom, cond in value.items():
            oid: int | None = None
            if isinstance(atom, int):
                oid = atom
            elif isinstance(atom, Unknown):
                sure = known and atom.grad != "likely"
                oid = self.known_tensor(state, atom) if sure else self.materialise(state, atom)
            if oid is None:
                continue
            tensor = state.tensor(oid)
            if tensor is not None and not self.contradicts(cond, state.path):
                found.append((oid, tensor, cond))
        return found

    @staticmethod
    def contradicts(cond: Cond, path: Cond) -> bool:
        """Whether ``cond`` cannot hold on ``path``."""
        return bool(cond) and bool(path) and both(cond, path) is None

    def consistent(self, state: State, value: Value) -> Value:
        """The possibilities of a value that do not contradict the path."""
        if not state.path or not any(value.values()):
            return value
        return {atom: cond for atom, cond in value.items() if both(cond, state.path) is not None}

    # --- events ---

    def site(self, place: Place) -> Site:
        """A place as events name it."""
        return Site(*place)

    def origin(self, tensor: Tensor) -> Site | None:
        """Where a tensor was made, if the source shows it."""
        return None if tensor.assumed or tensor.made[1] < 0 else self.site(tensor.made)

    def sites(self, places: Iterable[Place]) -> tuple[Site, ...]:
        """Places as events name them."""
        return tuple(Site(*p) for p in places)

    def context(self, cond: Cond, calls: Iterable[Place] | None = None) -> Context:
        """What an event that rests on ``cond`` says of itself."""
        reached = tuple(self.calls if calls is None else calls)
        return Context(
            assumptions=decisive_texts(cond),
            calls=self.sites(reached),
            function=self.root,
            compiled=not self.compiled.isdisjoint(reached),
        )

    def emit(self, event: Event, cond: Cond, path: Cond = TRUE) -> None:
        """Report an event that rests on ``cond``, unless states are still being iterated or it cannot be on ``path``."""
        box = self.iterated.box(self.muted, self.pending)
        if box is not None and not keys.doubtful(cond) and not self.contradicts(cond, path):
            box.append(Pending(*self.grounds.against_defaults(event, cond, path)))

    def give_up(self, reason: str, callee: str | None = None, place: Place | None = None) -> None:
        """Report, muted or not, that the entry point was not analysed in full: what it called, where that is known."""
        site = self.root_place if place is None or place[0] != self.root_place[0] else place
        context = self.context(TRUE, () if callee is None else None)
        self.pending.append(Pending(GaveUp(self.site(site), reason, context, callee), TRUE))
