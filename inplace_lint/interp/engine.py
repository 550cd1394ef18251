"""The engine: runs regions of the IR over states. It knows control flow and nothing of ops or rules.

A region is run from a state to the state after it, or to None where its end is not reached; states that leave it by
``break``, ``continue``, ``return`` or ``raise`` are appended to the flow. After branches states are joined, loops run to a
fixpoint with events muted, and then once more to report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inplace_lint import ir
from inplace_lint.domain.conditions import EXCEPTION, TRUE, Cond, Fact, add_to, both, maybe_either, settled
from inplace_lint.domain.objects import Container, Frame, Tensor
from inplace_lint.domain.state import State, join_all
from inplace_lint.domain.values import ANYTHING, Atom, Const, Unknown, Value, is_unknown, one
from inplace_lint.interp.counters import is_last, is_true, last_asked
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.liveness import Dying, Liveness
from inplace_lint.interp.loops import computes_only, looks_only, second_round, steady_state
from inplace_lint.interp.machine import Machine
from inplace_lint.interp.narrowing import narrow, narrow_by_grad
from inplace_lint.interp.overwritten import Overwritten

UNROLL = 12
"""Rounds of a loop over known elements that are run one by one."""
UNROLL_PRODUCT = 72
"""Rounds that nested unrolled loops may take together."""
UNROLL_WORK = 1_000
"""Instructions that nested ones may take, where they are more: in rounds of its own each, the order of layers is kept."""
LOOKS = 64
"""Rounds of a loop that only looks at what it goes over, such as one that searches a layer: they cost little."""

MAY_RAISE = (
    ir.Call,
    ir.GetAttr,
    ir.GetItem,
    ir.SetItem,
    ir.SetAttr,
    ir.DelItem,
    ir.Binary,
    ir.InPlace,
    ir.Import,
    ir.ImportStar,
    ir.Unpack,
    ir.If,
    ir.For,
    ir.While,
    ir.With,
    ir.Try,
    ir.Raise,
    ir.Await,
    ir.Unknown,
)
"""Instructions that can raise something that a program would catch."""

RETURN_PLACE = -1_000_003
"""The register that keeps the place of a watched function's return."""

Handler = Callable[["Engine", Any, State, Flow], "State | None"]
HANDLERS: dict[type, Handler] = {}


def handles(*kinds: type) -> Callable[[Handler], Handler]:
    """Register the meaning of instructions; every layer above adds its own."""

    def register(handler: Handler) -> Handler:
        for kind in kinds:
            HANDLERS[kind] = handler
        return handler

    return register


class Engine:
    """Runs regions with one machine. The meaning of simple instructions is registered by ``transfer``."""

    def __init__(self, machine: Machine) -> None:
        self.m = machine
        self.liveness = Liveness()
        self.overwritten = Overwritten()
        self.observer: Callable[[ir.Instr, State, Flow], None] | None = None

    # --- regions ---

    def run(self, region: ir.Region, state: State, flow: Flow) -> State | None:
        """The state after the region, or None where control never gets there."""
        current: State | None = state
        dying = self.liveness.dying(region, flow.code)
        for index, instr in enumerate(region):
            if current is None:
                return None
            current = self.step(region, index, instr, current, flow, dying)
        return current

    def step(
        self, region: ir.Region, index: int, instr: ir.Instr, state: State, flow: Flow, dying: Dying
    ) -> State | None:
        """The state after one instruction of a region, without the registers that nobody reads any more."""
        self.m.budget.step()
        if isinstance(instr, ir.If):
            after = self.branch(region, index, instr, state, flow)
        else:
            after = HANDLERS[type(instr)](self, instr, state, flow)
        if after is not None:
            if self.observer is not None:
                self.observer(instr, after, flow)
            if index in dying:
                after.drop_registers(dying[index])
        return after

    # --- branches ---

    def truth(self, state: State, value: Value) -> tuple[Cond | None, Cond | None]:
        """The conditions under which a value is true and false; None where it never is."""
        yes: Cond | None = None
        no: Cond | None = None
        for atom, cond in value.items():
            if self.m.contradicts(cond, state.path):
                continue
            answers: tuple[Cond | None, Cond | None]
            if isinstance(atom, Const):
                answers = (TRUE, None) if atom.value else (None, TRUE)
            elif isinstance(atom, Unknown):
                known = is_true(self.m, atom)
                answers = (self.m.question(atom, True), self.m.question(atom, False))
                if known is not None:
                    answers = (TRUE, None) if known else (None, TRUE)
            elif isinstance(atom, int):
                obj = state.heap.get(atom)
                if isinstance(obj, Container) and not obj.rest and obj.items is not None and obj.entries is None:
                    answers = (TRUE, None) if obj.items else (None, TRUE)
                elif isinstance(obj, Container) and not obj.rest and obj.entries is not None:
                    answers = (TRUE, None) if obj.entries else (None, TRUE)
                elif isinstance(obj, (Container, Tensor)) or obj is None:
                    answers = (TRUE, TRUE)
                else:
                    answers = (TRUE, None)
            elif is_unknown(atom):
                answers = (TRUE, TRUE)
            else:
                answers = (TRUE, None)
            for positive, answer in ((True, answers[0]), (False, answers[1])):
                if answer is None:
                    continue
                together = both(cond, answer)
                if together is None or self.m.contradicts(together, state.path):
                    continue
                if positive:
                    yes = maybe_either(yes, together)
                else:
                    no = maybe_either(no, together)
        if yes is None and no is None:
            return TRUE, TRUE
        return yes, no

    def branch(self, region: ir.Region, index: int, instr: ir.If, state: State, flow: Flow) -> State | None:
        """Run both sides of a condition, each under the facts that lead there, and join them."""
        value = state.registers[-1].get(instr.cond, ANYTHING)
        yes, no = self.truth(state, value)
        outcomes: list[State] = []
        if yes is not None and no is not None:
            if both(yes, no) is not None:
                asked = self.m.question_here("if", self.m.place(instr.origin))
                yes, no = yes | {Fact(asked, True)}, no | {Fact(asked, False)}
            other: State | None = state.copy()
        else:
            other = state
        sides = ((yes, instr.then, state, True), (no, instr.orelse, other, False))
        left = len(flow.returns) + len(flow.breaks) + len(flow.continues)
        for cond, inner, start, positive in sides:
            if cond is None or start is None:
                continue
            path = both(start.path, cond)
            if path is None:
                continue
            outer = start.path
            start.path = path
            if not positive and any(isinstance(atom, Unknown) and not atom.tag for atom in value):
                # What has no identity cannot be asked again: `a and b` is false where `a` is.
                copy = region[index - 1] if index else instr
                known_false = _without_identity_false(value)
                start.registers[-1][instr.cond] = known_false
                if isinstance(copy, ir.Move) and copy.src == instr.cond:
                    start.registers[-1][copy.dst] = known_false
            self.refine(region, index, instr.cond, start, flow, positive)
            after = self.run(inner, start, flow)
            if after is not None:
                if yes is None or no is None:
                    after.path = outer
                outcomes.append(after)
        if len(outcomes) == 1 and left == len(flow.returns) + len(flow.breaks) + len(flow.continues):
            # The other side, if there is one, raised: ``assert``, or a check of arguments.
            (after,) = outcomes
            after.path = settled(after.path, (yes or TRUE) | (no or TRUE))
        return join_all(outcomes)

    def refine(self, region: ir.Region, index: int, reg: int, state: State, flow: Flow, positive: bool) -> None:
        """Narrow the name that a condition tests: ``x is None``, ``not x``, ``x``, ``isinstance(x, ...)``."""
        origin = None
        for earlier in reversed(region[:index]):
            if getattr(earlier, "dst", None) == reg:
                origin = earlier
                break
        if origin is None:
            return
        if isinstance(origin, ir.Unary) and origin.op == "not":
            self.refine(region, index, origin.operand, state, flow, not positive)
            return
        if isinstance(origin, ir.Call):
            if positive:
                narrow(self.m, region, index, origin, state, flow)
            return
        if isinstance(origin, ir.GetAttr):
            narrow_by_grad(region, index, origin, state, flow, positive)
            return
        loaded: int | None = None
        keep_none = False
        if isinstance(origin, ir.Load):
            loaded, keep_none = reg, not positive
            only_none = False
        elif isinstance(origin, ir.Compare) and origin.op in ("is", "is not", "==", "!="):
            right = state.registers[-1].get(origin.right)
            if right is None or set(right) != {Const(None, "NoneType")}:
                return
            loaded = origin.left
            is_none = positive if origin.op in ("is", "==") else not positive
            keep_none, only_none = is_none, is_none
        else:
            return
        for earlier in reversed(region[:index]):
            if isinstance(earlier, ir.Load) and earlier.dst == loaded and earlier.scope == "local":
                frame = state.heap.get(flow.frame)
                if not isinstance(frame, Frame) or earlier.name not in frame.names:
                    return
                value = frame.names[earlier.name]
                none = Const(None, "NoneType")
                if len(value) < 2 or none not in value:
                    return
                if only_none:
                    kept: Value = {none: value[none]}
                elif keep_none:
                    return
                else:
                    kept = {a: c for a, c in value.items() if a != none}
                state.heap[flow.frame] = Frame({**frame.names, earlier.name: kept}, frame.parent)
                return
            if getattr(earlier, "dst", None) == loaded:
                return

    # --- loops ---

    def loop(
        self,
        instr: ir.For | ir.While,
        state: State,
        flow: Flow,
        start: Callable[[State, Flow], State | None],
        never_empty: bool = False,
    ) -> State | None:
        """Run a loop of unknown length to its fixpoint, then report. ``start`` begins a round (test or next element).

        never_empty: it makes a round at least.
        """
        place = self.m.place(instr.origin)
        dead = self.liveness.assigned(instr.body) | (
            self.liveness.assigned(instr.test) if isinstance(instr, ir.While) else {instr.item}
        )
        outer_loops, outer_ctx = self.m.loops, self.m.ctx
        self.m.loops = (*outer_loops, place)
        self.m.ctx = (*outer_ctx, ("loop", place))
        entry = state
        entry_path = state.path
        # The first round works on what was there before the loop, later ones on what a round made: it is set apart.
        brief, self.m.looped = self.m.brief, True
        steady = None if brief else steady_state(self, instr, entry, flow, start, dead, place)
        inner = flow.in_loop()
        exits: list[State] = []
        ends: list[State] = []
        for first in (True, False):
            begin = entry if first else steady
            for answer in (False, True) if last_asked(self.m, place) is not None else (None,):
                begun = None if begin is None else begin.copy()
                if begun is not None and answer is not None:
                    begun = with_path(begun, is_last(self.m, place, answer))
                after = None if begun is None else self.round(instr, begun, inner, start, dead, place, first)
                inner.continues = []
                if after is not None and answer is not False:
                    after.path = entry_path
                    ends.append(after)
            if brief and first and last_asked(self.m, place) is not None:
                steady = second_round(self, instr, entry, flow, start, dead, place)
            elif brief and first and ends:
                steady = ends[0].copy()
        done = join_all(ends)
        exact = last_asked(self.m, place) is not None
        # A fixpoint has every round in it; of two rounds the second is only at its own end.
        rounds = done if exact else join_all([*([steady] if steady is not None else []), *(ends if brief else [])])
        finish: State | None = entry.copy()
        if done is not None and never_empty:
            finish = done
        elif finish is not None and rounds is not None:
            # What a round did and what holds where there was none exclude each other; not worth a fact where rounds write.
            if exact or computes_only(self.m, instr, place):
                ran = self.m.question_here("ran", place)
                finish.path, rounds.path = (entry_path | {Fact(ran, answer)} for answer in (False, True))
            finish = finish.join(rounds)
            finish.path = entry_path
        self.m.loops, self.m.ctx = outer_loops, outer_ctx
        if isinstance(instr, ir.While) and finish is not None:
            finish = self.run(instr.test, finish, flow)
            if finish is not None:
                value = finish.registers[-1].get(instr.cond, ANYTHING)
                _, no = self.truth(finish, value)
                if no is None:
                    finish = None
        if finish is not None:
            finish = self.run(instr.orelse, finish, flow)
        if finish is not None:
            exits.append(finish)
        for broken in inner.breaks:
            broken.path = entry_path
            self.m.next_round(broken, place)
            exits.append(broken)
        return join_all(exits)

    def round(
        self,
        instr: ir.For | ir.While,
        state: State,
        flow: Flow,
        start: Callable[[State, Flow], State | None],
        dead: frozenset[int] | set[int],
        place: tuple[str, int],
        first: bool,
    ) -> State | None:
        """One round from a state, given what begins it; None where it does not end in another one or the loop's end.

        first: no other round came before it.
        """
        outer = self.m.first_round.get(place)
        self.m.first_round[place] = first
        try:
            self.overwritten.forget(self.m, instr, state, flow, first)
            begun = start(state, flow)
            if begun is None:
                return None
            after = self.run(instr.body, begun, flow)
        finally:
            self.m.first_round[place] = outer
        ends = [*([after] if after is not None else []), *flow.continues]
        joined = join_all(ends)
        if joined is None:
            return None
        joined.drop_registers(dead)
        joined.collect(self.m.live_frames, self.m.stands_for, self.m.wholes)
        self.overwritten.end_round(self.m, instr, joined, flow)
        self.m.next_round(joined, place)
        return joined

    def unroll(
        self, instr: ir.For, state: State, flow: Flow, elements: list[Value], complete: bool = False
    ) -> State | None:
        """Run a loop over known elements round by round, each in a context of its own.

        complete: an element that stands for many objects is there for each of them, so what the body does, it does to all.
        """
        outer_universal = self.m.universal
        place = self.m.place(instr.origin)
        outer_ctx, outer_product = self.m.ctx, self.m.unrolled
        self.m.unrolled = outer_product * max(1, len(elements))
        inner = flow.in_loop()
        current: State | None = state
        for number, element in enumerate(elements):
            if current is None:
                break
            self.m.ctx = (*outer_ctx, (place, number))
            current.registers[-1][instr.item] = element
            inner.continues = []
            if complete:
                self.m.universal = outer_universal | _parts(current, element)
            after = self.run(instr.body, current, inner)
            current = join_all([*([after] if after is not None else []), *inner.continues])
            if current is not None:
                self.overwritten.end_round(self.m, instr, current, flow, number + 1 == len(elements))
        self.m.universal = outer_universal
        self.m.ctx, self.m.unrolled = outer_ctx, outer_product
        if current is not None:
            current = self.run(instr.orelse, current, flow)
        return join_all([*([current] if current is not None else []), *inner.breaks])

    def may_unroll(self, count: int, body: ir.Region = ()) -> bool:
        """Whether a loop of that many rounds is run round by round: few rounds, or rounds of few instructions."""
        rounds = count * self.m.unrolled
        if count <= UNROLL and rounds <= UNROLL_PRODUCT:
            return True
        if body and rounds <= LOOKS and looks_only(body):
            return True
        return bool(body) and self.m.unrolled > 1 and rounds * sum(1 for _ in ir.walk(body)) <= UNROLL_WORK


def _without_identity_false(value: Value) -> Value:
    kept: dict[Atom, Cond] = {}
    for atom, cond in value.items():
        add_to(kept, Const(False, "bool") if isinstance(atom, Unknown) and not atom.tag else atom, cond)
    return kept


def _parts(state: State, element: Value) -> set[int]:
    """The objects of one round: the element, or what the pair of a name and an object holds."""
    found = {atom for atom in element if isinstance(atom, int)}
    for atom in tuple(found):
        box = state.heap.get(atom)
        if isinstance(box, Container) and box.kind == "tuple" and box.items is not None:
            found.update(a for item in box.items for a in item if isinstance(a, int))
    return found


@handles(ir.While)
def run_while(engine: Engine, instr: ir.While, state: State, flow: Flow) -> State | None:
    """A while loop: round by round as long as its test is known, to a fixpoint from there."""
    m = engine.m
    place = m.place(instr.origin)
    outer_ctx, outer_product = m.ctx, m.unrolled
    inner = flow.in_loop()
    current: State | None = state
    rounds = 0
    finished = False
    while current is not None and engine.may_unroll(rounds + 1):
        m.ctx = (*outer_ctx, (place, rounds))
        probe = engine.run(instr.test, current.copy(), flow.apart())
        if probe is None:
            break
        yes, no = engine.truth(probe, probe.registers[-1].get(instr.cond, ANYTHING))
        if yes is not None and no is not None:
            break
        if yes is None:
            finished = True
            current = engine.run(instr.test, current, flow)
            break
        if rounds >= 2 and _always(instr):
            break
        tested = engine.run(instr.test, current, flow)
        if tested is None:
            current = None
            break
        inner.continues = []
        after = engine.run(instr.body, tested, inner)
        current = join_all([*([after] if after is not None else []), *inner.continues])
        if current is not None:
            engine.overwritten.end_round(m, instr, current, flow)
        rounds += 1
    m.ctx, m.unrolled = outer_ctx, outer_product
    if current is not None:
        if finished:
            current = engine.run(instr.orelse, current, flow)
        else:

            def start(state: State, flow: Flow) -> State | None:
                tested = engine.run(instr.test, state, flow)
                if tested is None:
                    return None
                yes, _ = engine.truth(tested, tested.registers[-1].get(instr.cond, ANYTHING))
                if yes is None:
                    return None
                path = both(tested.path, yes)
                if path is None:
                    return None
                tested.path = path
                return tested

            current = engine.loop(instr, current, flow, start)
    return join_all([*([current] if current is not None else []), *inner.breaks])


def _always(instr: ir.While) -> bool:
    return len(instr.test) == 1 and isinstance(instr.test[0], ir.Const)


@handles(ir.Break)
def run_break(engine: Engine, instr: ir.Break, state: State, flow: Flow) -> State | None:
    """Leave the loop."""
    flow.breaks.append(state)
    return None


@handles(ir.Continue)
def run_continue(engine: Engine, instr: ir.Continue, state: State, flow: Flow) -> State | None:
    """On to the loop's next round."""
    flow.continues.append(state)
    return None


@handles(ir.Return)
def run_return(engine: Engine, instr: ir.Return, state: State, flow: Flow) -> State | None:
    """Leave the function with a value."""
    value = one(Const(None, "NoneType")) if instr.value is None else state.registers[-1].get(instr.value, ANYTHING)
    if engine.m.on_return is not None and engine.m.on_return[0] is flow.code:
        state.registers[-1][RETURN_PLACE] = one(Const(engine.m.place(instr.origin), "place"))
    flow.returns.append((state, engine.m.consistent(state, value)))
    return None


@handles(ir.Raise)
def run_raise(engine: Engine, instr: ir.Raise, state: State, flow: Flow) -> State | None:
    """Leave for the nearest handler."""
    flow.raises.append(state)
    return None


@handles(ir.Try)
def run_try(engine: Engine, instr: ir.Try, state: State, flow: Flow) -> State | None:
    """A try statement. A handler may be entered from the start of any top-level instruction of the body."""
    if not instr.final:
        return _try_body(engine, instr, state, flow)
    apart = flow.apart()
    after = _try_body(engine, instr, state, apart)
    result = None if after is None else engine.run(instr.final, after, flow)
    for name in ("breaks", "continues", "raises"):
        for left in getattr(apart, name):
            final = engine.run(instr.final, left, flow)
            if final is not None:
                getattr(flow, name).append(final)
    for left, value in apart.returns:
        final = engine.run(instr.final, left, flow)
        if final is not None:
            flow.returns.append((final, value))
    return result


def _try_body(engine: Engine, instr: ir.Try, state: State, flow: Flow) -> State | None:
    if not instr.handlers:
        return engine.run(instr.orelse, after, flow) if (after := engine.run(instr.body, state, flow)) else None
    inner = flow.in_try()
    interrupted: list[State] = []
    current: State | None = state
    before = state.copy()
    dying = engine.liveness.dying(instr.body, flow.code)
    # An exception can come from any instruction; what a handler sees is one of the states before or
    # after one. States around calls are the ones that differ in what autograd knows.
    for index, part in enumerate(instr.body):
        if current is None:
            break
        if isinstance(part, (ir.Call, ir.If, ir.For, ir.While, ir.With, ir.Try, ir.InPlace, ir.SetItem)):
            interrupted.append(current.copy())
        current = engine.step(instr.body, index, part, current, inner, dying)
    depth = len(before.registers)
    entries = [*interrupted, *inner.raises]
    if any(isinstance(part, MAY_RAISE) for part in instr.body):
        entries.insert(0, before)
    outer = before.path
    for entry in entries:
        del entry.registers[depth:]
        entry.path = outer
    caught = join_all(entries)
    if caught is not None and (current is not None or inner.raises == []):
        # That an exception comes is an assumption of its own, which what happens without one contradicts.
        place = engine.m.place(instr.origin)
        key = f"{EXCEPTION}{place[0]}:{place[1]}:{engine.m.named_oid('exception', place, engine.m.ctx)}"
        engine.m.note_tag(key)
        caught.path = caught.path | {Fact(key, True, "an exception is raised and caught", True)}
        if current is not None:
            current.path = current.path | {Fact(key, False)}
    outcomes: list[State] = []
    if current is not None:
        current = engine.run(instr.orelse, current, flow)
        if current is not None:
            outcomes.append(current)
    for handler in instr.handlers:
        if caught is None:
            break
        start = engine.run(handler.test, caught.copy(), flow)
        after = None if start is None else engine.run(handler.body, start, flow)
        if after is not None:
            outcomes.append(after)
    return join_all(outcomes)


def with_path(state: State, cond: Cond) -> State | None:
    """The state where ``cond`` holds as well; None where it cannot."""
    path = both(state.path, cond)
    if path is None:
        return None
    state.path = path
    return state
