"""The command ``config``: what can be set."""

from __future__ import annotations

import click

from .printing import write


@click.command()
def config() -> None:
    """List the settings, each with its default."""
    from ..settings import describe

    write(describe())
