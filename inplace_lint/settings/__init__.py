"""The settings: a table of them (``options.toml``), files that set them, and what comes of it for each file.

*Option*: a row of the table. *Values*: what one source (a file, the command line) says, by key. *Settings*: the outcome.
"""

from .describe import as_toml, describe, whole_schema
from .model import Settings, SettingsSource
from .reading import SettingsError
from .resolver import Overrides, Resolver, parse_config

__all__ = [
    "Overrides",
    "Resolver",
    "Settings",
    "SettingsError",
    "SettingsSource",
    "as_toml",
    "describe",
    "parse_config",
    "whole_schema",
]
