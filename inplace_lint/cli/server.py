"""The command ``server``: the language server."""

from __future__ import annotations

import os
import sys

import click


@click.command()
def server() -> int:
    """Run the language server on standard input and output, for editors."""
    try:
        from ..server.app import make_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("pygls", "lsprotocol", "cattrs", "attrs"):
            raise
        raise click.ClickException(
            "the language server needs pygls: install it with `pip install 'inplace-lint[lsp]'`"
        ) from error
    # Nothing but the protocol may be written to standard output, and pygls closes at the end what it is given.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    served = make_server()
    served.start_io(stdout=output)
    return 0 if served.was_shut_down else 1
