"""What is shown: PyTorch's words, the finding that fits best with its story and the reasons, then what else could be."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .. import output
from ..output.json import as_object, as_place
from ..output.style import Style
from .guess import Guess
from .match import Explanation, Reason, Stacks
from .places import Place
from .traceback import TorchError

_MOST_IN_FULL = 3
_MOST_OTHERS = 5


@dataclass(frozen=True)
class Answer:
    """An error, where its stacks lie, and what explains it: findings, or guesses where none fits.

    unlikely: findings of the error's kind that the traceback speaks against, where none fits.
    """

    error: TorchError
    stacks: Stacks
    explanations: Sequence[Explanation]
    guesses: Sequence[Guess]
    unlikely: Sequence[Explanation] = ()


def text(answer: Answer, report: output.Report) -> str:
    """The answer for people; ``report`` says how to print, its own findings are not looked at."""
    style = Style(report.color)
    blocks = ["\n".join(_error(answer, report, style))]
    best = [it for it in answer.explanations if it.score == answer.explanations[0].score][:_MOST_IN_FULL]
    for explanation in best:
        finding = replace(explanation.finding, torch_error=None)  # its words stand above, with the numbers in place
        # Nothing can be fixed from here, so that nothing is marked as fixable.
        shown = output.render("full", replace(report, diagnostics=[finding], summary=False, fixed=()))
        blocks.append(shown.rstrip("\n") + "\n" + "\n".join(_reasons(explanation.reasons, report, style)))
    others = answer.explanations[len(best) :]
    if others:
        blocks.append("\n".join([style.strong("less likely:"), *_others(others, report)]))
    if answer.guesses:
        heading = "no finding of the linter fits; these writes are near, and are guesses:"
        blocks.append("\n".join([style.strong(heading), *_guessed(answer.guesses, report, style)]))
    if answer.unlikely:
        heading = "the linter has findings of this kind, which the traceback speaks against:"
        blocks.append("\n".join([style.strong(heading), *_others(answer.unlikely, report)]))
    blocks.append(_closing(answer, len(best)))
    return "\n\n".join(blocks) + "\n"


def _error(answer: Answer, report: output.Report, style: Style) -> list[str]:
    """PyTorch's message and where it came up."""
    error, stacks = answer.error, answer.stacks
    lines = _wrapped("PyTorch: ", error.message, report.width, style)
    if stacks.raised:
        lines.append(f"  raised at {_place(stacks.raised[0], report)}")
    if stacks.forward:
        what = f"{error.failed}, " if error.failed else "the operation "
        lines.append(f"  {what}whose backward failed, ran at {_place(stacks.forward[0], report)} (anomaly mode)")
    return lines


def _place(place: Place, report: output.Report) -> str:
    return f"{report.shown(place.filename)}:{place.row}"


def _wrapped(head: str, message: str, width: int, style: Style) -> list[str]:
    indent = " " * len(head)
    first, *rest = textwrap.wrap(
        message, max(width - len(head), 40), break_long_words=False, break_on_hyphens=False
    ) or [""]
    return [style.strong(head) + first, *(indent + line for line in rest)]


def _reasons(reasons: Sequence[Reason], report: output.Report, style: Style) -> list[str]:
    """What speaks for an explanation and what against it."""
    ordered = sorted(reasons, key=lambda reason: -reason.weight)
    out = [f"{style.help('why')}: it fits the traceback"]
    for reason in ordered:
        sign = style.added("+") if reason.weight > 0 else style.removed("-")
        first, *rest = textwrap.wrap(reason.text, max(report.width - 7, 40), break_on_hyphens=False) or [""]
        out += [f"     {sign} {first}", *(" " * 7 + line for line in rest)]
    return out


def _others(others: Sequence[Explanation], report: output.Report) -> list[str]:
    out: list[str] = []
    for it in others[:_MOST_OTHERS]:
        start = it.finding.span.start
        against = min(it.reasons, key=lambda reason: reason.weight)
        why = f" (but {against.text})" if against.weight < 0 else ""
        out.append(
            f"  {report.shown(it.finding.span.filename)}:{start.row}:{start.column}: "
            f"{it.finding.code} {it.finding.message}{why}"
        )
    if len(others) > _MOST_OTHERS:
        out.append(f"  and {len(others) - _MOST_OTHERS} more")
    return out


def _guessed(guessed: Sequence[Guess], report: output.Report, style: Style) -> list[str]:
    out: list[str] = []
    for it in guessed:
        start = it.span.start
        out.append(f"  {report.shown(it.span.filename)}:{start.row}:{start.column}: {style.strong(it.text)}")
        out += [f"     {'+' if reason.weight > 0 else '-'} {reason.text}" for reason in it.reasons]
    return out


def _closing(answer: Answer, best: int) -> str:
    if answer.explanations:
        said = "Found the write that fits." if best == 1 else f"Found {best} findings that fit equally well."
        unsure = best > 1 or answer.explanations[0].contradicted
    elif answer.guesses:
        said = f"Found {len(answer.guesses)} guess{'' if len(answer.guesses) == 1 else 'es'} and nothing sure."
        unsure = True
    else:
        said = (
            "Nothing in these files fits. Name the whole project, so that the files it imports are looked at as well."
        )
        unsure = True
    if answer.explanations and answer.error.kind == "second-backward":
        said = said.replace("write", "backward")
    if unsure and answer.error.kind == "modified" and not answer.error.forward:
        said += (
            "\nRun it again with `torch.autograd.set_detect_anomaly(True)` and give the whole output: it then shows the "
            "operation that failed."
        )
    return said


def as_json(answer: Answer) -> str:
    """The answer for programs: one object."""
    error = answer.error
    shown: dict[str, Any] = {
        "error": {
            "kind": error.kind,
            "message": error.message,
            "tensor": error.tensor,
            "shape": None if error.shape is None else list(error.shape),
            "producer": error.producer,
            "output": error.output,
            "version": error.version,
            "expected_version": error.expected,
            "failed": error.failed,
            "raised": [_frame(place) for place in answer.stacks.raised],
            "forward": [_frame(place) for place in answer.stacks.forward],
        },
        "explanations": [_explanation(it) for it in answer.explanations],
        "unlikely": [_explanation(it) for it in answer.unlikely],
        "guesses": [
            {"score": it.score, "reasons": _weighed(it.reasons), "text": it.text, **as_place(it.span)}
            for it in answer.guesses
        ],
    }
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _explanation(it: Explanation) -> dict[str, Any]:
    return {"score": it.score, "reasons": _weighed(it.reasons), "finding": as_object(it.finding)}


def _weighed(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    return [{"weight": reason.weight, "text": reason.text} for reason in reasons]


def _frame(place: Place) -> dict[str, Any]:
    return {"filename": place.filename, "row": place.row, "function": place.frame.function}
