"""Simple statements."""

from __future__ import annotations

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import Builder, statement
from inplace_lint.lowering.syntax import dotted_name


@statement(cst.SimpleStatementLine, cst.SimpleStatementSuite)
def line(b: Builder, node: cst.SimpleStatementLine | cst.SimpleStatementSuite) -> None:
    for small in node.body:
        b.statement(small)


@statement(cst.Pass, cst.Global, cst.Nonlocal)
def nothing(b: Builder, node: cst.CSTNode) -> None:
    """Nothing happens: declarations were read when the names of the definition were collected."""


@statement(cst.Expr)
def expression_statement(b: Builder, node: cst.Expr) -> None:
    b.expr(node.value)


@statement(cst.Return)
def return_(b: Builder, node: cst.Return) -> None:
    value = None if node.value is None else b.expr(node.value)
    b.emit(ir.Return(b.origin(node), value))


@statement(cst.Raise)
def raise_(b: Builder, node: cst.Raise) -> None:
    value = None if node.exc is None else b.expr(node.exc)
    if node.cause is not None:
        b.expr(node.cause.item)
    b.emit(ir.Raise(b.origin(node), value))


@statement(cst.Break)
def break_(b: Builder, node: cst.Break) -> None:
    b.emit(ir.Break(b.origin(node)))


@statement(cst.Continue)
def continue_(b: Builder, node: cst.Continue) -> None:
    b.emit(ir.Continue(b.origin(node)))


@statement(cst.Assert)
def assert_(b: Builder, node: cst.Assert) -> None:
    cond = b.expr(node.test)
    origin = b.origin(node)
    with b.region() as failed:
        value = None if node.msg is None else b.expr(node.msg)
        b.emit(ir.Raise(origin, value))
    b.emit(ir.If(origin, cond, (), tuple(failed)))


@statement(cst.Import, "LazyImport")
def import_(b: Builder, node: cst.Import) -> None:
    for alias in node.names:
        origin = b.origin(alias)
        module = dotted_name(alias.name)
        dst = b.reg()
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            b.emit(ir.Import(origin, dst, module))
            b.store(origin, alias.asname.name.value, dst)
        else:
            top = module.partition(".")[0]
            b.emit(ir.Import(origin, dst, top, loads=module))
            b.store(origin, top, dst)


@statement(cst.ImportFrom, "LazyImportFrom")
def import_from(b: Builder, node: cst.ImportFrom) -> None:
    module = "" if node.module is None else dotted_name(node.module)
    level = len(node.relative)
    if isinstance(node.names, cst.ImportStar):
        b.emit(ir.ImportStar(b.origin(node), module, level))
        return
    for alias in node.names:
        origin = b.origin(alias)
        name = dotted_name(alias.name)
        bound = alias.asname.name if alias.asname is not None else alias.name
        dst = b.reg()
        b.emit(ir.Import(origin, dst, module, name, level))
        b.store(origin, bound.value if isinstance(bound, cst.Name) else name, dst)


@statement(cst.TypeAlias)
def type_alias(b: Builder, node: cst.TypeAlias) -> None:
    # The value of a type alias is evaluated late, if ever, and holds no tensors.
    b.store(b.origin(node), node.name.value, b.unknown(node, "type alias"))
