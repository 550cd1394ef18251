"""Where the analysis starts: the module's own statements, then every definition that these did not run.

A module's code is run as it stands. A class derived from ``nn.Module`` is built with unknown arguments and its ``forward``
run on unknown tensors; what it returns is taken to be trained. Other functions and methods that nobody in the file calls
are run with unknown arguments. What depends on a caller becomes an assumption.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inplace_lint import ir
from inplace_lint.assumptions import USUAL, Assumptions
from inplace_lint.domain.conditions import TRUE, Fact, both
from inplace_lint.domain.objects import Class, Frame, Function, Instance, Place
from inplace_lint.domain.state import NO_GRAD, State
from inplace_lint.domain.values import Const, Unknown, Value, const, one
from inplace_lint.events import Event
from inplace_lint.interp import (  # noqa: F401  (the tables register themselves)
    builtin_functions,
    changing,
    checkpoints,
    classes,
    compiling,
    container_methods,
    contexts,
    custom_functions,
    data_classes,
    einops_calls,
    functional_calls,
    functions,
    graph_methods,
    hooks,
    instances,
    kernels,
    linking,
    networks,
    optimizers,
    outline,
    recurrence,
    rounds,
    torch_functions,
    trainers,
    transfer,
    transforms,
)
from inplace_lint.interp.attempts import TWO_ROUNDS, Attempt, together, told_by_rounds
from inplace_lint.interp.autograd import backward
from inplace_lint.interp.budget import STEPS, Budget, BudgetExceeded, FileBudget
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.evidence import chooses_by, parameter_attributes, tensor_parameters
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.gradless import called_without_grad
from inplace_lint.interp.graph_methods import pending_roots
from inplace_lint.interp.grounds import evaluates, infers, tags_of
from inplace_lint.interp.iterated import Iterated
from inplace_lint.interp.machine import Machine, Pending
from inplace_lint.interp.unreached import direct_calls
from inplace_lint.opmodel.lookup import OpModel

if TYPE_CHECKING:
    from inplace_lint.project import Project

TRAINED_METHODS = ("forward", "training_step", "loss", "compute_loss")
NOT_TRAINED_METHODS = (
    "validation_step",
    "test_step",
    "predict_step",
    "configure_optimizers",
    "generate",
    "predict",
    "inference",
    "forward_test",
)
FIRST, FIRST_UNTRAINED = 3, 6
"""The share of the budget that the first attempt gets: the second one knows that there is something to find, or too much. Less
where a file trains nothing: the long stories are those of training loops."""
_TRAINS = re.compile(r"backward|optim")
MODULE_STEPS = 300_000
"""Work for a module's own statements, which everything else rests on."""


_TENSOR = re.compile(r"Tensor\b")
"""In an annotation: ``Tensor``, ``LongTensor``, and not ``TensorTree``."""

Work = Callable[[State], "State | None"]
"""Runs an entry point from a state to its end."""

Definition = tuple[str, int]
"""A definition of the project: its file's key and its origin."""


@dataclass(frozen=True, slots=True)
class Root:
    """What the analysis from one entry point found.

    definition: the entry point, None for the module's own statements. ran: every definition of the project that ran on the way.
    forward: what it returns is trained whoever calls it, so that callers settle stated assumptions only. complete: the budget
    was enough.
    """

    definition: Definition | None
    events: tuple[Event, ...]
    ran: frozenset[Definition]
    forward: bool = False
    complete: bool = True


class Analysis:
    """The analysis of one module, given as its code; ``project`` gives what it imports."""

    def __init__(
        self,
        code: ir.Code,
        model: OpModel,
        project: Project | None = None,
        assumed: Assumptions = USUAL,
        source: str = "",
    ) -> None:
        self.code = code
        self.m = Machine(model, project, assumed)
        self.engine = Engine(self.m)
        self.too_large: dict[bool, set[ir.Code]] = {False: set(), True: set()}
        self.results: list[tuple[ir.Code | None, list[Pending], set[ir.Code], bool]] = []
        self.module = linking.frame_of(self.m, code.file)
        self.of_file = FileBudget(source.count("\n"))
        self.gradless: frozenset[str] = frozenset()
        self.first = FIRST if _TRAINS.search(source) else FIRST_UNTRAINED

    def run(self) -> list[Root]:
        """Analyse everything; the entry points in the order in which they were looked at."""
        self.m.parameter_attrs = parameter_attributes(self.code.body)
        self.gradless = called_without_grad(self.code) - set(TRAINED_METHODS)
        state = self._module()
        if state is not None:
            self._definitions(state)
        return self._collect()

    # --- entry points ---

    def _guarded(
        self, root: ir.Code | None, name: str, work: Work, state: State, briefly: bool = False
    ) -> State | None:
        """Run an entry point. briefly: its end is nobody's beginning, so that two rounds a loop will do if they show nothing."""
        again = state.copy()
        done = self._attempt(root, name, work, state, brief=briefly, first=briefly)
        if self.m.looped and (done.found if briefly else not done.whole):
            other = self._attempt(root, name, work, again, brief=not briefly, first=briefly)
            brief, full = (done, other) if briefly else (other, done)
            if not full.whole:
                brief.pending = told_by_rounds(brief.pending)
            if not full.whole and brief.complete:
                self.m.pending = brief.pending
                self.m.give_up(TWO_ROUNDS)
            done = full if full.whole else together(full, brief)
        self.results.append((root, done.pending, done.visited, done.complete))
        return done.end

    def _attempt(self, root: ir.Code | None, name: str, work: Work, state: State, brief: bool, first: bool) -> Attempt:
        m = self.m
        m.brief, m.looped = brief, False
        m.too_large = self.too_large[brief]  # what two rounds of its loops cost is another matter
        m.root, m.pending, m.visited, m.costly = name, [], {}, set(m.too_large)
        m.iterated = Iterated()
        m.noted = set()
        m.root_place = (self.code.file, 0) if root is None else (root.file, root.origin)
        m.budget = self._budget(root, first=brief == first)
        m.ctx, m.calls, m.codes, m.loops, m.muted, m.unrolled, m.depths = (), (), (), (), 0, 1, ()
        m.live_frames = [self.module]
        m.fixpoints = {}
        m.told = set()
        m.recursions = {}
        m.file = self.code.file
        result: State | None = None
        complete = True
        try:
            result = work(state)
        except BudgetExceeded:
            complete = False
            m.muted = 0
            m.pending += m.iterated.missed(m.pending)
            m.give_up("it takes more steps than the analysis may")
        except RecursionError:
            complete = False
            m.muted = 0
            m.give_up("it is nested too deeply")
        self.of_file.spent += m.budget.spent
        return Attempt(result, m.pending, set(m.visited), complete)

    def _budget(self, root: ir.Code | None, first: bool) -> Budget:
        limit = MODULE_STEPS if root is None else STEPS
        if first:
            limit //= self.first
        return Budget(self.of_file.part(limit), own=0 if root is None else 1)

    def _module(self) -> State | None:
        state = State()
        names: dict[str, Value] = {"__name__": const("__main__"), "__file__": {Unknown("", "no", False): TRUE}}
        state.heap[self.module] = Frame(names, None)
        left: list[State] = []

        imported, script = outline.without_script(self.code.body)
        if script:
            imported, script = self.engine.liveness.take_out(imported), self.engine.liveness.take_out(script)

        def statements(region: ir.Region) -> Work:
            def work(state: State) -> State | None:
                self.m.codes, self.m.depths = (self.code,), (0,)
                flow = Flow(self.module, self.module, self.code)
                try:
                    return self.engine.run(region, state, flow)
                finally:
                    left.extend(flow.raises)

            return work

        end = self._guarded(None, "<module>", statements(imported), state)
        if end is None:
            return left[-1] if left else self._definitions_only()
        if script:
            # What only the script sets up the functions after it find as well.
            return self._guarded(None, "<module>", statements(script), end.copy(), briefly=True) or end
        return end

    def _definitions_only(self) -> State | None:
        """Where the module's own statements could not be run to an end: only its imports and definitions."""
        state = State()
        state.heap[self.module] = Frame({"__name__": const("__main__")}, None)
        flow = Flow(self.module, self.module, self.code)

        def work(state: State) -> State | None:
            self.m.codes, self.m.depths = (self.code,), (0,)
            return self.engine.run(outline.definitions(self.code.body), state, flow)

        return self._guarded(None, "<module>", work, state)

    def _definitions(self, state: State) -> None:
        state.registers = [{}]
        state.path = TRUE
        state.heap.freeze()
        module = state.heap.get(self.module)
        names = module.names if isinstance(module, Frame) else {}
        ran: set[ir.Code] = set().union(*(visited for _, _, visited, complete in self.results if complete))
        seen: set[int] = set()
        for value in list(names.values()):
            for atom in value:
                if not isinstance(atom, int) or atom in seen:
                    continue
                seen.add(atom)  # of several names for one definition
                thing = state.heap.get(atom)
                if isinstance(thing, Function) and isinstance(thing.code, ir.Code):
                    if thing.code not in ran and thing.code.file == self.code.file:
                        self._function(state.copy(), atom, thing)
                elif isinstance(thing, Class) and isinstance(thing.code, ir.Code) and thing.code.file == self.code.file:
                    self._class(state, atom, thing, ran)

    def _function(self, state: State, oid: int, function: Function) -> None:
        code = function.code
        assert isinstance(code, ir.Code)

        def work(state: State) -> State | None:
            arguments = self._unknown_arguments(state, code, function, False)
            return self._run_trained(state, oid, function, [], arguments)

        self._guarded(code, code.qualname, work, state, briefly=True)

    def _without_grad(self, state: State, oid: int, function: Function, code: ir.Code) -> None:
        """Run what nobody in sight gets to, and PyTorch runs without grad, to see what it calls; nothing of it is reported."""

        def work(state: State) -> State | None:
            state.mode = {NO_GRAD: TRUE}
            self.m.muted += 1
            self.m.codes, self.m.depths = (self.code,), (0,)
            flow = Flow(self.module, self.module, self.code)
            arguments = self._unknown_arguments(state, code, function, False)
            value = functions.call(self.engine, state, flow, oid, function, [], arguments, (code.file, code.origin))
            self.m.muted -= 1
            return None if value is None else state

        self._guarded(code, code.qualname, work, state, briefly=True)

    def _class(self, state: State, oid: int, made: Class, ran: set[ir.Code]) -> None:
        module = classes.is_module(state, oid)
        methods = [
            (name, atom, thing)
            for name, value in made.attrs.items()
            for atom in value
            if isinstance(atom, int) and isinstance(thing := state.heap.get(atom), Function)
        ]
        wanted = []
        for name, atom, function in methods:
            code = function.code
            if custom_functions.is_custom_function(state, oid):
                # PyTorch runs its methods, without grad; ``apply`` is where they are looked at.
                if isinstance(code, ir.Code) and name in custom_functions.RUN_BY_PYTORCH and code not in ran:
                    self._without_grad(state.copy(), atom, function, code)
                continue
            if (
                not isinstance(code, ir.Code)
                or name in ("__init__", "__repr__", "__str__")
                or name in NOT_TRAINED_METHODS
            ):
                continue
            trained = f"{code.qualname}@{code.file}" in self.m.trained
            if code in ran and (not (module and name == "forward") or trained):
                continue
            wanted.append((name, atom, function, code))
        init = made.attrs.get("__init__")
        if module and "forward" not in made.attrs:
            wanted.extend(self._inherited(state, oid, made, ran))
        if not wanted and (
            init is None
            or any(isinstance(t := state.heap.get(a), Function) and t.code in ran for a in init if isinstance(a, int))
        ):
            return
        built = state.copy()
        instance: list[int] = []

        def build(start: State) -> State | None:
            instance.append(self._instance(start, oid, made))
            return start

        code_of_class = made.code if isinstance(made.code, ir.Code) else None
        after = self._guarded(code_of_class, made.name, build, built)
        if after is None or not instance:
            # Too large to build: its methods are looked at with attributes of which nothing is known.
            after = state.copy()
            place: Place = (self.code.file, made.code.origin if isinstance(made.code, ir.Code) else 0)
            instance.append(self.m.named_oid("unbuilt", oid))
            after.heap[instance[-1]] = Instance(oid, {}, place, {}, "self")
        changing.loosen(self.m, after)
        after.heap.freeze()
        for name, atom, function, code in wanted:

            def work(
                state: State, name: str = name, atom: int = atom, function: Function = function, code: ir.Code = code
            ) -> State | None:
                arguments = self._unknown_arguments(state, code, function, module and name == "forward")
                receiver: list[Value] = [] if function.kind == "static" else [one(instance[-1])]
                if function.kind == "class":
                    receiver = [one(oid)]
                self.m.backwards = 0
                end = self._run_trained(state, atom, function, receiver, arguments)
                if end is not None and function.kind == "function":
                    self._run_again(end, after, instance[-1], atom, function)
                return end

            self._guarded(code, code.qualname, work, after.copy(), briefly=True)

    @staticmethod
    def _inherited(state: State, oid: int, made: Class, ran: set[ir.Code]) -> list[tuple[str, int, Function, ir.Code]]:
        """The forward of a base class, where a derived class that nobody built changes what it runs on."""
        own = [state.heap.get(a) for value in made.attrs.values() for a in value if isinstance(a, int)]
        if not made.attrs or any(isinstance(f, Function) and f.code in ran for f in own):
            return []
        found = []
        for atom in classes.lookup(state, oid, "forward") or ():
            function = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(function, Function) and isinstance(function.code, ir.Code) and isinstance(atom, int):
                found.append(("forward", atom, function, function.code))
        return found

    # --- unknown callers ---

    def _instance(self, state: State, cls: int, made: Class) -> int:
        """An instance of a class, built by its ``__init__`` with unknown arguments."""
        m = self.m
        place: Place = (self.code.file, made.code.origin if isinstance(made.code, ir.Code) else 0)
        flow = Flow(self.module, self.module, self.code)
        m.codes, m.depths = (self.code,), (0,)
        oid = m.oid(place[1], f"any instance {made.qualname}")
        state.heap[oid] = Instance(cls, {}, place)
        init = classes.lookup(state, cls, "__init__")
        if data_classes.filled(state, cls):
            data_classes.fill(self.engine, state, oid, cls, [], {}, flow, place)
            return oid
        if init is None:
            path = classes.outside_base(state, cls)
            if path is not None:
                from inplace_lint.interp import modules
                from inplace_lint.interp.registry import CallSite

                modules.initialise(self.engine, state, oid, path, CallSite(place, flow))
        for atom in init or ():
            function = state.heap.get(atom) if isinstance(atom, int) else None
            if isinstance(function, Function) and isinstance(function.code, ir.Code) and isinstance(atom, int):
                arguments = self._unknown_arguments(state, function.code, function, False)
                functions.call(self.engine, state, flow, atom, function, [one(oid)], arguments, place)
        return oid

    def _unknown_arguments(
        self, state: State, code: ir.Code, function: Function, forward: bool, called: str | None = None
    ) -> dict[str, Value]:
        """A value for every parameter: unknown, or its default with the chance of another. ``called``: its name in messages."""
        m = self.m
        owner = function.owner if function.kind != "static" else None
        evident = tensor_parameters(code, m.model, () if owner is None else classes.method_names(state, owner))
        values: dict[str, Value] = {}
        params = code.params[1:] if function.owner is not None and function.kind != "static" else code.params
        for param in params:
            if param.kind == "kwarg":
                continue
            tag = f"{called or code.qualname}:{param.name}"
            m.note_tag(tag)
            if param.kind == "vararg":
                m.grounds.surplus.add(tag)
                values[f"*{param.name}"] = one(Unknown(tag, "assume"))
                continue
            default = function.defaults.get(param.name)
            if code.name != "__init__" and default and chooses_by(code, param.name):
                m.grounds.modes.add(tag)
            values[param.name] = self._argument(state, tag, param, default, evident, forward)
        return values

    def _argument(
        self, state: State, tag: str, param: ir.Parameter, default: Value | None, evident: frozenset[str], forward: bool
    ) -> Value:
        annotation = (param.annotation or "").replace(" ", "").strip("\"'")
        self.m.grounds.annotate(tag, annotation)
        plain = annotation in (
            "int",
            "float",
            "bool",
            "str",
            "list[int]",
            "Tuple[int,...]",
            "dict",
        ) or annotation.startswith(("Callable", "np.", "numpy.", "Path", "logging", "Literal"))
        tensor = _TENSOR.search(annotation) is not None and not annotation.startswith(
            ("List", "list", "Dict", "dict", "Tuple", "tuple", "Sequence")
        )
        tensor = tensor or (not plain and not annotation and param.name in evident)
        if forward and default is None and not plain and not annotation:
            tensor = tensor or param.name in evident
        if default is not None:
            literal = next(iter(default)) if len(default) == 1 else None
            if isinstance(literal, Const) and isinstance(literal.value, bool):
                other = Fact(
                    tag, not literal.value, f"`{param.name}` of `{tag.split(':')[0]}` is {not literal.value}", True
                )
                same = Fact(tag, literal.value, "", False)
                self.m.grounds.changed[other] = other
                return {
                    literal: frozenset({same}),
                    Const(not literal.value, "bool"): frozenset({other}),
                }
            off = isinstance(literal, Const) and isinstance(literal.value, (int, float)) and not literal.value
            if isinstance(literal, Const) and (off or tag in self.m.grounds.modes):
                # Zero switches something off (dropout, a rate), and modes are told apart; callers who choose another are why
                # the parameter is there.
                word = f"`{param.name}` of `{tag.split(':')[0]}` is not {literal.value!r}"
                other = Fact(f"{tag} is off", False, word, True)
                self.m.grounds.changed[other] = other
                return {
                    literal: frozenset({Fact(f"{tag} is off", True, "", False)}),
                    Unknown(tag, "no", False): frozenset({other}),
                }
            if isinstance(literal, Const) and literal.value is not None:
                return default
            if isinstance(literal, Const):
                atom: Unknown | int = Unknown(tag, "assume", not plain)
                if tensor:
                    made = self.m.materialise(state, Unknown(tag, "assume"))
                    atom = atom if made is None else made
                given = Fact(f"{tag} is None", False, f"`{param.name}` of `{tag.split(':')[0]}` is given", False)
                return {literal: frozenset({Fact(f"{tag} is None", True, "", False)}), atom: frozenset({given})}
            return default
        if tensor:
            made = self.m.materialise(state, Unknown(tag, "assume"))
            if made is not None:
                return one(made)
        return one(Unknown(tag, "assume", not plain))

    def _run_trained(
        self, state: State, oid: int, function: Function, positional: list[Value], named: dict[str, Value]
    ) -> State | None:
        """Run a definition for unknown callers; what it returns may be trained."""
        code = function.code
        assert isinstance(code, ir.Code)
        m = self.m
        m.codes, m.depths = (self.code,), (0,)
        flow = Flow(self.module, self.module, self.code)
        place: Place = (code.file, code.origin)
        trained: list[tuple[State, Value]] = []
        m.on_return, m.steps = (code, trained), 0
        if code.name in self.gradless:
            state.mode = {NO_GRAD: TRUE}
        value = functions.call(self.engine, state, flow, oid, function, positional, named, place)
        m.on_return = None
        m.calls = ()
        own = next(iter(positional[0]), None) if positional else None
        if code.name == "training_step" and isinstance(own, int) and not rounds.automatic(state, own):
            trained = []  # with manual optimization the trainer does nothing with what it is given
        if m.steps and not self._is_trained(code):
            trained = []  # it trains by itself, and what it returns tells how that went
        for end, returned in trained:
            roots = pending_roots(self.engine, end, returned)
            belief = m.assumed.results_are_trained
            if self._is_trained(code):
                roots = roots if m.assumed.forward_is_trained else []
            elif belief == "no" or (belief == "stated" and infers(code.name)):
                roots = []
            elif belief == "stated":
                # Nobody in sight trains what a plain function returns.
                word = f"the result of `{code.qualname}` is trained"
                trusted = frozenset({Fact(f"trained {code.qualname}", True, word, True)})
                roots = [(oid, c) for oid, cond in roots if (c := both(cond, trusted)) is not None]
            if function.grad_mode in (None, "grad") and roots:
                backward(m, end, roots, None, None)
        return None if value is None else state

    def _run_again(self, end: State, built: State, oid: int, atom: int, function: Function) -> None:
        """Call a method that trains once more: on the state in which its first call left the object, or by Lightning."""
        code = function.code
        assert isinstance(code, ir.Code)
        flow = Flow(self.module, self.module, self.code)

        def call(state: State, owner: str, given: dict[int, Value]) -> Value | None:
            arguments = self._unknown_arguments(state, code, function, False, called=owner)
            names = [param.name for param in code.params[1:]]
            arguments.update({names[n]: value for n, value in given.items() if n < len(names)})
            self.m.codes, self.m.depths, self.m.on_return = (self.code,), (0,), (code, [])
            outer = self.m.ctx
            self.m.ctx = (*outer, owner)
            place: Place = (code.file, code.origin)
            value = functions.call(self.engine, state, flow, atom, function, [one(oid)], arguments, place)
            self.m.ctx, self.m.on_return, self.m.calls = outer, None, ()
            return value

        instance = built.heap.get(oid)
        lightning = isinstance(instance, Instance) and trainers.is_lightning(built, instance.cls)
        if lightning and code.name == "training_step":
            rounds.lightning_steps(self.engine, built.copy(), flow, oid, call, rounds.automatic(built, oid))
        elif self.m.backwards:
            rounds.call_again(self.engine, end, code.qualname, call)
        elif code.name == "forward" and (links := recurrence.carried(code)):
            rounds.call_in_a_row(self.engine, built.copy(), code.qualname, call, links)

    @staticmethod
    def _is_trained(code: ir.Code) -> bool:
        """Whether what a definition returns is taken to be trained without a word: forwards and losses."""
        return code.name in TRAINED_METHODS or "loss" in code.name.lower()

    # --- results ---

    def _collect(self) -> list[Root]:
        grounds = self.m.grounds
        callers = direct_calls(self.code)
        visited = set().union(*(codes for _, _, codes, _ in self.results))
        return [
            Root(
                None if root is None else (root.file, root.origin),
                ()
                if self._left_to_callers(root, callers, visited)
                else tuple(
                    self._told(p)
                    for p in networks.settled(pending)
                    if not grounds.denied(p.cond) and not grounds.unconfirmed(p.event, p.cond)
                ),
                frozenset((code.file, code.origin) for code in codes if code is not root),
                root is not None and root.name in TRAINED_METHODS,
                complete,
            )
            for root, pending, codes, complete in self.results
        ]

    def _told(self, found: Pending) -> Event:
        """The event with what the rest of the code tells of it."""
        event = self.m.holders.told(found.event)
        tags, grounds = tags_of(found.cond), self.m.grounds
        context = replace(
            event.context,
            computed=tags <= grounds.computed,
            asked=tags <= grounds.asked,
            evaluates=evaluates(found.cond),
        )
        return event if context == event.context else replace(event, context=context)

    def _left_to_callers(self, code: ir.Code | None, callers: dict[str, set[ir.Code]], visited: set[ir.Code]) -> bool:
        """Whether a private definition is called in this file alone, so that its callers say what is to be said of it.

        Either nothing that was analysed gets to the call, or some that was followed to its end does.
        """
        calling = callers.get(code.name) if code is not None else None
        if not calling or code is None or code.name in self.m.asked or code in calling or not calling <= visited:
            return False
        through = [complete for root, _, codes, complete in self.results if code in codes and root is not code]
        return not through or (code.name not in TRAINED_METHODS and any(through))


def analyse_code(
    code: ir.Code, model: OpModel, project: Project | None = None, assumed: Assumptions = USUAL, source: str = ""
) -> list[Root]:
    """What every entry point of a module's code leads to. source: its text, which decides what it may cost."""
    return Analysis(code, model, project, assumed, source).run()
