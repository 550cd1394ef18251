"""Wholes and parts: what an unknown was taken out of, and how far tuples within tuples are looked into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inplace_lint.domain.values import Unknown

DEEPEST = 4
"""How far containers within containers are gone through: those that loops made may hold themselves."""


def outwards(part_of: Mapping[str, Unknown], atom: Unknown | None) -> Iterator[Unknown]:
    """An unknown and what it is part of, by the tags of parts. Each once: of older rounds of a loop, the tags may go round."""
    seen: set[str] = set()
    while atom is not None and atom.tag not in seen:
        yield atom
        seen.add(atom.tag)
        atom = part_of.get(atom.tag)
