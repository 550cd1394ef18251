"""Run one program in this process, as it is and watched, and put the two together to a verdict.

Meant to be called in a process of its own: the program may leave torch's global state in any condition.
"""

from __future__ import annotations

import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from tools.truth.tracking import PROGRAM, Saved, Tracker, tracking, user_line
from tools.truth.verdict import GRAD_WARNING, VERSION_ERROR, Finding, Kind, Verdict, fault_of


@dataclass
class Run:
    """What one run showed: the exceptions in order (also those the program caught), the gradients, the warnings.

    passed: every frame of the program that an exception went through.
    """

    errors: list[tuple[BaseException, int]] = field(default_factory=list)
    passed: list[tuple[BaseException, int]] = field(default_factory=list)
    gradients: list[torch.Tensor | None] = field(default_factory=list)
    warned: list[int | None] = field(default_factory=list)
    uncaught: BaseException | None = None

    def note_error(self, error: BaseException, line: int) -> None:
        self.passed.append((error, line))
        if not any(known is error for known, _ in self.errors):
            self.errors.append((error, line))


def _leaves(roots: Any) -> list[torch.Tensor]:
    """The leaves that a backward from ``roots`` reaches, in a fixed order."""
    found: list[torch.Tensor] = []
    seen: set[Any] = set()
    stack: list[Any] = [
        root.grad_fn for root in reversed(roots) if isinstance(root, torch.Tensor) and root.grad_fn is not None
    ]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        stack.extend(parent for parent, _ in reversed(node.next_functions))
    return found


def _sequence(value: Any) -> list[Any]:
    return [value] if isinstance(value, torch.Tensor) else list(value)


@contextmanager
def _recorded_gradients(run: Run) -> Iterator[None]:
    """Replace the two doors to the engine by ones that copy the gradients they leave behind."""
    backward, grad = torch.autograd.backward, torch.autograd.grad

    depth = 0  # under a function mode torch calls these doors from within themselves

    def recorded(call: Callable[[], Any], tensors: Callable[[Any], list[Any]]) -> Any:
        nonlocal depth
        depth += 1
        try:
            result = call()
        finally:
            depth -= 1
        if depth == 0:
            run.gradients.extend(None if one is None else one.detach().clone() for one in tensors(result))
        return result

    def recording_backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        leaves = _leaves(_sequence(tensors)) if depth == 0 else []
        recorded(lambda: backward(tensors, *args, **kwargs), lambda _: [leaf.grad for leaf in leaves])

    def recording_grad(*args: Any, **kwargs: Any) -> Any:
        return recorded(lambda: grad(*args, **kwargs), _sequence)

    torch.autograd.backward, torch.autograd.grad = recording_backward, recording_grad
    try:
        yield
    finally:
        torch.autograd.backward, torch.autograd.grad = backward, grad


def _tracer(run: Run, on_line: Callable[[int], None] | None) -> Callable[..., Any]:
    """A trace function that notes exceptions in the program's own frames, and calls ``on_line`` after each line."""
    previous: dict[int, int] = {}

    def local(frame: types.FrameType, event: str, argument: Any) -> Any:
        if event == "exception":
            run.note_error(argument[1], frame.f_lineno)
        if on_line is not None:
            if id(frame) in previous:
                on_line(previous[id(frame)])
            previous[id(frame)] = frame.f_lineno
            if event == "return":
                previous.pop(id(frame), None)
        return local

    def trace(frame: types.FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != PROGRAM:
            return None
        frame.f_trace_lines = on_line is not None
        return local

    return trace


def _reset() -> None:
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)
    random.seed(0)
    torch.autograd.set_detect_anomaly(False)


def _run(code: types.CodeType, tracker: Tracker | None) -> Run:
    run = Run()
    module = types.ModuleType("__main__")
    module.__dict__["__file__"] = PROGRAM
    _reset()
    on_line = tracker.watch if tracker is not None and tracker.watch_contents else None

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if GRAD_WARNING in str(message):
            run.warned.append(user_line())

    saved_main, saved_hook = sys.modules["__main__"], sys.unraisablehook
    sys.modules["__main__"] = module
    sys.unraisablehook = lambda _: None
    with warnings.catch_warnings(), _recorded_gradients(run):
        warnings.simplefilter("always")
        warnings.showwarning = show
        sys.settrace(_tracer(run, on_line))
        try:
            if tracker is None:
                exec(code, module.__dict__)
            else:
                with tracking(tracker):
                    exec(code, module.__dict__)
        except (SystemExit, KeyboardInterrupt):
            pass
        except BaseException as error:  # whatever the program raises is its verdict, never ours
            run.uncaught = error
        finally:
            sys.settrace(None)
            sys.modules["__main__"], sys.unraisablehook = saved_main, saved_hook
    _reset()
    return run


def _same_gradients(left: list[torch.Tensor | None], right: list[torch.Tensor | None]) -> bool:
    if len(left) != len(right):
        return False
    for one, other in zip(left, right, strict=True):
        if one is None or other is None:
            if one is not other:
                return False
        elif one.shape != other.shape or not torch.allclose(one, other, rtol=1e-4, atol=1e-7, equal_nan=True):
            return False
    return True


def _saved_code(entry: Saved) -> tuple[str, tuple[str, ...]]:
    if entry.leaf:
        return "IPL203", ("IPL201",)
    if entry.role == "unknown":
        return "IPL201", ("IPL202", "IPL203")
    return ("IPL201", ()) if entry.role == "input" else ("IPL202", ())


def _lines(lines: list[int | None]) -> tuple[int, ...]:
    return tuple(sorted({line for line in lines if line is not None}))


def _version_finding(tracker: Tracker, number: int, message: str, raised: int) -> Finding:
    if number >= len(tracker.stale):
        return Finding("IPL201", None, raised, message, ("IPL202", "IPL203"))
    entry = tracker.stale[number]
    code, also = _saved_code(entry)
    lines = list(entry.seen)
    culprit = entry.seen[0] if entry.seen else None
    for other in tracker.saved:
        if other is not entry and other.stale:
            lines += other.seen
            if culprit in other.seen:  # one write, several saved tensors: torch names the one it meets first
                also += (_saved_code(other)[0],)
    return Finding(code, culprit, raised, message, tuple(sorted({*also} - {code})), _lines(lines))


def _errors(run: Run, tracker: Tracker) -> list[Finding]:
    findings = []
    versions = views = 0
    for error, line in run.errors:
        message = str(error)
        fault = fault_of(message) if isinstance(error, RuntimeError) else None
        if fault is None:
            continue
        if fault.marker == VERSION_ERROR:
            findings.append(_version_finding(tracker, versions, message, line))
            versions += 1
        elif fault.by_view:
            culprit = tracker.view_culprits[views] if views < len(tracker.view_culprits) else None
            views += 1
            findings.append(Finding(fault.code, culprit, line, message, fault.also, (line,)))
        elif fault.code == "IPL403" and tracker.overlapping and line not in tracker.overlapping:
            # `fill_` and `zero_` pass at once; what backward makes of them does not
            findings.append(Finding(fault.code, tracker.overlapping[-1], line, message, fault.also))
        else:
            findings.append(Finding(fault.code, line, line, message, fault.also))
    return findings


def _silent(tracker: Tracker) -> list[Finding]:
    """The writes behind autograd's back that reached a backward, one finding a line."""
    findings: dict[int | None, Finding] = {}
    for entry in tracker.silent:
        line, way = entry.hidden[0] if entry.hidden else (None, "alias")
        code = "IPL301" if way == "data" else "IPL302"
        others = _lines([line for line, _ in entry.hidden])
        findings.setdefault(line, Finding(code, line, None, "wrong gradients", ("IPL302", "IPL203", "IPL301"), others))
    if not findings:
        line = tracker.data_sets[-1]
        findings[line] = Finding(
            "IPL301", line, None, "wrong gradients", ("IPL302", "IPL203"), _lines(tracker.data_sets)
        )
    return list(findings.values())


def _warnings(run: Run, tracker: Tracker) -> list[Finding]:
    findings: dict[tuple[str, int | None], Finding] = {}
    reads = [read for read in tracker.grad_reads if not read.leaf]
    for read in reads:
        if read.updated_from_grad:
            others = _lines([read.line])
            finding = Finding("IPL503", read.made, read.line, GRAD_WARNING, ("IPL502",), others)
        else:
            finding = Finding("IPL502", read.line, read.line, GRAD_WARNING, ("IPL503",))
        findings.setdefault((finding.code, finding.line), finding)
    if not reads:
        return [Finding("IPL502", line, line, GRAD_WARNING, ("IPL503",)) for line in _lines(run.warned)]
    return list(findings.values())


def execute(source: str) -> Verdict:
    """Judge one program in this very process. Whatever it does wrong ends in the verdict, not in an exception."""
    try:
        code = compile(source, PROGRAM, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return Verdict("invalid", (), f"does not compile: {error}")
    torch.set_num_threads(1)
    run = _run(code, None)
    tracker = Tracker()
    watched = _run(code, tracker)
    errors = [(line, f"{type(error).__name__}: {error}") for error, line in run.passed]
    errors += [(line, GRAD_WARNING) for line in run.warned if line is not None]
    kind, findings, note = _verdict(code, run, watched, tracker)
    findings = [
        replace(one, same=tuple(sorted(tracker.same_place.get(one.line, ())))) if one.line is not None else one
        for one in findings
    ]
    return Verdict(kind, tuple(findings), note, tuple(errors))


def _verdict(code: types.CodeType, run: Run, watched: Run, tracker: Tracker) -> tuple[Kind, list[Finding], str]:
    kind: Kind = "clean"
    note = ""
    tracker.settle_all()
    findings = _errors(run, tracker)
    if findings:
        kind = "raises"
    alone = run.uncaught is not None and watched.uncaught is None
    if alone and not findings and not run.warned:
        return "invalid", [], f"{type(run.uncaught).__name__}: {run.uncaught}"
    if not alone and not _same_gradients(run.gradients, watched.gradients):
        if not tracker.silent and not tracker.data_sets:  # copies are aligned differently, which moves rounding
            return kind, findings, "the gradients of the two runs differ, though nobody wrote"
        if any(not entry.hidden for entry in tracker.silent):
            tracker = Tracker(watch_contents=True)
            _run(code, tracker)
        findings += _silent(tracker)
        kind = "wrong-gradients" if kind == "clean" else kind
    elif any(
        entry.op != "attribute" and (entry.hidden or "batch_norm" not in entry.op)
        for entry in [*tracker.silent, *tracker.idle]
    ):
        # batch norm writes its own statistics, which it keeps even where it does not need them; and an attribute that
        # backward reads may be there for its shape alone
        note = "a saved tensor was changed behind autograd's back, with no effect on these gradients"
    if run.warned:
        findings += _warnings(run, tracker)
        kind = "warns" if kind == "clean" else kind
    if run.uncaught is not None and not findings:
        return "invalid", [], f"{type(run.uncaught).__name__}: {run.uncaught}"
    return kind, findings, note
