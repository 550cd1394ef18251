"""Python-level signatures of everything callable, from what PyTorch knows of itself.

Three sources, in this order: torchgen's own Python signatures of native functions (``native_functions.yaml`` and
``deprecated.yaml``), the type stubs in the wheel (``torch/_C/*.pyi``) for methods written by hand in C++, and
``inspect`` for functions written in Python.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from inplace_lint.opmodel.rows import decode_default, encode_default
from inplace_lint.opmodel.schema import REQUIRED, Param, ParamKind


@dataclass(frozen=True)
class Signature:
    """Parameters and, by name, the type each was declared with; ``returns_list`` where the schema says ``Tensor[]``."""

    params: tuple[Param, ...]
    types: Mapping[str, str]
    returns_list: bool = False
    native: str | None = None
    deprecated: bool = False

    def param(self, name: str) -> Param:
        """The parameter of a name; raises KeyError."""
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)


_LIST_OF_TENSORS = re.compile(
    r"TensorList|ITensorListRef|List<.*Tensor|(List|Tuple|tuple|list|Sequence|Iterable)\[.*Tensor|Tensor, ?\.\.\."
)


_RETURNS_LIST = re.compile(r"(List|list)\[.*Tensor|Tensor, ?\.\.\.")


def kind_of(type_text: str) -> ParamKind:
    """A parameter's kind from the text of its declared type, as torchgen, the stubs or an annotation spell it."""
    text = type_text.replace("torch.", "").replace("typing.", "").strip("'\" ")
    if _LIST_OF_TENSORS.search(text):
        return "tensors"
    optional = "Optional" in text or "None" in text or text.endswith("?")
    if re.search(r"\bTensor\b", text):
        if re.search(r"Number|float|int\b|complex", text):
            return "tensor|number"
        return "tensor?" if optional else "tensor"
    if re.search(r"\b(Number|Scalar|float|double)\b", text) and not re.search(r"Sequence|List|Tuple|\[", text):
        return "number"
    return "other"


def _parse_default(text: str) -> object:
    text = {"nullptr": "None", "c10::nullopt": "None", "true": "True", "false": "False"}.get(text, text)
    if text.startswith("{"):
        text = "(" + text[1:-1] + ("," if text != "{}" else "") + ")"
    try:
        return decode_default(text)
    except (ValueError, SyntaxError):
        return ...


def _split_commas(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char in "([{<") - (char in ")]}>")
        if char == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()] if current.strip() else parts


def _native_signature(text: str, name: str, method: bool, numbers: bool, returns_list: bool, native: str) -> Signature:
    inner = text.split("(", 1)[1].removesuffix("|deprecated").removesuffix(")")
    params: list[Param] = [Param("self", "tensor")] if method else []
    types: dict[str, str] = {"self": "Tensor"} if method else {}
    keyword_only = False
    entries = _split_commas(inner)
    positional = entries.index("*") if "*" in entries else len(entries)
    for position, entry in enumerate(entries):
        if entry == "*":
            keyword_only = True
            continue
        head, equals, default_text = entry.partition("=")
        type_text, _, param_name = head.rpartition(" ")
        kind = kind_of(type_text)
        default = _parse_default(default_text) if equals else REQUIRED
        if kind == "tensor" and default is None:
            kind = "tensor?"
        if kind == "tensor" and numbers:
            kind = "tensor|number"
        if param_name == "out":
            kind = "tensor?"
        # The argument parser takes *ints only where the int list is the sole positional parameter.
        star = position == 0 and positional == 1 and ("IntArrayRef" in type_text or "DimnameList" in type_text)
        params.append(Param(param_name, kind, default, keyword_only, star))
        types[param_name] = type_text
    return Signature(tuple(params), types, returns_list, native, text.endswith("|deprecated"))


@cache
def native_signatures() -> Mapping[str, Mapping[str, tuple[Signature, ...]]]:
    """Signatures of native functions by namespace (torch, method, nn, fft, linalg, special) and Python name."""
    import torchgen
    from torchgen.gen import parse_native_yaml

    generator = importlib.import_module("torchgen.packaged.autograd.gen_python_functions")
    root = Path(torchgen.__file__).parent / "packaged"
    parsed = parse_native_yaml(root / "ATen/native/native_functions.yaml", root / "ATen/native/tags.yaml")
    functions = [f for f in parsed.native_functions if generator.should_generate_py_binding(f)]
    deprecated = str(root / "autograd/deprecated.yaml")
    spaces: dict[str, tuple[Callable[[Any], bool], bool, str]] = {
        "torch": (generator.is_py_torch_function, False, ""),
        "method": (generator.is_py_variable_method, True, ""),
        "nn": (generator.is_py_nn_function, False, ""),
        "fft": (generator.is_py_fft_function, False, "fft_"),
        "linalg": (generator.is_py_linalg_function, False, "linalg_"),
        "special": (generator.is_py_special_function, False, "special_"),
    }
    found: dict[str, dict[str, tuple[Signature, ...]]] = {}
    for space, (accepts, method, prefix) in spaces.items():
        pairs = generator.load_signatures(functions, deprecated, method=method)
        grouped: dict[str, list[Any]] = defaultdict(list)
        for pair in pairs:
            if accepts(pair.function):
                grouped[str(pair.function.func.name.name)].append(pair)
        table: dict[str, tuple[Signature, ...]] = {}
        for full, overloads in grouped.items():
            name = full.removeprefix(prefix)
            numbers = torch._C._should_allow_numbers_as_tensors(full) and not method
            method_numbers = torch._C._should_allow_numbers_as_tensors(full)
            signatures = [
                _native_signature(
                    group.signature.signature_str(symint=False),
                    name,
                    method,
                    method_numbers if method else numbers,
                    any("Tensor[]" in str(r.type) for r in group.base.func.returns),
                    str(group.base.func.name),
                )
                for group in generator.group_overloads(overloads, symint=False)
            ]
            # Deprecated spellings last: an argument whose kind is unknown should bind to a living one.
            signatures.sort(key=lambda signature: signature.deprecated)
            table[name] = tuple(signatures)
        found[space] = table
    return found


@cache
def stub_signatures() -> Mapping[str, Mapping[str, tuple[Signature, ...]]]:
    """Signatures from the stubs in the wheel, under ``method`` (class TensorBase) and ``torch`` (module functions)."""
    root = Path(torch.__file__).parent / "_C"
    found: dict[str, dict[str, list[Signature]]] = {
        "method": defaultdict(list),
        "torch": defaultdict(list),
        "nn": defaultdict(list),
    }
    for file, space in (("_VariableFunctions.pyi", "torch"), ("_nn.pyi", "nn"), ("__init__.pyi", "torch")):
        for node in ast.parse((root / file).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[space][node.name].append(_stub_signature(node, False))
            elif isinstance(node, ast.ClassDef) and node.name in ("TensorBase", "_TensorBase"):
                for item in node.body:
                    if isinstance(item, ast.FunctionDef):
                        found["method"][item.name].append(_stub_signature(item, True))
    return {space: {name: tuple(sigs) for name, sigs in table.items()} for space, table in found.items()}


def _stub_signature(node: ast.FunctionDef, method: bool) -> Signature:
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    params: list[Param] = []
    types: dict[str, str] = {}

    def add(arg: ast.arg, default: ast.expr | None, keyword_only: bool, star: bool) -> None:
        text = ast.unparse(arg.annotation) if arg.annotation is not None else ""
        name = arg.arg.removesuffix("_") if arg.arg == "from_" else arg.arg
        kind: ParamKind = "tensor" if method and name == "self" else kind_of(text)
        if star:
            kind = "tensors" if "Tensor" in text else "other"
        value = REQUIRED if default is None else _parse_default(ast.unparse(default))
        params.append(Param(name, kind, value, keyword_only, star))
        types[name] = "Tensor" if name == "self" else text

    for arg, default in zip(positional, defaults, strict=True):
        add(arg, default, False, False)
    if args.vararg is not None:
        add(args.vararg, None, False, True)
    for arg, keyword_default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        add(arg, keyword_default, True, False)
    returns = ast.unparse(node.returns) if node.returns is not None else ""
    return Signature(tuple(params), types, bool(_RETURNS_LIST.search(returns)))


def inspected_signature(function: Callable[..., Any]) -> Signature | None:
    """The signature of a function written in Python, None where there is none to see."""
    closure = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    inner = dict(zip(names, closure, strict=False))
    if "if_false" in inner:  # torch._jit_internal.boolean_dispatch
        function = inner["if_false"].cell_contents
    if "meth" in inner:  # the deprecated spellings of torch.nn.init
        function = inner["meth"].cell_contents
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    params: list[Param] = []
    types: dict[str, str] = {}
    for param in signature.parameters.values():
        if param.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        empty = param.annotation is inspect.Parameter.empty
        text = (
            ""
            if empty
            else param.annotation
            if isinstance(param.annotation, str)
            else _annotation_text(param.annotation)
        )
        default = REQUIRED if param.default is inspect.Parameter.empty else _constant(param.default)
        star = param.kind is inspect.Parameter.VAR_POSITIONAL
        kind: ParamKind = "tensor" if param.name == "self" else kind_of(text)
        if star and kind.startswith("tensor"):
            kind = "tensors"
        params.append(Param(param.name, kind, default, param.kind is inspect.Parameter.KEYWORD_ONLY, star))
        types[param.name] = text
    returns = str(signature.return_annotation)
    return Signature(tuple(params), types, bool(_RETURNS_LIST.search(returns)))


def _annotation_text(annotation: object) -> str:
    return (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )


def _constant(value: object) -> object:
    return ... if encode_default(value) == "..." else value


class BindError(Exception):
    """Arguments do not fit a signature."""


def bind(signature: Signature, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
    """Arguments by parameter name, without defaults; raises `BindError` where they do not fit names or kinds."""
    bound: dict[str, object] = {}
    rest = list(args)
    for param in signature.params:
        if param.keyword_only:
            break
        if param.star:
            if rest:
                single = rest[0] if len(rest) == 1 and isinstance(rest[0], (tuple, list)) else tuple(rest)
                bound[param.name] = single
                rest = []
            continue
        if rest:
            bound[param.name] = rest.pop(0)
    if rest:
        raise BindError("too many positional arguments")
    known = {param.name for param in signature.params}
    for name, value in kwargs.items():
        if name not in known or name in bound:
            raise BindError(name)
        bound[name] = value
    for param in signature.params:
        if param.name not in bound:
            if param.default is REQUIRED and not param.star:
                raise BindError(f"missing {param.name}")
        elif not fits(param.kind, signature.types.get(param.name, ""), bound[param.name]):
            raise BindError(f"{param.name} does not fit {param.kind}")
    return bound


def fits(kind: ParamKind, type_text: str, value: object) -> bool:
    """Whether a value can be passed for a parameter of a kind (and declared type)."""
    if isinstance(value, torch.Tensor):
        # Untyped parameters of Python functions are "other" until a sample shows a tensor there.
        loose = type_text in ("", "Any") or "Storage" in type_text
        return kind in ("tensor", "tensor?", "tensor|number") or (kind == "other" and loose)
    if value is None:
        return kind in ("tensor?", "other") or "Optional" in type_text or "None" in type_text or "?" in type_text
    if isinstance(value, (int, float, complex)):
        if kind == "other":
            if isinstance(value, bool):
                return not type_text or "ArrayRef" not in type_text
            return not type_text or "bool" not in type_text or "int" in type_text
        return kind in ("number", "tensor|number")
    if isinstance(value, (tuple, list)) and any(isinstance(item, torch.Tensor) for item in value):
        return kind == "tensors" or (kind == "other" and type_text in ("", "Any"))
    if isinstance(value, (tuple, list)):
        return kind == "other" or (kind == "tensors" and len(value) == 0)
    return kind == "other"
