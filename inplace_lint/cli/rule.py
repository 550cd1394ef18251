"""The command ``rule``: the documentation of rules."""

from __future__ import annotations

import click

from .printing import write


@click.command()
@click.argument("rule", required=False)
@click.option("--all", "all_", is_flag=True, help="Every rule.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
def rule(rule: str | None, all_: bool, output_format: str) -> None:
    """Print the documentation of RULE (a code or a name), or of all rules."""
    from .. import rules

    if all_ == (rule is not None):
        raise click.UsageError("name one rule, or give --all")
    try:
        chosen = [rules.find_rule(rule)] if rule is not None else list(rules.all_rules())
    except rules.UnknownRule as error:
        raise click.UsageError(str(error)) from error
    if output_format == "text":
        write("\n".join(rules.page(it) for it in chosen))
        return
    import json

    objects = [
        {
            "code": it.code,
            "name": it.name,
            "severity": str(it.severity),
            "summary": rules.documentation(it).summary,
            "explanation": rules.documentation(it).text,
            "url": it.url,
        }
        for it in chosen
    ]
    write(json.dumps(objects if all_ else objects[0], indent=2, ensure_ascii=False) + "\n")
