"""Which files are found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from inplace_lint.settings import Settings
from inplace_lint.source.discovery import MissingPath, Selection, discover

USUAL = Settings().exclude


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "b.py", "a.py", "notes.txt", "stub.pyi", "pkg/z.py", "pkg/a.py", "pkg/deep/er/x.py", "build/made.py",
        "pkg/build/made.py", ".venv/lib/v.py", "node_modules/n.py", "pkg/.hidden/h.py", "pkg/skip_me.py",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(
    paths: Sequence[str], exclude: Sequence[str] = USUAL, extend_exclude: Sequence[str] = (), **flags: bool
) -> list[str]:
    selection = Selection(exclude=(*exclude, *extend_exclude))
    return [path.as_posix() for path in discover(paths, lambda folder: selection, **flags)]


def test_a_walk_is_sorted_and_leaves_out_the_usual(tree: Path) -> None:
    assert names(["."]) == [
        "a.py", "b.py", "pkg/.hidden/h.py", "pkg/a.py", "pkg/deep/er/x.py", "pkg/skip_me.py", "pkg/z.py",
    ]  # fmt: skip


def test_every_file_comes_once(tree: Path) -> None:
    assert names(["pkg/a.py", "pkg", str(tree / "pkg" / "a.py"), "./pkg", "pkg/deep"]).count("pkg/a.py") == 1


def test_what_is_named_is_taken(tree: Path) -> None:
    assert names(["notes.txt", "build/made.py", "stub.pyi"]) == ["build/made.py", "notes.txt", "stub.pyi"]
    assert names(["build"]) == ["build/made.py"]


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("skip_*.py", {"pkg/skip_me.py"}),
        ("deep", {"pkg/deep/er/x.py"}),
        ("pkg/deep", {"pkg/deep/er/x.py"}),
        ("pkg/deep/", {"pkg/deep/er/x.py"}),
        ("./pkg/*.py", {"pkg/a.py", "pkg/z.py", "pkg/skip_me.py", "pkg/.hidden/h.py", "pkg/deep/er/x.py"}),
        ("er/x.py", set()),
    ],
)
def test_exclusions(tree: Path, pattern: str, gone: set[str]) -> None:
    assert set(names(["."])) - set(names(["."], extend_exclude=[pattern])) == gone


def test_exclude_replaces_the_defaults(tree: Path) -> None:
    assert "build/made.py" in names(["."], ["pkg"])
    assert "venv" in USUAL and ".git" in USUAL


def test_absolute_exclusions(tree: Path) -> None:
    everything = set(names(["pkg"]))
    assert everything - set(names(["pkg"], extend_exclude=[str(tree / "pkg" / "deep")])) == {"pkg/deep/er/x.py"}


def test_a_missing_path_is_said_before_anything_is_read(tree: Path) -> None:
    with pytest.raises(MissingPath, match=r"gone\.py: no such file") as caught:
        discover(["a.py", "gone.py"], lambda folder: Selection())
    assert caught.value.path == Path("gone.py")


def test_links_do_not_loop(tree: Path) -> None:
    (tree / "pkg" / "again").symlink_to(tree, target_is_directory=True)
    (tree / "pkg" / "dir.py").symlink_to(tree / "pkg" / "deep", target_is_directory=True)
    (tree / "linked.py").symlink_to(tree / "a.py")
    (tree / "self.py").symlink_to("self.py")
    assert "linked.py" in names(["."]) and "self.py" in names(["."])
    assert not any(name.startswith(("pkg/again", "pkg/dir.py")) for name in names(["."]))


def test_a_directory_that_cannot_be_listed_is_said(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    errors: list[OSError] = []
    found = [path.as_posix() for path in discover(["."], lambda folder: Selection(), on_error=errors.append)]
    assert "pkg/z.py" in found and "pkg/deep/er/x.py" not in found
    assert [error.strerror for error in errors] == ["Permission denied"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.pyi", {"stub.pyi"}),
        ("pkg/*.py", {"pkg/a.py", "pkg/z.py", "pkg/deep/er/x.py", "pkg/skip_me.py", "pkg/.hidden/h.py"}),
        ("**/a.py", {"a.py", "pkg/a.py"}),
        ("pkg/**/x.py", {"pkg/deep/er/x.py"}),
        ("pkg/**/z.py", {"pkg/z.py"}),
        ("{a,b}.py", {"a.py", "b.py", "pkg/a.py"}),
        ("pkg/{deep/{er,no},other}/x.p[y]", {"pkg/deep/er/x.py"}),
        ("{a", set()),
    ],
)
def test_inclusions(tree: Path, pattern: str, found: set[str]) -> None:
    selection = Selection(include=(pattern,), exclude=USUAL)
    assert {path.as_posix() for path in discover(["."], lambda folder: selection)} == found


def test_folders_with_wildcards_in_their_names_stand_for_themselves(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tree / "o[d]d*"
    odd.mkdir()
    (odd / "x.py").write_text("")
    (odd / "y.py").write_text("")
    monkeypatch.chdir(odd)
    assert names(["."], ["./x.py"]) == ["y.py"]


def test_force_exclude_holds_for_what_is_named_and_for_what_lies_in_it(tree: Path) -> None:
    assert names(["build/made.py", "a.py"]) == ["a.py", "build/made.py"]
    assert names(["build/made.py", "pkg/build", "a.py"], force_exclude=True) == ["a.py"]
    assert names(["pkg/deep/er/x.py"], ["pkg/deep"], force_exclude=True) == []


def test_settings_differ_from_folder_to_folder(tree: Path) -> None:
    def selection(folder: str) -> Selection:
        return Selection(exclude=("a.py",) if folder.endswith("pkg") else (*USUAL, "z.py"))

    found = {path.as_posix() for path in discover(["."], selection)}
    assert "a.py" in found and "pkg/a.py" not in found and "pkg/z.py" in found


@pytest.mark.parametrize(
    ("patterns", "gone"),
    [
        ("a.py", {"a.py", "pkg/a.py"}),
        ("/a.py", {"a.py"}),
        ("deep/", {"pkg/deep/er/x.py"}),
        ("pkg/*.py\n!pkg/z.py", {"pkg/a.py", "pkg/skip_me.py"}),
        ("# a.py\n\n", set()),
        ("pkg/**/x.py", {"pkg/deep/er/x.py"}),
    ],
)
def test_what_git_ignores_is_left_out_of_a_walk(tree: Path, patterns: str, gone: set[str]) -> None:
    before = set(names(["."]))
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text(patterns)
    assert before - set(names(["."])) == gone
    assert set(names(["."], respect_gitignore=False)) == before
    # The same from below, and whatever is named.
    inside = {name for name in gone if name.startswith("pkg/")}
    assert set(names(["pkg"])) == {name for name in before if name.startswith("pkg/")} - inside
    assert names(sorted(gone)) == sorted(gone)


def test_the_nearest_ignore_file_decides(tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("*.py\n")
    (tree / "pkg" / ".gitignore").write_text("!a.py\n!z.py\n")
    (tree / "pkg" / ".ignore").write_text("a.py\n")
    assert names(["."]) == ["pkg/z.py"]


def test_gitignore_counts_in_repositories_only_and_so_does_the_exclude_file(tree: Path) -> None:
    (tree / ".gitignore").write_text("a.py\n")
    assert "pkg/a.py" in names(["."])
    (tree / ".git").mkdir()
    assert "pkg/a.py" not in names(["."])
    (tree / ".gitignore").unlink()
    (tree / ".git" / "info").mkdir()
    (tree / ".git" / "info" / "exclude").write_text("z.py\n")
    assert "pkg/z.py" not in names(["."])


def test_a_named_folder_that_is_ignored_itself_is_walked_all_the_same(tree: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".gitignore").write_text("pkg/\n")
    (tree / "pkg" / ".gitignore").write_text("skip_*\n")
    assert not any(name.startswith("pkg") for name in names(["."]))
    assert set(names(["pkg"])) == {"pkg/.hidden/h.py", "pkg/a.py", "pkg/deep/er/x.py", "pkg/z.py"}
    assert names(["pkg/deep"]) == ["pkg/deep/er/x.py"]
