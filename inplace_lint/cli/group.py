"""The entry point, and the group that holds the commands."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from .. import __version__
from ..garbage import collect_seldom
from .printing import silence
from .status import WRONG_USE

_SAFE = "PYTHONSAFEPATH"
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> NoReturn:
    """The entry point: runs a command and leaves with its exit status."""
    collect_seldom()
    # Processes that are started anew must not look for modules in the current folder, which holds the code that is linted.
    before = os.environ.get(_SAFE)
    os.environ[_SAFE] = "1"
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
    finally:  # whoever calls this from a program of their own has their environment back
        if before is None:
            del os.environ[_SAFE]
        else:
            os.environ[_SAFE] = before
    sys.exit(status if isinstance(status, int) else 0)


def _say(message: Callable[[], object]) -> None:
    try:
        message()
    except BrokenPipeError:
        silence(sys.stdout, sys.stderr)


_COMMANDS = {
    "explain-error": "explain.command",
    "check": "cli.check",
    "rule": "cli.rule",
    "config": "cli.config",
    "server": "cli.server",
    "clean": "cli.clean",
}
"""Each command, and the module that has it."""


class LateGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which the help lists them."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none."""
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = getattr(importlib.import_module(f"inplace_lint.{module}"), cmd_name.replace("-", "_"))
        assert isinstance(found, click.Command)
        return found


@click.group(cls=LateGroup, context_settings=_HELP)
@click.version_option(__version__, "-V", "--version", message="inplace-lint %(version)s")
def cli() -> None:
    """Finds the in-place writes that PyTorch's autograd rejects, or silently turns into wrong gradients."""
