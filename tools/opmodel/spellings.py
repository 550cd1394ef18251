"""Every Python spelling of an op, with its callable, its signatures and the samples that may fit it."""

from __future__ import annotations

import builtins
import inspect
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import torch
import torch.fft
import torch.linalg
import torch.nn.functional
import torch.nn.init
import torch.nn.utils.rnn
import torch.special

from inplace_lint.opmodel.schema import Param
from tools.opmodel.signatures import Signature, inspected_signature, native_signatures, stub_signatures

# Left out although they look like ops: they change the process or the graph and not a tensor, or the engine knows them.
SKIPPED = {
    "torch": (
        "get_",
        "set_",
        "is_",
        "load",
        "save",
        "seed",
        "manual_seed",
        "initial_seed",
        "compile",
        "export",
        "cond",
        "vmap",
        "typename",
        "use_deterministic_algorithms",
        "no_grad",
        "enable_grad",
        "inference_mode",
        "prepare_multiprocessing",
        "eval",
        "fork",
        "wait",
        "import_ir_module",
        "parse_",
        "init_num_threads",
        "autocast_",
        "clear_autocast_cache",
        "merge_type_from_type_comment",
        "unify_type_list",
        "read_vitals",
        "vitals_enabled",
        "thread_safe",
        "default_generator",
        "classproperty",
        "from_file",
        "sym_",
        "while_loop",
    ),
    "method": (
        "backward",
        "register_hook",
        "register_post_accumulate_grad_hook",
        "retain_grad",
        "share_memory_",
        "pin_memory",
        "cuda",
        "xpu",
        "ipu",
        "record_stream",
        "module_load",
        "storage",
        "untyped_storage",
        "typed_storage",
        "data_ptr",
    ),
}
NOT_OPERATORS = {
    "__init__",
    "__new__",
    "__del__",
    "__reduce__",
    "__reduce_ex__",
    "__setstate__",
    "__getstate__",
    "__dir__",
    "__delattr__",
    "__setattr__",
    "__getattribute__",
    "__init_subclass__",
    "__subclasshook__",
    "__class__",
    "__torch_function__",
    "__torch_dispatch__",
    "__dlpack__",
    "__dlpack_device__",
    "__hash__",
    "__sizeof__",
    "__getitem__",
    "__setitem__",
    "__iter__",
    "__doc__",
    "__dict__",
    "__module__",
    "__weakref__",
    "__array_wrap__",
}


# Operators are wrapped in ways that hide their signatures; Python's data model fixes them.
BINARY = tuple(
    Signature((Param("self", "tensor"), other), {"self": "Tensor", "other": text})
    for other, text in ((Param("other", "tensor"), "Tensor"), (Param("other", "number"), "Number"))
)


@dataclass(frozen=True)
class Spelling:
    """A callable under one name. ``pool`` lists names of PyTorch's sample pool to try, best first."""

    space: str
    name: str
    function: Callable[..., Any]
    signatures: tuple[Signature, ...]
    pool: tuple[str, ...]

    @property
    def dotted(self) -> str:
        """``torch.nn.functional.relu``, ``Tensor.add_``."""
        return f"{'Tensor' if self.space == 'method' else self.space}.{self.name}"


def _testing_signature(function: Callable[..., Any]) -> Signature | None:
    overrides = _testing_overrides()
    try:
        stand_in = overrides.get(function)
    except TypeError:
        return None
    return inspected_signature(stand_in) if stand_in is not None else None


@cache
def _testing_overrides() -> dict[Any, Any]:
    return dict(torch.overrides.get_testing_overrides())


def _signatures(function: Callable[..., Any], space: str, name: str) -> tuple[Signature, ...]:
    natives, stubs = native_signatures(), stub_signatures()
    if isinstance(function, BuiltinFunctionType) or (space == "method" and not isinstance(function, FunctionType)):
        bare = getattr(function, "__name__", name)
        for table, prefix in (
            (space, ""),
            ("torch", ""),
            ("nn", ""),
            ("special", "special_"),
            ("linalg", "linalg_"),
            ("fft", "fft_"),
        ):
            if table == "method" and space != "method":
                continue
            found = natives.get(table, {}).get(bare.removeprefix(prefix) if prefix else bare)
            if found:
                return found
            if space == "method":
                break
        found = stubs.get("method" if space == "method" else "torch", {}).get(name)
        if found:
            return found
    seen = inspected_signature(function)
    if seen is None or any(p.star and p.name == "args" for p in seen.params):
        seen = _testing_signature(function) or seen
    return (seen,) if seen is not None else ()


def _public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in sorted(dir(module)):
        if name.startswith("_") and not name.startswith("_foreach_"):
            continue
        value: Any = getattr(module, name, None)
        if isinstance(value, (BuiltinFunctionType, FunctionType)) or type(value).__name__ == "OpOverloadPacket":
            owner = getattr(value, "__module__", "") or ""
            if isinstance(value, FunctionType) and owner.split(".")[0] != "torch":
                continue
            yield name, value


def functions() -> Iterator[Spelling]:
    """Functions of torch and of its functional, special, linalg, fft, init and utils modules."""
    modules: list[tuple[str, ModuleType, str]] = [
        ("torch", torch, ""),
        ("torch.nn.functional", torch.nn.functional, "nn.functional."),
        ("torch.special", torch.special, "special."),
        ("torch.linalg", torch.linalg, "linalg."),
        ("torch.fft", torch.fft, "fft."),
        ("torch.nn.init", torch.nn.init, "nn.init."),
        ("torch.nn.utils", torch.nn.utils, "nn.utils."),
        ("torch.nn.utils.rnn", torch.nn.utils.rnn, "nn.utils.rnn."),
    ]
    overridable = {id(f) for fs in torch.overrides.get_overridable_functions().values() for f in fs}
    natives = native_signatures()["torch"]
    for dotted, module, prefix in modules:
        for name, function in _public_functions(module):
            if dotted == "torch":
                if any(name == skip or (skip.endswith("_") and name.startswith(skip)) for skip in SKIPPED["torch"]):
                    continue
                if id(function) not in overridable and name not in natives and name not in stub_signatures()["torch"]:
                    continue
            signatures = _signatures(function, "torch", name)
            if not signatures:
                continue
            bare = name.rstrip("_")
            pool = (
                prefix + name,
                prefix + bare,
                name,
                bare,
                "nn.functional." + name,
                "special." + name,
                "linalg." + name,
            )
            yield Spelling(dotted, name, function, signatures, tuple(dict.fromkeys(pool)))


def _operator_name(dunder: str) -> str | None:
    """The plain name of a data-model method: ``add`` for ``__add__``, ``__radd__`` and ``__iadd__``."""
    bare = dunder[2:-2]
    for name in (bare[1:] if bare[:1] in "ri" else bare, bare):
        if hasattr(operator, name) or hasattr(operator, name + "_"):
            return name
    return bare if hasattr(builtins, bare) else None


def methods() -> Iterator[Spelling]:
    """Methods of torch.Tensor, operators included; indexing has a generator of its own."""
    aliases = {
        "truediv": "div",
        "floordiv": "floor_divide",
        "mod": "remainder",
        "and": "bitwise_and",
        "or": "bitwise_or",
        "xor": "bitwise_xor",
        "invert": "bitwise_not",
        "lshift": "bitwise_left_shift",
        "rshift": "bitwise_right_shift",
    }
    for name in sorted(dir(torch.Tensor)):
        if name in NOT_OPERATORS or name in SKIPPED["method"] or (name.startswith("_") and not name.startswith("__")):
            continue
        function = inspect.getattr_static(torch.Tensor, name)
        if isinstance(function, (staticmethod, classmethod, property)) or not callable(function):
            continue
        function = getattr(torch.Tensor, name)
        if name.startswith("__"):
            plain = _operator_name(name)
            if plain is None:
                continue
            binary = hasattr(operator, "i" + plain) or plain in ("eq", "ne", "lt", "le", "gt", "ge")
            pool: tuple[str, ...] = (f"__{plain}__", name, aliases.get(plain, plain), plain)
        else:
            bare = name.rstrip("_")
            pool = (name, bare, "nn.functional." + bare, "special." + bare, "linalg." + bare)
            binary = False
        signatures = BINARY if binary else _signatures(function, "method", name)
        if name.startswith("__") and (not signatures or any(p.star for p in signatures[0].params)):
            signatures = stub_signatures()["method"].get(name, signatures)
        if signatures:
            yield Spelling("method", name, function, signatures, pool)


def properties() -> Iterator[tuple[str, Any]]:
    """Names of torch.Tensor's properties that may hold a tensor."""
    for name in sorted(dir(torch.Tensor)):
        value = inspect.getattr_static(torch.Tensor, name)
        if name.startswith("_") or callable(value) or not hasattr(value, "__get__"):
            continue
        yield name, value
