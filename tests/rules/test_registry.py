"""Choosing rules by code, prefix and name."""

from __future__ import annotations

import pytest

from inplace_lint.rules import UnknownRule, active, all_rules, find_rule, select

EVERYTHING = {rule.code for rule in all_rules()}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("ALL", EVERYTHING),
        ("IPL", EVERYTHING),
        ("IPL10", {"IPL101", "IPL102", "IPL103"}),
        ("ipl3", {"IPL301", "IPL302", "IPL303"}),
        ("second-backward", {"IPL501"}),
    ],
)
def test_a_selector_names_rules(selector: str, expected: set[str]) -> None:
    assert select([selector]) == expected


@pytest.mark.parametrize(
    ("selector", "nearest"),
    [
        ("IPL222", "IPL202"),
        ("leaf-writen", "leaf-written"),
        ("leaf", "leaf-written"),
        ("al", "ALL"),
        ("", "--all"),
        ("xyz", "--all"),
    ],
)
def test_an_unknown_selector_is_an_error_that_names_the_nearest(selector: str, nearest: str) -> None:
    with pytest.raises(UnknownRule, match=nearest):
        select([selector])


def test_the_more_specific_selector_wins() -> None:
    assert active(["ALL"], [], ["IPL2"]) == {code for code in EVERYTHING if not code.startswith("IPL2")}
    assert active(["IPL201"], [], ["IPL2"]) == {"IPL201"}
    assert active(["IPL2"], [], ["IPL201"]) == {"IPL202", "IPL203"}
    assert active(["IPL201"], [], ["saved-input-overwritten"]) == set()
    assert active(["IPL201"], ["IPL3"], []) == {"IPL201", "IPL301", "IPL302", "IPL303"}


def test_find_rule_takes_codes_and_names() -> None:
    assert find_rule("ipl101") is find_rule("leaf-written")
    with pytest.raises(UnknownRule, match="IPL101"):
        find_rule("IPL1")
