"""The rewrite that suits a write, as the user would type it, made from the statement's own text.

Only the part that changes is replaced, so that spacing and names stay the user's. Where the code's shape is not
understood there is no suggestion in code (None), never a wrong one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..events import Held, Site, Write, WriteForm
from .base import Rewrite, RuleContext, Statement

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

_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.BitOr: ("|", 1),
    ast.BitXor: ("^", 2),
    ast.BitAnd: ("&", 3),
    ast.LShift: ("<<", 4),
    ast.RShift: (">>", 4),
    ast.Add: ("+", 5),
    ast.Sub: ("-", 5),
    ast.Mult: ("*", 6),
    ast.Div: ("/", 6),
    ast.FloorDiv: ("//", 6),
    ast.Mod: ("%", 6),
    ast.MatMult: ("@", 6),
    ast.Pow: ("**", 8),
}


@dataclass(frozen=True)
class _Parsed:
    """A statement with its syntax tree and the nodes' places as character offsets."""

    statement: Statement
    tree: ast.stmt
    line_starts: tuple[int, ...]
    lines: tuple[str, ...]
    held: Held = "other"
    form: WriteForm | None = None

    def extent(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        """Where the node's text starts and ends."""
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno or 1, node.end_col_offset or 0)

    def _offset(self, line: int, column: int) -> int:
        if line > len(self.lines):
            # The body that a compound statement's header was given to be parsed at all.
            return len(self.statement.text)
        # ast counts columns in UTF-8 bytes.
        return self.line_starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode(errors="ignore"))

    def source(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        start, end = self.extent(node)
        return self.statement.text[start:end]

    def with_changes(self, changes: list[tuple[int, int, str]]) -> str:
        """The statement's text with the given stretches replaced."""
        text = self.statement.text
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    @property
    def indent(self) -> str:
        """What stands before the statement's first character."""
        return " " * self.statement.indent

    def tidy(self, text: str) -> str:
        """The text with its later lines moved to the left as far as the statement's first one was."""
        return "\n".join(line.removeprefix(self.indent) for line in text.split("\n"))

    def nodes_at_site(self) -> Iterator[ast.AST]:
        """The nodes at the site: those of exactly its extent, those around it (smallest first), those inside."""
        start, end = self.statement.start, self.statement.end
        same: list[ast.AST] = []
        around: list[tuple[int, int, ast.AST]] = []
        inside: list[tuple[int, int, ast.AST]] = []
        for number, node in enumerate(ast.walk(self.tree)):
            if not isinstance(node, (ast.expr, ast.stmt, ast.keyword)):
                continue
            first, last = self.extent(node)
            if (first, last) == (start, end):
                same.append(node)
            elif first <= start and last >= end:
                around.append((last - first, number, node))
            elif first >= start and last <= end:
                inside.append((first - last, number, node))
        yield from same
        yield from (node for _, _, node in sorted(around, key=lambda entry: entry[:2]))
        yield from (node for _, _, node in sorted(inside, key=lambda entry: entry[:2]))

    def call(self, wanted: Callable[[ast.Call], bool] = lambda call: True) -> ast.Call | None:
        """The call nearest to the site that is as wanted."""
        return next((node for node in self.nodes_at_site() if isinstance(node, ast.Call) and wanted(node)), None)

    def is_whole(self, node: ast.expr) -> bool:
        """Whether the statement is the node and nothing else, its value unused."""
        return isinstance(self.tree, ast.Expr) and self.tree.value is node


def _parse(statement: Statement) -> _Parsed | None:
    """The statement's tree; None where it does not stand by itself (``elif``, ``except``)."""
    # A compound statement comes as its header alone.
    body = "\n pass" if statement.text.rstrip().endswith(":") else ""
    try:
        tree = ast.parse(statement.text + body)
    except (SyntaxError, ValueError):
        return None
    if len(tree.body) != 1:
        return None
    lines = statement.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return _Parsed(statement, tree.body[0], tuple(starts), tuple(lines))


def out_of_place(ctx: RuleContext, write: Write) -> Rewrite | None:
    """The write as an operation that makes a new tensor; None where there is no such form."""
    if write.form == "module" and write.flag_site is not None:
        flag = without_inplace_flag(ctx, write.flag_site)
        if flag is not None:
            return flag
    by_form: dict[str, Callable[[_Parsed], str | None]] = {
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


def of_array(ctx: RuleContext, write: Write) -> Rewrite | None:
    """A write to a NumPy array, done to another array."""
    if write.form == "operator":
        return _rewrite(ctx, write.site, lambda parsed: _operator(parsed, "copy"))
    return clone_first(ctx, write, "copy") if write.form == "item" else None


def under_no_grad(ctx: RuleContext, write: Write) -> Rewrite | None:
    """The statement inside ``with torch.no_grad():``; None where its value is used further."""

    def change(parsed: _Parsed) -> str | None:
        tree = parsed.tree
        alone = isinstance(tree, (ast.Expr, ast.AugAssign)) or (isinstance(tree, ast.Assign) and write.form == "item")
        return _in_no_grad(parsed, parsed.statement.text) if alone else None

    return _rewrite(ctx, write.site, change) if write.form in ("operator", "method", "item", "out") else None


def without_data(ctx: RuleContext, write: Write) -> Rewrite | None:
    """``.data`` replaced by what PyTorch checks: ``.detach()``, or no_grad where a statement needs a target."""

    def change(parsed: _Parsed) -> str | None:
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

    def change(parsed: _Parsed) -> str | None:
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

    def change(parsed: _Parsed) -> str | None:
        tree = parsed.tree
        if not isinstance(tree, ast.Assign) or len(tree.targets) != 1:
            return None
        name, value = parsed.source(tree.targets[0]), tree.value
        if isinstance(value, ast.BinOp) and parsed.source(value.left) == name:
            symbol = _BINARY[type(value.op)][0]
            # From the left operand's end, so that the right one keeps its brackets.
            rest = parsed.statement.text[parsed.extent(value.left)[1] :].lstrip()
            if not rest.startswith(symbol):
                return None
            return _in_no_grad(parsed, f"{name} {symbol}= {rest.removeprefix(symbol).strip()}")
        return _in_no_grad(parsed, f"{name}.copy_({parsed.source(value)})")

    return _rewrite(ctx, site, change)


def _rewrite(
    ctx: RuleContext, site: Site, change: Callable[[_Parsed], str | None], write: Write | None = None
) -> Rewrite | None:
    """What ``change`` makes of the statement at the site."""
    parsed = _parse(ctx.statement(site))
    if parsed and write:
        parsed = replace(parsed, held=write.held, form=write.form)
    text = change(parsed) if parsed else None
    return Rewrite(parsed.tidy(text), site) if parsed and text else None


def _in_no_grad(parsed: _Parsed, body: str) -> str:
    """The body, whose later lines are indented as in the file, inside the block."""
    first, *later = body.split("\n")
    block = ["with torch.no_grad():", f"{parsed.indent}    {first}", *(f"    {line}" for line in later)]
    return "\n".join(block)


def _operator(parsed: _Parsed, copy: str = "clone") -> str | None:
    tree = parsed.tree
    if not isinstance(tree, ast.AugAssign):
        return None
    if parsed.held == "frozen":
        return None
    if isinstance(tree.target, ast.Subscript) and parsed.held != "slot":
        return _cloned(parsed, copy)
    symbol, strength = _BINARY[type(tree.op)]
    target, value = parsed.source(tree.target), _bracketed(parsed, tree.value, strength)
    return f"{target} = {target} {symbol} {value}"


def _bracketed(parsed: _Parsed, value: ast.expr, strength: int) -> str:
    """The text of an augmented assignment's value, in brackets where it binds less than the operator."""
    # The value's own brackets are no part of its node, so the text runs from the first character after the operator.
    assert isinstance(parsed.tree, ast.AugAssign)
    target_end = parsed.extent(parsed.tree.target)[1]
    after = parsed.statement.text.index("=", target_end) + 1
    text = parsed.statement.text[after : parsed.extent(parsed.tree)[1]].strip()
    if text.startswith("("):
        try:
            if ast.dump(ast.parse(text, mode="eval").body) == ast.dump(value) and _closes_at_end(text):
                return text
        except SyntaxError:
            pass
    loose: tuple[type[ast.expr], ...] = (ast.BoolOp, ast.Compare, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.Yield,
                                         ast.YieldFrom, ast.Await, ast.Tuple)  # fmt: skip
    if isinstance(value, loose):
        return f"({text})"
    if isinstance(value, ast.BinOp) and _BINARY[type(value.op)][1] <= strength:
        return f"({text})"
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
        return f"({text})"
    return text


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text is the one that ends it."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return place == len(text) - 1
    return False


def _method(parsed: _Parsed) -> str | None:
    call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr.endswith("_"))
    if call is None or not isinstance(call.func, ast.Attribute):
        return _operator(parsed) or _item(parsed)
    method, receiver = call.func.attr, call.func.value
    if parsed.held == "frozen" or (parsed.held == "outer" and parsed.is_whole(call) and isinstance(receiver, ast.Name)):
        return None
    bindable = _is_name(receiver) or (parsed.held == "slot" and isinstance(receiver, ast.Subscript))
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


def _item(parsed: _Parsed) -> str | None:
    tree = parsed.tree
    if isinstance(tree, ast.Assign) and len(tree.targets) == 1 and isinstance(tree.targets[0], ast.Subscript):
        target, value = tree.targets[0], tree.value
        if isinstance(target.slice, ast.Compare) and _is_name(target.value) and _is_number(value):
            name = parsed.source(target.value)
            return f"{name} = {name}.masked_fill({parsed.source(target.slice)}, {parsed.source(value)})"
    return _cloned(parsed)


def _function(parsed: _Parsed) -> str | None:
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
        if not call.args or not _is_name(call.args[0]):
            return None
        changes.append((0, 0, f"{parsed.source(call.args[0])} = "))
    return parsed.with_changes(changes)


def _without_flag(parsed: _Parsed) -> str | None:
    tree = parsed.tree
    target = tree.targets[0] if isinstance(tree, ast.Assign) else None
    if isinstance(tree, ast.Assign) and isinstance(target, ast.Attribute) and target.attr == "inplace":
        return parsed.with_changes([(*parsed.extent(tree.value), "False")])
    call = parsed.call(lambda it: _flag(it) is not None)
    if call is not None and _callee(call) == "setattr":
        return parsed.with_changes([(*parsed.extent(call.args[-1]), "False")])
    return parsed.with_changes(_drop_flag(parsed, call)) if call else None


def _out(parsed: _Parsed) -> str | None:
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


def _cloned(parsed: _Parsed, copy: str = "clone") -> str | None:
    """The tensor at the root of what is written, copied in a line of its own before the statement."""
    tree = parsed.tree
    target: ast.expr | None = None
    call: ast.Call | None = None
    if isinstance(tree, ast.AugAssign):
        target = tree.target
    elif isinstance(tree, ast.Assign) and len(tree.targets) == 1 and isinstance(tree.targets[0], ast.Subscript):
        target = tree.targets[0]
    else:
        call = parsed.call(lambda it: isinstance(it.func, ast.Attribute) and it.func.attr.endswith("_"))
        if call is not None and parsed.form == "function":
            target = call.args[0] if call.args else None
        elif call is not None and isinstance(call.func, ast.Attribute):
            target = call.func.value
    if parsed.held == "frozen":
        return None
    if parsed.held == "slot" and isinstance(tree, ast.Assign) and isinstance(target, ast.Subscript):
        target = target.value
    while target is not None and not _is_name(target) and parsed.held != "slot":
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            target = target.value
        elif isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = target.func.value
        else:
            return None
    if not isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
        return None
    name = parsed.source(target)
    lines = [f"{name} = {name}.{copy}()", parsed.statement.text]
    if isinstance(tree, (ast.Assign, ast.AugAssign)) and _mentions(parsed, tree.value, name):
        # What is computed from the tensor may save a part of it, which must not be a part of the new copy.
        place = parsed.source(tree.targets[0] if isinstance(tree, ast.Assign) else tree.target)
        value = parsed.source(tree.value)
        if isinstance(tree, ast.AugAssign):
            symbol, strength = _BINARY[type(tree.op)]
            value = f"{place} {symbol} {_bracketed(parsed, tree.value, strength)}"
        if "\n" in value:
            value = f"({value})"
        lines = [f"value = {value}", lines[0], f"{place} = value"]
    elif call is not None and any(_mentions(parsed, argument, name) for argument in call.args):
        return None
    return f"\n{parsed.indent}".join(lines)


def _mentions(parsed: _Parsed, node: ast.expr, name: str) -> bool:
    """Whether an expression reads the name."""
    return any(isinstance(part, (ast.Name, ast.Attribute)) and parsed.source(part) == name for part in ast.walk(node))


def _is_name(node: ast.expr) -> bool:
    """Whether the node is a plain name or an attribute of ``self``: something that can be bound anew."""
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "self"
    return isinstance(node, ast.Name)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


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


def _drop_flag(parsed: _Parsed, call: ast.Call) -> list[tuple[int, int, str]]:
    flag = _flag(call)
    return _drop_argument(parsed, call, flag) if flag is not None else []


def _drop_argument(parsed: _Parsed, call: ast.Call, gone: ast.expr | ast.keyword) -> list[tuple[int, int, str]]:
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
