"""Which files are found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from inplace_lint.source.discovery import DEFAULT_EXCLUDE, MissingPath, discover


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


def names(paths: Sequence[str], *args: Sequence[str], **keywords: Sequence[str]) -> list[str]:
    return [path.as_posix() for path in discover(paths, *args, **keywords)]


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
    assert "venv" in DEFAULT_EXCLUDE and ".git" in DEFAULT_EXCLUDE


def test_absolute_exclusions_and_roots(tree: Path) -> None:
    everything = set(names(["pkg"]))
    assert everything - set(names(["pkg"], extend_exclude=[str(tree / "pkg" / "deep")])) == {"pkg/deep/er/x.py"}
    kept = {path.as_posix() for path in discover(["pkg"], extend_exclude=["deep/er"], root=tree / "pkg")}
    assert everything - kept == {"pkg/deep/er/x.py"}


def test_a_missing_path_is_said_before_anything_is_read(tree: Path) -> None:
    with pytest.raises(MissingPath, match=r"gone\.py: no such file") as caught:
        discover(["a.py", "gone.py"])
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
    found = [path.as_posix() for path in discover(["."], on_error=errors.append)]
    assert "pkg/z.py" in found and "pkg/deep/er/x.py" not in found
    assert [error.strerror for error in errors] == ["Permission denied"]
