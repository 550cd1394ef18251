"""What single constructs become, where that cannot be seen by running them."""

from __future__ import annotations

from textwrap import dedent

import libcst as cst
import pytest
from lowered import codes, find, text

from inplace_lint import ir
from inplace_lint.lowering import LoweringError, lower
from inplace_lint.lowering.builder import EXPRESSIONS, PATTERNS, STATEMENTS


def expect(source: str, wanted: str, qualname: str = "<module>") -> None:
    assert text(dedent(source), qualname) == dedent(wanted).strip("\n")


def test_augmented_assignment_to_a_subscript_evaluates_its_parts_once() -> None:
    expect(
        "x[i] += y",
        """
        Load dst=2 name=x scope=global
        Load dst=3 name=i scope=global
        GetItem dst=0 obj=2 index=3
        Load dst=4 name=y scope=global
        InPlace dst=1 op=+ left=0 right=4
        SetItem obj=2 index=3 src=1 augmented=True
        """,
    )


def test_augmented_assignment_to_an_attribute() -> None:
    expect(
        "x.data //= 2",
        """
        Load dst=2 name=x scope=global
        GetAttr dst=0 obj=2 attr=data
        Const dst=3 value=2
        InPlace dst=1 op=// left=0 right=3
        SetAttr obj=2 attr=data src=1 augmented=True
        """,
    )


def test_augmented_assignment_to_a_name() -> None:
    expect(
        """
        def f(x, y):
            x @= y
        """,
        """
        Load dst=0 name=x scope=local
        Load dst=2 name=y scope=local
        InPlace dst=1 op=@ left=0 right=2
        Store name=x scope=local src=1
        """,
        "f",
    )


def test_conditional_expression_moves_into_one_register() -> None:
    expect(
        "x = a if c else b",
        """
        Load dst=0 name=c scope=global
        If cond=0
          then:
            Load dst=2 name=a scope=global
            Move dst=1 src=2
          else:
            Load dst=3 name=b scope=global
            Move dst=1 src=3
        Store name=x scope=global src=1
        """,
    )


def test_short_circuit_nests() -> None:
    expect(
        "a and b and c",
        """
        Load dst=1 name=a scope=global
        Move dst=0 src=1
        If cond=1
          then:
            Load dst=2 name=b scope=global
            Move dst=0 src=2
            If cond=2
              then:
                Load dst=3 name=c scope=global
                Move dst=0 src=3
        """,
    )


def test_comparison_chain_evaluates_the_middle_once() -> None:
    expect(
        "a < b <= c",
        """
        Load dst=0 name=a scope=global
        Load dst=2 name=b scope=global
        Compare dst=3 op=< left=0 right=2
        Move dst=1 src=3
        If cond=3
          then:
            Load dst=4 name=c scope=global
            Compare dst=5 op=<= left=2 right=4
            Move dst=1 src=5
        """,
    )


def test_comprehension_is_a_loop_with_variables_of_its_own() -> None:
    expect(
        """
        def f(xs, x):
            return {x: lambda: x for x in xs if x}, x
        """,
        """
        Load dst=0 name=xs scope=local
        Build dst=1 kind=dict items=()
        For iterable=0 item=2 is_async=False
          do:
            Store name=x%1 scope=local src=2
            Load dst=3 name=x%1 scope=local
            If cond=3
              then:
                Load dst=4 name=x%1 scope=local
                MakeFunction dst=5 code=<lambda f.<locals>.<lambda>> defaults=()
                Append collection=1 item=5 key=4
        Load dst=6 name=x scope=local
        Build dst=7 kind=tuple items=(Item(reg=1, key=None, star=False), Item(reg=6, key=None, star=False))
        Return value=7
        """,
        "f",
    )
    expect(
        "def f(xs): return [lambda: x for x in xs]",
        """
        Load dst=0 name=x%1 scope=free
        Return value=0
        """,
        "f.<locals>.<lambda>",
    )


def test_a_captured_comprehension_variable_is_not_hidden_by_one_inside() -> None:
    inner = text("[lambda: [x for y in x] for x in xs]", "<lambda>")
    assert "Load dst=0 name=x%1 scope=free" in inner
    assert "Store name=y%2 scope=local" in inner


def test_starred_comprehension_element_appends_each() -> None:
    source = "[*x for x in xs]"
    try:
        lowered = text(source)
    except LoweringError as error:  # libcst reads this syntax of Python 3.15 from 1.9 on
        pytest.skip(str(error))
    assert lowered.count("For ") == 2 and lowered.count("Append ") == 1


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import a.b.c", "Import dst=0 module=a name=None level=0 loads=a.b.c\nStore name=a scope=global src=0"),
        ("import a.b as c", "Import dst=0 module=a.b name=None level=0 loads=None\nStore name=c scope=global src=0"),
        ("import a", "Import dst=0 module=a name=None level=0 loads=a\nStore name=a scope=global src=0"),
        (
            "from ..a.b import c as d, e",
            "Import dst=0 module=a.b name=c level=2 loads=None\nStore name=d scope=global src=0\n"
            "Import dst=1 module=a.b name=e level=2 loads=None\nStore name=e scope=global src=1",
        ),
        ("from . import a", "Import dst=0 module= name=a level=1 loads=None\nStore name=a scope=global src=0"),
        ("from .a import *", "ImportStar module=a level=1"),
    ],
)
def test_imports(source: str, wanted: str) -> None:
    assert text(source) == wanted


def test_annotations_keep_their_text() -> None:
    expect(
        "x: Optional[Tensor] = None\ny: 'int'\nself.z: int = 1",
        """
        Const dst=0 value=None
        Annotate name=x annotation=Optional[Tensor]
        Store name=x scope=global src=0
        Annotate name=y annotation='int'
        Const dst=1 value=1
        Load dst=2 name=self scope=global
        SetAttr obj=2 attr=z src=1 augmented=False
        """,
    )


def test_parameters() -> None:
    code = find(lower("async def f(a, /, b: int = 1, *c, d, e: 'x' = 2, **g) -> T:\n    'Doc.'", "t.py"), "f")
    assert code.params == (
        ir.Parameter("a", "positional_only"),
        ir.Parameter("b", "positional", True, "int"),
        ir.Parameter("c", "vararg"),
        ir.Parameter("d", "keyword_only"),
        ir.Parameter("e", "keyword_only", True, "'x'"),
        ir.Parameter("g", "kwarg"),
    )
    assert (code.is_async, code.is_generator, code.returns, code.docstring) == (True, False, "T", "Doc.")


@pytest.mark.parametrize(
    ("body", "is_generator"),
    [
        ("yield 1", True),
        ("x = yield", True),
        ("return [(yield from y) for _ in z]", True),
        ("def g():\n        yield", False),
        ("return lambda: (yield)", False),
        ("@(yield)\n    class C: pass", True),
        ("return 'yield'", False),
    ],
)
@pytest.mark.parametrize("indent", ["\n    ", " "])
def test_generators_are_known_before_their_body_is_parsed(body: str, is_generator: bool, indent: str) -> None:
    if indent == " " and ("\n" in body):
        indent = "\n    "
    assert find(lower(f"def f(y, z):{indent}{body}\n", "t.py"), "f").is_generator is is_generator


def test_qualified_names_are_those_of_python() -> None:
    source = """
        class A:
            class B:
                def f(self):
                    class C:
                        g = lambda: 1
                    return [lambda: 2 for _ in ()]
        """
    assert [code.qualname for code in codes(lower(dedent(source), "t.py").code)] == [
        "<module>", "A", "A.B", "A.B.f", "A.B.f.<locals>.C", "A.B.f.<locals>.C.<lambda>", "A.B.f.<locals>.<lambda>",
    ]  # fmt: skip


def test_type_parameters_are_seen_inside_only() -> None:
    source = "def f[T](x: T):\n    return T\nT\ntype A[T] = list[T]\nclass C[T](G[T]):\n    y = T\n"
    assert "Load dst=0 name=T%1 scope=free" in text(source, "f")
    module = text(source)
    assert "name=T scope=global" in module and "name=T%2 scope=local" in module
    assert "reason=type alias" in module
    assert "Load dst=0 name=T%2 scope=free" in text(source, "C")


def test_asynchronous_syntax() -> None:
    source = """
        async def f(xs, m):
            async for x in xs:
                await x
            async with m as y:
                return [z async for z in xs]
        """
    lowered = text(dedent(source), "f")
    assert lowered.count("is_async=True") == 3
    assert "Await dst=3 value=2" in lowered


def test_exception_groups() -> None:
    (instr,) = lower("try:\n    a\nexcept* E as e:\n    b\n", "t.py").code.body
    assert isinstance(instr, ir.Try)
    assert [handler.is_group for handler in instr.handlers] == [True]


def test_newer_syntax() -> None:
    assert "FormatString dst=1 parts=('a', 0, 'b')" in text("x = t'a{y}b'")
    assert "catch:" in text("try:\n    a\nexcept A, B:\n    b\n")


def test_syntax_that_nobody_lowers_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(EXPRESSIONS, cst.Dict)
    monkeypatch.delitem(STATEMENTS, cst.While)
    monkeypatch.delitem(PATTERNS, cst.MatchList)
    lowered = text("x = {}\nwhile x: pass\nmatch x:\n    case [1]: pass\n")
    assert "Unknown dst=0 reason=Dict expression" in lowered
    assert "reason=While statement" in lowered
    assert "reason=MatchList pattern" in lowered
