"""The command ``clean``: drops the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

CACHE_DIRECTORY = ".inplace_lint_cache"


@click.command()
def clean() -> None:
    """Drop the cache of the current directory."""
    cache = Path(CACHE_DIRECTORY)
    if cache.is_dir() and not cache.is_symlink():
        try:
            shutil.rmtree(cache)
        except OSError as error:
            raise click.ClickException(f"cannot remove {cache}: {error.strerror or error}") from error
        click.echo(f"Removed {cache}")
