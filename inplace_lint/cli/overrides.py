"""From the options of ``check`` to the settings of a run: what the command line says wins over settings files."""

from __future__ import annotations

import os
from typing import Any

import click

from ..settings import Overrides, Resolver, SettingsError, parse_config
from ..settings.reading import rooted
from ..settings.table import options as table
from .options import Options

_SAME = tuple(key for key, row in table().items() if row.field in Options.__annotations__ and key != "output-format")
"""Settings that have an option of their own, of the same name. An output format may come with a path, so it goes its own way."""


def resolver(options: Options) -> Resolver:
    """The settings of a run. Raises ``click.ClickException`` for settings that cannot be used."""
    here = os.getcwd()
    said: dict[str, Any] = {}
    for key in _SAME:
        value = getattr(options, key.replace("-", "_"))
        if value is not None and value != () and value != {}:
            value = list(value) if isinstance(value, tuple) else value
            said[key] = rooted(table()[key], value, here)
    try:
        file, pairs = parse_config(options.config)
        return Resolver(Overrides(file, options.isolated, pairs, said))
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
