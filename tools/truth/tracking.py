"""The watched run: which line wrote to which saved tensor, and what the gradients would be had nobody written.

Three hooks see everything: saved-tensor hooks (what a node keeps, as it was then), a dispatch mode (every write,
however deep inside torch) and a function mode (what the user called, so that a saved tensor can be told to be an
input or the result of that call). Saved tensors are handed back to backward as they were when they were saved,
so the gradients of this run are the right ones. Where torch would raise, this run raises the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tools.truth.verdict import VERSION_ERROR

PROGRAM = "<program>"
"""The file name under which judged programs are compiled."""


def user_line() -> int | None:
    """The line of the program being executed, seen from anywhere below it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == PROGRAM:
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


@dataclass
class Write:
    """One write into a storage: its place in time, its line, and the storage object it went through.

    made: where the torch module that writes was made, if one does; a Sequential's parts have no call of their own.
    """

    time: int
    line: int | None
    storage: int
    made: int | None = None


@dataclass
class Saved:
    """A tensor that a graph node keeps: an alias, its contents then, and the lines that wrote to it since.

    role is ``input`` or ``result`` of the user's call (``unknown`` inside torch); leaf says that the storage is a
    leaf's that requires grad. seen: writes the version counter saw. hidden: the others, with the way they went.
    """

    alias: torch.Tensor
    contents: torch.Tensor
    version: int
    last_version: int
    time: int
    line: int | None
    op: str
    role: str = "unknown"
    leaf: bool = False
    unpacked: bool = False
    seen: list[int | None] = field(default_factory=list)
    hidden: list[tuple[int | None, str]] = field(default_factory=list)

    @property
    def stale(self) -> bool:
        return self.alias._version != self.version

    @property
    def changed(self) -> bool:
        """Whether the contents differ from what was saved; to be asked while the tracker is hushed."""
        now = self.alias.detach()
        then = self.contents
        return now.shape != then.shape or not torch.equal(torch.nan_to_num(now), torch.nan_to_num(then))


@dataclass
class Call:
    """A call of torch that the program made: the storages of its arguments and what was saved and written in it."""

    op: str
    start: int
    arguments: dict[int, bool]  # storage -> a leaf that requires grad
    saved: list[Saved] = field(default_factory=list)


@dataclass
class GradRead:
    """A read of ``.grad``: of a leaf, or of an interior tensor that does not retain it (and where that was made)."""

    line: int | None
    leaf: bool
    made: int | None = None
    updated_from_grad: bool = False


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def _key(tensor: torch.Tensor) -> int:
    """The storage's address; 0 for what has no memory of its own."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


class Tracker:
    """Everything that the watched run learns. Storages are kept alive, so that an address names one storage."""

    def __init__(self, watch_contents: bool = False) -> None:
        self.time = 0
        self.quiet = 0
        self.watch_contents = watch_contents
        self.saved: list[Saved] = []
        self.by_storage: dict[int, list[Saved]] = {}
        self.pending: dict[int, Write] = {}
        self.last_write: dict[int, Write] = {}
        self.calls: list[Call] = []
        self.stale: list[Saved] = []  # in the order in which torch raises
        self.silent: list[Saved] = []
        self.idle: list[Saved] = []  # written behind autograd's back with what they held already
        self.overlapping: list[int | None] = []  # lines that wrote to expanded memory
        self.view_culprits: list[int | None] = []
        self.grad_reads: list[GradRead] = []
        self.data_sets: list[int | None] = []
        self.made: dict[int, int | None] = {}
        self.keep: list[Any] = []
        self.module_lines: dict[int, int | None] = {}
        self.same_place: dict[int, set[int]] = {}  # line of a write -> where the modules that write there are made

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Our own torch calls, which are not the program's."""
        self.quiet += 1
        try:
            with torch.no_grad():
                yield
        finally:
            self.quiet -= 1

    def tick(self) -> int:
        self.time += 1
        return self.time

    # -- saved tensors -------------------------------------------------------------------------------------

    def pack(self, tensor: torch.Tensor) -> Any:
        if self.quiet or tensor.is_inference():
            return tensor
        with self.hushed():
            key = _key(tensor)
            self.settle(key)
            call = self.calls[-1] if self.calls else None
            alias = self._unpacked_alias(tensor)
            entry = Saved(
                alias, alias.clone(), alias._version, alias._version, self.tick(), user_line(), call.op if call else "?"
            )
            self.saved.append(entry)
            if key:
                self.by_storage.setdefault(key, []).append(entry)
                self.keep.append(tensor.untyped_storage())
            if call is not None:
                call.saved.append(entry)
            return entry

    def _unpacked_alias(self, tensor: torch.Tensor) -> torch.Tensor:
        """An alias on the tensor's counter; what `create_graph` saves anew is our `unpack`'s, on another counter."""
        for entry in reversed(self.by_storage.get(_key(tensor), ())):
            alias = entry.alias
            same = alias.stride() == tensor.stride() and alias.storage_offset() == tensor.storage_offset()
            if entry.unpacked and same:
                return alias if tensor._version == 0 else tensor.detach()
        return tensor.detach()

    def unpack(self, entry: Any) -> torch.Tensor:
        if not isinstance(entry, Saved):
            assert isinstance(entry, torch.Tensor)
            return entry
        with self.hushed():
            self.settle(_key(entry.alias))
            if entry.stale:
                self.stale.append(entry)
                raise RuntimeError(f"{VERSION_ERROR}: watched run")
            if not entry.changed:
                if entry.hidden:
                    self.idle.append(entry)
                entry.unpacked = True
                return entry.alias  # not a copy: a graph of this backward (`create_graph`) must save the tensor itself
            self.silent.append(entry)
            return entry.contents.clone()

    def keep_attribute(self, tensor: torch.Tensor) -> Saved:
        """A custom Function keeps a tensor as an attribute of its context, where torch checks no version."""
        with self.hushed():
            key = _key(tensor)
            self.settle(key)
            alias = tensor.detach()
            entry = Saved(alias, alias.clone(), alias._version, alias._version, self.tick(), user_line(), "attribute")
            self.by_storage.setdefault(key, []).append(entry)
            self.keep.append(tensor.untyped_storage())
            return entry

    def read_attribute(self, tensor: torch.Tensor, entry: Saved) -> torch.Tensor:
        """What backward finds there: in this run, the contents from when it was kept."""
        with self.hushed():
            self.settle(_key(tensor))
            if not entry.changed:
                return tensor
            entry.hidden += [(line, "alias") for line in entry.seen]
            self.silent.append(entry)
            return entry.contents.clone()

    def note_module(self, module: torch.nn.Module) -> None:
        """A module is being made."""
        self.module_lines[id(module)] = user_line()
        self.keep.append(module)

    def _module_line(self) -> int | None:
        """Where the innermost torch module under the user's frame was made."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != PROGRAM:
            module = frame.f_locals.get("self") if frame.f_code.co_name == "forward" else None
            if isinstance(module, torch.nn.Module):
                return self.module_lines.get(id(module))
            frame = frame.f_back  # type: ignore[assignment]
        return None

    # -- writes --------------------------------------------------------------------------------------------

    def settle(self, key: int) -> None:
        """The version counter moves after the dispatch mode saw the write, so each write is filed at the next event."""
        write = self.pending.pop(key, None)
        if write is None:
            return
        for entry in self.by_storage.get(key, ()):
            if entry.time > write.time:
                continue
            version = entry.alias._version
            if version != entry.last_version:
                entry.last_version = version
                entry.seen.append(write.line)
            else:
                same = entry.alias.untyped_storage()._cdata == write.storage
                entry.hidden.append((write.line, "data" if same else "alias"))

    def settle_all(self) -> None:
        """File every write."""
        for key in list(self.pending):
            self.settle(key)

    def wrote(self, tensor: torch.Tensor) -> None:
        key = _key(tensor)
        if not key:
            return
        self.settle(key)
        storage = tensor.untyped_storage()
        self.keep.append(storage)
        write = Write(self.tick(), user_line(), storage._cdata, self._module_line())
        in_backward = any(call.op.endswith(("backward", ".grad")) for call in self.calls)
        if not in_backward and any(
            stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)
        ):
            self.overlapping.append(write.line)
        self.pending[key] = self.last_write[key] = write
        if write.line is not None and write.made is not None:
            self.same_place.setdefault(write.line, set()).add(write.made)

    # -- the user's calls ----------------------------------------------------------------------------------

    def enter(self, func: Any, arguments: list[torch.Tensor]) -> Call:
        storages: dict[int, bool] = {}
        for tensor in arguments:
            base = tensor._base if not tensor.is_inference() and tensor._base is not None else tensor
            leaf = base.is_leaf and base.requires_grad
            storages[_key(tensor)] = storages.get(_key(tensor), False) or leaf
        call = Call(str(resolve_name(func) or getattr(func, "__name__", "?")), self.time, storages)
        self.calls.append(call)
        return call

    def leave(self, call: Call, results: list[torch.Tensor]) -> None:
        self.calls.remove(call)
        made = {_key(tensor) for tensor in results}
        for entry in call.saved:
            key = _key(entry.alias)
            write = self.last_write.get(key)
            written_before = write is not None and call.start < write.time < entry.time
            with self.hushed():
                self.settle(key)
                entry.hidden.clear()  # gated cells write to pieces of their own, which have counters of their own
                if not entry.stale and entry.changed:  # the op itself keeps up what it saved: batch norm's mean
                    entry.contents = entry.alias.clone()
            if key in call.arguments:
                entry.leaf = call.arguments[key]
                entry.role = "result" if written_before else "input"
            elif key in made:
                entry.role = "result"
        line = user_line()
        for tensor in results:
            # `.grad_fn` and `.is_leaf` must not be read here: they bring a stale view up to date, or raise for it
            if tensor.requires_grad and id(tensor) not in self.made:
                self.made[id(tensor)] = line
                self.keep.append(tensor)

    def read_grad(self, tensor: torch.Tensor) -> None:
        line = user_line()
        if tensor.is_leaf:
            self.grad_reads.append(GradRead(line, True))
        elif not tensor.retains_grad and tensor._grad is None:
            made = self.made.get(id(tensor))
            update = made is not None and any(read.leaf and read.line == made for read in self.grad_reads)
            self.grad_reads.append(GradRead(line, False, made, update))

    def set_data(self, tensor: torch.Tensor, value: torch.Tensor) -> None:
        """``tensor.data = value``: whoever saved the very tensor sees the new contents, whoever saved a view does not."""
        self.data_sets.append(user_line())
        with self.hushed():
            for entry in self.by_storage.get(_key(tensor), ()):
                alias = entry.alias
                same = entry.leaf and alias.shape == tensor.shape and alias.stride() == tensor.stride()
                if same and not torch.equal(alias, value.detach()):
                    entry.hidden.append((user_line(), "data"))

    def blame_view(self, arguments: list[torch.Tensor]) -> None:
        """A use of a view raised because its base was written: the latest write to an argument's storage did that."""
        writes = [self.last_write[_key(tensor)] for tensor in arguments if _key(tensor) in self.last_write]
        self.view_culprits.append(max(writes, key=lambda write: write.time).line if writes else None)

    # -- contents, for writes that no dispatch shows (numpy) -------------------------------------------------

    def watch(self, line: int | None) -> None:
        """Compare every saved tensor with what it was, after the program executed ``line``."""
        with self.hushed():
            for entry in self.saved:
                if not entry.stale and not entry.hidden and entry.changed:
                    entry.hidden.append((line, "alias"))


class _Dispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, tracker: Tracker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tracker = tracker

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        written: list[torch.Tensor] = []
        if not self.tracker.quiet:
            for position, argument in enumerate(func._schema.arguments):
                if argument.alias_info is None or not argument.alias_info.is_write:
                    continue
                value = args[position] if position < len(args) else kwargs.get(argument.name)
                for tensor in _tensors(value):
                    self.tracker.wrote(tensor)
                    written.append(tensor)
        result = func(*args, **kwargs)
        if func._schema.name.startswith("aten::_foreach_"):
            # their kernels count versions by calling each tensor's own op, which they cannot do from under a mode
            for tensor in written:
                torch.autograd.graph.increment_version(tensor)
        return result


class _Function(TorchFunctionMode):
    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self.tracker = tracker

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tracker = self.tracker
        if tracker.quiet:
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        owner = getattr(getattr(func, "__self__", None), "__name__", "")
        if name == "__get__" and owner == "grad":
            tracker.read_grad(args[0])
            return func(*args, **kwargs)
        if name == "__set__" and owner == "data":
            tracker.set_data(args[0], args[1])
        if name in ("__get__", "__set__"):
            result = func(*args, **kwargs)
            if isinstance(result, torch.Tensor) and result.requires_grad:
                tracker.made.setdefault(id(result), user_line())
                tracker.keep.append(result)
            return result
        arguments = _tensors((args, kwargs))
        call = tracker.enter(func, arguments)
        results: list[torch.Tensor] = []
        try:
            result = func(*args, **kwargs)
            results = _tensors(result)
        except RuntimeError as error:
            if "its base or another view of its base has been modified" in str(error):
                tracker.blame_view(arguments)
            raise
        finally:
            tracker.leave(call, results)
        return result


@contextmanager
def _watched_contexts(tracker: Tracker) -> Iterator[None]:
    """Tensors that custom Functions keep as attributes of their context go through the tracker."""
    context = torch.autograd.function.FunctionCtx

    def put(self: Any, name: str, value: Any) -> None:
        if isinstance(value, torch.Tensor):
            self.__dict__.pop(name, None)
            object.__setattr__(self, f"_kept_{name}", (value, tracker.keep_attribute(value)))
        else:
            object.__setattr__(self, name, value)

    def get(self: Any, name: str) -> Any:
        kept = self.__dict__.get(f"_kept_{name}")
        if kept is None:
            raise AttributeError(name)
        return tracker.read_attribute(*kept)

    context.__setattr__, context.__getattr__ = put, get  # type: ignore[attr-defined, method-assign]
    try:
        yield
    finally:
        del context.__setattr__, context.__getattr__  # type: ignore[attr-defined]


@contextmanager
def tracking(tracker: Tracker) -> Iterator[None]:
    """Run the body watched by ``tracker``."""
    made = torch.nn.Module.__init__

    def noting(self: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        tracker.note_module(self)
        made(self, *args, **kwargs)

    with ExitStack() as stack:
        torch.nn.Module.__init__ = noting  # type: ignore[method-assign]
        stack.callback(setattr, torch.nn.Module, "__init__", made)
        stack.enter_context(torch.autograd.graph.saved_tensors_hooks(tracker.pack, tracker.unpack))
        stack.enter_context(_watched_contexts(tracker))
        stack.enter_context(_Dispatch(tracker))
        stack.enter_context(_Function(tracker))
        yield
