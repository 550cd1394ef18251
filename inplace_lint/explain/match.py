"""How well a finding fits an error: a score, made of named reasons for and against.

What PyTorch's "which is output 0 of X" names follows from how it saves: of a *result* it is the operation that saved
it, whatever wrote to it afterwards. Of an *input* it is the node that the tensor has when backward looks: that of the last
recorded write, or, where the write was not recorded, of the operation that made the tensor. A tensor of no node is a
leaf, or needs no grad. A saved view whose base was written is named ``AsStrided``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Span, Trace
from . import nodes
from .places import Place
from .traceback import Kind, TorchError

RULES: dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "modified": (("IPL201", "IPL202", "IPL203"), ()),
    "leaf": (("IPL101",), ("IPL102",)),
    "leaf-view": (("IPL102",), ("IPL101",)),
    "out": (("IPL103",), ()),
    "several-views": (("IPL401",), ()),
    "function-view": (("IPL401",), ()),
    "no-grad-view": (("IPL402",), ()),
    "detach-view": (("IPL402",), ()),
    "shared-memory": (("IPL403", "IPL303"), ()),
    "inference": (("IPL404",), ()),
    "second-backward": (("IPL501",), ()),
    "interior-grad": (("IPL502", "IPL503"), ()),
}
"""The rules whose findings raise such an error, and those that tell of something close to it."""


@dataclass(frozen=True)
class Reason:
    """One thing that speaks for a finding, or against it where ``weight`` is below zero."""

    weight: int
    text: str


@dataclass(frozen=True)
class Stacks:
    """The two stacks of an error, as far as they lie in the files at hand, innermost first."""

    raised: Sequence[Place] = ()
    forward: Sequence[Place] = ()


@dataclass(frozen=True)
class Explanation:
    """A finding with what makes it fit."""

    finding: Diagnostic
    reasons: tuple[Reason, ...]

    @property
    def score(self) -> int:
        """The sum of the reasons' weights."""
        return sum(reason.weight for reason in self.reasons)

    @property
    def contradicted(self) -> bool:
        """Whether something speaks against it."""
        return any(reason.weight < 0 for reason in self.reasons)


LEAST = 3
"""The score from which a finding counts as an explanation."""


def rank(error: TorchError, stacks: Stacks, findings: Iterable[Diagnostic]) -> list[Explanation]:
    """The findings that fit an error, the best first."""
    return [it for it in weigh(error, stacks, findings) if it.score >= LEAST]


def weigh(error: TorchError, stacks: Stacks, findings: Iterable[Diagnostic]) -> list[Explanation]:
    """All findings of the error's kind, those that fit best first and those that do not fit last."""
    weighed: list[Explanation] = []
    for finding in findings:
        kind = _kind(error, finding)
        if kind is None:
            continue
        ways = [Explanation(finding, (kind, *_all(error, stacks, finding, trace))) for trace in finding.traces]
        weighed.append(max(ways, key=lambda way: way.score, default=Explanation(finding, (kind,))))
    return sorted(weighed, key=lambda it: (-it.score, -it.finding.severity, it.finding.sort_key))


def _kind(error: TorchError, finding: Diagnostic) -> Reason | None:
    first, close = RULES[error.kind]
    if finding.code in first:
        return Reason(3, "it raises this kind of error")
    return Reason(1, "it raises an error close to this one") if finding.code in close else None


def _all(error: TorchError, stacks: Stacks, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    """What speaks for and against one way in which the finding comes about."""
    if error.kind == "modified":
        yield from _producer(error, finding, trace)
        yield from _failed(error, finding, trace)
        yield from _forward(stacks, finding, trace)
        yield from _shape(error, finding, trace)
        if any(place.filename == finding.span.filename for place in (*stacks.raised, *stacks.forward)):
            yield Reason(1, "it is in a file that the traceback passes through")
        if error.writes is not None and error.writes > 1 and trace.in_loop:
            yield Reason(1, f"PyTorch counted {error.writes} writes since the tensor was saved: this one is in a loop")
    yield from _raised(error, stacks, finding, trace)


def _raised(error: TorchError, stacks: Stacks, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    """Whether the error comes up where the finding says."""
    if not stacks.raised:
        return
    at_backward = error.kind == "modified"
    hit = _among(trace.raised, stacks.raised) if trace.raised is not None else None
    if hit is not None:
        what = "backward is called" if error.kind in ("modified", "second-backward") else "PyTorch raises"
        yield Reason(3 if at_backward else 6, f"{what} at line {hit.row}, as the traceback says")
    elif any(_among(step.span, stacks.raised) for step in finding.related) or _among(finding.span, stacks.raised):
        yield Reason(1 if at_backward else 4, "its story passes through the frames of the traceback")
    elif trace.raised is not None:
        where = f"line {stacks.raised[0].row}"
        yield Reason(-2 if at_backward else -4, f"the error was raised at {where}, not where this would raise it")


def _producer(error: TorchError, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    """Whether the tensor that PyTorch names may be the one that was overwritten."""
    if error.version is None:
        return  # PyTorch before 1.2 names nothing
    if error.producer is None:
        if not trace.interior:
            yield Reason(
                3, "PyTorch names no operation that made the tensor: it is a leaf or needs no grad, as this one"
            )
        elif finding.code != "IPL203":
            yield Reason(-2, "PyTorch names no operation that made the tensor, and one has made this")
        return
    named = nodes.plain(error.producer)
    if finding.code == "IPL203":
        if named in nodes.VIEWS:
            yield Reason(2, f"{error.producer} stands for a view of a parameter, such as a layer's transposed weight")
        else:
            yield Reason(-1, f"the tensor is a result of {error.producer}, not a parameter")
    elif trace.role == "result":
        yield from _of_result(error.producer, trace)
    else:
        yield from _of_input(error.producer, trace)


def _of_result(producer: str, trace: Trace) -> Iterable[Reason]:
    same = nodes.same(trace.node, producer) if trace.node is not None else None
    if same:
        yield Reason(4, f"the tensor is a result of {producer}, which keeps its result")
    elif same is False and nodes.plain(producer) not in nodes.VIEWS | nodes.REPLACED:
        yield Reason(-3, f"the tensor is a result of {producer}, not of {nodes.plain(trace.node or '')}")


def _of_input(producer: str, trace: Trace) -> Iterable[Reason]:
    named, writes = nodes.plain(producer), nodes.of_write(trace.write or "", trace.form or "")
    if trace.tracked and named in writes:
        yield Reason(3, f"{producer} is what this write is recorded as, and of inputs PyTorch names the last write")
    elif named in nodes.VIEWS or named in nodes.REPLACED:
        if trace.form == "item" or trace.in_loop:
            yield Reason(1, f"{producer} stands for a tensor of which a part, or a view, was written")
    elif trace.tracked and writes and trace.interior:
        yield Reason(-1, f"this write would show as {' or '.join(sorted(writes))}, not as {producer}")


def _failed(error: TorchError, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    """Whether the backward that failed is that of the operation which saved the tensor."""
    same = nodes.same(trace.node, error.failed) if error.failed is not None and trace.node is not None else None
    if same:
        yield Reason(3, f"the backward that failed is {error.failed}, that of the operation which saved the tensor")
    elif same is False and finding.code != "IPL203":  # a step overwrites what many operations have saved
        yield Reason(-1, f"the backward that failed is {error.failed}, not {trace.node}")


def _forward(stacks: Stacks, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    """Anomaly mode's stack shows the operation whose backward failed: the one that saved the tensor."""
    if not stacks.forward:
        return
    ran = stacks.forward[0].row
    start = finding.span.start.row
    for place in stacks.forward:
        if place.filename == finding.span.filename and place.scope[0] <= start <= place.scope[1]:
            after = " and after it" if place.inner == 0 and start > place.row else ""
            yield Reason(2 + bool(after), f"it is in a function through which the operation that failed ran{after}")
            break
    hit = _among(trace.saved, stacks.forward) if trace.saved is not None else None
    if hit is not None:
        yield Reason(
            5 if hit.inner == 0 else 4, f"the operation that failed ran at line {ran}, and saved the tensor there"
        )
    elif any(_among(step.span, stacks.forward) for step in finding.related):
        yield Reason(2, "the operation that failed ran on the way that this story takes")
    elif trace.saved is not None and finding.code != "IPL203":
        yield Reason(-4, f"the operation that failed ran at line {ran}, not where this tensor was saved")


def _shape(error: TorchError, finding: Diagnostic, trace: Trace) -> Iterable[Reason]:
    sizes = trace.shape
    if error.shape is None or sizes is None or (not sizes and not error.shape):
        return
    if len(sizes) != len(error.shape) or any(
        one is not None and one != other for one, other in zip(sizes, error.shape, strict=True)
    ):
        # A view of it may be what was saved.
        if error.producer is None or nodes.plain(error.producer) not in nodes.VIEWS:
            yield Reason(-1, f"the tensor has the shape {list(error.shape)}, and this one seems to have another")
    elif any(size is not None for size in sizes):
        yield Reason(2 if None not in sizes else 1, f"the tensor has the shape {list(error.shape)}, as this one")


def _among(span: Span, places: Sequence[Place]) -> Place | None:
    """The innermost frame that stands on a row of the span."""
    for place in places:
        if place.filename == span.filename and span.start.row <= place.row <= span.end.row:
            return place
    return None
