"""The command ``config``: what can be set."""

from __future__ import annotations

import click

from .printing import write


@click.command()
@click.argument("option", required=False)
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", help="How to print it.")
@click.option("--schema", is_flag=True, help="Print a JSON schema of the settings, for editors.")
def config(option: str | None, output_format: str, schema: bool) -> None:
    """List the settings, each with its default, or describe OPTION alone."""
    from ..settings import describe
    from ..settings.describe import as_objects, details, whole_schema
    from ..settings.reading import nearest
    from ..settings.table import options

    if schema:
        write(whole_schema())
        return
    key = None if option is None else option.replace("_", "-")
    if key is not None and key not in options():
        raise click.UsageError(f"there is no setting `{option}`{nearest(key)}")
    if output_format == "json":
        import json

        objects = as_objects()
        write(json.dumps(objects if key is None else objects[key], indent=2, ensure_ascii=False) + "\n")
    elif key is not None:
        write(details(options()[key]))
    else:
        write(describe())
