"""The exit statuses, apart from 0."""

FOUND = 1
"""There are findings."""

WRONG_USE = 2
"""Wrong use, or an internal failure."""
