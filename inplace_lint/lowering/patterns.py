"""``match``: a chain of branches, each with the test of one ``case`` before it.

A pattern function emits the test of a pattern against a register and returns the register that says whether it
matched, or None for a pattern that always does. What it binds, it binds on the path where the test held so far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import PATTERNS, Builder, pattern, statement
from inplace_lint.lowering.compound import block, fold

# Classes whose only positional sub-pattern matches the subject itself.
_SELF_MATCHING = frozenset(
    {"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"}
)

Step = Callable[[], "ir.Reg | None"]


@statement(cst.Match)
def match(b: Builder, node: cst.Match) -> None:
    subject = b.expr(node.subject)
    links: list[tuple[int, list[ir.Instr], ir.Reg, ir.Region]] = []
    last: ir.Region = ()
    for case in node.cases:
        with b.region() as test:
            cond = _case_test(b, case, subject)
        body = block(b, case.body)
        if cond is None:
            last = (*test, *body)
            break
        links.append((b.origin(case), test, cond, body))
    fold(b, links, last)


def _case_test(b: Builder, case: cst.MatchCase, subject: ir.Reg) -> ir.Reg | None:
    steps: list[Step] = [lambda: lower_pattern(b, case.pattern, subject)]
    guard = case.guard
    if guard is not None:
        steps.append(lambda: b.expr(guard))
    return _all(b, case, steps)


def lower_pattern(b: Builder, node: cst.MatchPattern, subject: ir.Reg) -> ir.Reg | None:
    """Emit the test of a pattern; the register of its outcome, None when it cannot fail."""
    lower = PATTERNS.get(type(node))
    if lower is None:
        return b.unknown(node, f"{type(node).__name__} pattern", (subject,))
    return lower(b, node, subject)


def _all(b: Builder, node: cst.CSTNode, steps: Sequence[Step]) -> ir.Reg | None:
    """Run steps in order, each one only if those before it held; the register of the outcome."""
    parts: list[tuple[ir.Reg | None, list[ir.Instr]]] = []
    for step in steps:
        with b.region() as region:
            outcome = step()
        parts.append((outcome, region))
    conditions = [outcome for outcome, _ in parts if outcome is not None]
    if len(conditions) <= 1 and all(outcome is None for outcome, _ in parts[1:]) and len(parts) == 1:
        b.out.extend(parts[0][1])
        return parts[0][0]
    if not conditions:
        for _, region in parts:
            b.out.extend(region)
        return None
    origin = b.origin(node)
    dst = b.reg()
    folded: list[ir.Instr] = []
    for outcome, region in reversed(parts):
        if outcome is None:
            folded = [*region, *folded]
        else:
            rest: list[ir.Instr] = [ir.If(origin, outcome, tuple(folded), ())] if folded else []
            folded = [*region, ir.Move(origin, dst, outcome), *rest]
    b.out.extend(folded)
    return dst


@pattern(cst.MatchValue)
def value_pattern(b: Builder, node: cst.MatchValue, subject: ir.Reg) -> ir.Reg:
    value = b.expr(node.value)
    dst = b.reg()
    b.emit(ir.Compare(b.origin(node), dst, "==", subject, value))
    return dst


@pattern(cst.MatchSingleton)
def singleton_pattern(b: Builder, node: cst.MatchSingleton, subject: ir.Reg) -> ir.Reg:
    value = b.expr(node.value)
    dst = b.reg()
    b.emit(ir.Compare(b.origin(node), dst, "is", subject, value))
    return dst


@pattern(cst.MatchAs)
def capture_pattern(b: Builder, node: cst.MatchAs, subject: ir.Reg) -> ir.Reg | None:
    def capture() -> None:
        if node.name is not None:
            b.store(b.origin(node), node.name.value, subject)

    inner = node.pattern
    if inner is None:
        capture()
        return None
    return _all(b, node, [lambda: lower_pattern(b, inner, subject), capture])


@pattern(cst.MatchOr)
def or_pattern(b: Builder, node: cst.MatchOr, subject: ir.Reg) -> ir.Reg | None:
    origin = b.origin(node)
    dst = b.reg()
    parts: list[tuple[ir.Reg, list[ir.Instr]]] = []
    for alternative in node.patterns:
        with b.region() as region:
            outcome = lower_pattern(b, alternative.pattern, subject)
            if outcome is None:
                outcome = b.const(alternative.pattern, True)
            b.emit(ir.Move(origin, dst, outcome))
        parts.append((outcome, region))
    folded: list[ir.Instr] = []
    for outcome, region in reversed(parts):
        folded = [*region, ir.If(origin, outcome, (), tuple(folded))] if folded else region
    b.out.extend(folded)
    return dst


@pattern(cst.MatchList, cst.MatchTuple)
def sequence_pattern(b: Builder, node: cst.MatchList | cst.MatchTuple, subject: ir.Reg) -> ir.Reg | None:
    elements = node.patterns
    stars = [i for i, element in enumerate(elements) if isinstance(element, cst.MatchStar)]
    parts = tuple(b.reg() for _ in elements)

    def unpack() -> None:
        if parts:
            b.emit(ir.Unpack(b.origin(node), subject, parts, stars[0] if stars else None))

    def step(element: cst.MatchSequenceElement | cst.MatchStar, part: ir.Reg) -> Step:
        def run() -> ir.Reg | None:
            if isinstance(element, cst.MatchStar):
                if element.name is not None:
                    b.store(b.origin(element.name), element.name.value, part)
                return None
            return lower_pattern(b, element.value, part)

        return run

    steps: list[Step] = [lambda: b.unknown(node, "sequence pattern", (subject,)), unpack]
    steps.extend(step(element, part) for element, part in zip(elements, parts, strict=True))
    return _all(b, node, steps)


@pattern(cst.MatchMapping)
def mapping_pattern(b: Builder, node: cst.MatchMapping, subject: ir.Reg) -> ir.Reg | None:
    def step(element: cst.MatchMappingElement) -> Step:
        def run() -> ir.Reg | None:
            key = b.expr(element.key)
            part = b.reg()
            b.emit(ir.GetItem(b.origin(element.key), part, subject, key))
            return lower_pattern(b, element.pattern, part)

        return run

    def rest() -> None:
        if node.rest is not None:
            b.store(b.origin(node), node.rest.value, b.unknown(node, "rest of a mapping", (subject,)))

    steps: list[Step] = [lambda: b.unknown(node, "mapping pattern", (subject,))]
    steps.extend(step(element) for element in node.elements)
    return _all(b, node, [*steps, rest])


@pattern(cst.MatchClass)
def class_pattern(b: Builder, node: cst.MatchClass, subject: ir.Reg) -> ir.Reg | None:
    is_self = isinstance(node.cls, cst.Name) and node.cls.value in _SELF_MATCHING

    def positional(element: cst.MatchSequenceElement) -> Step:
        def run() -> ir.Reg | None:
            part = subject if is_self else b.unknown(element.value, "positional attribute", (subject,))
            return lower_pattern(b, element.value, part)

        return run

    def keyword(element: cst.MatchKeywordElement) -> Step:
        def run() -> ir.Reg | None:
            part = b.reg()
            b.emit(ir.GetAttr(b.origin(element.key), part, subject, element.key.value))
            return lower_pattern(b, element.pattern, part)

        return run

    steps: list[Step] = [lambda: b.unknown(node, "class pattern", (b.expr(node.cls), subject))]
    steps.extend(positional(element) for element in node.patterns)
    steps.extend(keyword(element) for element in node.kwds)
    return _all(b, node, steps)
