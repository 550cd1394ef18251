"""Quick fixes: what a client may offer to do about findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from lsprotocol import types

from ..diagnostics import Diagnostic, Fix
from ..fixing.edits import Misplaced, Replacement, Text
from ..fixing.rounds import applicable
from ..source import noqa
from .messages import SOURCE, UriOf
from .places import Places

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.inplaceLint"

TextOf = Callable[[str], str]
"""The text of a file as the client sees it, by its name."""

Edits = Mapping[str, Sequence[Replacement]]
"""What to change, by the name of the file."""


class Maker:
    """Makes edits in the client's terms. ``version_of`` gives the version of a file that is open, None for any other."""

    def __init__(
        self, text_of: TextOf, uri_of: UriOf, version_of: Callable[[str], int | None], encoding: str, versioned: bool
    ) -> None:
        self._text_of = text_of
        self._uri_of = uri_of
        self._version_of = version_of
        self._encoding = encoding
        self._versioned = versioned

    def fix(self, found: Diagnostic, shown: types.Diagnostic) -> types.CodeAction | None:
        """The finding's fix; None where it has none that works as it stands."""
        if found.fix is None or not applicable(found, unsafe=True):
            return None
        try:
            edits = self._replacements(found.fix)
        except Misplaced:
            return None
        if not any(edits.values()) or any(a.collides(b) for its in edits.values() for a in its for b in its):
            return None
        safe = found.fix.applicability == "safe"
        title = f"{SOURCE} ({found.code}): {found.fix.message}"
        return types.CodeAction(
            title=title if safe else f"{title} (unsafe: may change what the program does)",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=safe,
            edit=self._edit(edits),
        )

    def silence(self, found: Diagnostic, shown: types.Diagnostic) -> types.CodeAction | None:
        """A comment that suppresses the finding; None where none works."""
        name = found.span.filename
        before = self._text_of(name)
        try:
            after, _, missed = noqa.suppressing(before, [found])
        except (noqa.Unsuitable, IndexError):
            return None
        if missed or after == before:
            return None
        return types.CodeAction(
            title=f"{SOURCE} ({found.code}): Disable for this line",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            edit=self.replaced(name, after),
        )

    def replaced(self, name: str, after: str) -> types.WorkspaceEdit:
        """The edit that makes ``after`` of a file's text, changing only the lines that differ."""
        before = self._text_of(name)
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        starts = [0]
        for line in old:
            starts.append(starts[-1] + len(line))
        changes = [
            Replacement(starts[first], starts[last], "".join(new[new_first:new_last]))
            for kind, first, last, new_first, new_last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            if kind != "equal"
        ]
        return self._edit({name: changes})

    def _replacements(self, fix: Fix) -> Edits:
        edits: dict[str, set[Replacement]] = {}
        for edit in fix.edits:
            text = Text(self._text_of(edit.span.filename))
            edits.setdefault(edit.span.filename, set()).add(text.replacement(edit))
        return {name: sorted(its) for name, its in edits.items()}

    def _edit(self, edits: Edits) -> types.WorkspaceEdit:
        by_uri: dict[str, list[types.TextEdit]] = {}
        versions: dict[str, int | None] = {}
        for name, replacements in edits.items():
            places = Places(self._text_of(name), self._encoding)
            uri = self._uri_of(name)
            versions[uri] = self._version_of(name)
            by_uri[uri] = [types.TextEdit(places.stretch(it.start, it.end), it.text) for it in replacements]
        if not self._versioned:
            return types.WorkspaceEdit(changes=by_uri)
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri, versions[uri]), list(changes))
                for uri, changes in by_uri.items()
            ]
        )


def quick_fixes(
    found: Iterable[Diagnostic], maker: Maker, shown: Callable[[Diagnostic], types.Diagnostic]
) -> list[types.CodeAction]:
    """For each finding its fix, then what silences it: safe fixes come first."""
    ordered = sorted(found, key=lambda one: not applicable(one, unsafe=False))
    made: list[types.CodeAction | None] = [maker.fix(one, shown(one)) for one in ordered]
    made += (maker.silence(one, shown(one)) for one in ordered if one.code not in ("IPL000", "IPL900"))
    return [it for it in made if it is not None]


def wanted(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the client asks for actions of a kind: it names the kind itself, or what stands above it, or nothing at all."""
    if not only:
        return True
    for it in only:
        above = it.value if isinstance(it, types.CodeActionKind) else it
        if above == "" or kind == above or kind.startswith(f"{above}."):
            return True
    return False
