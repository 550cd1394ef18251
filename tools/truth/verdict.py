"""What the oracle answers, and how PyTorch's messages map to rule codes. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["clean", "raises", "wrong-gradients", "warns", "invalid"]
"""``warns`` is torch's warning alone (`.grad` of an interior tensor); ``invalid`` says nothing about autograd."""

VERSION_ERROR = "one of the variables needed for gradient computation has been modified by an inplace operation"
GRAD_WARNING = "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"


@dataclass(frozen=True)
class Fault:
    """A family of messages: the substring that marks it, the code it corresponds to, and codes that are as good."""

    marker: str
    code: str
    also: tuple[str, ...] = ()
    by_view: bool = False  # raised at the use of a view whose base was written before: that write is the culprit


FAULTS: tuple[Fault, ...] = (
    Fault("a view of a leaf Variable that requires grad is being used in an in-place operation", "IPL102", ("IPL101",)),
    Fault("a leaf Variable that requires grad", "IPL101", ("IPL102",)),
    Fault("functions with out=... arguments don't support automatic differentiation", "IPL103"),
    Fault(VERSION_ERROR, "IPL2"),
    Fault("created in no_grad mode and its base or another view", "IPL402", (), True),
    Fault("created in no_grad mode and is being modified", "IPL402"),
    Fault("created in inference mode and its base or another view", "IPL402", ("IPL404",), True),
    Fault("created in inference mode and is being modified", "IPL402", ("IPL404",)),
    Fault("is a view and its base or another view of its base has been modified inplace", "IPL401", (), True),
    Fault("This view is the output of a function that returns multiple views", "IPL401"),
    Fault("created inside a custom Function", "IPL401", ("IPL402",)),
    Fault("Can't detach views in-place", "IPL402", ("IPL401", "IPL403")),
    Fault("more than one element of the written-to tensor refers to a single memory location", "IPL403", ("IPL303",)),
    Fault("some elements of the input tensor and the written-to tensor refer to a single memory", "IPL403"),
    Fault("Inplace update to inference tensor outside InferenceMode", "IPL404"),
    Fault("Inference tensors cannot be saved for backward", "IPL404"),
    Fault("Cannot set version_counter for inference tensor", "IPL404"),
    Fault("Trying to backward through the graph a second time", "IPL501"),
)
"""The first whose marker occurs in a message decides, so the order matters."""


def fault_of(message: str) -> Fault | None:
    """The family that an error message of PyTorch belongs to, ``None`` if autograd had no part in it."""
    return next((fault for fault in FAULTS if fault.marker in message), None)


@dataclass(frozen=True)
class Finding:
    """One thing torch found fault with.

    code: the rule code that fits best. also: codes that would be as right.
    line: the culprit, the line of the in-place write; ``None`` where the watched run could not explain the error.
    raised: the line where torch raised; ``None`` for wrong gradients. error: torch's words.
    same: other lines that name the same write: where the module that writes was made.
    others: lines that wrote to the same saved tensor too, or that a linter may as well report next to the culprit.
    """

    code: str
    line: int | None
    raised: int | None = None
    error: str = ""
    also: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    same: tuple[int, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """The lines of the culprit: none if it is not known."""
        return () if self.line is None else (self.line, *self.same)

    @property
    def codes(self) -> frozenset[str]:
        """Every code that is right for this finding."""
        return frozenset((self.code, *self.also))


@dataclass(frozen=True)
class Verdict:
    """The oracle's answer on one program.

    note says why it is invalid, or what is odd about it: such a verdict decides nothing (`decided`).
    errors: every exception and warning of the unwatched run with its line, whether autograd raised it or not.
    """

    kind: Kind
    findings: tuple[Finding, ...] = ()
    note: str = ""
    errors: tuple[tuple[int, str], ...] = ()

    @property
    def decided(self) -> bool:
        """Whether the program may be used to judge a linter."""
        return self.kind != "invalid" and not self.note and self.explained

    @property
    def bad(self) -> bool:
        """Whether torch found fault with the program."""
        return self.kind in ("raises", "wrong-gradients", "warns")

    @property
    def explained(self) -> bool:
        """Whether every finding has its culprit."""
        return all(finding.line is not None for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """As plain data, for the pipe between oracle and worker."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        rows: list[dict[str, Any]] = [
            {key: tuple(value) if isinstance(value, list) else value for key, value in one.items()}
            for one in data["findings"]
        ]
        findings = tuple(Finding(**row) for row in rows)
        errors = tuple((line, text) for line, text in data["errors"])
        return cls(data["kind"], findings, data["note"], errors)
