"""The command ``clean``: drops the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

_TAG = "CACHEDIR.TAG"
"""By convention a file of this name says that a folder is a cache."""


@click.command()
def clean() -> None:
    """Drop the cache of the current directory's settings."""
    from ..settings import Resolver, Settings, SettingsError

    try:
        cache = Path(Resolver().run.cache_dir)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    if not cache.is_dir() or cache.is_symlink():
        return
    if cache.name != Settings().cache_dir and not (cache / _TAG).is_file():
        raise click.ClickException(f"{cache} does not look like a cache (it has no {_TAG}); it is left alone")
    try:
        shutil.rmtree(cache)
    except OSError as error:
        raise click.ClickException(f"cannot remove {cache}: {error.strerror or error}") from error
    shown = os.path.relpath(cache) if cache.is_relative_to(os.getcwd()) else str(cache)
    click.echo(f"Removed {shown}")
