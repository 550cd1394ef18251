"""A machine that runs the IR for real, so that tests can hold lowered programs against CPython itself.

What the analysis leaves ``Unknown`` (is this a sequence of that length?) the machine looks up in the syntax.
Generators run to their end at once; asynchronous code runs as if it were synchronous.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from inplace_lint import ir
from inplace_lint.lowering import LoweredModule, lower

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "@": operator.matmul, "<<": operator.lshift, ">>": operator.rshift,
    "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip
IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv, "//": operator.ifloordiv,
    "%": operator.imod, "**": operator.ipow, "@": operator.imatmul, "<<": operator.ilshift, ">>": operator.irshift,
    "&": operator.iand, "|": operator.ior, "^": operator.ixor,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "is": operator.is_, "is not": operator.is_not,
    "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {
    "-": operator.neg, "+": operator.pos, "~": operator.invert, "not": operator.not_,
}  # fmt: skip
KINDS = {
    "positional_only": inspect.Parameter.POSITIONAL_ONLY, "positional": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "vararg": inspect.Parameter.VAR_POSITIONAL, "keyword_only": inspect.Parameter.KEYWORD_ONLY,
    "kwarg": inspect.Parameter.VAR_KEYWORD,
}  # fmt: skip


class Leave(Exception):
    """Control leaves a region: ``how`` is the instruction that did it."""

    def __init__(self, how: ir.Instr, value: object = None) -> None:
        self.how = how
        self.value = value


@dataclass
class Frame:
    code: ir.Code
    outer: Frame | None
    globals: dict[str, Any]
    registers: dict[int, Any] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    yielded: list[Any] = field(default_factory=list)
    handling: list[BaseException] = field(default_factory=list)

    def place(self, name: str, scope: ir.Scope) -> dict[str, Any]:
        """The dictionary that keeps a name."""
        if scope == "global":
            return self.globals
        if scope in ("local", "class"):
            return self.names
        frame = self.outer
        while frame is not None:
            if name in frame.names:
                return frame.names
            frame = frame.outer
        raise NameError(name)


class Machine:
    """Runs one lowered module; ``globals`` are its names afterwards."""

    def __init__(self, source: str, names: Mapping[str, Any] = {}, name: str = "machine") -> None:
        self.module: LoweredModule = lower(source, "machine.py")
        self.globals: dict[str, Any] = {"__name__": name, **names}
        self.run(Frame(self.module.code, None, self.globals), self.module.code.body)

    def run(self, frame: Frame, region: ir.Region) -> None:
        for instr in region:
            getattr(self, "do_" + type(instr).__name__)(frame, instr)

    # Values

    def do_Const(self, f: Frame, i: ir.Const) -> None:
        f.registers[i.dst] = i.value

    def do_Move(self, f: Frame, i: ir.Move) -> None:
        f.registers[i.dst] = f.registers[i.src]

    def do_Load(self, f: Frame, i: ir.Load) -> None:
        if i.scope in ("class", "global") and i.name not in f.place(i.name, i.scope):
            found = f.globals.get(i.name, vars(builtins).get(i.name, f))
            if found is f:
                raise NameError(f"name {i.name!r} is not defined")
            f.registers[i.dst] = found
        else:
            if i.name not in f.place(i.name, i.scope):
                raise UnboundLocalError(i.name)
            f.registers[i.dst] = f.place(i.name, i.scope)[i.name]

    def do_Store(self, f: Frame, i: ir.Store) -> None:
        f.place(i.name, i.scope)[i.name] = f.registers[i.src]

    def do_Unbind(self, f: Frame, i: ir.Unbind) -> None:
        names = f.place(i.name, i.scope)
        if isinstance(self.module.node(i.origin), cst.Del) or i.name in names:
            del names[i.name]

    def do_Annotate(self, f: Frame, i: ir.Annotate) -> None:
        if f.code.kind != "function":
            f.names.setdefault("__annotations__", {})[i.name] = i.annotation

    def do_GetAttr(self, f: Frame, i: ir.GetAttr) -> None:
        f.registers[i.dst] = getattr(f.registers[i.obj], i.attr)

    def do_SetAttr(self, f: Frame, i: ir.SetAttr) -> None:
        setattr(f.registers[i.obj], i.attr, f.registers[i.src])

    def do_DelAttr(self, f: Frame, i: ir.DelAttr) -> None:
        delattr(f.registers[i.obj], i.attr)

    def do_GetItem(self, f: Frame, i: ir.GetItem) -> None:
        f.registers[i.dst] = f.registers[i.obj][f.registers[i.index]]

    def do_SetItem(self, f: Frame, i: ir.SetItem) -> None:
        f.registers[i.obj][f.registers[i.index]] = f.registers[i.src]

    def do_DelItem(self, f: Frame, i: ir.DelItem) -> None:
        del f.registers[i.obj][f.registers[i.index]]

    def do_MakeSlice(self, f: Frame, i: ir.MakeSlice) -> None:
        f.registers[i.dst] = slice(*(None if r is None else f.registers[r] for r in (i.lower, i.upper, i.step)))

    def do_Unary(self, f: Frame, i: ir.Unary) -> None:
        f.registers[i.dst] = UNARY[i.op](f.registers[i.operand])

    def do_Binary(self, f: Frame, i: ir.Binary) -> None:
        f.registers[i.dst] = BINARY[i.op](f.registers[i.left], f.registers[i.right])

    def do_InPlace(self, f: Frame, i: ir.InPlace) -> None:
        f.registers[i.dst] = IN_PLACE[i.op](f.registers[i.left], f.registers[i.right])

    def do_Compare(self, f: Frame, i: ir.Compare) -> None:
        f.registers[i.dst] = COMPARE[i.op](f.registers[i.left], f.registers[i.right])

    def do_Call(self, f: Frame, i: ir.Call) -> None:
        args: list[Any] = []
        keywords: dict[str, Any] = {}
        for arg in i.args:
            value = f.registers[arg.reg]
            if arg.kind == "positional":
                args.append(value)
            elif arg.kind == "star":
                args.extend(value)
            elif arg.kind == "double_star":
                keywords.update(value)
            else:
                assert arg.name is not None
                keywords[arg.name] = value
        f.registers[i.dst] = f.registers[i.func](*args, **keywords)

    def do_Build(self, f: Frame, i: ir.Build) -> None:
        if i.kind == "dict":
            made: dict[Any, Any] = {}
            for item in i.items:
                if item.star:
                    made.update(f.registers[item.reg])
                else:
                    assert item.key is not None
                    made[f.registers[item.key]] = f.registers[item.reg]
            f.registers[i.dst] = made
            return
        values: list[Any] = []
        for item in i.items:
            values.extend(f.registers[item.reg]) if item.star else values.append(f.registers[item.reg])
        f.registers[i.dst] = {"tuple": tuple, "list": list, "set": set}[i.kind](values)

    def do_Append(self, f: Frame, i: ir.Append) -> None:
        collection, value = f.registers[i.collection], f.registers[i.item]
        if i.key is not None:
            collection[f.registers[i.key]] = value
        elif isinstance(collection, set):
            collection.add(value)
        else:
            collection.append(value)

    def do_FormatString(self, f: Frame, i: ir.FormatString) -> None:
        f.registers[i.dst] = "".join(p if isinstance(p, str) else str(f.registers[p]) for p in i.parts)

    def do_Unpack(self, f: Frame, i: ir.Unpack) -> None:
        values = list(f.registers[i.src])
        if i.star is not None:
            after = len(i.targets) - i.star - 1
            if len(values) < len(i.targets) - 1:
                raise ValueError("not enough values to unpack")
            end = len(values) - after
            values = [*values[: i.star], values[i.star : end], *values[end:]]
        if len(values) != len(i.targets):
            raise ValueError("wrong number of values to unpack")
        f.registers.update(zip(i.targets, values, strict=True))

    def do_Import(self, f: Frame, i: ir.Import) -> None:
        module = importlib.import_module(i.loads or i.module)
        if i.loads is not None:
            module = importlib.import_module(i.module)
        if i.name is None:
            f.registers[i.dst] = module
        elif hasattr(module, i.name):
            f.registers[i.dst] = getattr(module, i.name)
        else:
            f.registers[i.dst] = importlib.import_module(f"{i.module}.{i.name}")

    def do_ImportStar(self, f: Frame, i: ir.ImportStar) -> None:
        if i.module.startswith("_"):
            raise ImportError("no accelerators: what is to be run is the lowered code")
        module = importlib.import_module(i.module)
        f.globals.update({name: value for name, value in vars(module).items() if not name.startswith("_")})

    # Definitions

    def do_MakeFunction(self, f: Frame, i: ir.MakeFunction) -> None:
        code = i.code
        defaults = {name: f.registers[reg] for name, reg in i.defaults}
        signature = inspect.Signature(
            [inspect.Parameter(p.name, KINDS[p.kind], default=defaults.get(p.name, inspect.Parameter.empty))
             for p in code.params]
        )  # fmt: skip

        def function(*args: Any, **keywords: Any) -> Any:
            bound = signature.bind(*args, **keywords)
            bound.apply_defaults()
            frame = Frame(code, f, f.globals, names=dict(bound.arguments))
            result = None
            try:
                self.run(frame, code.body)
            except Leave as leave:
                assert isinstance(leave.how, ir.Return)
                result = leave.value
            return iter(frame.yielded) if code.is_generator else result

        function.__name__, function.__qualname__, function.__doc__ = code.name, code.qualname, code.docstring
        f.registers[i.dst] = function

    def do_MakeClass(self, f: Frame, i: ir.MakeClass) -> None:
        frame = Frame(i.code, f, f.globals, names={"__module__": f.globals["__name__"], "__doc__": i.code.docstring})
        self.run(frame, i.code.body)
        bases = tuple(f.registers[reg] for reg in i.bases)
        keywords = {name: f.registers[reg] for name, reg in i.keywords}
        metaclass = keywords.pop("metaclass", type(bases[0]) if bases else type)
        namespace = {name: value for name, value in frame.names.items() if "%" not in name}
        f.registers[i.dst] = metaclass(i.code.name, bases, namespace, **keywords)

    def do_Decorate(self, f: Frame, i: ir.Decorate) -> None:
        f.registers[i.dst] = f.registers[i.decorator](f.registers[i.target])

    def do_Await(self, f: Frame, i: ir.Await) -> None:
        f.registers[i.dst] = f.registers[i.value]

    def do_Yield(self, f: Frame, i: ir.Yield) -> None:
        f.yielded.append(None if i.value is None else f.registers[i.value])
        f.registers[i.dst] = None

    # Control

    def do_If(self, f: Frame, i: ir.If) -> None:
        self.run(f, i.then if f.registers[i.cond] else i.orelse)

    def do_While(self, f: Frame, i: ir.While) -> None:
        while True:
            self.run(f, i.test)
            if not f.registers[i.cond]:
                break
            try:
                self.run(f, i.body)
            except Leave as leave:
                if isinstance(leave.how, ir.Break):
                    return
                if not isinstance(leave.how, ir.Continue):
                    raise
        self.run(f, i.orelse)

    def do_For(self, f: Frame, i: ir.For) -> None:
        for item in f.registers[i.iterable]:
            f.registers[i.item] = item
            try:
                self.run(f, i.body)
            except Leave as leave:
                if isinstance(leave.how, ir.Break):
                    return
                if not isinstance(leave.how, ir.Continue):
                    raise
        self.run(f, i.orelse)

    def do_With(self, f: Frame, i: ir.With) -> None:
        left: list[Leave] = []
        with f.registers[i.manager] as f.registers[i.result]:
            try:
                self.run(f, i.body)
            except Leave as leave:  # for the manager this is a normal exit
                left.append(leave)
        if left:
            raise left[0]

    def do_Try(self, f: Frame, i: ir.Try) -> None:
        try:
            try:
                self.run(f, i.body)
            except Leave:
                raise
            except BaseException as error:
                self._handle(f, i, error)
            else:
                self.run(f, i.orelse)
        finally:
            self.run(f, i.final)

    def _handle(self, f: Frame, i: ir.Try, error: BaseException) -> None:
        for handler in i.handlers:
            self.run(f, handler.test)
            if handler.exception is None or isinstance(error, f.registers[handler.exception]):
                f.handling.append(error)
                try:
                    self.run(f, handler.body)
                finally:
                    f.handling.pop()
                return
        raise error

    def do_Return(self, f: Frame, i: ir.Return) -> None:
        raise Leave(i, None if i.value is None else f.registers[i.value])

    def do_Raise(self, f: Frame, i: ir.Raise) -> None:
        if isinstance(self.module.node(i.origin), cst.Assert):
            raise AssertionError(*([] if i.value is None else [f.registers[i.value]]))
        raise f.handling[-1] if i.value is None else f.registers[i.value]

    def do_Break(self, f: Frame, i: ir.Break) -> None:
        raise Leave(i)

    def do_Continue(self, f: Frame, i: ir.Continue) -> None:
        raise Leave(i)

    # What the analysis does not know

    def do_Unknown(self, f: Frame, i: ir.Unknown) -> None:
        operands = [f.registers[reg] for reg in i.operands]
        f.registers[i.dst] = self._look_up(f, i.reason, self.module.node(i.origin), operands)

    def _look_up(self, f: Frame, reason: str, node: cst.CSTNode, operands: list[Any]) -> Any:
        if reason == "exception":
            return f.handling[-1]
        if reason == "type parameter":
            return None
        if reason == "class pattern":
            return isinstance(operands[1], operands[0])
        if isinstance(node, (cst.MatchList, cst.MatchTuple)):
            value = operands[0]
            stars = sum(isinstance(element, cst.MatchStar) for element in node.patterns)
            least = len(node.patterns) - stars
            fits = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
            return fits and (len(value) >= least if stars else len(value) == least)
        if isinstance(node, cst.MatchMapping):
            keys = [element.key.evaluated_value for element in node.elements]  # type: ignore[attr-defined]
            value = operands[0]
            if reason == "mapping pattern":
                return isinstance(value, Mapping) and all(key in value for key in keys)
            return {key: item for key, item in value.items() if key not in keys}
        if reason == "what a generator returns":
            return None
        raise NotImplementedError(reason)
