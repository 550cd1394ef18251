"""The entry point, and the group that holds the commands."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from .. import __version__
from ..explain.command import explain_error
from .check import check
from .clean import clean
from .config import config
from .rule import rule
from .status import WRONG_USE

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> NoReturn:
    """The entry point: runs a command and leaves with its exit status."""
    try:
        status = cli.main(standalone_mode=False, prog_name="inplace-lint")
        sys.stdout.flush()
        sys.stderr.flush()
    except click.ClickException as error:
        error.show()
        status = WRONG_USE
    except (click.Abort, KeyboardInterrupt) as error:
        # click's own exception stands before the one that tells how far it got.
        told = str(error.__cause__ or error)
        click.echo(f"interrupted: {told}" if told else "interrupted", err=True)
        status = WRONG_USE
    sys.exit(status if isinstance(status, int) else 0)


@click.group(context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="inplace-lint %(version)s")
def cli() -> None:
    """Finds the in-place writes that PyTorch's autograd rejects, or silently turns into wrong gradients."""


for command in (explain_error, check, rule, config, clean):
    cli.add_command(command)
