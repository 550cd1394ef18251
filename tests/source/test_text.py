"""Bytes to text, and what goes wrong on the way."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from inplace_lint.source.text import SourceError, decode, read


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("x = 'ä'\r\ny\rz\n".encode(), "x = 'ä'\r\ny\rz\n"),
        (codecs.BOM_UTF8 + "x = 'ä'".encode(), "x = 'ä'"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe4'", "# -*- coding: latin-1 -*-\nx = 'ä'"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'", None),
        (codecs.BOM_UTF8 + b"# coding: utf-8\nx", "# coding: utf-8\nx"),
        (b"\n\n# coding: latin-1\nx = 1", "\n\n# coding: latin-1\nx = 1"),
    ],
)
def test_text_is_what_python_reads(data: bytes, text: str | None) -> None:
    expected = "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '€'" if text is None else text
    assert decode(data, "x.py") == expected


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"x = 1\ny = '\xff'\n", "byte 0xff cannot be decoded as utf-8", (2, 6)),
        ("ä = 'ö".encode() + b"\xe4'\n", "byte 0xe4 cannot be decoded as utf-8", (1, 7)),
        (b"a\r\nb\rc \xff", "byte 0xff cannot be decoded as utf-8", (3, 3)),
        (b"x = 1\n\0", "null byte", (2, 1)),
        (b"# coding: nonsense\nx = 1\n", "encoding 'nonsense'", (1, 11)),
        (codecs.BOM_UTF8 + b"# coding: latin-1\n", "encoding 'latin-1'", (1, 11)),
        (b"# coding: ascii\nx = '\xe4'\n", "byte 0xe4 cannot be decoded as ascii", (2, 6)),
        (b"# coding: base64\nx\n", "cannot be decoded as base64", (1, 1)),
        ("x = 1".encode("utf-16"), "null byte", (1, 4)),
    ],
)
def test_what_is_no_text_says_where(data: bytes, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(SourceError) as caught:
        decode(data, "x.py")
    assert message in caught.value.message
    assert (caught.value.row, caught.value.column) == place


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = 1\r\n")
    assert read(tmp_path / "a.py") == "x = 1\r\n"


def test_unreadable_paths(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("x = 1")
    secret.chmod(0)
    (tmp_path / "loop.py").symlink_to("loop.py")
    unreadable = [tmp_path, tmp_path / "missing.py", tmp_path / "loop.py", Path("a\0b.py")]
    if os.geteuid() != 0:  # for root, nothing is forbidden
        unreadable.append(secret)
    for path in unreadable:
        with pytest.raises(SourceError, match="cannot be read: "):
            read(path)
