"""Every fixture: real torch and the linter must both agree with the comments on its lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.truth.compare import lint
from tools.truth.fixtures import FIXTURES, Fixture, FixtureError, check_linter, check_torch, load
from tools.truth.oracle import Oracle
from tools.truth.verdict import Finding, Verdict

CASES = list(load())


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle() as pool:
        yield pool


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_torch_agrees(case: Fixture, oracle: Oracle) -> None:
    verdict = oracle.judge(case.source) if case.runs else Verdict("clean")
    assert check_torch(case, verdict) == []


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_linter_agrees(case: Fixture) -> None:
    assert check_linter(case, lint(case.source)) == []


def parsed(source: str, name: str = "case.py") -> Fixture:
    return Fixture.parse(source, FIXTURES / "family" / name)


def test_comments_are_read() -> None:
    case = parsed(
        "y += 1  # expect: IPL201, IPL202  # torch: output 0\n"
        "z = 1  # gap: IPL301 numpy is not followed  # reveal: y interior\n"
        "s = '# expect: IPL101'\n"
        "w = 2  # false-alarm: IPL401 too careful\n"
    )
    assert case.expected == ((1, "IPL201"), (1, "IPL202"))
    assert case.torch == ((1, "output 0"),)
    assert case.gaps == ((2, "IPL301"),)
    assert case.false_alarms == ((4, "IPL401"),)


def test_comment_without_code_is_refused() -> None:
    with pytest.raises(FixtureError, match="names no code"):
        parsed("y += 1  # expect: something\n")


def test_fixed_twin_must_be_clean() -> None:
    with pytest.raises(FixtureError, match="must be clean"):
        parsed("y += 1  # expect: IPL202\n", "case.fixed.py")


@pytest.mark.parametrize(
    ("comment", "found", "problems"),
    [
        ("# expect: IPL202", [(1, "IPL202")], 0),
        ("# expect: IPL202", [], 1),
        ("# expect: IPL202", [(1, "IPL201")], 2),
        ("# expect: IPL202", [(2, "IPL202")], 2),
        ("", [(1, "IPL202")], 1),
        ("# gap: IPL202 not yet", [], 0),
        ("# gap: IPL202 not yet", [(1, "IPL202")], 1),
        ("# false-alarm: IPL202 alas", [(1, "IPL202")], 0),
        ("# false-alarm: IPL202 alas", [], 1),
    ],
)
def test_linter_is_held_to_the_comments(comment: str, found: list[tuple[int, str]], problems: int) -> None:
    assert len(check_linter(parsed(f"y += 1  {comment}\ny = y\n"), found)) == problems


def test_torch_is_held_to_the_comments() -> None:
    finding = Finding("IPL202", 1, 2, "output 0 of Exp was modified")
    raises = Verdict("raises", (finding,), "", ((2, "RuntimeError: output 0 of Exp was modified"),))
    good = "y += 1  # expect: IPL202\ny.backward()  # torch: output 0 of Exp\n"
    assert check_torch(parsed(good), raises) == []
    assert check_torch(parsed(good), Verdict("clean")) != []
    assert check_torch(parsed(good.replace("Exp", "Tanh")), raises) != []
    assert check_torch(parsed(good.replace("IPL202", "IPL201")), raises) != []
    assert check_torch(parsed("y += 1\ny.backward()  # torch: output 0 of Exp\n"), raises) != []
    assert check_torch(parsed("y += 1  # expect: IPL202\ny.backward()\n"), raises) != []
    assert check_torch(parsed("y += 1\n"), Verdict("invalid", (), "NameError")) != []


def test_fixtures_exist() -> None:
    assert {path.name for path in Path(FIXTURES).iterdir() if path.is_dir()}
    assert any(case.expected for case in CASES)
    assert any(not case.expected for case in CASES)
