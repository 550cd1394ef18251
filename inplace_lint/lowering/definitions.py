"""Functions, lambdas and classes, whose bodies are lowered when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import Builder, expression, statement
from inplace_lint.lowering.literals import string_value
from inplace_lint.lowering.scopes import Environment, bindings_of, parameter_nodes
from inplace_lint.lowering.units import parse_late


@statement(cst.FunctionDef)
def function(b: Builder, node: cst.FunctionDef) -> None:
    decorators = [(b.origin(d), b.expr(d.decorator)) for d in node.decorators]
    origin = b.origin(node)
    defaults = _defaults(b, node.params)
    with _type_parameters(b, node.type_parameters):
        code = _function_code(b, node, origin)
    value = b.reg()
    b.emit(ir.MakeFunction(origin, value, code, defaults))
    b.store(origin, node.name.value, _decorated(b, decorators, value))


def _function_code(b: Builder, node: cst.FunctionDef, origin: int) -> ir.Code:
    params = _parameters(b, node.params)
    qualname = b.prefix + node.name.value
    outer, renamed = b.env, b.renamed
    late = b.unit.late_body(node.body)
    here = None if late is not None else bindings_of([node.body], (p.name for p in params))

    def lower() -> ir.Region:
        unit, body = (b.unit, node.body) if late is None else parse_late(late)
        bindings = here or bindings_of([body], (p.name for p in params))
        env = Environment("function", bindings, outer)
        inner = Builder(b.table, unit, env, f"{qualname}.<locals>.", renamed, origin)
        inner.suite(body)
        return tuple(inner.out)

    return ir.Code(
        file=b.table.file,
        name=node.name.value,
        qualname=qualname,
        kind="function",
        origin=origin,
        params=params,
        lower=b.table.guarded(origin, lower),
        is_generator=here.is_generator if here is not None else late is not None and late.is_generator,
        is_async=node.asynchronous is not None,
        returns=None if node.returns is None else b.text(node.returns.annotation),
        docstring=docstring(node.body.body) if late is None else late.docstring,
    )


@expression(cst.Lambda)
def lambda_(b: Builder, node: cst.Lambda) -> ir.Reg:
    origin = b.origin(node)
    defaults = _defaults(b, node.params)
    params = _parameters(b, node.params)
    bindings = bindings_of([node.body], (p.name for p in params))
    qualname = f"{b.prefix}<lambda>"
    env, renamed = Environment("lambda", bindings, b.env), b.renamed

    def lower() -> ir.Region:
        inner = Builder(b.table, b.unit, env, f"{qualname}.<locals>.", renamed, origin)
        inner.emit(ir.Return(inner.origin(node.body), inner.expr(node.body)))
        return tuple(inner.out)

    code = ir.Code(
        file=b.table.file,
        name="<lambda>",
        qualname=qualname,
        kind="lambda",
        origin=origin,
        params=params,
        lower=b.table.guarded(origin, lower),
        is_generator=bindings.is_generator,
    )
    dst = b.reg()
    b.emit(ir.MakeFunction(origin, dst, code, defaults))
    return dst


@statement(cst.ClassDef)
def class_(b: Builder, node: cst.ClassDef) -> None:
    decorators = [(b.origin(d), b.expr(d.decorator)) for d in node.decorators]
    origin = b.origin(node)
    with _type_parameters(b, node.type_parameters):
        bases: list[ir.Reg] = []
        keywords: list[tuple[str, ir.Reg]] = []
        for arg in (*node.bases, *node.keywords):
            value = b.expr(arg.value)
            if arg.keyword is not None:
                keywords.append((arg.keyword.value, value))
            elif arg.star != "**":
                bases.append(b.unknown(arg, "starred base", (value,)) if arg.star else value)
        code = _class_code(b, node, origin)
    made = b.reg()
    b.emit(ir.MakeClass(origin, made, code, tuple(bases), tuple(keywords)))
    b.store(origin, node.name.value, _decorated(b, decorators, made))


def _class_code(b: Builder, node: cst.ClassDef, origin: int) -> ir.Code:
    env = Environment("class", bindings_of([node.body]), b.env)
    qualname = b.prefix + node.name.value
    renamed = b.renamed

    def lower() -> ir.Region:
        inner = Builder(b.table, b.unit, env, f"{qualname}.", renamed, origin)
        inner.suite(node.body)
        return tuple(inner.out)

    return ir.Code(
        file=b.table.file,
        name=node.name.value,
        qualname=qualname,
        kind="class",
        origin=origin,
        params=(),
        lower=b.table.guarded(origin, lower),
        docstring=docstring(node.body.body),
    )


def docstring(body: Sequence[cst.CSTNode]) -> str | None:
    """The docstring of a body: the text that its first statement consists of."""
    first = body[0] if body else None
    if isinstance(first, cst.SimpleStatementLine):
        first = first.body[0] if first.body else None
    if isinstance(first, cst.Expr) and isinstance(first.value, (cst.SimpleString, cst.ConcatenatedString)):
        value = string_value(first.value)
        return value if isinstance(value, str) else None
    return None


def _decorated(b: Builder, decorators: list[tuple[int, ir.Reg]], value: ir.Reg) -> ir.Reg:
    for origin, decorator in reversed(decorators):
        dst = b.reg()
        b.emit(ir.Decorate(origin, dst, decorator, value))
        value = dst
    return value


def _parameters(b: Builder, params: cst.Parameters) -> tuple[ir.Parameter, ...]:
    return tuple(
        ir.Parameter(
            param.name.value,
            kind,
            param.default is not None,
            None if param.annotation is None else b.text(param.annotation.annotation),
        )
        for param, kind in parameter_nodes(params)
    )


def _defaults(b: Builder, params: cst.Parameters) -> tuple[tuple[str, ir.Reg], ...]:
    return tuple(
        (param.name.value, b.expr(param.default)) for param, _ in parameter_nodes(params) if param.default is not None
    )


@contextmanager
def _type_parameters(b: Builder, parameters: cst.TypeParameters | None) -> Iterator[None]:
    """Bind type parameters around a definition, under new names as they are invisible after it."""
    if parameters is None:
        yield
        return
    with b.frame([p.param.name.value for p in parameters.params], hides_class=False):
        for parameter in parameters.params:
            value = b.unknown(parameter.param, "type parameter")
            b.store(b.origin(parameter.param), parameter.param.name.value, value)
        yield
