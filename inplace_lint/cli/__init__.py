"""The command line, a file a command. What is heavy is imported by the command that needs it: ``--version`` is quick."""

from .group import cli, main
from .printing import make_report, write

__all__ = ["cli", "main", "make_report", "write"]
