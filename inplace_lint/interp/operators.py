"""Python's operators: on tensors they are ops, on literals they are folded, on containers they build new ones."""

from __future__ import annotations

import operator
from collections.abc import Callable

from inplace_lint.domain import sequences
from inplace_lint.domain.conditions import TRUE, Cond, add_to, both
from inplace_lint.domain.objects import (
    Class,
    Container,
    Function,
    Place,
    Tensor,
    contents,
    order_of,
    sequence,
    widened,
)
from inplace_lint.domain.sequences import Order
from inplace_lint.domain.state import State
from inplace_lint.domain.values import (
    ANYTHING,
    Atom,
    BoundFunction,
    Const,
    Sym,
    Unknown,
    Value,
    const,
    is_unknown,
    known,
    one,
    under,
    union,
)
from inplace_lint.interp import calls, counters, denial, iteration, text
from inplace_lint.interp.binding import Arguments
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.flow import Flow
from inplace_lint.interp.ops import OpCall, call_op
from inplace_lint.opmodel.schema import Op

METHODS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "lshift",
    ">>": "rshift",
}
TENSOR_METHODS = {
    "truediv": "div",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
"""The tensor methods behind operators whose special method is called otherwise (``torch/_tensor.py``)."""
UNARY = {"-": "__neg__", "+": "__pos__", "~": "__invert__"}
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}

_FOLD: dict[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_LARGE = 1 << 48
MOST_PAIRS = 24
"""Combinations of operands that are looked at one by one."""


def is_tensor(engine: Engine, state: State, atom: Atom) -> bool:
    """Whether an atom is a tensor, or an unknown that was used as one or is taken for one wherever it is used."""
    if isinstance(atom, int):
        return isinstance(state.heap.get(atom), Tensor)
    if not isinstance(atom, Unknown):
        return False
    return (atom.tensor and atom.grad == "likely") or engine.m.known_tensor(state, atom) is not None


def split(engine: Engine, state: State, value: Value) -> tuple[Value, Value]:
    """The possibilities that are tensors, and the others."""
    tensors = {a: c for a, c in value.items() if is_tensor(engine, state, a)}
    return tensors, {a: c for a, c in value.items() if a not in tensors}


def fold(op: str, left: Const, right: Const) -> Value | None:
    """The literal that an operator on literals gives; None where it is none or too large to keep."""
    a, b = left.value, right.value
    if op in ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^"):
        sized = isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a) < _LARGE and abs(b) < _LARGE
        texts = op == "+" and isinstance(a, str) and isinstance(b, str) and len(a) + len(b) < 200
        if not (sized or texts) or (op == "**" and isinstance(b, (int, float)) and abs(b) > 16):
            return None
    if op in ("in", "not in"):
        if isinstance(b, (str, tuple)) and isinstance(a, (str, int)):
            try:
                return const((a in b) == (op == "in"))
            except TypeError:
                return None
        return None
    if op in ("is", "is not"):
        if a is None or b is None or isinstance(a, bool) or isinstance(b, bool):
            return const((a is b) == (op == "is"))
        return None
    try:
        return const(_FOLD[op](a, b))
    except (TypeError, ValueError, ArithmeticError, KeyError):
        return None


def _texts(m: object, atom: Atom) -> str | None:
    if isinstance(atom, Const):
        return repr(atom.value)
    if isinstance(atom, Unknown) and atom.tag:
        return atom.tag
    return None


def _computed(engine: Engine, state: State, first: Unknown, suffix: str, op: str, place: Place) -> Unknown:
    """What follows from an unknown by an operator: the same number each time, but another tensor."""
    result = engine.m.derived(first, suffix)
    if engine.m.known_tensor(state, result) is None:
        return result
    return engine.m.fresh(state, place[1], f"op{op}", first.grad, first.tensor)


def unary(engine: Engine, state: State, flow: Flow, op: str, operand: Value, place: Place) -> Value:
    """``-x``, ``+x``, ``~x``, ``not x``."""
    if op == "not":
        result: dict[Atom, Cond] = {}
        yes, no = engine.truth(state, operand)
        atom = next(iter(operand)) if len(operand) == 1 else None
        if isinstance(atom, Unknown) and atom.tag:
            negated = atom.tag[4:] if atom.tag.startswith("not ") else f"not {atom.tag}"
            engine.m.note_tag(negated)
            return {Unknown(negated, atom.grad, atom.tensor): operand[atom]}
        if yes is not None and no is not None and not yes and not no:
            return {engine.m.fresh(state, place[1], "not", "no", False): TRUE}
        if yes is not None:
            add_to(result, Const(False, "bool"), yes)
        if no is not None:
            add_to(result, Const(True, "bool"), no)
        return result
    tensors, others = split(engine, state, operand)
    values: list[Value] = []
    if tensors:
        value = method_op(engine, state, UNARY[op], [tensors], place, op, None, "operator")
        values.append(value if value is not None else tensors)
    for other, cond in others.items():
        literal = other.value if isinstance(other, Const) else None
        called = calls.special_method(engine, state, flow, other, UNARY[op], [], place)
        if called is not None:
            values.append(under(called, cond))
        elif isinstance(literal, (int, float)) and op in "-+":
            values.append(under(const(-literal if op == "-" else literal), cond))
        elif isinstance(other, Unknown) and other.tag:
            values.append({_computed(engine, state, other, f" {op}", op, place): cond})
        else:
            values.append(ANYTHING)
    return union(values)


def method_op(
    engine: Engine,
    state: State,
    name: str,
    args: list[Value],
    place: Place,
    spelled: str,
    target: str | None,
    form: str,
) -> Value | None:
    """Call a tensor's special method; None where the op model has no such row or the arguments do not fit."""
    row = operator_row(engine, name)
    if row is None:
        return None
    call = OpCall(place, row.name, form, spelled, target, tag=name)
    return call_op(engine, state, row.variants, Arguments(args), call)


def operator_row(engine: Engine, name: str) -> Op | None:
    """The row of a special method: that of the method which it calls, where there is one."""
    word = name.strip("_")
    method = engine.m.model.method(TENSOR_METHODS.get(word, word))
    if method is not None and word in (*METHODS.values(), *COMPARISONS.values()):
        return method
    if word[:1] == "i" and word[1:] in METHODS.values():
        return engine.m.model.method(f"{TENSOR_METHODS.get(word[1:], word[1:])}_")
    return engine.m.model.method(name)


def binary(engine: Engine, state: State, flow: Flow, op: str, left: Value, right: Value, place: Place) -> Value:
    """A binary operator on every combination of what its operands may be."""
    left_tensors, left_others = split(engine, state, left)
    right_tensors, right_others = split(engine, state, right)
    values: list[Value] = []
    name = METHODS[op]
    if left_tensors and right_others:
        denial.by_operand(engine.m, state, left_tensors, right_others)
        # What a tensor cannot add it leaves to the other operand's class.
        for atom, cond in list(right_others.items()):
            answer = calls.special_method(engine, state, flow, atom, f"__r{name}__", [left_tensors], place)
            if answer is not None:
                values.append(under(answer, cond))
                right = {a: c for a, c in right.items() if a != atom}
        if not right:
            return union(values)
    if left_tensors:
        value = method_op(engine, state, f"__{name}__", [left_tensors, right], place, op, None, "operator")
        values.append(value if value is not None else {engine.m.fresh(state, place[1], "op", "no"): TRUE})
    if left_others and right_tensors:
        denial.by_operand(engine.m, state, right_tensors, left_others)
        swapped = f"__r{name}__" if engine.m.model.method(f"__r{name}__") is not None else f"__{name}__"
        value = method_op(engine, state, swapped, [right_tensors, left_others], place, op, None, "operator")
        values.append(value if value is not None else {engine.m.fresh(state, place[1], "op", "no"): TRUE})
    if left_others and right_others:
        values.append(_plain(engine, state, flow, op, left_others, right_others, place))
    return union(values)


def _plain(engine: Engine, state: State, flow: Flow, op: str, left: Value, right: Value, place: Place) -> Value:
    values: list[Value] = []
    if len(left) * len(right) > MOST_PAIRS:
        return {engine.m.fresh(state, place[1], f"op{op}", "no", False): TRUE}
    for a, ca in left.items():
        for b, cb in right.items():
            cond = both(ca, cb)
            if cond is not None:
                values.append(under(_plain_atoms(engine, state, flow, op, a, b, place), cond))
    return widened(union(values))


def _plain_atoms(engine: Engine, state: State, flow: Flow, op: str, a: Atom, b: Atom, place: Place) -> Value:
    m = engine.m
    if isinstance(a, Const) and isinstance(b, Const):
        folded = fold(op, a, b)
        if folded is not None:
            return folded
    if isinstance(a, int) or isinstance(b, int):
        value = _containers(engine, state, flow, op, a, b, place)
        if value is not None:
            return value
    if op == "%" and isinstance(a, Const) and isinstance(a.value, str):
        return text.percent(engine, state, a.value, b, place[1])
    if op == "+" and (joined := text.joined(engine, state, a, b, place[1])) is not None:
        return joined
    for first, second in ((a, b), (b, a)):
        if isinstance(first, Unknown) and first.tag:
            word = _texts(m, second)
            if word is not None and not first.tag.startswith("not "):
                suffix = f" {op} {word.split(':', 1)[-1]}" if first is a else f" r{op} {word.split(':', 1)[-1]}"
                result = _computed(engine, state, first, suffix, op, place)
                counters.moved(m, first, op, result)
                return {result: TRUE}
    return {m.fresh(state, place[1], f"op{op}", "no", False): TRUE}


def _containers(engine: Engine, state: State, flow: Flow, op: str, a: Atom, b: Atom, place: Place) -> Value | None:
    left = state.heap.get(a) if isinstance(a, int) else None
    right = state.heap.get(b) if isinstance(b, int) else None
    for first, name, second in ((a, f"__{METHODS[op]}__", b), (b, f"__r{METHODS[op]}__", a)):
        called = calls.special_method(engine, state, flow, first, name, [one(second)], place)
        if called is not None:
            return called
    if isinstance(left, Container) and isinstance(right, Container) and op == "+":
        oid = engine.m.oid(place[1], "concatenated")
        if left.items is not None and right.items is not None:
            return one(state.allocate(oid, Container(left.kind, (*left.items, *right.items))))
        order = _concatenated(left, order_of(right))
        return one(state.allocate(oid, sequence(left.kind, order, union((contents(left), contents(right))))))
    box, times = (left, b) if isinstance(left, Container) else (right, a)
    if isinstance(box, Container) and op == "*":
        oid = engine.m.oid(place[1], "repeated")
        if (
            box.items is not None
            and isinstance(times, Const)
            and isinstance(times.value, int)
            and times.value * len(box.items) <= 64
        ):
            return one(state.allocate(oid, Container(box.kind, box.items * times.value)))
        return one(state.allocate(oid, sequence(box.kind, _concatenated(box, order_of(box)), contents(box))))
    if isinstance(left, Container) and left.kind == "dict" and isinstance(right, Container) and op == "|":
        entries = {**(left.entries or {}), **(right.entries or {})}
        made = Container("dict", (), entries, union((left.rest, right.rest)))
        return one(state.allocate(engine.m.oid(place[1], "merged"), made))
    return None


def _concatenated(box: Container, after: Order | None) -> Order | None:
    before = order_of(box)
    return None if before is None or after is None else sequences.concatenated(before, after)


def in_place(
    engine: Engine, state: State, flow: Flow, op: str, left: Value, right: Value, place: Place, target: str | None
) -> Value:
    """The operator of an augmented assignment: tensors and lists change in place, everything else is made anew."""
    tensors, others = split(engine, state, left)
    values: list[Value] = []
    if tensors:
        denial.by_operand(engine.m, state, tensors, right)
        name = f"__i{METHODS[op]}__"
        value = method_op(engine, state, name, [tensors, right], place, f"{op}=", target, "operator")
        if value is None:
            value = binary(engine, state, flow, op, tensors, right, place)
        values.append(value)
    plain: dict[Atom, Cond] = {}
    for atom, cond in others.items():
        box = state.heap.get(atom) if isinstance(atom, int) else None
        if isinstance(box, Container) and box.kind in ("list", "deque") and op == "+" and isinstance(atom, int):
            inner = iteration.elements(engine, state, flow, right, place)
            if box.items is not None and inner.exact is not None and not cond:
                state.put(atom, Container(box.kind, (*box.items, *inner.exact)))
            else:
                order = None if cond else _concatenated(box, inner.ordered())
                state.put(atom, sequence(box.kind, order, union((contents(box), inner.any))))
            values.append({atom: cond})
            continue
        # A class of the source may define the operator, and then decides itself what changes in place.
        own = calls.special_method(engine, state, flow, atom, f"__i{METHODS[op]}__", [right], place)
        if own is not None:
            values.append(under(own, cond))
        else:
            plain[atom] = cond
    if plain:
        values.append(binary(engine, state, flow, op, plain, right, place))
    return union(values)


def compare(engine: Engine, state: State, op: str, left: Value, right: Value, place: Place) -> Value:
    """A comparison: of tensors a tensor, of literals a literal, of unknowns a question with an identity."""
    if op not in ("is", "is not", "in", "not in"):
        left_tensors, left_others = split(engine, state, left)
        right_tensors, right_others = split(engine, state, right)
        if (left_tensors or right_tensors) and not (_only_none(left_others) or _only_none(right_others)):
            first, second = (left_tensors, right) if left_tensors else (right_tensors, left_others)
            value = method_op(engine, state, f"__{COMPARISONS[op]}__", [first, second], place, op, None, "operator")
            if value is not None:
                return value
    values: list[Value] = []
    for a, ca in left.items():
        for b, cb in right.items():
            cond = both(ca, cb)
            if cond is not None:
                values.append(under(_compare_atoms(engine, state, op, a, b, place), cond))
    return union(values)


def _only_none(value: Value) -> bool:
    atom = known(value)
    return atom is not None and atom.value is None


_NEGATIONS = {"!=": "==", "is not": "is", "not in": "in", ">=": "<", ">": "<="}


def _compare_atoms(engine: Engine, state: State, op: str, a: Atom, b: Atom, place: Place) -> Value:
    m = engine.m
    if isinstance(a, Const) and isinstance(b, Const):
        folded = fold(op, a, b)
        if folded is not None:
            return folded
    if op in ("in", "not in"):
        if isinstance(a, Const) and (found := text.answer(m, b, "in", a.value)) is not None:
            return const(found == (op == "in"))
        denial.by_membership(m, state, a, b)
    if op in ("in", "not in") and isinstance(b, int):
        box = state.heap.get(b)
        if isinstance(box, Container) and isinstance(a, Const) and not box.rest:
            if box.entries is not None:
                return const((a.value in box.entries) == (op == "in"))
            if box.items is not None and all(known(item) is not None for item in box.items):
                return const(any(known(item) == a for item in box.items) == (op == "in"))
        if isinstance(box, Container) and isinstance(a, Sym) and box.items and not box.rest:
            named = [next(iter(item)) for item in box.items if len(item) == 1]
            if len(named) == len(box.items) and all(isinstance(it, Sym) for it in named):
                return const((a in named) == (op == "in"))
    if op in ("is", "is not", "==", "!="):
        none_a, none_b = (isinstance(x, Const) and x.value is None for x in (a, b))
        if none_a != none_b:
            other = b if none_a else a
            if not is_unknown(other):
                return const(op in ("is not", "!="))
        elif isinstance(a, (int, Sym)) and isinstance(b, (int, Sym)):
            if a == b and (not isinstance(a, int) or a > 0):
                return const(op in ("is", "=="))
            kinds = tuple(type(state.heap.get(x)) if isinstance(x, int) else Sym for x in (a, b))
            if all(k in (Class, Function, Sym) for k in kinds):
                return const(op in ("is not", "!="))
            if op in ("is", "is not") and isinstance(a, int) and isinstance(b, int) and a > 0 and b > 0:
                return const(op == "is not")
        elif isinstance(a, BoundFunction) or isinstance(b, BoundFunction):
            return {m.fresh(state, place[1], "compare", "no", False): TRUE}
    if op in ("is", "is not", "==", "!=") and isinstance(b, Sym) and isinstance(a, Unknown):
        whose = m.type_of.get(a.tag.rstrip("~"))
        if whose is not None:
            asked = m.derived(whose, f" is a {b.path}", tensor=False)
            return {asked if op in ("is", "==") or not asked.tag else Unknown(f"not {asked.tag}", "no", False): TRUE}
    about_round = counters.compared(m, op, a, b)
    if about_round is not None:
        return about_round
    positive = op not in _NEGATIONS
    word = op if positive else _NEGATIONS[op]
    first, second = (a, b) if isinstance(a, Unknown) else (b, a)
    if isinstance(first, Unknown) and first.tag and not first.tag.startswith("not "):
        other_text = _texts(m, second)
        if other_text is not None:
            atom = m.derived(first, f" {word} {other_text.split(':', 1)[-1]}", tensor=False)
            if not atom.tag or positive:
                return {atom: TRUE}
            negated = f"not {atom.tag}"
            return {Unknown(negated, "no", False): TRUE}
    return {m.fresh(state, place[1], "compare", "no", False): TRUE}
