"""What every rule and every file of the repository has to keep to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from inplace_lint.rules import Rule, all_rules, documentation

ROOT = Path(__file__).parents[2]
RULES = all_rules()
FAMILIES = {"0": "meta", "1": "leaf", "2": "saved", "3": "silent", "4": "views", "5": "lifetime", "9": "meta"}
MOST_LINES = 600


def by_code(rule: Rule) -> str:
    return rule.code


def tracked(*patterns: str) -> list[Path]:
    """The files that are part of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=by_code)
def test_a_rule_is_named_and_filed_by_the_convention(rule: Rule) -> None:
    assert re.fullmatch(r"IPL\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert type(rule).__module__ == f"inplace_lint.rules.{FAMILIES[rule.code[3]]}"
    assert rule.url.startswith("https://docs.")


@pytest.mark.parametrize("rule", RULES, ids=by_code)
def test_a_rule_is_documented_in_the_agreed_sections(rule: Rule) -> None:
    page = documentation(rule)
    assert page.summary.endswith(".") and len(page.summary) <= 120
    expected = ["What it finds", "Why it matters"]
    if rule.outcome != "nothing":
        expected.append("What PyTorch says")
    if rule.code != "IPL001":
        expected.append("Example")
        assert page.bad is not None and page.good is not None
        assert page.bad != page.good
    sections = [it for it in page.sections if it != "How far the fix may be applied"]
    assert sections == [*expected, "How to fix it"]
    assert all(page.sections.values())


@pytest.mark.parametrize("rule", RULES, ids=by_code)
def test_the_readme_lists_the_rule(rule: Rule) -> None:
    assert f"| `{rule.code}` | `{rule.name}` |" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", [it for it in RULES if it.outcome != "nothing"], ids=by_code)
def test_a_rule_has_a_fixture(rule: Rule) -> None:
    expecting = re.compile(rf"# expect:[^#]*\b{rule.code}\b")
    assert any(expecting.search(path.read_text(encoding="utf-8")) for path in (ROOT / "fixtures").rglob("*.py"))


def test_no_file_of_code_is_too_long() -> None:
    code = tracked("inplace_lint/*.py", "tests/*.py", "tools/*.py")
    assert len(code) > 50
    long = {path: lines for path in code if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert long == {}


def test_no_file_names_the_machine_it_was_written_on() -> None:
    # Put together here, so that this file is none of those it looks for.
    machine = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "home/[a-z]", "/" + "tmp/bash"]))
    named = [path for path in tracked() if path.suffix != ".jsonl" and machine.search(_text(path))]
    assert named == []


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="ignore")
