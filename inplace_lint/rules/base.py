"""What a rule is, and what it may ask about the source: a site's place, its text, the statement around it.

A rule turns one event into one diagnostic. It knows autograd's events, PyTorch's words and how Python is
spelt; it knows nothing of the interpreter, of libcst or of output formats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from ..diagnostics import Applicability, Diagnostic, Edit, Fix, Related, Severity, Span, Trace
from ..events import Context, Event, Site
from .layout import Layout, Spot

Outcome = Literal["raises", "wrong-gradients", "warns", "nothing"]

AUTOGRAD_NOTES = "https://docs.pytorch.org/docs/stable/notes/autograd.html"


class SourceFile(Protocol):
    """What a rule needs of one file: its lines, and where an origin and the statement around it stand."""

    @property
    def lines(self) -> Sequence[str]: ...

    def span(self, origin: int) -> Span: ...

    def statement_span(self, origin: int) -> Span: ...


@dataclass(frozen=True)
class Statement:
    """A statement as it stands in the source, with the place of a site inside it.

    ``start`` and ``end`` count characters of ``text`` and enclose the site that was asked about; ``indent`` is
    the column, from 0, at which the statement starts.
    """

    text: str
    start: int
    end: int
    indent: int = 0


@dataclass(frozen=True)
class RuleContext:
    """Answers a rule's questions about the source, for every file that the analysis has touched."""

    files: Mapping[str, SourceFile]
    _layouts: dict[str, Layout | None] = field(default_factory=dict, repr=False, compare=False)

    def layout(self, site: Site) -> Layout | None:
        """The statements of the site's file; None where they are not understood."""
        if site.file not in self._layouts:
            layout = None
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                layout = Layout(self.span(site).filename, self.files[site.file].lines)
            self._layouts[site.file] = layout
        return self._layouts[site.file]

    def spot(self, site: Site) -> Spot | None:
        """The statement that holds the site, in its block."""
        layout = self.layout(site)
        return None if layout is None else layout.at(self.statement_span(site).start)

    def span(self, site: Site) -> Span:
        """Where the site's syntax stands."""
        return self.files[site.file].span(site.origin)

    def row(self, site: Site | None) -> int | None:
        """The site's first row, for words such as "line 3"; None where there is no site."""
        return None if site is None else self.span(site).start.row

    def text(self, site: Site) -> str:
        """The site's source text, as written."""
        return _slice(self.files[site.file].lines, self.span(site))

    def statement_span(self, site: Site) -> Span:
        """Where the statement that holds the site stands."""
        return self.files[site.file].statement_span(site.origin)

    def definition_row(self, site: Site) -> int:
        """The row of the header of the function or class that the site stands in; 0 at the top of a module."""
        lines, row = self.files[site.file].lines, self.statement_span(site).start.row
        indent = _indent(lines[row - 1])
        for number in range(row - 1, 0, -1):
            line = lines[number - 1]
            if line.strip() and _indent(line) < indent:
                if line.lstrip().startswith(("def ", "async def ", "class ")):
                    return number
                indent = _indent(line)
        return 0

    def statement(self, site: Site) -> Statement:
        """The text of the statement that holds the site, and where in it the site is."""
        lines = self.files[site.file].lines
        inner, outer = self.span(site), self.statement_span(site)
        before = len(_slice(lines, Span(outer.filename, outer.start, inner.start))) if inner.start > outer.start else 0
        return Statement(_slice(lines, outer), before, before + len(_slice(lines, inner)), outer.start.column - 1)

    def is_alone(self, site: Site) -> bool:
        """Whether nothing but a comment stands on the rows of the statement that holds the site besides it."""
        lines, span = self.files[site.file].lines, self.statement_span(site)
        before = lines[span.start.row - 1][: span.start.column - 1]
        rest = lines[span.end.row - 1][span.end.column - 1 :].strip()
        header = lines[span.end.row - 1][: span.end.column - 1].endswith(":")
        return not before.strip() and (header or not rest or rest.startswith("#"))

    def snippet(self, site: Site, limit: int = 60) -> str | None:
        """The site's text on one line, for a message; None where it is too long to help."""
        text = " ".join(self.text(site).split())
        return text if 0 < len(text) <= limit and "`" not in text else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _slice(lines: Sequence[str], span: Span) -> str:
    """The characters that the span covers."""
    first, last = span.start.row - 1, span.end.row - 1
    if first == last:
        return lines[first][span.start.column - 1 : span.end.column - 1]
    middle = list(lines[first + 1 : last])
    return "\n".join([lines[first][span.start.column - 1 :], *middle, lines[last][: span.end.column - 1]])


@dataclass(frozen=True)
class Rewrite:
    """Code as the user would type it; ``replaces`` is a site in the statement whose place it takes, if it takes one."""

    code: str
    replaces: Site | None = None


@dataclass(frozen=True)
class Advice:
    """How to write it instead: the reason in words, and the code where the rule can spell it.

    applicability: what the code may change besides what the finding is about; without code there is nothing to apply.
    edits: how to make the change, where it is more than a statement replaced by another.
    """

    message: str
    rewrite: Rewrite | None = None
    applicability: Applicability = "unsafe"
    edits: tuple[Edit, ...] = ()


def _fix(ctx: RuleContext, advice: Advice) -> Fix:
    """The advice as an edit of the statement that its code stands for."""
    if advice.edits:
        return Fix(advice.applicability, advice.message, advice.edits)
    rewrite = advice.rewrite
    if rewrite is None or rewrite.replaces is None:
        return Fix("display-only", advice.message)
    span = ctx.statement_span(rewrite.replaces)
    line = ctx.files[rewrite.replaces.file].lines[span.start.row - 1]
    before = line[: span.start.column - 1]
    # Later lines are indented as the statement is, with the file's own tabs or spaces.
    indent = before if not before.strip() else before[: _indent(before)]
    first, *later = rewrite.code.split("\n")
    content = "\n".join([first, *(indent + one if one else one for one in later)])
    return Fix(advice.applicability, advice.message, (Edit(content, span),))


class Rule(ABC):
    """One kind of finding. A subclass's docstring is its documentation; see ``docs.py`` for its sections.

    ``outcome`` says what the docstring's bad example does in PyTorch, and is held against it by a test.
    ``handles`` are the event types that ``check`` is given. ``kinds`` are all rules, as they define themselves.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    outcome: ClassVar[Outcome]
    handles: ClassVar[tuple[type[Any], ...]] = ()
    severity: ClassVar[Severity] = Severity.ERROR
    url: ClassVar[str] = f"{AUTOGRAD_NOTES}#in-place-operations-with-autograd"

    much: ClassVar[int] = 3
    """Assumptions that must hold together before a finding is only a note: hardly any code meets all of them."""

    needs: ClassVar[Literal["computed", "asked", "grows"] | None] = None
    """What the code must show of what is assumed (`Context`), before a finding is more than a note."""

    kinds: ClassVar[list[type[Rule]]] = []

    def __init_subclass__(cls) -> None:
        """Takes note of every rule that carries a code; that is all the registration there is."""
        if "code" in vars(cls):
            Rule.kinds.append(cls)

    @abstractmethod
    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        """The finding that the event makes, or None where it is another rule's business."""

    def finding(
        self,
        ctx: RuleContext,
        site: Site,
        message: str,
        context: Context,
        *,
        story: Sequence[Related] = (),
        torch_error: str | None = None,
        advice: Advice | None = None,
        trace: Trace | None = None,
    ) -> Diagnostic:
        """The diagnostic at ``site``; what had to be assumed makes an error a warning, or less.

        trace: what a run shows of it; without one, that PyTorch raises at the site.
        """
        statement = ctx.statement_span(site)
        rewrite = advice.rewrite if advice else None
        replaces = rewrite.replaces if rewrite else None
        span = ctx.span(site)
        return Diagnostic(
            code=self.code,
            name=self.name,
            severity=self._severity(context),
            message=message,
            span=span,
            related=tuple(story),
            assumptions=context.assumptions,
            torch_error=torch_error,
            fix=_fix(ctx, advice) if advice else None,
            suggestion=rewrite.code if rewrite else None,
            # Where others share the statement's line, the code does not stand for the line.
            suggestion_span=ctx.statement_span(replaces) if replaces and ctx.is_alone(replaces) else None,
            noqa_row=max(statement.end.row, span.start.row),
            noqa_rows=frozenset({span.start.row, statement.start.row, statement.end.row}),
            url=self.url,
            traces=(trace or Trace(raised=span),),
        )

    def _severity(self, context: Context) -> Severity:
        """How sure the finding is: as the rule says, a warning where something is assumed, a note where much is."""
        unlikely = self.needs is not None and not getattr(context, self.needs)
        # That what may be integers holds floating-point numbers is one assumption more.
        count = len(context.assumptions) + (not context.computed)
        if count >= self.much or (context.assumptions and (unlikely or context.evaluates)):
            return min(self.severity, Severity.INFO)
        return min(self.severity, Severity.WARNING) if context.assumptions else self.severity
