"""How the keys of facts are spelled: what they ask about is read off them again at the end of a loop's round."""

from __future__ import annotations

import re

from inplace_lint.domain.conditions import CHOICE, EXCEPTION, TRUE, Cond, Fact

MEMBER = "#member@"
"""How the keys of facts begin that say which element of a collection of modules is used."""
EITHER = "holds the first of two: "
"""How the keys of facts begin that choose between two networks which an optimizer may hold."""
COUNTER = "counter"
"""What the tags of loop counters begin with, after the mark of what no caller gave."""
ELEMENT = "#element"
"""What the tags of the unknown things begin with that a loop goes over."""
LAST = "#last@"
"""What the keys of facts begin with that say whether a round of a loop is its last."""
SLOT = "#slot "
"""What the keys of facts begin with that say when something was put where a counter points; the counter's tag follows."""
EACH = f"{SLOT}of each "
"""How those of them begin that stay answered when a loop further out goes on."""
UNDER_KEY = "#under "
"""What the keys of facts begin with that say what lies under a key of a dict, in one round; the tag of the dict's key follows."""
NOW, EARLIER, ELSEWHERE, VISIT = 0, 1, 2, 3
BEFORE = " before"
"""Ends the fact that such a question had the answer yes in an earlier round."""
SHAPE = "#shape of "
"""What the tags of shapes that nobody knows begin with; their parts are numbers."""
PUT_INTO = "put into"
"""Names what code puts into an unknown."""
NAMED = "put under names into"
"""Names what lies under names of an unknown, since code has put it there."""
DTYPE = "dtype of "
"""Begins the question whether a conversion to a dtype finds that dtype already, and gives the tensor itself."""
_NOT_OF_KIND = (CHOICE, MEMBER, EXCEPTION, "#length@", LAST)
ONE_ROUND = re.compile(rf"#{COUNTER}[^@]*@[\d.]+( r?[+-] \S+)? == [^=<>]+")
"""Questions that the answer yes has in one round of a loop at most: whether its counter is some number."""


def tag_of(fact: Fact) -> str:
    """The tag of the unknown that a fact asks about."""
    return fact.key.removeprefix("rg:").removesuffix(BEFORE)


def tells_kind(fact: Fact, tag: str) -> bool:
    """Whether a question may have told what kind of thing bears a tag: one about itself, or one whose subject is not known."""
    key = fact.key.removeprefix("rg:")
    elsewhere = key.startswith(_NOT_OF_KIND) or key.endswith(" is None")
    return key.startswith(tag) or (key.startswith("#") and not elsewhere)


def modules_of_now(path: Cond) -> list[tuple[Fact, str]]:
    """The facts that say which of several modules is called on a path, and how those begin that say which was in any round."""
    return [(fact, f"{fact.key}=") for fact in path if fact.key.startswith(MEMBER) and "=" not in fact.key]


def seats(cond: Cond) -> Cond:
    """The facts of a condition that say in which round of a loop something is met."""
    return frozenset(fact for fact in cond if fact.key.startswith(SLOT)) if cond else TRUE


def doubtful(cond: Cond) -> bool:
    """Whether a condition says too little: facts were lost, or several members of one collection must follow each other.

    Of a collection that is known as a whole only, the order is lost; what needs one may never happen.
    """
    chosen: dict[str, tuple[str, object]] = {}
    """By the place of a call: in which visit of it, and which member."""
    for fact in cond:
        if fact.key == "...":
            return True  # too many questions were joined to know whether their answers ever meet
        if not fact.key.startswith(MEMBER):
            continue
        place, _, rest = fact.key.rpartition(":")
        visit, _, earlier = rest.partition("=")
        number: object = int(earlier.split(" ", 1)[0]) if earlier else fact.value
        if chosen.setdefault(place, (visit, number)) != (visit, number):
            return True
    return False
