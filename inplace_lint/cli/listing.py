"""``check --show-files`` and ``check --show-settings``: what a run would look at, and how."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .printing import write
from .status import WRONG_USE

if TYPE_CHECKING:
    from ..settings import Resolver
    from .options import Options


def show(paths: Sequence[str], options: Options, settings: Resolver) -> int:
    """Prints the files of a run, or the settings of the first of them, and says with which status to leave."""
    from .. import api
    from ..settings import as_toml

    if "-" in paths:
        files = [options.stdin_filename or "-"]
    else:
        for path in paths:
            if not os.path.lexists(path):
                click.echo(f"{path}: no such file or directory", err=True)
                return WRONG_USE
        files = [str(path) for path in api.files_in(paths, settings)]
    if options.show_files:
        write("".join(f"{os.path.abspath(name) if name != '-' else name}\n" for name in files))
        return 0
    if not files:
        click.echo("No Python files found.", err=True)
        return WRONG_USE
    first = files[0]
    folder = os.getcwd() if first == "-" else os.path.dirname(os.path.abspath(first))
    source = settings.file_for(folder)
    shown = os.path.abspath(source) if source else "none"
    heading = f"# Settings for: {os.path.abspath(first) if first != '-' else first}\n# Settings file: {shown}\n\n"
    write(heading + as_toml(settings.of(first)))
    return 0
