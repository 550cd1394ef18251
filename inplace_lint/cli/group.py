"""The entry point, and the group that holds the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from .. import __version__
from ..explain.command import explain_error
from .check import check
from .clean import clean
from .config import config
from .printing import silence
from .rule import rule
from .server import server
from .status import WRONG_USE

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> NoReturn:
    """The entry point: runs a command and leaves with its exit status."""
    # Python has none where the descriptor is closed; what would go there goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    status: object = 0
    try:
        status = cli.main(standalone_mode=False, prog_name="inplace-lint")
        sys.stdout.flush()
        sys.stderr.flush()
    except click.ClickException as error:
        status = WRONG_USE
        _say(error.show)
    except (click.Abort, KeyboardInterrupt) as error:
        status = WRONG_USE
        # click's own exception stands before the one that tells how far it got.
        told = str(error.__cause__ or error)
        _say(lambda: click.echo(f"interrupted: {told}" if told else "interrupted", err=True))
    except BrokenPipeError:  # whoever read our messages has seen enough
        silence(sys.stdout, sys.stderr)
    sys.exit(status if isinstance(status, int) else 0)


def _say(message: Callable[[], object]) -> None:
    try:
        message()
    except BrokenPipeError:
        silence(sys.stdout, sys.stderr)


@click.group(context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="inplace-lint %(version)s")
def cli() -> None:
    """Finds the in-place writes that PyTorch's autograd rejects, or silently turns into wrong gradients."""


for command in (explain_error, check, rule, config, server, clean):
    cli.add_command(command)
