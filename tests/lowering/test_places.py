"""From origins back to the source."""

from __future__ import annotations

import random
from pathlib import Path

import libcst as cst
import pytest
from lowered import codes, find, instructions

from inplace_lint import ir
from inplace_lint.lowering import LoweredModule, lower, module

SOURCE = '''\
"""Module."""
import torch, torch.nn as nn


@decorate(1)
def f(x,
      y=1):  # a comment: with a colon
    """Doc."""
    ä = "größer"; x[0] = ä.add_(1); x.data += (
        y
    )
    if (x and
            y):
        return [z for z in x
                if z]
    elif x: pass
    with a as b, \\
            c: x.data = 1

class A(nn.Module):
    def forward(self): return self.relu(x)

    async def other(self):
    \treturn """
            text""".join(x)  # noqa
'''


@pytest.fixture(scope="module")
def lowered() -> LoweredModule:
    return lower(SOURCE, "places.py")


def found(m: LoweredModule, kind: type[ir.Instr], qualname: str) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [
        (m.text(instr.origin), tuple(m.span(instr.origin)), tuple(m.statement_span(instr.origin)))
        for instr in instructions(m, kind, qualname)
    ]


def test_stores_come_from_the_whole_statement(lowered: LoweredModule) -> None:
    assert found(lowered, ir.SetItem, "f") == [("x[0] = ä.add_(1)", (9, 19, 9, 35), (9, 19, 9, 35))]
    assert found(lowered, ir.SetAttr, "f") == [
        ("x.data += (\n        y\n    )", (9, 37, 11, 6), (9, 37, 11, 6)),
        ("x.data = 1", (18, 16, 18, 26), (18, 16, 18, 26)),
    ]
    assert found(lowered, ir.InPlace, "f") == found(lowered, ir.SetAttr, "f")[:1]


def test_calls_come_from_the_call(lowered: LoweredModule) -> None:
    assert found(lowered, ir.Call, "f") == [("ä.add_(1)", (9, 26, 9, 35), (9, 19, 9, 35))]
    assert found(lowered, ir.Call, "A.forward") == [("self.relu(x)", (21, 31, 21, 43), (21, 24, 21, 43))]
    assert found(lowered, ir.Call, "A.other") == [
        ('"""\n            text""".join(x)', (24, 13, 25, 28), (24, 6, 25, 28))
    ]


def test_headers_of_compound_statements(lowered: LoweredModule) -> None:
    spans = [span for _, _, span in found(lowered, ir.If, "f")]
    assert spans == [(12, 5, 13, 16), (12, 5, 13, 16), (14, 9, 15, 22), (16, 5, 16, 12)]
    assert [span for _, _, span in found(lowered, ir.With, "f")] == [(17, 5, 18, 15)] * 2
    assert [text for text, _, _ in found(lowered, ir.With, "f")] == ["a as b", "c"]
    ((whole, span, header),) = found(lowered, ir.MakeFunction, "<module>")
    assert (span, header) == ((6, 1, 18, 26), (6, 1, 7, 12))
    assert whole.startswith("def f(x,") and whole.endswith("x.data = 1")
    assert found(lowered, ir.Decorate, "<module>")[0][2] == (6, 1, 7, 12)


def test_comprehensions_begin_at_their_for(lowered: LoweredModule) -> None:
    assert found(lowered, ir.For, "f") == [("for z in x\n                if z", (14, 19, 15, 21), (14, 9, 15, 22))]


def test_imports_are_told_apart(lowered: LoweredModule) -> None:
    assert [text for text, _, _ in found(lowered, ir.Import, "<module>")] == ["torch", "torch.nn as nn"]


def test_a_class_ends_where_its_last_method_ends(lowered: LoweredModule) -> None:
    assert found(lowered, ir.MakeClass, "<module>")[0][1:] == ((20, 1, 25, 28), (20, 1, 20, 20))


def test_nodes_are_those_of_libcst(lowered: LoweredModule) -> None:
    (call,) = instructions(lowered, ir.Call, "A.forward")
    assert isinstance(lowered.node(call.origin), cst.Call)


def test_positions_are_computed_for_findings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[cst.Module] = []
    real = module.Unit.span
    monkeypatch.setattr(module.Unit, "span", lambda self, node: asked.append(self.module) or real(self, node))
    m = lower(SOURCE, "places.py")
    every = [instr for code in codes(m.code) for instr in ir.walk(code.body)]
    assert every and not asked
    m.span(every[0].origin)
    assert asked


def test_bodies_are_parsed_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = cst.parse_module
    monkeypatch.setattr(cst, "parse_module", lambda text: parsed.append(text) or real(text))
    m = lower(SOURCE, "places.py")
    body = m.code.body
    assert len(parsed) == 1 and "add_" not in parsed[0] and "self.relu" in parsed[0]
    assert body is m.code.body
    assert "add_" in ir.format_region(find(m, "f").body)
    assert len(parsed) == 2
    assert [code.docstring for code in codes(m.code)][:2] == ["Module.", "Doc."]
    assert len(parsed) == 3  # `f` and `A.other`; `A.forward` has its body on the row of its header


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("path", sorted(Path(cst.__file__).parent.glob("_nodes/*.py"))[:4], ids=lambda p: p.name)
def test_late_parsing_changes_nothing(path: Path, newline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    source = newline.join(lines[: random.Random(7).randrange(200, 400)])
    while not _complete(source):
        source = source.rpartition(newline)[0]
    late = lower(source, "x.py")
    monkeypatch.setattr(module, "_parse_late", lambda source, tree: None)
    whole = lower(source, "x.py")
    assert _described(late) == _described(whole)


def _complete(source: str) -> bool:
    try:
        compile(source, "x.py", "exec")
    except SyntaxError:
        return False
    return True


def _described(m: LoweredModule) -> list[object]:
    rows: list[object] = []
    for code in codes(m.code):
        rows.append((code.kind, code.qualname, code.params, code.is_generator, code.docstring))
        rows.append(ir.format_region(code.body))
        rows.extend((m.span(i.origin), m.statement_span(i.origin), m.text(i.origin)) for i in ir.walk(code.body))
    return rows
