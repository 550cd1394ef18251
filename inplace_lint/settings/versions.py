"""``required-version``: which versions of ours a project accepts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from .. import __version__
from .reading import SettingsError

_Numbers = tuple[int, ...]
_COMPARE: dict[str, Callable[[_Numbers, _Numbers], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"(==|!=|>=|<=|>|<)?\s*(\d+(?:\.\d+)*)")


def accepted(wanted: str, source: str) -> None:
    """Raises ``SettingsError`` where this version does not meet every condition, or where one cannot be read."""
    own = _numbers(re.match(r"[\d.]*", __version__)[0])  # type: ignore[index]
    for condition in wanted.split(","):
        match = _CONDITION.fullmatch(condition.strip())
        if match is None:
            raise SettingsError(
                f"{source}: `required-version`: {condition.strip()!r} is no condition such as `0.1.0` or `>=0.1`"
            )
        if not _COMPARE[match[1] or "=="](own, _numbers(match[2])):
            raise SettingsError(f"{source}: `required-version` is {wanted!r}, and this is inplace-lint {__version__}")


def _numbers(text: str) -> _Numbers:
    numbers = [int(part) for part in text.split(".") if part]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
