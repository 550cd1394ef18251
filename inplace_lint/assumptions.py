"""What the analysis takes for granted where the code does not say. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Belief = Literal["stated", "yes", "no"]
"""``stated``: findings that need it say so, and are warnings; ``yes``: it holds without a word; ``no``: it does not hold."""


@dataclass(frozen=True)
class Assumptions:
    """The beliefs of one analysis; the defaults are what the documentation describes.

    arguments_require_grad: the tensors that unknown callers pass require grad. forward_is_trained: what a ``forward``, a
    training step or a loss returns goes into a backward. results_are_trained: so does what other functions return.
    unknown_calls_save: a call of something unknown may save its arguments for backward, which is then stated.
    """

    arguments_require_grad: Belief = "stated"
    forward_is_trained: bool = True
    results_are_trained: Belief = "stated"
    unknown_calls_save: bool = False


USUAL = Assumptions()
