"""``check -``: what comes by standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .printing import write_bytes

if TYPE_CHECKING:
    from ..api import Fixed, Result
    from ..settings import SettingsSource


def check_standard_input(data: bytes, name: str, settings: SettingsSource) -> tuple[Result, tuple[str, str] | None]:
    """The result for standard input, and its name and text where it is text at all."""
    from .. import api, rules
    from ..source import text

    try:
        source = text.decode(data, name)
    except text.SourceError as error:
        return api.Result([rules.unreadable(name, error.message, error.row, error.column)], checked=1), None
    return api.check_text(source, name, settings), (name, source)


def fix_standard_input(
    data: bytes, name: str, settings: SettingsSource, unsafe: bool, dry: bool
) -> tuple[Fixed | None, Result, tuple[str, str] | None]:
    """As ``_check_standard_input``, with what was fixed. The fixed text goes to standard output unless ``dry``."""
    from .. import api
    from ..fixing.documents import Unfixable

    try:
        fixed = api.fix_text(data, name, settings, unsafe=unsafe)
    except Unfixable:
        if not dry:
            write_bytes(data)
        return None, *check_standard_input(data, name, settings)
    changed = {change.name: change for change in fixed.changes}
    after = changed[name].data if name in changed else data
    if dry:
        return fixed, fixed.result, None
    write_bytes(after)
    from ..source import text

    return fixed, fixed.result, (name, text.decode(after, name))


def pass_by(data: bytes, hand_on: bool) -> Result:
    """The result for standard input that is excluded: nothing. What is to be fixed is handed on as it came."""
    from .. import api

    if hand_on:
        write_bytes(data)
    return api.Result()
