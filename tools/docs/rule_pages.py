"""A page of Markdown for each rule, and one that lists them: the rules' docstrings, and what the linter says of their examples.

The pages are kept in the repository, not made while the site is built: they can then be read where the repository is
shown, other pages can link to them, and a change of a rule shows in its page in the same review. A test holds them current.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from inplace_lint.api import check_source
from inplace_lint.diagnostics import Diagnostic, Fix
from inplace_lint.fixing.edits import Text, apply
from inplace_lint.rules import Rule, all_rules, documentation

MARK = "<!-- Made by `python -m tools.docs` from the rule's docstring in inplace_lint/rules -->"

OUTCOMES = {
    "raises": "raises an error",
    "wrong-gradients": "says nothing, and the gradients are wrong",
    "warns": "warns",
    "nothing": "is not involved",
}

FAMILIES = {
    "IPL1": ("Leaves", "The write itself raises."),
    "IPL2": ("Saved tensors", "Backward raises: what it needs was overwritten."),
    "IPL3": ("Behind autograd's back", "Nothing raises, and the gradients are wrong."),
    "IPL4": ("Views and memory", "A view or its memory must not be written, or not in this grad mode."),
    "IPL5": ("The graph's lifetime", "The graph is gone, or never led where the code looks."),
    "IPL0": ("The check itself", "Nothing is wrong with a tensor; the linter says what it could not do."),
    "IPL9": ("The linter's comments", "A comment for the linter is at fault, no tensor."),
}

APPLICABILITIES = {
    "safe": "*safe*: `--fix` makes it",
    "unsafe": "*unsafe*: `--fix --unsafe-fixes` makes it",
    "display-only": "*display-only*: it is shown, and never made by itself",
}


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    rules = {f"{rule.code}.md": rule_page(rule) for rule in all_rules()}
    return {"index.md": index()} | rules


def index() -> str:
    """All rules, family by family."""
    parts = [
        "# Rules\n",
        MARK.replace("the rule's docstring", "the rules' docstrings") + "\n",
        "A rule is named by its code or by its name: in `--select`, in settings, in `# noqa`. `inplace-lint rule IPL202` prints",
        "its page in a terminal. An error becomes a warning where something had to be assumed about a caller; see",
        "[severities](../how-it-works.md#errors-warnings-and-notes).\n",
    ]
    for prefix, (title, what) in FAMILIES.items():
        rules = [rule for rule in all_rules() if rule.code.startswith(prefix)]
        if not rules:
            continue
        parts += [
            f"## {title}\n",
            f"{what}\n",
            "| code | name | what it finds | PyTorch, on the example |",
            "|---|---|---|---|",
        ]
        for rule in rules:
            summary = documentation(rule).summary
            link = f"[`{rule.code}`]({rule.code}.md)"
            parts.append(f"| {link} | `{rule.name}` | {summary} | {OUTCOMES[rule.outcome]} |")
        parts.append("")
    return "\n".join(parts)


def rule_page(rule: Rule) -> str:
    """One rule's page: a table of facts, the docstring, and what the linter makes of the bad example."""
    found = documentation(rule)
    facts = [
        ("Code", f"`{rule.code}`"),
        ("Severity", severity(rule)),
        ("PyTorch, on the example", OUTCOMES[rule.outcome]),
    ]
    example = _example(rule)
    if example is not None and example.fix is not None:
        facts.append(("Fix of the example", APPLICABILITIES[example.fix.applicability]))
    rows = [f"| {name} | {value} |" for name, value in facts]
    table = [rows[0], "|---|---|", *rows[1:]]
    head, _, rest = found.text.partition("\n")
    parts = [f"# {rule.name} ({rule.code})", MARK, head, "\n".join(table), rest.strip("\n")]
    if example is not None and found.bad is not None:
        parts += _said(found.bad, example)
    parts.append(f"Read more: <{rule.url}>. All rules: [index](index.md).")
    return "\n\n".join(part for part in parts if part) + "\n"


def severity(rule: Rule) -> str:
    """The rule's severity, in words."""
    if str(rule.severity) == "error":
        return "error; warning where something has to be assumed about a caller"
    return "note (`info`), hidden by default" if str(rule.severity) == "info" else str(rule.severity)


def _example(rule: Rule) -> Diagnostic | None:
    """What is found in the rule's bad example."""
    bad = documentation(rule).bad
    return next((found for found in check_source(bad) if found.code == rule.code), None) if bad else None


def _said(source: str, found: Diagnostic) -> Iterable[str]:
    """The section about the bad example: the message, the steps, the fix."""
    yield "## What inplace-lint says of the bad example"
    yield f"> **{found.severity}**, line {found.span.start.row}: {found.message}"
    if found.related:
        yield "\n".join(f"{n}. line {it.span.start.row}: {it.message}" for n, it in enumerate(found.related, 1))
    if found.fix is not None:
        yield f"{found.fix.message}. The fix is {APPLICABILITIES[found.fix.applicability]}."
        if found.fix.edits:
            yield f"```diff\n{_diff(source, found.fix)}```"


def _diff(source: str, fix: Fix) -> str:
    """The lines that a fix takes out and puts in, with a line of code around them, and no header."""
    text = Text(source)
    fixed = apply(source, [text.replacement(edit) for edit in fix.edits])
    lines = difflib.unified_diff(source.splitlines(), fixed.splitlines(), n=1, lineterm="")
    return "".join(f"{line}\n" for line in lines if not line.startswith(("---", "+++", "@@")))
