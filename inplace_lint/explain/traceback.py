"""Reads PyTorch's traceback: what went wrong, in which tensor, and the frames of the two stacks that may be there.

The text may hold anything around it: a log's prefixes, warnings, colours, other errors. The wording is that of
PyTorch 0.4 to 2.13. The last error of autograd's counts, with the stack right before it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Kind = Literal[
    "modified",  # backward finds a saved tensor at another version
    "leaf",  # a leaf is written
    "leaf-view",  # a view of a leaf is written
    "out",  # out= with a tensor that requires grad
    "several-views",  # one of several views of one function is written
    "function-view",  # a view that a custom Function returned is written
    "no-grad-view",  # a view made with grad mode off is written
    "detach-view",  # detach_() on a view
    "shared-memory",  # expanded memory is written, or what is read and written overlaps
    "inference",  # an inference tensor is written or saved
    "second-backward",  # a graph was freed
    "interior-grad",  # .grad of an interior tensor is read
]


@dataclass(frozen=True)
class Frame:
    """One frame of a stack: the file as the traceback names it, the line there, the function, the line's text."""

    filename: str
    row: int
    function: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class TorchError:
    """What a traceback says.

    message: PyTorch's own. tensor, shape: the type and sizes of the tensor that was modified. producer, output: which
    output of which node PyTorch says it is. version, expected: of its counter. failed: the node whose backward failed,
    as anomaly mode names it. raised: the stack of the error, forward: the stack of the failed node's forward call, both
    outermost first.
    """

    kind: Kind
    message: str
    tensor: str | None = None
    shape: tuple[int, ...] | None = None
    producer: str | None = None
    output: int | None = None
    version: int | None = None
    expected: int | None = None
    failed: str | None = None
    raised: tuple[Frame, ...] = ()
    forward: tuple[Frame, ...] = ()

    @property
    def writes(self) -> int | None:
        """How often the tensor was written after it had been saved."""
        if self.version is None or self.expected is None or self.version <= self.expected:
            return None
        return self.version - self.expected


@dataclass(frozen=True)
class NoError:
    """A text in which no error of autograd's in-place bookkeeping is found; ``reason`` says what it is instead."""

    reason: str


def parse(text: str) -> TorchError | NoError:
    """The error that a text tells of. Never raises, whatever the text is."""
    lines = [_plain(line) for line in re.split(r"\r\n|\r|\n", text)]
    found = _last_error(lines)
    if found is None:
        return NoError(_what_else(lines))
    kind, row, message = found
    warned = _last(_ANOMALY, lines, row) if kind in ("modified", "second-backward") else None
    forward: tuple[Frame, ...] = ()
    failed: str | None = None
    end_of_forward = 0
    if warned is not None:
        end_of_forward = _end_of_forward(lines, warned, row)
        forward = tuple(_frames(lines[warned + 1 : end_of_forward]))
        named = _DETECTED.search(lines[warned])
        failed = named[1] if named else None
    start = _start_of_stack(lines, end_of_forward, row)
    if warned is not None and warned > start and not any(_FRAME.search(line) for line in lines[end_of_forward:row]):
        start = 0  # the warning stands between the stack and its error, as where two streams were mixed
        raised = _frames([*lines[start:warned], *lines[end_of_forward:row]])
    else:
        raised = _frames(lines[start:row])
    if kind == "interior-grad" and (warning := _WARNING.match(lines[row])):
        raised = [Frame(warning[1], int(warning[2]), None, _text_after(lines, row))]
    about = _TENSOR.search(message)
    produced = _PRODUCER.search(message) if kind == "modified" else _VIEW_OUTPUT.search(message)
    versions = _VERSIONS.search(message)
    return TorchError(
        kind,
        message,
        tensor=about[1] if about else None,
        shape=_shape(about[2]) if about else None,
        producer=produced[2] if produced else None,
        output=int(produced[1]) if produced else None,
        version=int(versions[1]) if versions else None,
        expected=int(versions[2]) if versions else None,
        failed=failed,
        raised=tuple(raised),
        forward=forward,
    )


_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What launchers put before each line: `[rank0]: `, `0: `, `[default0]:`.
_RANK = re.compile(
    r"^(?:\[(?:rank|default|\d+)[^\]\s]*\]:? ?|\d{1,4}: ?)+(?=\s*(?:File |Traceback|\w*Error|  |\w*Warning|$))"
)
_GAP = r"\s+"


def _plain(line: str) -> str:
    line = _ESCAPES.sub("", line[:_LONGEST])
    return _RANK.sub("", line)


_LONGEST = 4000
"""Characters of a line that are looked at."""


def _wording(phrase: str) -> re.Pattern[str]:
    """A phrase of PyTorch's, wherever it was wrapped."""
    return re.compile(_GAP.join(re.escape(word) for word in phrase.split()))


# More telling wordings first.
_PHRASES: tuple[tuple[Kind, str], ...] = (
    ("modified", "variables needed for gradient computation has been modified by an inplace operation"),
    ("leaf-view", "a view of a leaf Variable that requires grad"),
    ("leaf", "a leaf Variable that requires grad"),
    ("leaf", "leaf variable has been moved into the graph interior"),
    ("several-views", "function that returns multiple views"),
    ("several-views", "is an output of a function that returns multiple views"),
    ("function-view", "view was created inside a custom Function"),
    ("no-grad-view", "was created in no_grad mode"),
    ("no-grad-view", "was created in inference mode"),
    ("detach-view", "Can't detach views in-place"),
    ("several-views", "is a view and is being modified inplace"),
    ("several-views", "is a view and its base or another view of its base has been modified inplace"),
    ("out", "arguments don't support automatic differentiation, but one of the arguments requires grad"),
    ("shared-memory", "more than one element of the written-to tensor refers to a single memory location"),
    ("shared-memory", "the written-to tensor refer to a single memory location"),
    ("inference", "Inplace update to inference tensor outside InferenceMode"),
    ("inference", "Inference tensors cannot be saved for backward"),
    ("inference", "Cannot set version_counter for inference tensor"),
    ("second-backward", "Trying to backward through the graph a second time"),
    ("second-backward", "saved intermediate values have already been freed"),
    ("second-backward", "saved variables have already been freed"),
    ("interior-grad", "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"),
)
_WORDINGS = tuple((kind, _wording(phrase)) for kind, phrase in _PHRASES)
_ANOMALY = re.compile(r"Traceback of forward call that caused the error")
_DETECTED = re.compile(r"Error detected in ([\w:<>]+)")
_TENSOR = re.compile(r"\[\s*((?:torch\.)?(?:\w+\.)*\w+)\s*\[([\d,\s]*)\]\s*\]")
_PRODUCER = re.compile(r"which\s+is\s+output\s+(\d{1,9})\s+of\s+([\w:<>]+)")
_VIEW_OUTPUT = re.compile(r"[Oo]utput\s+(\d{1,9})\s+of\s+([\w:<>]+)")
_VERSIONS = re.compile(r"is\s+at\s+version\s+(\d{1,18})\s*;\s*expected\s+version\s+(\d{1,18})")
_HEADER = re.compile(r"Traceback \(most recent call last\)")
_FRAME = re.compile(r'File "([^"\n]+)", line (\d{1,9})(?:, in (\S.*?))?\s*$')
# IPython: `File ~/train.py:12, in main(args)`, `Cell In[3], line 5`, and before 8.0 `~/train.py in main(args)`.
_IPYTHON = re.compile(r"^(?:File )?(\S.*?\.py):(\d{1,9})(?:, in (\w+|<\w+>))?")
_CELL = re.compile(r"^(?:Cell |Input )?In ?\[(\d+)\], (?:line (\d{1,9})|in <cell line: (\d{1,9})>)")
_OLD_IPYTHON = re.compile(r"^(<ipython-input-\S+>|\S.*?\.py) in (\w+|<\w+>)(?:\(.*\))?$")
_ARROW = re.compile(r"^-+> ?(\d{1,9})(?: (.*))?$")
_ERROR = re.compile(r"^\s*((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning))(?:: (.*))?$")
_WARNING = re.compile(r"^(\S.*?\.py):(\d{1,9}): \w*Warning: ")
_MESSAGE_ROWS = 12
_SAME_MESSAGE = 4


def _last_error(lines: list[str]) -> tuple[Kind, int, str] | None:
    """The last error of autograd's: its kind, the row it starts on, the message with its line breaks mended."""
    # The code that a traceback shows may speak of errors as well.
    code = {row + 1 for row, line in enumerate(lines) if _FRAME.search(line)}
    text = "\n".join(
        " " * len(line) if row in code and not _ERROR.match(line) else line for row, line in enumerate(lines)
    )
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    matches = [
        (bisect_right(starts, match.start()) - 1, order, kind)
        for order, (kind, pattern) in enumerate(_WORDINGS)
        for match in pattern.finditer(text)
    ]
    # A warning about ``.grad``: an error of autograd's tells more, wherever it is.
    matches = [it for it in matches if it[2] != "interior-grad"] or matches
    if not matches:
        return None
    last = max(row for row, _, _ in matches)
    row, order, kind = min((it for it in matches if it[0] > last - _SAME_MESSAGE), key=lambda it: (it[1], it[0]))
    window = " ".join(line.strip() for line in _paragraph(lines, row))
    found = _WORDINGS[order][1].search(window)
    return None if found is None else (kind, row, _message(window, found))


def _paragraph(lines: list[str], row: int) -> list[str]:
    """The lines of one message: those that follow without an empty line, a frame or another error between."""
    part = [lines[row]]
    for line in lines[row + 1 : row + _MESSAGE_ROWS]:
        if not line.strip() or _FRAME.search(line) or _HEADER.search(line) or _ERROR.match(line):
            break
        part.append(line)
    return part


def _message(window: str, match: re.Match[str]) -> str:
    """PyTorch's sentence from its beginning, without what follows it in a log."""
    before = window[: match.start()]
    named = list(re.finditer(r"(?:Error|Exception|Warning): ", before))
    start = named[-1].end() if named else match.start() - len(_sentence_before(before))
    text = window[start : start + 1200].strip()
    return text.partition(" Hint: ")[0].strip()


def _sentence_before(before: str) -> str:
    """The start of the sentence that the telling words stand in."""
    return re.split(r"(?<=[.!]) |: ", before)[-1]


def _last(pattern: re.Pattern[str], lines: list[str], before: int) -> int | None:
    for row in range(before - 1, -1, -1):
        if pattern.search(lines[row]):
            return row
    # Where warnings are printed late, the forward call's stack follows the error.
    for row in range(before + 1, len(lines)):
        if pattern.search(lines[row]):
            return row
    return None


def _end_of_forward(lines: list[str], start: int, error: int) -> int:
    """The row behind the forward call's stack."""
    for row in range(start + 1, len(lines)):
        line = lines[row]
        if row == error or _HEADER.search(line) or "(Triggered internally" in line or "(print_stack at" in line:
            return row
        if line.strip().startswith("(function "):
            return row
    return len(lines)


def _start_of_stack(lines: list[str], low: int, row: int) -> int:
    """Where the stack of the error begins: at the last header before it, or, where that is cut off, at ``low``."""
    if low > row:
        low = 0
    for at in range(row - 1, low - 1, -1):
        if _HEADER.search(lines[at]):
            return at
    return low


def _frames(lines: list[str]) -> list[Frame]:
    """The frames in some lines, in their order."""
    frames: list[Frame] = []
    pending: tuple[str, str | None] | None = None
    for number, line in enumerate(lines):
        if found := _FRAME.search(line):
            pending = None
            frames.append(Frame(found[1], int(found[2]), found[3], _text_after(lines, number)))
        elif found := _IPYTHON.match(line):
            pending = None
            frames.append(Frame(found[1], int(found[2]), found[3], _arrow_text(lines, number)))
        elif found := _CELL.match(line):
            pending = None
            frames.append(Frame(f"<cell {found[1]}>", int(found[2] or found[3]), None, _arrow_text(lines, number)))
        elif found := _OLD_IPYTHON.match(line):
            pending = (found[1], found[2])
        elif pending is not None and (found := _ARROW.match(line)):
            frames.append(Frame(pending[0], int(found[1]), pending[1], (found[2] or "").strip() or None))
            pending = None
    return frames


def _text_after(lines: list[str], number: int) -> str | None:
    """The source line that a traceback prints below a frame, if it does."""
    if number + 1 >= len(lines):
        return None
    line = lines[number + 1]
    if not line.startswith(" ") or _FRAME.search(line) or not line.strip(" ~^"):
        return None
    return line.strip()


def _arrow_text(lines: list[str], number: int) -> str | None:
    """The line that IPython's arrow points at, among those below a frame."""
    for line in lines[number + 1 : number + 14]:
        if arrow := _ARROW.match(line):
            return (arrow[2] or "").strip() or None
        if not line.strip():
            break
    return None


def _shape(text: str) -> tuple[int, ...] | None:
    sizes = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(int(size) for size in sizes) if all(size.isdigit() and len(size) < 19 for size in sizes) else None


def _what_else(lines: list[str]) -> str:
    """What a text is about that tells of none of autograd's errors."""
    if not any(line.strip() for line in lines):
        return "the input is empty"
    header = any(_HEADER.search(line) for line in lines)
    framed = [row for row, line in enumerate(lines) if _FRAME.search(line)]
    errors = [(row, found) for row, line in enumerate(lines) if (found := _ERROR.match(line))]
    if any(_ANOMALY.search(line) for line in lines) and not [row for row, it in errors if "Warning" not in it[1]]:
        return "the text ends before the error: only anomaly mode's warning is there; the error's message is needed too"
    if errors and (not framed or errors[-1][0] > framed[-1]):
        name, said = errors[-1][1][1], (errors[-1][1][2] or "").strip()
        shown = f"{name}: {said}" if said else name
        return f"the traceback is about something else: {shown if len(shown) <= 200 else shown[:200] + '...'}"
    if header or framed:
        return "the traceback is cut off: its last line, the error itself, is missing"
    return "there is no traceback of PyTorch's in it"
