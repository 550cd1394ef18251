"""Settings files: which one holds for a file, and what comes of several of them and the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

LEAF = "w = torch.ones(3, requires_grad=True)\n"
SAVED = f"import torch\n{LEAF}y = w.exp()\ny += 1\ny.sum().backward()\n"  # IPL202
WRITTEN = f"import torch\n{LEAF}w += 1\n"  # IPL101
BOTH = f"import torch\n{LEAF}y = w.exp()\ny += 1\ny.sum().backward()\nw += 1\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.py", "pkg/b.py", "pkg/sub/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BOTH)
    return tmp_path


def found(ran: Any) -> dict[str, set[str]]:
    """The codes by file, out of concise output."""
    codes: dict[str, set[str]] = {}
    for line in ran.out.splitlines():
        place, _, rest = line.partition(": ")
        if ":" in place:
            code = next(word for word in rest.replace("[", " ").replace("]", " ").split() if word.startswith("IPL"))
            codes.setdefault(place.split(":")[0], set()).add(code)
    return codes


ALL = {"IPL101", "IPL202"}


def test_without_settings_all_is_on(tree: Path, inplace_lint: Run) -> None:
    ran = inplace_lint("check", "--output-format", "concise")
    assert found(ran) == {"a.py": ALL, "pkg/b.py": ALL, "pkg/sub/c.py": ALL} and ran.status == 1


def test_the_nearest_file_wins_and_is_alone(tree: Path, inplace_lint: Run) -> None:
    (tree / "pyproject.toml").write_text('[tool.inplace-lint]\nselect = ["IPL2"]\n')
    (tree / "pkg" / "inplace-lint.toml").write_text('select = ["IPL1"]\n')
    (tree / "pkg" / "sub" / "pyproject.toml").write_text('[project]\nname = "other"\n')  # not for us: passed by
    expected = {"a.py": {"IPL202"}, "pkg/b.py": {"IPL101"}, "pkg/sub/c.py": {"IPL101"}}
    assert found(inplace_lint("check", "--output-format=concise")) == expected
    # The same from anywhere, whatever is named.
    assert found(inplace_lint("check", "b.py", "sub", "--output-format=concise", at="pkg")) == {
        "b.py": {"IPL101"},
        "sub/c.py": {"IPL101"},
    }


def test_of_one_folder_the_hidden_file_comes_first_then_our_own_then_pyproject(tree: Path, inplace_lint: Run) -> None:
    run = ("check", "a.py", "--output-format=concise")
    (tree / "pyproject.toml").write_text("[tool.inplace-lint]\nselect = ['IPL2']\n")
    assert found(inplace_lint(*run)) == {"a.py": {"IPL202"}}
    (tree / "inplace-lint.toml").write_text("select = ['IPL1']\n")
    assert found(inplace_lint(*run)) == {"a.py": {"IPL101"}}
    (tree / ".inplace-lint.toml").write_text("ignore = ['ALL']\n")
    assert found(inplace_lint(*run)) == {}


def test_extend_starts_from_another_file(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text("ignore = ['IPL2']\nextend-exclude = ['sub']\noutput-format = 'concise'\n")
    (tree / "pkg" / "inplace-lint.toml").write_text("extend = '../inplace-lint.toml'\nextend-select = ['IPL202']\n")
    assert found(inplace_lint("check")) == {"a.py": {"IPL101"}, "pkg/b.py": ALL}


def test_patterns_are_relative_to_the_file_that_they_stand_in(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text(
        "output-format = 'concise'\n[per-file-ignores]\n'pkg/*' = ['IPL1']\n'!*/sub/*' = ['saved-result-overwritten']\n"
    )
    expected = {"a.py": {"IPL101"}, "pkg/sub/c.py": {"IPL202"}}
    assert found(inplace_lint("check")) == expected
    from_below = {"../a.py": {"IPL101"}, "../pkg/sub/c.py": {"IPL202"}}
    assert found(inplace_lint("check", "..", at="pkg")) == from_below


def test_the_command_line_wins_over_pairs_and_those_over_files(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text("output-format = 'concise'\nselect = ['IPL1', 'IPL2']\nfail-on = 'info'\n")
    assert found(inplace_lint("check", "a.py", "--config", "select = ['IPL1']")) == {"a.py": {"IPL101"}}
    run = ("check", "a.py", "--config", "select = ['IPL1']", "--select", "IPL2", "--config", "fail-on = 'error'")
    assert found(inplace_lint(*run)) == {"a.py": {"IPL202"}}


@pytest.mark.parametrize(
    ("config", "options", "codes"),
    [
        ("ignore = ['IPL1']", (), {"IPL202"}),
        ("ignore = ['IPL1']", ("--select", "ALL"), ALL),
        ("ignore = ['IPL1']", ("--extend-select", "IPL101"), ALL),
        ("ignore = ['IPL101']", ("--extend-select", "IPL1"), ALL),
        ("select = ['IPL101']", ("--ignore", "IPL1"), set()),
        ("select = ['IPL1']", ("--extend-select", "IPL2"), ALL),
        ("extend-select = ['IPL101']", ("--ignore", "IPL1"), {"IPL202"}),
        ("select = ['IPL1']\nignore = ['leaf-written']", (), set()),
    ],
)
def test_selections_add_up_as_in_ruff(
    tree: Path, inplace_lint: Run, config: str, options: tuple[str, ...], codes: set[str]
) -> None:
    (tree / "inplace-lint.toml").write_text(f"output-format = 'concise'\n{config}\n")
    assert found(inplace_lint("check", "a.py", *options)).get("a.py", set()) == codes


def test_a_file_given_by_hand_holds_for_all_and_isolated_reads_none(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text("select = ['IPL1']\n")
    (tree / "pkg" / "other.toml").write_text("output-format = 'concise'\nselect = ['IPL2']\nexclude = ['pkg/sub']\n")
    by_hand = inplace_lint("check", "--config", "pkg/other.toml")
    assert found(by_hand) == {"a.py": {"IPL202"}, "pkg/b.py": {"IPL202"}}
    isolated = inplace_lint("check", "a.py", "--isolated", "--output-format=concise")
    assert found(isolated) == {"a.py": ALL}


def test_standard_input_has_the_settings_of_the_name_it_goes_by(tree: Path, inplace_lint: Run) -> None:
    (tree / "pkg" / "inplace-lint.toml").write_text("select = ['IPL1']\n")
    run = ("check", "-", "--output-format=concise")
    assert found(inplace_lint(*run, "--stdin-filename", "pkg/new.py", stdin=BOTH.encode())) == {
        "pkg/new.py": {"IPL101"}
    }
    assert found(inplace_lint(*run, stdin=BOTH.encode())) == {"-": ALL}


def test_excluded_standard_input_is_passed_by_where_exclusions_are_forced(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text("exclude = ['pkg']\nforce-exclude = true\n")
    ran = inplace_lint("check", "-", "--stdin-filename", "pkg/new.py", "--fix", stdin=SAVED.encode())
    assert (ran.status, ran.out) == (0, SAVED)
    assert inplace_lint("check", "pkg/b.py").status == 0
    assert inplace_lint("check", "pkg/b.py", "--no-force-exclude").status == 1


def test_per_file_ignores_on_the_command_line(tree: Path, inplace_lint: Run) -> None:
    run = ("check", "--output-format=concise", "--per-file-ignores", "pkg/*:IPL1,c.py:IPL2")
    assert found(inplace_lint(*run)) == {"a.py": ALL, "pkg/b.py": {"IPL202"}}
    (tree / "inplace-lint.toml").write_text("[per-file-ignores]\n'a.py' = ['ALL']\n")
    assert "a.py" in found(inplace_lint(*run))
    extended = inplace_lint("check", "--output-format=concise", "--extend-per-file-ignores", "pkg/*:ALL")
    assert found(extended) == {}


def test_what_holds_for_the_run_comes_from_where_it_is_started(tree: Path, inplace_lint: Run) -> None:
    (tree / "pkg" / "inplace-lint.toml").write_text("output-format = 'json'\nfix = true\n")
    assert not inplace_lint("check", "pkg", "--output-format=concise").out.startswith("[")
    assert (tree / "pkg" / "b.py").read_text() == BOTH
    inplace_lint("check", "b.py", "--no-fix", at="pkg")
    assert (tree / "pkg" / "b.py").read_text() == BOTH
    assert inplace_lint("check", "b.py", at="pkg").out.startswith("[")
    assert (tree / "pkg" / "b.py").read_text() != BOTH


def test_fail_on_and_severity_hold_file_by_file(tree: Path, inplace_lint: Run) -> None:
    assumed = "import torch\ndef f(x, v):\n    y = x.exp()\n    y += 1\n    (y.sum() + v.exp().sum()).backward()\n"
    (tree / "pkg" / "w.py").write_text(assumed)
    assert inplace_lint("check", "pkg/w.py").status == 1
    (tree / "pkg" / "inplace-lint.toml").write_text("fail-on = 'error'\n")
    ran = inplace_lint("check", "pkg/w.py", "--output-format=concise")
    assert ran.status == 0 and found(ran) == {"pkg/w.py": {"IPL202"}}
    (tree / "pkg" / "inplace-lint.toml").write_text("severity = 'error'\n")
    ran = inplace_lint("check", "pkg/w.py", "--output-format=concise")
    assert ran.status == 0 and found(ran) == {}


# --- what is shown of settings ---


def test_show_files_lists_what_would_be_checked(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_text("exclude = ['pkg/sub']\n")
    ran = inplace_lint("check", "--show-files")
    assert ran.out.splitlines() == [str(tree / "a.py"), str(tree / "pkg" / "b.py")] and ran.status == 0


def test_show_settings_is_toml_that_names_its_source(tree: Path, inplace_lint: Run) -> None:
    from inplace_lint.settings.table import options, toml

    (tree / "pkg" / "inplace-lint.toml").write_text(
        "select = ['IPL1']\nassume-severity = 'info'\nper-file-ignores = { \"a\\\"b\" = ['IPL2'] }\n"
    )
    ran = inplace_lint("check", "--show-settings", "pkg/b.py", "--ignore", "IPL102", "--config", "fix = true")
    assert f"# Settings for: {tree / 'pkg' / 'b.py'}\n# Settings file: {tree / 'pkg' / 'inplace-lint.toml'}" in ran.out
    shown = toml.loads(ran.out)
    assert shown["select"] == ["IPL101", "IPL103"] and shown["fix"] is True and shown["assume-severity"] == "info"
    assert shown["per-file-ignores"] == {'a"b': ["IPL2"]}
    assert set(shown) <= set(options())
    # What is shown can be used.
    (tree / "again.toml").write_text(ran.out)
    assert found(inplace_lint("check", "a.py", "--no-fix", "--config", "again.toml", "--output-format=concise")) == {
        "a.py": {"IPL101"}
    }


# --- what is wrong is said ---


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "pyproject.toml",
            "[project]\nname = 'x'\n\n[tool.inplace-lint]\nselct = ['IPL1']\n",
            ":5: unknown setting `selct`; did you mean `select`?",
        ),
        ("inplace-lint.toml", "zzz = 1\n", ":1: unknown setting `zzz`; `inplace-lint config` lists them"),
        (
            "inplace-lint.toml",
            "\nextend_select = []\n",
            ":2: unknown setting `extend_select`; did you mean `extend-select`?",
        ),
        ("inplace-lint.toml", "[tool.inplace-lint]\n", ":1: unknown setting `tool`"),
        ("inplace-lint.toml", "fix = 'yes'\n", ":1: `fix` must be true or false, not a string ('yes')"),
        ("inplace-lint.toml", "select = 'IPL1'\n", ":1: `select` must be a list of strings, not a string ('IPL1')"),
        (
            "inplace-lint.toml",
            "# why\nexclude = ['a', 3]\n",
            ":2: `exclude` must be a list of strings; one of its items is a number (3)",
        ),
        (
            "inplace-lint.toml",
            "severity = 'eror'\n",
            ":1: `severity` must be one of error, warning, info, not 'eror'; did you mean `error`?",
        ),
        ("inplace-lint.toml", "output-format = 'jsn'\n", "did you mean `json`?"),
        ("inplace-lint.toml", "severity = 1979-05-27\n", ":1: `severity` must be a string, not a date"),
        (
            "inplace-lint.toml",
            "select = [\n  'IPL1',\n  'IPL9999',\n]\n",
            "`select`: there is no rule or prefix `IPL9999`",
        ),
        (
            "inplace-lint.toml",
            "[per-file-ignores]\n'a.py' = 'IPL1'\n",
            ":1: `per-file-ignores` must map patterns to lists of rules; `a.py` has a string",
        ),
        (
            "inplace-lint.toml",
            "[per-file-ignores]\n'b.py' = []\n'a.py' = ['IPL2', 'nope']\n",
            ":3: `per-file-ignores`: there is no rule or prefix `nope`",
        ),
        ("inplace-lint.toml", "fix = \n", ":1:7: invalid TOML"),
        ("pyproject.toml", "[tool.inplace-lint\n", ":1:19: invalid TOML"),
        ("pyproject.toml", "[tool]\ninplace-lint = 3\n", "`tool.inplace-lint` must be a table, not a number (3)"),
        ("inplace-lint.toml", "extend = 'gone.toml'\n", "`extend`: there is no file"),
        ("inplace-lint.toml", "extend = 'inplace-lint.toml'\n", "`extend` goes in a circle"),
        ("inplace-lint.toml", "required-version = '>=99'\n", "`required-version` is '>=99', and this is inplace-lint"),
        ("inplace-lint.toml", "required-version = '~~1'\n", "'~~1' is no condition such as"),
    ],
)
def test_a_mistake_is_an_error_with_its_place_and_loses_nothing(
    tree: Path, inplace_lint: Run, name: str, text: str, said: str
) -> None:
    (tree / name).write_text(text)
    ran = inplace_lint("check", "a.py", "--fix")
    assert ran.status == 2 and ran.out == ""
    assert name in ran.err and said in ran.err and "Traceback" not in ran.err
    assert (tree / "a.py").read_text() == BOTH and (tree / name).read_text() == text


def test_settings_that_are_no_text_are_an_error(tree: Path, inplace_lint: Run) -> None:
    (tree / "inplace-lint.toml").write_bytes(b"\xff\xfe")
    ran = inplace_lint("check", "a.py")
    assert ran.status == 2 and "inplace-lint.toml: is not UTF-8" in ran.err


def test_a_pyproject_that_is_none_of_ours_may_be_broken(tree: Path, inplace_lint: Run) -> None:
    (tree / "pyproject.toml").write_bytes(b"[project\n\xff")
    assert inplace_lint("check", "a.py").status == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "selct = ['IPL1']"], "unknown setting `selct`; did you mean `select`?"),
        (["--config", "select = IPL1"], "is no TOML `key = value`; strings need quotes"),
        (["--config", "gone.toml"], "'gone.toml' is neither a file nor a TOML"),
        (["--config", "a.toml", "--config", "b.toml"], "only one settings file can be given"),
        (["--config", "a.toml", "--isolated"], "--isolated"),
        (["--config", "extend = 'a.toml'"], "`extend` cannot be set on the command line"),
        (["--per-file-ignores", "IPL1"], "no `pattern:rule`"),
        (["--per-file-ignores", "a.py:IPL999"], "there is no rule or prefix `IPL999`"),
        (["--show-files", "--show-settings"], "cannot be used with"),
    ],
)
def test_mistakes_on_the_command_line(tree: Path, inplace_lint: Run, arguments: list[str], said: str) -> None:
    for name in ("a.toml", "b.toml"):
        (tree / name).write_text("")
    ran = inplace_lint("check", "a.py", *arguments)
    assert ran.status == 2 and said in ran.err and ran.out == ""


@pytest.mark.parametrize("wanted", [">=0.0.1", "!=99.1, >0", "<99.0.0,>=0"])
def test_a_version_that_is_accepted(tree: Path, inplace_lint: Run, wanted: str) -> None:
    (tree / "inplace-lint.toml").write_text(f"required-version = '{wanted}'\n")
    assert inplace_lint("check", "a.py").status == 1
