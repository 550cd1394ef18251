"""Generations: what one round of a loop makes, told apart where networks are among it. ``pairing`` uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from inplace_lint.domain.objects import Place

Generation = tuple[Place, ...]
"""The loops, from the outermost one, of which each round makes another one."""


@dataclass(slots=True)
class Generations:
    """What a run notes of generations."""

    constructing: int = 0
    """How many calls of constructors are running."""
    made: set[Generation] = field(default_factory=set)
    """Those that are told apart."""
    leads_to: dict[int, dict[Generation, bool]] = field(default_factory=dict)
    """By the name of something that was put into a collection, in the round that made it: the generations to which it leads,
    and whether to one member of each alone."""
    seated_in: dict[str, Place] = field(default_factory=dict)
    """By the key of a seat the loop that meets it."""
    met: set[str] = field(default_factory=set)
    """The keys of seats that are about a generation."""
    picks: dict[str, Place] = field(default_factory=dict)
    """By the tag of an index or a name: the loop that goes from one element to the next, and has another one at each visit."""
