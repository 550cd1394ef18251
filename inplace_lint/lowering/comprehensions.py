"""Comprehensions and generator expressions: an empty collection, a loop, and an append.

A generator expression is lowered like a list: when its elements are made does not matter to this analysis as much as
that they are made in the scope around it.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.assignments import bind
from inplace_lint.lowering.builder import Builder, expression
from inplace_lint.lowering.scopes import target_names


@expression(cst.ListComp, cst.GeneratorExp)
def list_comprehension(b: Builder, node: cst.ListComp | cst.GeneratorExp) -> ir.Reg:
    return _comprehension(b, node, node.for_in, "list", lambda dst: _append(b, node, dst, node.elt))


@expression(cst.SetComp)
def set_comprehension(b: Builder, node: cst.SetComp) -> ir.Reg:
    return _comprehension(b, node, node.for_in, "set", lambda dst: _append(b, node, dst, node.elt))


@expression(cst.DictComp)
def dict_comprehension(b: Builder, node: cst.DictComp) -> ir.Reg:
    def add(dst: ir.Reg) -> None:
        key = b.expr(node.key)
        b.emit(ir.Append(b.origin(node), dst, b.expr(node.value), key))

    return _comprehension(b, node, node.for_in, "dict", add)


@expression("StarredDictComp")
def merging_comprehension(b: Builder, node: cst.BaseComp) -> ir.Reg:
    def add(dst: ir.Reg) -> None:
        merged: cst.BaseExpression = node.value  # type: ignore[attr-defined]  # StarredDictComp: libcst 1.9
        b.unknown(node, "merging dict comprehension", (dst, b.expr(merged)))

    return _comprehension(b, node, node.for_in, "dict", add)


def _append(b: Builder, node: cst.CSTNode, collection: ir.Reg, element: cst.BaseExpression) -> None:
    origin = b.origin(node)
    if not isinstance(element, cst.StarredElement):
        b.emit(ir.Append(origin, collection, b.expr(element)))
        return
    iterable = b.expr(element.value)
    item = b.reg()
    b.emit(ir.For(origin, iterable, item, (ir.Append(origin, collection, item),), ()))


def _comprehension(
    b: Builder, node: cst.CSTNode, for_in: cst.CompFor, kind: ir.DisplayKind, add: Callable[[ir.Reg], None]
) -> ir.Reg:
    # The outermost iterable is evaluated outside of the comprehension's scope.
    iterable = b.expr(for_in.iter)
    dst = b.reg()
    b.emit(ir.Build(b.origin(node), dst, kind, ()))
    names: list[str] = []
    clause: cst.CompFor | None = for_in
    while clause is not None:
        names.extend(target_names(clause.target))
        clause = clause.inner_for_in
    with b.frame(names, hides_class=True):
        _loop(b, for_in, iterable, lambda: add(dst))
    return dst


def _loop(b: Builder, clause: cst.CompFor, iterable: ir.Reg, add: Callable[[], None]) -> None:
    origin = b.origin(clause)
    item = b.reg()

    def innermost() -> None:
        inner = clause.inner_for_in
        if inner is None:
            add()
        else:
            _loop(b, inner, b.expr(inner.iter), add)

    def filtered(position: int) -> None:
        if position == len(clause.ifs):
            innermost()
            return
        condition = clause.ifs[position]
        cond = b.expr(condition.test)
        with b.region() as then:
            filtered(position + 1)
        b.emit(ir.If(b.origin(condition.test), cond, tuple(then), ()))

    with b.region() as body:
        bind(b, clause.target, item, origin)
        filtered(0)
    b.emit(ir.For(origin, iterable, item, tuple(body), (), clause.asynchronous is not None))
