"""Lowered programs do what CPython does: the same trace, the same names, the same results."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machine import Machine

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program_leaves_the_trace_that_cpython_leaves(program: Path) -> None:
    source = program.read_text()
    expected: dict[str, Any] = {"__name__": "machine"}
    exec(compile(source, str(program), "exec", dont_inherit=True), expected)
    machine = Machine(source)
    got, wanted = machine.globals["trace"], expected["trace"]
    assert [simplified(entry) for entry in got] == [simplified(entry) for entry in wanted]
    assert {name for name in expected if not name.startswith("__")} == {
        name for name in machine.globals if not name.startswith("__")
    }


def simplified(entry: object) -> object:
    """Objects of the two runs that have no equality of their own are compared by the name of their class."""
    return f"<{type(entry).__name__}>" if type(entry).__module__ == "machine" or callable(entry) else entry


MODULES: dict[str, list[Callable[[Any], object]]] = {
    "bisect": [lambda m: [m.bisect_left([1, 2, 2, 3], k) for k in range(5)]],
    "colorsys": [lambda m: [m.rgb_to_hls(0.1, 0.5, 0.9), m.hsv_to_rgb(0.3, 0.4, 0.5), m.rgb_to_yiq(1, 0.2, 0.3)]],
    "difflib": [
        lambda m: list(m.unified_diff(["one", "two", "three"], ["one", "three", "four"], lineterm="")),
        lambda m: m.SequenceMatcher(None, "abxcd", "abcd").get_opcodes(),
    ],
    "fnmatch": [lambda m: [m.translate(p) for p in ("*.py", "a[!b-d]?", "[]x]", "**a*b*")]],
    "heapq": [lambda m: [m.nsmallest(3, [5, 1, 4, 2, 3]), m.nlargest(2, "hello", key=ord)]],
    "shlex": [lambda m: m.split('a \'b c\' "d\\"e" f#g')],
    "statistics": [lambda m: [m.median([3, 1, 2]), m.mean([1, 2, 3, 4]), m.quantiles([1, 2, 3, 4, 5], n=4)]],
    "textwrap": [
        lambda m: m.wrap("The quick brown fox jumped over the lazy dog, didn't it?", width=17),
        lambda m: m.dedent("    a\n      b\n    c\n"),
    ],
}


@pytest.mark.parametrize("name", MODULES)
def test_standard_library_module_computes_what_it_computes(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    real = importlib.import_module(name)
    machine = Machine(Path(spec.origin).read_text(encoding="utf-8"), name="copy_of_" + name)
    copied = type("Module", (), {key: staticmethod(value) if callable(value) and not isinstance(value, type) else value
                                 for key, value in machine.globals.items()})  # fmt: skip
    for compute in MODULES[name]:
        assert compute(copied) == compute(real)
