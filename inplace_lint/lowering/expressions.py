"""Expressions: names, operators, calls, attributes, subscripts and displays."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering.builder import Builder, expression

# Beyond this many operands, `and`, `or` and comparison chains are lowered side by side instead of nested:
# the same meaning, but the narrower conditions of the nested form are lost.
LONGEST_NEST = 40


@expression(cst.Name)
def name(b: Builder, node: cst.Name) -> ir.Reg:
    value = node.value
    if value in _NAMED_CONSTANTS:
        return b.const(node, _NAMED_CONSTANTS[value])
    return b.load(node, value)


_NAMED_CONSTANTS: dict[str, object] = {"None": None, "True": True, "False": False}


@expression(cst.Attribute)
def attribute(b: Builder, node: cst.Attribute) -> ir.Reg:
    obj = b.expr(node.value)
    dst = b.reg()
    b.emit(ir.GetAttr(b.origin(node), dst, obj, node.attr.value))
    return dst


@expression(cst.Subscript)
def subscript(b: Builder, node: cst.Subscript) -> ir.Reg:
    obj = b.expr(node.value)
    position = index(b, node)
    dst = b.reg()
    b.emit(ir.GetItem(b.origin(node), dst, obj, position))
    return dst


def index(b: Builder, node: cst.Subscript) -> ir.Reg:
    """Lower what stands between the brackets; a tuple when there is a comma or a star."""
    elements = node.slice
    first = elements[0]
    plain = not (isinstance(first.slice, cst.Index) and first.slice.star)
    if len(elements) == 1 and plain and not isinstance(first.comma, cst.Comma):
        return _slice(b, first.slice)
    items: list[ir.Item] = []
    for element in elements:
        star = isinstance(element.slice, cst.Index) and bool(element.slice.star)
        items.append(ir.Item(_slice(b, element.slice), star=star))
    dst = b.reg()
    b.emit(ir.Build(b.origin(node), dst, "tuple", tuple(items)))
    return dst


def _slice(b: Builder, node: cst.BaseSlice) -> ir.Reg:
    if isinstance(node, cst.Index):
        return b.expr(node.value)
    if isinstance(node, cst.Slice):
        lower, upper, step = (None if part is None else b.expr(part) for part in (node.lower, node.upper, node.step))
        dst = b.reg()
        b.emit(ir.MakeSlice(b.origin(node), dst, lower, upper, step))
        return dst
    return b.unknown(node, f"{type(node).__name__} in a subscript")


@expression(cst.Call)
def call(b: Builder, node: cst.Call) -> ir.Reg:
    func = b.expr(node.func)
    args = arguments(b, node.args)
    dst = b.reg()
    b.emit(ir.Call(b.origin(node), dst, func, args))
    return dst


def arguments(b: Builder, nodes: Sequence[cst.Arg]) -> tuple[ir.Arg, ...]:
    """Lower the arguments of a call in the order of the source."""
    args: list[ir.Arg] = []
    for node in nodes:
        value = b.expr(node.value)
        if node.star == "*":
            args.append(ir.Arg(value, "star"))
        elif node.star == "**":
            args.append(ir.Arg(value, "double_star"))
        elif node.keyword is not None:
            args.append(ir.Arg(value, "keyword", node.keyword.value))
        else:
            args.append(ir.Arg(value))
    return tuple(args)


def operator_text(node: cst.CSTNode) -> str:
    """The operator as written, without the layout around it."""
    if isinstance(node, cst.NotIn):
        return "not in"
    if isinstance(node, cst.IsNot):
        return "is not"
    if isinstance(node, cst.NotEqual):
        return node.value
    token = node._get_token()  # type: ignore[attr-defined]  # libcst has no public way to ask an operator its text
    assert isinstance(token, str)
    return token


@expression(cst.BinaryOperation)
def binary(b: Builder, node: cst.BinaryOperation) -> ir.Reg:
    # Left-leaning chains can be thousands of terms long in generated code.
    chain: list[cst.BinaryOperation] = [node]
    while isinstance(chain[-1].left, cst.BinaryOperation):
        chain.append(chain[-1].left)
    left = b.expr(chain[-1].left)
    for link in reversed(chain):
        right = b.expr(link.right)
        dst = b.reg()
        b.emit(ir.Binary(b.origin(link), dst, operator_text(link.operator), left, right))
        left = dst
    return left


@expression(cst.UnaryOperation)
def unary(b: Builder, node: cst.UnaryOperation) -> ir.Reg:
    op = operator_text(node.operator)
    operand = b.expr(node.expression)
    made = b.out[-1] if b.out else None
    if op == "-" and isinstance(node.expression, cst.BaseNumber) and isinstance(made, ir.Const):
        value = made.value
        if isinstance(value, (int, float, complex)):
            b.out.pop()
            return b.const(node, -value)
    dst = b.reg()
    b.emit(ir.Unary(b.origin(node), dst, op, operand))
    return dst


@expression(cst.BooleanOperation)
def boolean(b: Builder, node: cst.BooleanOperation) -> ir.Reg:
    is_and = isinstance(node.operator, cst.And)
    origin = b.origin(node)
    dst = b.reg()
    steps: list[tuple[ir.Reg, list[ir.Instr]]] = []
    for operand in _operands(node):
        with b.region() as step:
            value = b.expr(operand)
            b.emit(ir.Move(origin, dst, value))
        steps.append((value, step))
    b.out.extend(_nest(origin, dst, steps, is_and))
    return dst


def _operands(node: cst.BooleanOperation) -> list[cst.BaseExpression]:
    """The operands of a chain of one operator, however it is bracketed: it is associative."""
    kind = type(node.operator)
    found: list[cst.BaseExpression] = []
    pending: list[cst.BaseExpression] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.BooleanOperation) and type(current.operator) is kind:
            pending.append(current.right)
            pending.append(current.left)
        else:
            found.append(current)
    return found


def _nest(origin: int, dst: ir.Reg, steps: list[tuple[ir.Reg, list[ir.Instr]]], go_on_if: bool) -> list[ir.Instr]:
    """Join steps that each leave a value in ``dst``, a later one running only if the value before is ``go_on_if``."""
    if len(steps) > LONGEST_NEST:
        flat = list(steps[0][1])
        for _, step in steps[1:]:
            flat.append(_if(origin, dst, tuple(step), go_on_if))
        return flat
    region: list[ir.Instr] = []
    for value, step in reversed(steps):
        region = [*step, _if(origin, value, tuple(region), go_on_if)] if region else list(step)
    return region


def _if(origin: int, cond: ir.Reg, region: ir.Region, wanted: bool) -> ir.If:
    return ir.If(origin, cond, region, ()) if wanted else ir.If(origin, cond, (), region)


@expression(cst.Comparison)
def comparison(b: Builder, node: cst.Comparison) -> ir.Reg:
    left = b.expr(node.left)
    if len(node.comparisons) == 1:
        only = node.comparisons[0]
        right = b.expr(only.comparator)
        dst = b.reg()
        b.emit(ir.Compare(b.origin(node), dst, operator_text(only.operator), left, right))
        return dst
    origin = b.origin(node)
    dst = b.reg()
    steps: list[tuple[ir.Reg, list[ir.Instr]]] = []
    for target in node.comparisons:
        with b.region() as step:
            right = b.expr(target.comparator)
            value = b.reg()
            b.emit(ir.Compare(origin, value, operator_text(target.operator), left, right))
            b.emit(ir.Move(origin, dst, value))
        steps.append((value, step))
        left = right
    b.out.extend(_nest(origin, dst, steps, True))
    return dst


@expression(cst.IfExp)
def conditional(b: Builder, node: cst.IfExp) -> ir.Reg:
    cond = b.expr(node.test)
    origin = b.origin(node)
    dst = b.reg()
    with b.region() as then:
        b.emit(ir.Move(origin, dst, b.expr(node.body)))
    with b.region() as orelse:
        b.emit(ir.Move(origin, dst, b.expr(node.orelse)))
    b.emit(ir.If(origin, cond, tuple(then), tuple(orelse)))
    return dst


@expression(cst.NamedExpr)
def walrus(b: Builder, node: cst.NamedExpr) -> ir.Reg:
    value = b.expr(node.value)
    if isinstance(node.target, cst.Name):
        # Inside a comprehension a walrus binds in the definition around it.
        kept, scope = b.env.without_frames().resolve(node.target.value)
        b.emit(ir.Store(b.origin(node), kept, scope, value))
    return value


@expression(cst.Tuple)
def tuple_display(b: Builder, node: cst.Tuple) -> ir.Reg:
    return _display(b, node, node.elements, "tuple")


@expression(cst.List)
def list_display(b: Builder, node: cst.List) -> ir.Reg:
    return _display(b, node, node.elements, "list")


@expression(cst.Set)
def set_display(b: Builder, node: cst.Set) -> ir.Reg:
    return _display(b, node, node.elements, "set")


def _display(b: Builder, node: cst.CSTNode, elements: Sequence[cst.BaseElement], kind: ir.DisplayKind) -> ir.Reg:
    items = tuple(ir.Item(b.expr(element.value), star=isinstance(element, cst.StarredElement)) for element in elements)
    dst = b.reg()
    b.emit(ir.Build(b.origin(node), dst, kind, items))
    return dst


@expression(cst.Dict)
def dict_display(b: Builder, node: cst.Dict) -> ir.Reg:
    items: list[ir.Item] = []
    for element in node.elements:
        if isinstance(element, cst.DictElement):
            key = b.expr(element.key)
            items.append(ir.Item(b.expr(element.value), key=key))
        else:
            items.append(ir.Item(b.expr(element.value), star=True))
    dst = b.reg()
    b.emit(ir.Build(b.origin(node), dst, "dict", tuple(items)))
    return dst


@expression(cst.Await)
def await_(b: Builder, node: cst.Await) -> ir.Reg:
    value = b.expr(node.expression)
    dst = b.reg()
    b.emit(ir.Await(b.origin(node), dst, value))
    return dst


@expression(cst.Yield)
def yield_(b: Builder, node: cst.Yield) -> ir.Reg:
    if isinstance(node.value, cst.From):
        iterable, item, sent = b.expr(node.value.item), b.reg(), b.reg()
        b.emit(ir.For(b.origin(node), iterable, item, (ir.Yield(b.origin(node), sent, item),), ()))
        return b.unknown(node, "what a generator returns", ())
    value = None if node.value is None else b.expr(node.value)
    dst = b.reg()
    b.emit(ir.Yield(b.origin(node), dst, value))
    return dst


@expression(cst.StarredElement)
def starred(b: Builder, node: cst.StarredElement) -> ir.Reg:
    return b.unknown(node, "starred expression", (b.expr(node.value),))
