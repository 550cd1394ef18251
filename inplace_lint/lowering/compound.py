"""Compound statements: branches, loops, context managers and exceptions."""

from __future__ import annotations

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.assignments import bind
from inplace_lint.lowering.builder import Builder, statement


@statement(cst.If)
def if_(b: Builder, node: cst.If) -> None:
    # A chain of `elif` is folded from its end: such chains can be long in generated code.
    links: list[tuple[int, list[ir.Instr], ir.Reg, ir.Region]] = []
    current: cst.If | cst.Else | None = node
    last: ir.Region = ()
    while current is not None:
        if isinstance(current, cst.Else):
            last = block(b, current.body)
            break
        with b.region() as test:
            cond = b.expr(current.test)
        links.append((b.origin(current), test, cond, block(b, current.body)))
        current = current.orelse
    fold(b, links, last)


def fold(b: Builder, links: list[tuple[int, list[ir.Instr], ir.Reg, ir.Region]], last: ir.Region) -> None:
    """Emit a chain of (origin, test, condition, region): the first whose condition holds runs, or else ``last``."""
    region = list(last)
    for origin, test, cond, then in reversed(links):
        region = [*test, ir.If(origin, cond, then, tuple(region))]
    b.out.extend(region)


def block(b: Builder, suite: cst.BaseSuite | None) -> ir.Region:
    """Lower a suite into a region of its own; no suite is an empty region."""
    if suite is None:
        return ()
    with b.region() as region:
        b.suite(suite)
    return tuple(region)


@statement(cst.While)
def while_(b: Builder, node: cst.While) -> None:
    with b.region() as test:
        cond = b.expr(node.test)
    body = block(b, node.body)
    orelse = block(b, node.orelse.body if node.orelse else None)
    b.emit(ir.While(b.origin(node), tuple(test), cond, body, orelse))


@statement(cst.For)
def for_(b: Builder, node: cst.For) -> None:
    iterable = b.expr(node.iter)
    origin = b.origin(node)
    item = b.reg()
    with b.region() as body:
        bind(b, node.target, item, origin)
        b.suite(node.body)
    orelse = block(b, node.orelse.body if node.orelse else None)
    b.emit(ir.For(origin, iterable, item, tuple(body), orelse, node.asynchronous is not None))


@statement(cst.With)
def with_(b: Builder, node: cst.With) -> None:
    _with_items(b, node, 0)


def _with_items(b: Builder, node: cst.With, position: int) -> None:
    if position == len(node.items):
        b.suite(node.body)
        return
    item = node.items[position]
    manager = b.expr(item.item)
    origin = b.origin(item if len(node.items) > 1 else node)
    result = b.reg()
    with b.region() as body:
        if item.asname is not None:
            bind(b, item.asname.name, result, origin)
        _with_items(b, node, position + 1)
    b.emit(ir.With(origin, manager, result, tuple(body), node.asynchronous is not None))


@statement(cst.Try, cst.TryStar)
def try_(b: Builder, node: cst.Try | cst.TryStar) -> None:
    body = block(b, node.body)
    handlers = tuple(_handler(b, handler) for handler in node.handlers)
    orelse = block(b, node.orelse.body if node.orelse else None)
    final = block(b, node.finalbody.body if node.finalbody else None)
    b.emit(ir.Try(b.origin(node), body, handlers, orelse, final))


def _handler(b: Builder, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ir.Handler:
    origin = b.origin(node)
    with b.region() as test:
        exception = None if node.type is None else b.expr(node.type)
    with b.region() as body:
        if node.name is not None:
            bind(b, node.name.name, b.unknown(node, "exception"), origin)
        b.suite(node.body)
        if node.name is not None and isinstance(node.name.name, cst.Name):
            kept, scope = b.env.resolve(node.name.name.value)
            b.emit(ir.Unbind(origin, kept, scope))  # Python forgets the exception after its handler
    return ir.Handler(origin, tuple(test), exception, tuple(body), isinstance(node, cst.ExceptStarHandler))
