"""Assignments, augmented assignments, annotations and deletions."""

from __future__ import annotations

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import Builder, statement
from inplace_lint.lowering.expressions import index, operator_text


def bind(b: Builder, target: cst.CSTNode, src: ir.Reg, origin: int) -> None:
    """Bind ``src`` to an assignment target, the stores having ``origin``."""
    if isinstance(target, cst.Name):
        b.store(origin, target.value, src)
    elif isinstance(target, cst.Attribute):
        b.emit(ir.SetAttr(origin, b.expr(target.value), target.attr.value, src))
    elif isinstance(target, cst.Subscript):
        obj = b.expr(target.value)
        b.emit(ir.SetItem(origin, obj, index(b, target), src))
    elif isinstance(target, (cst.Tuple, cst.List)):
        parts = tuple(b.reg() for _ in target.elements)
        stars = [i for i, element in enumerate(target.elements) if isinstance(element, cst.StarredElement)]
        b.emit(ir.Unpack(origin, src, parts, stars[0] if stars else None))
        for element, part in zip(target.elements, parts, strict=True):
            bind(b, element.value, part, origin)
    elif isinstance(target, cst.StarredElement):
        bind(b, target.value, src, origin)
    else:
        b.unknown(target, f"assignment to {type(target).__name__}", (src,))


@statement(cst.Assign)
def assign(b: Builder, node: cst.Assign) -> None:
    value = b.expr(node.value)
    origin = b.origin(node)
    for target in node.targets:
        bind(b, target.target, value, origin)


@statement(cst.AnnAssign)
def annotated(b: Builder, node: cst.AnnAssign) -> None:
    value = None if node.value is None else b.expr(node.value)
    origin = b.origin(node)
    if isinstance(node.target, cst.Name) and not node.target.lpar:
        b.emit(ir.Annotate(origin, node.target.value, b.text(node.annotation.annotation)))
    if value is not None:
        bind(b, node.target, value, origin)


@statement(cst.AugAssign)
def augmented(b: Builder, node: cst.AugAssign) -> None:
    # Python evaluates the parts of the target once, reads it, evaluates the operand, and stores the result back.
    target = node.target
    op = operator_text(node.operator).removesuffix("=")
    origin = b.origin(node)
    old, new = b.reg(), b.reg()
    if isinstance(target, cst.Name):
        kept, scope = b.env.resolve(target.value)
        b.emit(ir.Load(b.origin(target), old, kept, scope))
        b.emit(ir.InPlace(origin, new, op, old, b.expr(node.value)))
        b.emit(ir.Store(origin, kept, scope, new))
    elif isinstance(target, cst.Attribute):
        obj = b.expr(target.value)
        b.emit(ir.GetAttr(b.origin(target), old, obj, target.attr.value))
        b.emit(ir.InPlace(origin, new, op, old, b.expr(node.value)))
        b.emit(ir.SetAttr(origin, obj, target.attr.value, new, augmented=True))
    elif isinstance(target, cst.Subscript):
        obj = b.expr(target.value)
        position = index(b, target)
        b.emit(ir.GetItem(b.origin(target), old, obj, position))
        b.emit(ir.InPlace(origin, new, op, old, b.expr(node.value)))
        b.emit(ir.SetItem(origin, obj, position, new, augmented=True))
    else:
        b.unknown(node, f"augmented assignment to {type(target).__name__}", (b.expr(node.value),))


@statement(cst.Del)
def delete(b: Builder, node: cst.Del) -> None:
    _delete(b, node.target, b.origin(node))


def _delete(b: Builder, target: cst.CSTNode, origin: int) -> None:
    if isinstance(target, cst.Name):
        kept, scope = b.env.resolve(target.value)
        b.emit(ir.Unbind(origin, kept, scope))
    elif isinstance(target, cst.Attribute):
        b.emit(ir.DelAttr(origin, b.expr(target.value), target.attr.value))
    elif isinstance(target, cst.Subscript):
        obj = b.expr(target.value)
        b.emit(ir.DelItem(origin, obj, index(b, target)))
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            _delete(b, element.value, origin)
    else:
        b.unknown(target, f"deletion of {type(target).__name__}")
