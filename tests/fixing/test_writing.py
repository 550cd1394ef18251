"""Files are replaced as a whole or not at all, whatever goes wrong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from inplace_lint.fixing import writing
from inplace_lint.fixing.documents import Change, Document, Unfixable
from inplace_lint.fixing.writing import write


def change(path: Path, after: str = "new\n") -> Change:
    return Change(Document.read(str(path)), after)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.py"
    path.write_text("old\n")
    return path


def left(path: Path) -> list[str]:
    return sorted(it.name for it in path.parent.iterdir())


def test_mode_and_attributes_stay(file: Path) -> None:
    file.chmod(0o754)
    assert write([[change(file)]]).names == [str(file)]
    assert (file.read_text(), file.stat().st_mode & 0o7777, left(file)) == ("new\n", 0o754, ["f.py"])


def test_a_link_is_followed_and_stays_a_link(file: Path) -> None:
    (file.parent / "d").mkdir()
    link = file.parent / "d" / "link.py"
    link.symlink_to(file)
    write([[change(link)]])
    assert link.is_symlink() and file.read_text() == "new\n" and left(link) == ["link.py"]


def test_hard_links_are_told(file: Path) -> None:
    other = file.parent / "other.py"
    os.link(file, other)
    done = write([[change(file)]])
    assert done.notes == [f"{file} has other hard links, which keep the old content"]
    assert (file.read_text(), other.read_text()) == ("new\n", "old\n")


def test_a_file_that_changed_is_left_alone(file: Path) -> None:
    late = change(file)
    file.write_text("newer\n")
    assert write([[late]]).failures == {str(file): "it changed while it was checked"}
    assert (file.read_text(), left(file)) == ("newer\n", ["f.py"])


def test_a_file_that_is_gone_is_not_made_again(file: Path) -> None:
    late = change(file)
    file.unlink()
    assert write([[late]]).failures == {str(file): "No such file or directory"}
    assert left(file) == []


def test_a_read_only_file_is_left_alone(file: Path) -> None:
    file.chmod(0o444)
    assert write([[change(file)]]).failures == {str(file): "it is read-only"}
    assert (file.read_text(), left(file)) == ("old\n", ["f.py"])


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "its folder does not permit it"),
        (errno.EROFS, "it is on a read-only file system"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("call", ["open", "fsync", "replace", "chmod"])
def test_what_the_system_refuses(
    file: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str, call: str
) -> None:
    late = change(file)

    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(writing.os, call, refuse)
    done = write([[late]])
    monkeypatch.undo()
    assert (done.failures, done.names) == ({str(file): words}, [])
    assert (file.read_text(), left(file)) == ("old\n", ["f.py"])


def test_a_disk_that_fills_up_in_the_middle(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = change(file, "new\n" * 100_000)
    real = os.fdopen

    class Full:
        """A stream that takes some bytes and no more."""

        def __init__(self, stream) -> None:  # type: ignore[no-untyped-def]
            self.stream = stream

        def __enter__(self):  # type: ignore[no-untyped-def]
            return self

        def __exit__(self, *error: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> int:
            self.stream.write(data[:100])
            self.stream.flush()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "open", lambda handle, mode: Full(real(handle, mode)), raising=False)
    assert write([[late]]).failures == {str(file): "the disk is full"}
    assert (file.read_text(), left(file)) == ("old\n", ["f.py"])


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_an_interruption_loses_nothing(file: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    first = file.parent / "a.py"
    first.write_text("old\n")
    groups = [[change(first)], [change(file)]]
    real = getattr(os, call)
    calls: list[object] = []

    def interrupted(*arguments: object) -> None:
        calls.append(arguments)
        if any("f.py" in str(it) for it in arguments) or (first.read_text() == "new\n" and call != "replace"):
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(writing.os, call, interrupted)
    with pytest.raises(KeyboardInterrupt, match="1 of 2 files were changed, the others are as before"):
        write(groups)
    assert (first.read_text(), file.read_text(), left(file)) == ("new\n", "old\n", ["a.py", "f.py"])


def test_files_of_one_fix_are_written_together_or_not_at_all(file: Path) -> None:
    second = file.parent / "g.py"
    second.write_text("old\n")
    second.chmod(0o444)
    done = write([[change(file), change(second)]])
    assert done.failures == {
        str(second): "it is read-only",
        str(file): f"its fix changes {second} as well, which was not written",
    }
    assert (file.read_text(), second.read_text(), left(file)) == ("old\n", "old\n", ["f.py", "g.py"])


def test_a_character_that_the_encoding_lacks(tmp_path: Path) -> None:
    document = Document.of("f.py", b"# coding: latin-1\nx = '\xe9'\n")
    assert Change(document, document.text + "y = '\xe8'\n").data == b"# coding: latin-1\nx = '\xe9'\ny = '\xe8'\n"
    with pytest.raises(Unfixable, match="its encoding, iso-8859-1, cannot express"):
        document.encoded("\u20ac")
