"""Writes to the elements that a mask picks, out of place: ``masked_fill`` and ``torch.where``.

Both pair a mask with the tensor from its last dimension on, a mask as index from the first one on. They say the same where the
mask is as large as the tensor, which shows where it is computed from the tensor, element by element.
"""

from __future__ import annotations

import ast

from .parsed import BINARY, Parsed, bracketed

_ELEMENTWISE = frozenset(
    {"abs", "bool", "isnan", "isinf", "isfinite", "isneginf", "isposinf", "logical_not", "neg", "sign", "signbit"}
)
"""Methods, and functions of torch, that give a result of the tensor's own shape."""


def out_of_place(parsed: Parsed) -> str | None:
    """The statement that rebinds the name, for ``y[y < 0] = 0``, ``y[y < 0] *= 2`` and ``y[y < 0] = z[y < 0]``; else None."""
    tree = parsed.tree
    if isinstance(tree, ast.Assign) and len(tree.targets) == 1:
        target = tree.targets[0]
    elif isinstance(tree, ast.AugAssign):
        target = tree.target
    else:
        return None
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        return None
    name, value, mask = target.value.id, tree.value, target.slice
    if not _covers(mask, name):
        return None
    picked = parsed.source(mask)
    if isinstance(tree, ast.AugAssign):
        if not _is_number(value):
            return None
        symbol, strength = BINARY[type(tree.op)]
        return f"{name} = torch.where({picked}, {name} {symbol} {bracketed(parsed, value, strength)}, {name})"
    if _is_number(value):
        return f"{name} = {name}.masked_fill({picked}, {parsed.source(value)})"
    if (
        isinstance(value, ast.Subscript)
        and ast.dump(value.slice) == ast.dump(mask)
        and isinstance(value.value, ast.Name)
    ):
        return f"{name} = torch.where({picked}, {value.value.id}, {name})"
    return None


def _is_number(node: ast.expr) -> bool:
    """Whether an expression is a number as written, with a sign or without."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def _covers(mask: ast.expr, name: str) -> bool:
    """Whether a mask has one element for each of the tensor's, and is a mask for sure."""
    if isinstance(mask, ast.Compare):
        sides = [mask.left, *mask.comparators]
        return len(sides) == 2 and any(_same_shape(a, name) and _is_number(b) for a, b in (sides, sides[::-1]))
    if isinstance(mask, ast.UnaryOp) and isinstance(mask.op, ast.Invert):
        return _covers(mask.operand, name)
    if isinstance(mask, ast.BinOp) and isinstance(mask.op, (ast.BitAnd, ast.BitOr, ast.BitXor)):
        return _covers(mask.left, name) and _covers(mask.right, name)
    called = mask.func.attr if isinstance(mask, ast.Call) and isinstance(mask.func, ast.Attribute) else ""
    return called.startswith("is") and _same_shape(mask, name)


def _same_shape(node: ast.expr, name: str) -> bool:
    """Whether an expression is the tensor of that name, or computed from it element by element."""
    if isinstance(node, ast.Name):
        return node.id == name
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _ELEMENTWISE:
        return False
    if node.keywords:
        return False
    of_torch = isinstance(node.func.value, ast.Name) and node.func.value.id == "torch"
    if of_torch:
        return len(node.args) == 1 and _same_shape(node.args[0], name)
    return not node.args and _same_shape(node.func.value, name)
