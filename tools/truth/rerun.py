"""Run a program before and after a fix, and compare what the two show.

The *reference* is the original program with the faults of autograd taken out of the way, so that it does what its author meant:
what is saved for a backward is cloned, a leaf is written under `no_grad`, pieces of a split are single views, `expand` copies,
`out=` is a copy into that tensor, inference mode is `no_grad`, graphs are kept. The fixed program, run by plain torch, must show
the same: the leaves that each backward reaches with their values and gradients, what is printed, the module's tensors.

Meant to be called in a process of its own, as `execute` is.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from tools.truth.execute import _leaves, _same_gradients, _sequence
from tools.truth.tracking import PROGRAM
from tools.truth.verdict import GRAD_WARNING, fault_of

LEAF = "a leaf Variable that requires grad"
VIEW_OF_LEAF = "a view of a leaf Variable that requires grad"


@dataclass
class Shown:
    """What a run showed.

    leaves: at each backward the leaves it reaches, (value, gradient) each. printed: the lines of standard output. named: the
    tensors that the module's names stand for at its end. faults: autograd's messages. uncaught: what ended the program early.
    """

    leaves: list[tuple[torch.Tensor, torch.Tensor | None]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    named: dict[str, torch.Tensor] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    uncaught: str = ""


class _AsMeant(TorchFunctionMode):
    """Does what the author meant where plain torch refuses."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in ("chunk", "split", "unbind", "tensor_split", "split_with_sizes", "hsplit", "vsplit", "unsafe_chunk"):
            return _single_views(func(*args, **kwargs), func, args, kwargs)
        if name in ("expand", "expand_as", "broadcast_to"):
            return func(*args, **kwargs).clone()
        try:
            return func(*args, **kwargs)
        except RuntimeError as error:
            text = str(error)
            if LEAF in text or VIEW_OF_LEAF in text:
                with torch.no_grad():
                    return func(*args, **kwargs)
            if "functions with out=" in text and isinstance(kwargs.get("out"), torch.Tensor):
                out = kwargs.pop("out")
                return out.copy_(func(*args, **kwargs))
            raise


def _single_views(pieces: Any, func: Any, args: Any, kwargs: Any) -> Any:
    """The pieces as views that an operation each returned."""
    whole = args[0] if args else kwargs.get("self")
    if not isinstance(whole, torch.Tensor) or not isinstance(pieces, (tuple, list)):
        return pieces
    with torch._C.DisableTorchFunction():
        return type(pieces)(
            torch.as_strided(whole, piece.shape, piece.stride(), piece.storage_offset()) for piece in pieces
        )


@contextmanager
def _as_meant() -> Iterator[None]:
    inference, backward, grad = torch.inference_mode, torch.autograd.backward, torch.autograd.grad

    def kept(call: Callable[..., Any], place: int) -> Callable[..., Any]:
        def keeping(*args: Any, **kwargs: Any) -> Any:
            if len(args) > place:
                return call(*args[:place], True, *args[place + 1 :], **kwargs)
            return call(*args, **{**kwargs, "retain_graph": True})

        return keeping

    torch.inference_mode = lambda mode=True: torch.no_grad() if mode else contextlib.nullcontext()  # type: ignore
    torch.autograd.backward, torch.autograd.grad = kept(backward, 2), kept(grad, 3)
    try:
        with torch.autograd.graph.saved_tensors_hooks(_copy, lambda kept: kept), _AsMeant():
            yield
    finally:
        torch.inference_mode = inference  # type: ignore
        torch.autograd.backward, torch.autograd.grad = backward, grad


def _copy(saved: torch.Tensor) -> torch.Tensor:
    with torch._C.DisableTorchFunction():
        return saved.detach().clone() if saved.is_floating_point() or saved.is_complex() else saved.clone()


@contextmanager
def _recorded(shown: Shown) -> Iterator[None]:
    """Notes the leaves at each call of the two doors to the engine."""
    backward, grad = torch.autograd.backward, torch.autograd.grad
    depth = 0  # under a function mode torch calls these doors from within themselves

    def within(call: Callable[[], Any]) -> Any:
        nonlocal depth
        depth += 1
        try:
            return call()
        finally:
            depth -= 1

    def recording_backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        leaves = [] if depth else _leaves(_sequence(tensors))
        values = [leaf.detach().clone() for leaf in leaves]
        within(lambda: backward(tensors, *args, **kwargs))
        for leaf, value in zip(leaves, values, strict=True):
            shown.leaves.append((value, None if leaf.grad is None else leaf.grad.detach().clone()))

    def recording_grad(*args: Any, **kwargs: Any) -> Any:
        result = within(lambda: grad(*args, **kwargs))
        if not depth:
            shown.leaves.extend((one.detach().clone(), None) for one in result if one is not None)
        return result

    torch.autograd.backward, torch.autograd.grad = recording_backward, recording_grad
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = backward, grad


def _begin() -> None:
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    random.seed(0)
    with contextlib.suppress(ImportError):
        import numpy

        numpy.random.seed(0)


def show(source: str, around: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext) -> Shown:
    """Runs the program inside ``around()``."""
    shown = Shown()
    module = types.ModuleType("__main__")
    module.__dict__["__file__"] = PROGRAM

    def trace(frame: types.FrameType, event: str, argument: Any) -> Any:
        if event == "call" and frame.f_code.co_filename != PROGRAM:
            return None
        if event == "exception" and (isinstance(argument[1], RuntimeError) and fault_of(str(argument[1]))):
            shown.faults.append(str(argument[1]))
        frame.f_trace_lines = False
        return trace

    def warned(message: Warning | str, *rest: Any, **more: Any) -> None:
        if GRAD_WARNING in str(message):
            shown.faults.append(GRAD_WARNING)

    out = io.StringIO()
    before = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        code = compile(source, PROGRAM, "exec", dont_inherit=True)
        with warnings.catch_warnings(), contextlib.redirect_stdout(out), around(), _recorded(shown):
            warnings.simplefilter("always")
            warnings.showwarning = warned
            _begin()
            sys.settrace(trace)
            try:
                exec(code, module.__dict__)
            finally:
                sys.settrace(None)
    except (SystemExit, KeyboardInterrupt):
        pass
    except BaseException as error:  # whatever the program raises is its answer, never ours
        shown.uncaught = f"{type(error).__name__}: {error}"
    finally:
        sys.modules["__main__"] = before
        torch.set_grad_enabled(True)
    shown.printed = out.getvalue().splitlines()
    shown.named = {
        name: value.detach().clone()
        for name, value in module.__dict__.items()
        if isinstance(value, torch.Tensor) and not value.is_inference()
    }
    return shown


def _close(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    return _same_gradients([one], [other])


def _same_leaves(one: Shown, other: Shown, values: bool = True) -> bool:
    """Whether the same leaves had the same gradients; graphs of another shape are walked in another order."""
    if len(one.leaves) != len(other.leaves):
        return False
    left = list(other.leaves)
    for value, gradient in one.leaves:
        for place, (known, there) in enumerate(left):
            if (not values or _close(value, known)) and _close(gradient, there):
                del left[place]
                break
        else:
            return False
    return True


def compare(original: str, fixed: str, others: bool) -> dict[str, Any]:
    """What the fix did, as plain data.

    others: further faults are left in the program, so that it is run with those out of the way. ``runs``: without a fault
    of autograd. ``reference``: there is something to compare with. ``same_end``: both end early, by the same error, which is
    not one of autograd's. ``correct``: plain torch finds nothing wrong with the original. ``gradients``, ``printed``,
    ``named``: as in the reference. ``gradients_alone``: without the values of the leaves.
    """
    torch.set_num_threads(1)
    plain = show(original)
    meant = show(original, _as_meant)
    after = show(fixed, _as_meant if others else contextlib.nullcontext)
    good = not plain.faults and not plain.uncaught and _same_leaves(plain, meant)
    against = plain if good else meant
    return {
        "runs": not after.faults and not after.uncaught,
        "reference": not against.faults and not against.uncaught,
        "same_end": bool(after.uncaught) and not after.faults and after.uncaught == against.uncaught,
        "correct": good,
        "gradients": _same_leaves(against, after),
        "gradients_alone": _same_leaves(against, after, values=False),
        "printed": against.printed == after.printed,
        "named": all(name in after.named and _close(value, after.named[name]) for name, value in against.named.items()),
        "note": after.uncaught or "".join(after.faults[:1]) or against.uncaught or "".join(against.faults[:1]),
    }
