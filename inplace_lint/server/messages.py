"""Findings as clients read them: diagnostics, and pages to show when the pointer rests on one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from lsprotocol import types

from .. import rules
from ..diagnostics import Diagnostic, Position, Severity, Span
from ..output.words import caution, sentence
from .places import Places

SOURCE = "inplace-lint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_NOQA = re.compile(r"#\s*(?:inplace-lint\s*:\s*)?noqa\s*:(.*)", re.IGNORECASE)
_RULE = re.compile(r"[A-Za-z][\w-]*")

PlacesOf = Callable[[str], Places]
"""The places of a file's text, by its name."""

UriOf = Callable[[str], str]
"""The address by which the client knows a file, by its name."""


def diagnostic(found: Diagnostic, places_of: PlacesOf, uri_of: UriOf) -> types.Diagnostic:
    """A finding for the client."""
    unused = found.code == "IPL900"
    return types.Diagnostic(
        range=places_of(found.span.filename).span(found.span),
        message=sentence(found),
        severity=_SEVERITIES[found.severity],
        code=found.code,
        code_description=types.CodeDescription(found.url) if found.url else None,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if unused else None,
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(uri_of(step.span.filename), places_of(step.span.filename).span(step.span)), step.message
            )
            for step in found.related
        ]
        or None,
    )


def hover(found: Iterable[Diagnostic], places: Places, at: Position) -> types.Hover | None:
    """What to show at a place: of a rule that a ``# noqa`` comment names, its page; of findings there what PyTorch says, the
    advice and the rule's page."""
    named = _named(places.line(at.row), at)
    if named is not None:
        return types.Hover(_markdown(named[0]), places.span(named[1]))
    here = [one for one in found if _holds(one.span, at)]
    if not here:
        return None
    parts = dict.fromkeys(_page(one) for one in here)
    return types.Hover(_markdown("\n\n---\n\n".join(parts)), places.span(here[0].span))


def _named(line: str, at: Position) -> tuple[str, Span] | None:
    """The page of the rule that a comment names at a place, and where it does."""
    comment = _NOQA.search(line)
    if comment is None:
        return None
    for word in _RULE.finditer(line, comment.start(1)):
        start, end = word.start() + 1, word.end() + 1
        if start <= at.column < end:
            try:
                page = rules.page(rules.find_rule(word.group()))
            except rules.UnknownRule:
                return None
            return page, Span("", Position(at.row, start), Position(at.row, end))
    return None


def _page(found: Diagnostic) -> str:
    lines = [f"**{found.code}**: {found.message}"]
    lines += [f"Assuming {assumption}." for assumption in found.assumptions]
    if found.torch_error:
        lines.append(f"> PyTorch: {found.torch_error}")
    if found.fix is not None:
        note = caution(found)
        lines.append(f"**Instead:** {found.fix.message}{f' ({note})' if note else ''}")
        if found.suggestion:
            lines.append(f"```python\n{found.suggestion}\n```")
    return "\n\n".join([*lines, "---", rules.page(rules.find_rule(found.code))])


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


def _holds(span: Span, at: Position) -> bool:
    """Whether a position lies in the span; one right behind it does not, unless the span is empty."""
    return span.start <= at < span.end or span.start == at == span.end
