"""How far a rewrite may be applied: what it may change in a program besides what the finding is about.

*safe*: no value that the program computed before is another one now; it can be applied unseen. *unsafe*: it cures the
finding, and something else may notice: another name for the tensor, a caller who counts on the write, a dtype.
*display-only*: the author has to choose, since the code as it stands does not tell what was meant.
"""

from __future__ import annotations

import ast
import re

from ..diagnostics import Applicability
from ..events import Context, Site, Use, Write
from . import words
from .base import Rewrite, RuleContext
from .rewrite import WITHOUT_TWIN


def of_new_tensor(ctx: RuleContext, write: Write, new: Rewrite | None, context: Context | None = None) -> Applicability:
    """The level of binding a name to a new tensor instead of writing to the one it stands for.

    Safe where that name alone holds the tensor, nothing shares its memory, and the new tensor is of the same dtype: the
    operands are literals, or tensors of that dtype. Under ``no_grad`` a new tensor would lose its history, which the write kept.
    Never applied where a function writes to what others hold and is called for that alone: the new tensor would be lost.
    """
    if new is None:
        return "unsafe"
    if write.form == "module" and write.uses:
        return _of_module(ctx, write, new)
    if new.replaces != write.site:
        return "unsafe"
    if write.in_no_grad and write.graph:
        return "display-only"
    calls = () if context is None else context.calls
    if write.held == "name" and not write.alone and calls and _is_for_effect(ctx, calls[-1]):
        return "display-only"
    if not write.alone or write.held not in ("name", "view"):
        return "unsafe"
    try:
        before, after = (ast.parse(text).body for text in (ctx.statement(write.site).text, new.code))
    except SyntaxError:
        return "unsafe"
    name = _bound(after[0])
    if name is None or len(before) != 1:
        return "unsafe"
    if len(after) > 1:
        cloned = ast.unparse(after[0]) == f"{name} = {name}.clone()" and ast.dump(after[1]) == ast.dump(before[0])
        return "safe" if cloned and len(after) == 2 else "unsafe"
    return "safe" if write.held == "name" and _same_dtype(before[0], name, write.alike) else "unsafe"


def _is_for_effect(ctx: RuleContext, call: Site) -> bool:
    """Whether nothing is done with the result of a call."""
    try:
        (statement,) = ast.parse(ctx.statement(call).text.strip()).body
    except (SyntaxError, ValueError):
        return False
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def _of_module(ctx: RuleContext, write: Write, new: Rewrite) -> Applicability:
    """The level of making a module without ``inplace=True``.

    Safe where every call that was seen of what is made there is for its result alone: nothing holds the input but the call, or a
    name that the calling statement binds to the result, or leaves by returning it. Random numbers may be drawn otherwise.
    """
    if write.in_no_grad and write.graph:
        return "display-only"
    if _RANDOM.search(write.op) or new.replaces is None or new.replaces.file != write.site.file:
        return "unsafe"
    uses = [use for use in write.uses if new.replaces in (use.made, use.called)]
    return "safe" if uses and all(use.unseen or (use.alone and _takes_result(ctx, use)) for use in uses) else "unsafe"


_RANDOM = re.compile("dropout|rrelu", re.IGNORECASE)


def _takes_result(ctx: RuleContext, use: Use) -> bool:
    """Whether a call's input is forgotten by the statement that calls: ``x = act(x)``, ``return act(x)``."""
    called = use.called if not words.is_constructor(ctx, use.called) else use.made
    try:
        statement = ast.parse(ctx.statement(called).text.strip()).body[0]
    except (SyntaxError, IndexError):
        return False
    value = statement.value if isinstance(statement, (ast.Assign, ast.Return)) else None
    if not isinstance(value, ast.Call) or len(value.args) != 1 or not isinstance(value.args[0], ast.Name):
        return False
    return isinstance(statement, ast.Return) or _bound(statement) == value.args[0].id


def of_no_grad(write: Write, context: Context) -> Applicability:
    """The level of writing to a leaf under ``no_grad``.

    The program raised there. Safe where nothing that is trained goes into the write, whoever calls the code.
    """
    return "unsafe" if write.graph or context.assumptions else "safe"


def _bound(statement: ast.stmt) -> str | None:
    """The plain name that an assignment binds."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _same_dtype(before: ast.stmt, name: str, alike: bool) -> bool:
    """Whether a statement writes to the name's tensor alone, and the result out of place is of the tensor's dtype."""
    if isinstance(before, ast.AugAssign):
        whole = before.target.value if isinstance(before.target, ast.Subscript) else before.target
        return isinstance(whole, ast.Name) and whole.id == name and (alike or _literal(before.value))
    if isinstance(before, ast.Assign) and isinstance(before.targets[0], ast.Subscript):
        return _literal(before.value)  # a masked_fill
    if isinstance(before, ast.Assign) and _bound(before) != name:
        return False
    call = before.value if isinstance(before, (ast.Expr, ast.Assign)) else None
    if not isinstance(call, ast.Call):
        return False
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == name:
        return call.func.attr not in WITHOUT_TWIN and (alike or all(map(_literal, arguments)))
    # A function: what it writes to is its first argument.
    first = arguments[0] if arguments else None
    return isinstance(first, ast.Name) and first.id == name and (alike or all(map(_literal, arguments[1:])))


def _literal(node: ast.expr) -> bool:
    """Whether an expression is made of numbers and flags alone."""
    return all(
        (isinstance(part, ast.Constant) and isinstance(part.value, (int, float, type(None))))
        or isinstance(part, (ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop))
        for part in ast.walk(node)
    )
