"""The rewrite that suits a write, as the user would type it, made from the statement's own text.

Only the part that changes is replaced, so that spacing and names stay the user's. Where the code's shape is not
understood there is no suggestion in code (None), never a wrong one.
"""

from __future__ import annotations

import ast
import operator
import textwrap
from collections.abc import Callable
from dataclasses import replace

from ..events import Site, Write
from . import masked
from .base import Rewrite, RuleContext
from .layout import free_name
from .parsed import BINARY, Parsed, bracketed, parse

# In-place methods whose name without the underscore is no method of a tensor: what to write instead, with `{y}` the
# tensor and `{args}` the arguments. None: there is no out-of-place form, so the write goes to a clone.
WITHOUT_TWIN: dict[str, str | None] = {
    "copy_": "{args}.clone()",
    "fill_": "torch.full_like({y}, {args})",
    "zero_": "torch.zeros_like({y})",
    "uniform_": "torch.empty_like({y}).uniform_({args})",
    "normal_": "torch.empty_like({y}).normal_({args})",
    "random_": "torch.empty_like({y}).random_({args})",
    "bernoulli_": "torch.empty_like({y}).bernoulli_({args})",
    "cauchy_": "torch.empty_like({y}).cauchy_({args})",
    "exponential_": "torch.empty_like({y}).exponential_({args})",
    "geometric_": "torch.empty_like({y}).geometric_({args})",
    "log_normal_": "torch.empty_like({y}).log_normal_({args})",
    "fill_diagonal_": None,
    "set_": None,
    "apply_": None,
    "map_": None,
    "map2_": None,
    "resize_": None,
    "resize_as_": None,
    "resize_as_sparse_": None,
    "sparse_resize_": None,
    "sparse_resize_and_clear_": None,
    "as_strided_": None,
    "share_memory_": None,
    "requires_grad_": None,
}


# The functions of ``operator`` that change their first argument, each with the one that makes a new object.
_PLAIN = {
    f"i{name.strip('_')}": name
    for name in operator.__all__
    if f"i{name.strip('_')}" in operator.__all__ and name != "concat"
}


def out_of_place(ctx: RuleContext, write: Write) -> Rewrite | None:
    """The write as an operation that makes a new tensor; None where there is no such form."""
    if write.form == "module" and write.flag_site is not None:
        flag = without_inplace_flag(ctx, write.flag_site)
        if flag is not None:
            return flag
    by_form: dict[str, Callable[[Parsed], str | None]] = {
        "operator": _operator,
        "method": _method,
        "item": _item,
        "function": _function,
        "module": _without_flag,
        "out": _out,
    }
    change = by_form.get(write.form)
    return _rewrite(ctx, write.site, change, write) if change else None


def clone_first(ctx: RuleContext, write: Write, method: str = "clone") -> Rewrite | None:
    """The same write, on a private copy that ``method`` makes just before; None where no name for it is clear."""
    return _rewrite(ctx, write.site, lambda parsed: _cloned(parsed, method), write)


def of_array(ctx: RuleContext, write: Write, array: bool) -> Rewrite | None:
    """A write to a NumPy array, or to an alias that autograd does not know, done to another array or tensor."""
    copy = "copy" if array or write.array else "clone"
    if write.form == "operator":
        return _rewrite(ctx, write.site, lambda parsed: _operator(parsed, copy), write)
    return clone_first(ctx, write, copy) if write.form == "item" else None


def under_no_grad(ctx: RuleContext, write: Write) -> Rewrite | None:
    """The statement inside ``with torch.no_grad():``; None where its value is used further, or its line is not its own."""

    def change(parsed: Parsed) -> str | None:
        return _in_no_grad(parsed, parsed.statement.text) if _has_no_value(parsed, write) else None

    return _rewrite(ctx, write.site, change) if write.form in _STATEMENTS else None


# The functions of torch.nn.init that do what a method does, under no_grad.
_INITIALISERS = {"uniform_": "uniform_", "normal_": "normal_", "zero_": "zeros_", "fill_": "constant_"}


def initialised(ctx: RuleContext, write: Write) -> Rewrite | None:
    """The call of `torch.nn.init` that does the same, where a method sets a whole parameter in an initialiser."""
    layout, spot = ctx.layout(write.site), ctx.spot(write.site)
    function = None if layout is None or spot is None else layout.function(spot)
    name = getattr(function, "name", "")
    if write.form != "method" or not ("init" in name or "reset_parameters" in name):
        return None

    def change(parsed: Parsed) -> str | None:
        call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr in _INITIALISERS)
        if call is None or not parsed.is_whole(call) or not isinstance(call.func, ast.Attribute) or call.keywords:
            return None
        owner = call.func.value
        if not _is_name(owner) and not isinstance(owner, ast.Attribute):
            return None
        arguments = ", ".join(map(parsed.source, (owner, *call.args)))
        return f"torch.nn.init.{_INITIALISERS[call.func.attr]}({arguments})"

    return _rewrite(ctx, write.site, change)


def can_stand_in_block(ctx: RuleContext, write: Write) -> bool:
    """Whether the statement could be put into a block, if its line were its own."""
    parsed = parse(ctx.statement(write.site)) if write.form in _STATEMENTS else None
    return parsed is not None and _has_no_value(parsed, write)


_STATEMENTS = ("operator", "method", "item", "out")


def _has_no_value(parsed: Parsed, write: Write) -> bool:
    """Whether nothing but the write comes of the statement."""
    tree = parsed.tree
    return isinstance(tree, (ast.Expr, ast.AugAssign)) or (isinstance(tree, ast.Assign) and write.form == "item")


def without_data(ctx: RuleContext, write: Write) -> Rewrite | None:
    """``.data`` replaced by what PyTorch checks: ``.detach()``, or no_grad where a statement needs a target."""

    def change(parsed: Parsed) -> str | None:
        nodes = list(parsed.nodes_at_site())
        plain = [it for it in nodes if isinstance(it, ast.Attribute) and it.attr == "data"]
        # Operands may have a ``.data`` too: what is written stands in the receiver of the outermost call.
        attribute = next((it for it in map(_data_of, nodes) if it is not None), plain[0] if plain else None)
        if attribute is None:
            return None
        start, end = parsed.extent(attribute.value)[1], parsed.extent(attribute)[1]
        tree = parsed.tree
        if isinstance(tree, ast.AugAssign) and tree.target is attribute:
            return _in_no_grad(parsed, parsed.with_changes([(start, end, "")]))
        if isinstance(tree, ast.Assign) and attribute in tree.targets:
            copied = f"{parsed.source(attribute.value)}.copy_({parsed.source(tree.value)})"
            return _in_no_grad(parsed, copied) if len(tree.targets) == 1 else None
        return parsed.with_changes([(start, end, ".detach()")])

    return _rewrite(ctx, write.site, change)


def _data_of(node: ast.AST) -> ast.Attribute | None:
    """The ``.data`` that a chain of methods, attributes and indices starts from."""
    while not (isinstance(node, ast.Attribute) and node.attr == "data"):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        else:
            return None
    return node


def without_inplace_flag(ctx: RuleContext, site: Site) -> Rewrite | None:
    """The statement at the site without its ``inplace=True``; None where it holds no such argument."""
    return _rewrite(ctx, site, _without_flag)


def with_argument(ctx: RuleContext, site: Site, argument: str) -> Rewrite | None:
    """The statement with one more argument in the call at the site."""

    def change(parsed: Parsed) -> str | None:
        call = parsed.call()
        if call is None:
            return None
        name, value = argument.split("=")
        for keyword in call.keywords:
            if keyword.arg == name:
                return parsed.with_changes([(*parsed.extent(keyword.value), value)])
        end = parsed.extent(call)[1] - 1
        comma = ", " if call.args or call.keywords else ""
        return parsed.with_changes([(end, end, f"{comma}{argument}")])

    return _rewrite(ctx, site, change)


def update_in_place(ctx: RuleContext, site: Site) -> Rewrite | None:
    """``w = w - step`` as an in-place update under no_grad; None for another shape."""

    def change(parsed: Parsed) -> str | None:
        tree = parsed.tree
        if not isinstance(tree, ast.Assign) or len(tree.targets) != 1:
            return None
        name, value = parsed.source(tree.targets[0]), tree.value
        if isinstance(value, ast.BinOp) and parsed.source(value.left) == name:
            symbol = BINARY[type(value.op)][0]
            # From the left operand's end, so that the right one keeps its brackets.
            rest = parsed.statement.text[parsed.extent(value.left)[1] :].lstrip()
            if not rest.startswith(symbol):
                return None
            return _in_no_grad(parsed, f"{name} {symbol}= {rest.removeprefix(symbol).strip()}")
        return _in_no_grad(parsed, f"{name}.copy_({parsed.source(value)})")

    return _rewrite(ctx, site, change)


def _rewrite(
    ctx: RuleContext, site: Site, change: Callable[[Parsed], str | None], write: Write | None = None
) -> Rewrite | None:
    """What ``change`` makes of the statement at the site."""
    parsed = parse(ctx.statement(site))
    if parsed and write:
        name = free_name(ctx.layout(site), "value")
        parsed = replace(parsed, held=write.held, form=write.form, root=write.root, value_name=name)
    text = change(parsed) if parsed else None
    if parsed and text and "\n" in text and not ctx.is_alone(site):
        text = _on_one_line(text)
    return Rewrite(parsed.tidy(text), site) if parsed and text else None


def _on_one_line(text: str) -> str | None:
    """Statements on one line, as they share it with others; None where one of them needs lines of its own."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        lines = text.split("\n")
        try:
            tree = ast.parse("\n".join([lines[0], *(line.lstrip() for line in lines[1:])]))
        except SyntaxError:
            return None
    compound = any(isinstance(part, ast.stmt) and hasattr(part, "body") for part in tree.body)
    return None if compound else "; ".join(map(ast.unparse, tree.body))


def _in_no_grad(parsed: Parsed, body: str) -> str:
    """The body, whose later lines are indented as in the file, inside the block."""
    first, *later = body.split("\n")
    block = ["with torch.no_grad():", f"{parsed.indent}    {first}", *(f"    {line}" for line in later)]
    return "\n".join(block)


def _operator(parsed: Parsed, copy: str = "clone") -> str | None:
    tree = parsed.tree
    if not isinstance(tree, ast.AugAssign):
        return _applied_operator(parsed)
    if parsed.held == "frozen":
        return None
    if isinstance(tree.target, ast.Subscript) and parsed.held != "slot":
        return (masked.out_of_place(parsed) if copy == "clone" else None) or _cloned(parsed, copy)
    symbol, strength = BINARY[type(tree.op)]
    target, value = parsed.source(tree.target), bracketed(parsed, tree.value, strength)
    return f"{target} = {target} {symbol} {value}"


def _applied_operator(parsed: Parsed) -> str | None:
    """``operator.iadd(y, z)`` as ``operator.add``, which makes a new object."""
    call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr in _PLAIN and len(it.args) == 2)
    if call is None or not isinstance(call.func, ast.Attribute):
        return None
    name, end = call.func.attr, parsed.extent(call.func)[1]
    changes = [(end - len(name), end, _PLAIN[name])]
    if parsed.is_whole(call) and isinstance(parsed.tree, ast.Expr):
        if parsed.held == "outer" or not (_is_name(call.args[0]) or _is_slot(parsed, call.args[0])):
            return None
        changes.append((0, 0, f"{parsed.source(call.args[0])} = "))
    return parsed.with_changes(changes)


def _method(parsed: Parsed) -> str | None:
    call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr.endswith("_"))
    if call is None or not isinstance(call.func, ast.Attribute):
        return _operator(parsed) or _item(parsed)
    method, receiver = call.func.attr, call.func.value
    if parsed.held == "frozen" or (parsed.held == "outer" and parsed.is_whole(call) and isinstance(receiver, ast.Name)):
        return None
    bindable = _is_name(receiver) or _is_slot(parsed, receiver)
    if parsed.is_whole(call) and not bindable:
        return _cloned(parsed)
    if method in WITHOUT_TWIN:
        pattern = WITHOUT_TWIN[method]
        if pattern is None or (method == "copy_" and len(call.args) != 1):
            return _cloned(parsed)
        given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        arguments = ", ".join(parsed.source(argument) for argument in given)
        if method == "copy_" and not isinstance(call.args[0], (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            arguments = f"({arguments})"
        new = pattern.format(y=parsed.source(receiver), args=arguments)
        changes = [(*parsed.extent(call), new)]
    else:
        end = parsed.extent(call.func)[1]
        changes = [(end - len(method), end, method.rstrip("_"))]
    if isinstance(parsed.tree, ast.Expr) and bindable and _is_receiver(call, parsed.tree.value):
        changes.append((0, 0, f"{parsed.source(receiver)} = "))
    return parsed.with_changes(changes)


def _is_receiver(call: ast.Call, whole: ast.expr) -> bool:
    """Whether the whole is the call, or a chain of calls on its result."""
    while whole is not call and isinstance(whole, ast.Call) and isinstance(whole.func, ast.Attribute):
        whole = whole.func.value
    return whole is call


def _item(parsed: Parsed) -> str | None:
    return masked.out_of_place(parsed) or _cloned(parsed)


def _function(parsed: Parsed) -> str | None:
    call = parsed.call(lambda it: _flag(it) is not None)
    if call is not None:
        changes = _drop_flag(parsed, call)
    else:
        call = parsed.call(lambda it: isinstance(it.func, (ast.Attribute, ast.Name)) and _callee(it).endswith("_"))
        if call is None or "init" in parsed.source(call.func):
            return None
        end = parsed.extent(call.func)[1]
        changes = [(end - 1, end, "")]
    if parsed.is_whole(call):
        if not call.args or not (_is_name(call.args[0]) or _is_slot(parsed, call.args[0])):
            return None
        changes.append((0, 0, f"{parsed.source(call.args[0])} = "))
    return parsed.with_changes(changes)


def _without_flag(parsed: Parsed) -> str | None:
    tree = parsed.tree
    target = tree.targets[0] if isinstance(tree, ast.Assign) else None
    if isinstance(tree, ast.Assign) and isinstance(target, ast.Attribute) and target.attr == "inplace":
        return parsed.with_changes([(*parsed.extent(tree.value), "False")])
    call = parsed.call(lambda it: _flag(it) is not None)
    if call is not None and _callee(call) == "setattr":
        return parsed.with_changes([(*parsed.extent(call.args[-1]), "False")])
    return parsed.with_changes(_drop_flag(parsed, call)) if call else None


def _out(parsed: Parsed) -> str | None:
    call = parsed.call(lambda it: any(keyword.arg == "out" for keyword in it.keywords))
    if call is None:
        return None
    keyword = next(keyword for keyword in call.keywords if keyword.arg == "out")
    changes = _drop_argument(parsed, call, keyword)
    if parsed.is_whole(call):
        if not isinstance(keyword.value, (ast.Name, ast.Attribute)):
            return None
        changes.append((0, 0, f"{parsed.source(keyword.value)} = "))
    return parsed.with_changes(changes)


def _cloned(parsed: Parsed, copy: str = "clone") -> str | None:
    """The tensor at the root of what is written, copied in a line of its own before the statement."""
    tree = parsed.tree
    written: ast.expr | None = None
    call: ast.Call | None = None
    if isinstance(tree, ast.AugAssign):
        written = tree.target
    elif isinstance(tree, ast.Assign) and len(tree.targets) == 1 and isinstance(tree.targets[0], ast.Subscript):
        written = tree.targets[0]
    else:
        call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr.endswith("_"))
        if call is not None and parsed.form == "function":
            written = call.args[0] if call.args else None
        elif call is not None and isinstance(call.func, ast.Attribute):
            written = call.func.value
    target = _root(parsed, written)
    if target is None:
        return None
    if _leaves_torch(written, below=target):
        copy = "clone"  # the array is made on the way, from a copy of the tensor
    name = parsed.source(target)
    lines = [f"{name} = {name}.{copy}()", parsed.statement.text]
    if isinstance(tree, (ast.Assign, ast.AugAssign)) and _mentions(parsed, tree.value, name):
        # What is computed from the tensor may save a part of it, which must not be a part of the new copy.
        place = parsed.source(tree.targets[0] if isinstance(tree, ast.Assign) else tree.target)
        value = parsed.source(tree.value)
        if isinstance(tree, ast.AugAssign):
            symbol, strength = BINARY[type(tree.op)]
            value = f"{place} {symbol} {bracketed(parsed, tree.value, strength)}"
        if "\n" in value:
            value = f"({value})"
        lines = [f"{parsed.value_name} = {value}", lines[0], f"{place} = {parsed.value_name}"]
    elif call is not None and any(_mentions(parsed, argument, name) for argument in call.args):
        return None
    return f"\n{parsed.indent}".join(lines)


# What takes an element out of a container, which has no copy of the kind that a tensor has.
_TAKES_OUT = frozenset({"get", "pop", "popitem", "setdefault", "values", "items", "popleft", "next", "__getitem__"})


def _root(parsed: Parsed, target: ast.expr | None) -> ast.expr | None:
    """The tensor that an expression for a part of it starts from, as something that can be bound anew."""
    if parsed.held == "frozen":
        return None
    if parsed.held == "slot":
        if isinstance(parsed.tree, ast.Assign) and isinstance(target, ast.Subscript):
            target = target.value
        return target if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) else None
    above: ast.expr | None = None
    while target is not None and not _is_name(target):
        above = target
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value
        elif isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = None if target.func.attr in _TAKES_OUT else target.func.value
        else:
            return None
    if parsed.root == "tensor" or not isinstance(target, ast.Name):
        return target
    fits = {"elements": ast.Subscript, "attributes": ast.Attribute}.get(parsed.root)
    return above if fits is not None and isinstance(above, fits) else None


def _leaves_torch(whole: ast.expr | None, below: ast.expr) -> bool:
    """Whether ``.numpy()`` is called on the way from an expression to the one that it starts from."""
    while whole is not None and whole is not below:
        if isinstance(whole, ast.Attribute) and whole.attr == "numpy":
            return True
        whole = getattr(whole, "func", getattr(whole, "value", None))
    return False


def _mentions(parsed: Parsed, node: ast.expr, name: str) -> bool:
    """Whether an expression reads the name."""
    return any(isinstance(part, (ast.Name, ast.Attribute)) and parsed.source(part) == name for part in ast.walk(node))


def _is_name(node: ast.expr) -> bool:
    """Whether the node is a plain name or an attribute of ``self``: something that can be bound anew."""
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Name)


def _is_slot(parsed: Parsed, node: ast.expr) -> bool:
    """Whether the node is an element of a container that can be put there anew."""
    return parsed.held == "slot" and isinstance(node, ast.Subscript)


def _callee(call: ast.Call) -> str:
    """The last part of the called name."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _flag(call: ast.Call) -> ast.expr | ast.keyword | None:
    """The argument that asks for work in place: ``inplace=...``, or a literal True that ends the positional ones."""
    for keyword in call.keywords:
        if keyword.arg == "inplace":
            return keyword
    if call.args and isinstance(call.args[-1], ast.Constant) and call.args[-1].value is True:
        return call.args[-1]
    return None


def _drop_flag(parsed: Parsed, call: ast.Call) -> list[tuple[int, int, str]]:
    flag = _flag(call)
    return _drop_argument(parsed, call, flag) if flag is not None else []


def _drop_argument(parsed: Parsed, call: ast.Call, gone: ast.expr | ast.keyword) -> list[tuple[int, int, str]]:
    """The change that takes one argument and one comma out of a call."""
    arguments: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    arguments.sort(key=parsed.extent)
    place = arguments.index(gone)
    start, end = parsed.extent(gone)
    if place > 0:
        comma = parsed.statement.text.rindex(",", parsed.extent(arguments[place - 1])[1], start)
        return [(comma, end, "")]
    if len(arguments) > 1:
        return [(start, parsed.extent(arguments[1])[0], "")]
    return [(start, end, "")]
