"""Every file of the standard library and of torch lowers, and what is lowered prints.

A sample with a fixed seed by default; all files, some 4,000, with ``INPLACE_LINT_WHOLE_TREES=1`` (about four minutes).
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import random
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest
from lowered import codes

from inplace_lint import ir
from inplace_lint.lowering import LoweringError, lower
from inplace_lint.source.text import SourceError, decode

WHOLE = bool(os.environ.get("INPLACE_LINT_WHOLE_TREES"))
SAMPLE = 40


def _tree(name: str) -> Path:
    if name == "stdlib":
        return Path(sysconfig.get_path("stdlib"))
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed")
    return Path(spec.origin).parent


def _files(name: str) -> list[Path]:
    root = _tree(name)
    files = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.relative_to(root).parts)
    return files if WHOLE else random.Random(20260).sample(files, SAMPLE)


def _read(files: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in files:
        with contextlib.suppress(SourceError):  # no text: nothing to lower
            yield path, decode(path.read_bytes(), str(path))


@pytest.mark.parametrize("tree", ["stdlib", "torch"])
def test_every_file_lowers_and_prints(tree: str) -> None:
    refused: list[Path] = []
    lowered = 0
    for path, source in _read(_files(tree)):
        try:
            module = lower(source, str(path))
        except LoweringError:
            refused.append(path)
            continue
        for code in codes(module.code):
            printed = ir.format_region(code.body)
            assert printed or not code.body, f"{path}: {code.qualname} prints nothing"
            lowered += 1
        if module.problems:
            refused.append(path)
    assert lowered > SAMPLE
    # Refused may be what this Python does not accept either (test data with wrong or ancient syntax), and the few files
    # that bare libcst does not read: `(name): annotation` in the tests of typing is one.
    valid = [(path, source) for path, source in _read(refused) if _is_valid(source)]
    assert [path for path, source in valid if _is_parsed_by_libcst(source)] == []
    assert len(valid) <= 3


def _is_valid(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _is_parsed_by_libcst(source: str) -> bool:
    try:
        cst.parse_module(source)
    except cst.ParserSyntaxError:
        return False
    return True
