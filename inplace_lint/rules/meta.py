"""IPL0xx: findings about the analysis itself."""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics import Diagnostic, Edit, Fix, Position, Severity, Span
from ..events import Event, GaveUp
from ..source.noqa import without
from ..source.suppressions import Unused as Comment
from . import words
from .base import Rule, RuleContext


class UnreadableFile(Rule):
    """A file cannot be read or parsed, so nothing in it was checked.

    ## What it finds
    Files that do not exist, may not be read, are not text in their declared encoding, or are not valid Python.

    ## Why it matters
    A file that is skipped silently looks like a clean one. The other files are checked all the same.

    ## Example
    ```python
    def f(:  # IPL000
        pass
    ```

    Use instead:
    ```python
    def f():
        pass
    ```

    ## How to fix it
    Repair the file, or leave it out with `--exclude`. Python 2 files and templates belong to the latter.
    """

    code = "IPL000"
    name = "unreadable-file"
    outcome = "nothing"
    url = "https://docs.python.org/3/tutorial/errors.html#syntax-errors"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        return None


def unreadable(filename: str, reason: str, row: int = 1, column: int = 1) -> Diagnostic:
    """The IPL000 finding for a file, with the place at which reading or parsing stopped."""
    return _at(UnreadableFile, filename, reason, row, column)


def incomplete(filename: str, reason: str, row: int, column: int) -> Diagnostic:
    """The IPL001 note for a definition whose body could not be lowered."""
    return _at(AnalysisGaveUp, filename, f"{reason}: the analysis may miss findings here", row, column)


def _at(rule: type[Rule], filename: str, message: str, row: int, column: int) -> Diagnostic:
    """A finding that comes from no event."""
    place = Position(max(row, 1), max(column, 1))
    return Diagnostic(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        message=message,
        span=Span(filename, place, Position(place.row, place.column + 1)),
        noqa_row=place.row,
        noqa_rows=frozenset({place.row}),
        url=rule.url,
    )


class AnalysisGaveUp(Rule):
    """A definition took more than its budget, so the analysis of it is incomplete.

    ## What it finds
    Definitions on which the analysis stopped early, and calls in them that it left out because following them costs too
    much. What was found stands; more may be there.

    ## Why it matters
    It is only a note: nothing is wrong with the code. Without it, an unfinished check would look like a clean one.

    ## How to fix it
    Nothing has to be done. Splitting a very large function makes it readable for people as well.
    """

    code = "IPL001"
    name = "analysis-incomplete"
    outcome = "nothing"
    handles = (GaveUp,)
    severity = Severity.INFO

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        if not isinstance(event, GaveUp):
            return None
        name = event.context.function
        message = f"the analysis of `{name}` stopped early ({event.reason}): it may miss findings here"
        if event.callee is not None:
            message = (
                f"the analysis of `{name}` does not follow `{event.callee}` ({event.reason}): "
                "it may miss findings that depend on this call"
            )
        steps = words.story(ctx, *words.calls(event.context))
        return self.finding(ctx, event.site, message, event.context, story=steps)


class UnusedSuppression(Rule):
    """A comment suppresses a rule that finds nothing there.

    ## What it finds
    `# noqa` comments with codes or names of this linter that suppress nothing, and `# inplace-lint: noqa` comments of the same
    kind. Codes of other tools are never judged, nor is a `# noqa` without codes, which may be there for another tool.

    ## Why it matters
    Such a comment outlives the code that it was written for, and would hide the next mistake on its line. Whether a rule is
    selected does not matter: a comment is used if the rule would find something. Nothing is said of a file that others import
    which the run does not look at, since what needs the comment may be a caller in one of those: check the whole project.

    ## Example
    ```python
    import torch

    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y = y + 1  # noqa: IPL201  # IPL900
    y.sum().backward()
    ```

    Use instead:
    ```python
    import torch

    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y = y + 1
    y.sum().backward()
    ```

    ## How to fix it
    `--fix` takes the unused codes out, and the comment where nothing else is in it. What other tools read there stays.
    """

    code = "IPL900"
    name = "unused-suppression"
    outcome = "nothing"
    severity = Severity.WARNING
    url = "https://docs.astral.sh/ruff/rules/unused-noqa/"

    def check(self, event: Event, ctx: RuleContext) -> Diagnostic | None:
        return None


def unused_suppression(filename: str, comment: Comment) -> Diagnostic:
    """The IPL900 finding for a comment, or for what is idle in it."""
    listed = ", ".join(f"`{code}`" for code in comment.codes)
    message = f"unused `noqa` directive (unused: {listed})" if listed else "unused blanket `noqa` directive"
    start, end = Position(comment.row, comment.column), Position(comment.row, comment.end_column)
    line = without(comment)
    row = comment.row
    if line.content is None:
        place = Span(filename, Position(row, 1), Position(row + 1, 1))
    else:
        place = Span(filename, Position(row, line.start), Position(row, line.end))
    fix = Fix("safe", "Remove unused `noqa` directive", (Edit(line.content or "", place),))
    return replace(
        _at(UnusedSuppression, filename, message, row, comment.column), span=Span(filename, start, end), fix=fix
    )
