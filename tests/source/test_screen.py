"""The screens: what may hold a finding is never passed by."""

from __future__ import annotations

from textwrap import dedent

import pytest

from inplace_lint.source.screen import Definition, index, may_concern


@pytest.mark.parametrize(
    ("source", "package", "concerns"),
    [
        ("import torch\n", None, True),
        ("from pytorch_lightning import x\n", None, True),
        ("from .layers import f\ny += 1\n", None, True),
        ("    from ..layers import f\nx[0] = 1\n", None, True),
        ("from .layers import f\nf.add_(1)\n", None, True),
        ("from .layers import f\nf(inplace=True)\n", None, True),
        ("from mine.layers import f\nloss.backward()\n", "mine", True),
        ("import mine\nmine.w.data = 1\n", "mine", True),
        ("from mine.layers import f\nloss.backward()\n", None, False),
        ("from miner import f\nloss.backward()\n", "mine", False),
        ("from .layers import f\nprint(f)\n", None, False),
        ("import os\nx += 1\n", None, False),
        ("", None, False),
    ],
)
def test_bytes(source: str, package: str | None, concerns: bool) -> None:
    assert may_concern(source.encode(), package) is concerns


TELLING = [
    "x += 1", "x[0] = 1", "x[0], y = 1, 2", "del x[0]", "x.data = y", "for x[0] in y: pass", "x.add_(1)",
    "nn.init.zeros_(w)", "relu_(x)", "f = x.add_", "F.relu(x, inplace=True)", "torch.add(a, b, out=c)",
    "self.manual_backward(loss)",
    "loss.backward()", "torch.autograd.grad(y, x)", "grad(y, x)", "opt.step()", "y = x.grad", "x.data.copy_(y)",
    "x.numpy()", "nn.ReLU(True)", "f(x, inplace)", "f(**options)", "setattr(x, 'data', y)", "x.__iadd__(1)",
    "iadd(x, 1)", "operator.imul(x, 2)", "operator.setitem(x, 0, 1)",
    "x.__setitem__(0, 1)", "self.x.data = 1", "self.w.grad = None", "[x.add_(1) for x in y]", "lambda: x.add_(1)",
    "@decorate(x.add_(1))\ndef g(): pass", "def g(x=y.mul_(2)): pass", "class C(f(True)): pass",
    "with x.data as y[0]: pass", "match x:\n    case y: z *= 2",
]  # fmt: skip
QUIET = [
    "x = 1", "y = x[0]", "self.x = x", "del x", "x.__init__()", "f(x, _)", "_(x)", "x._private(1)", "f(False, 1)",
    "def g(): return x + 1", "import a.b", "x.update(y)", "return_ = x == 1", "class C(nn.Module): pass",
]  # fmt: skip


def test_what_a_trainer_calls_is_telling() -> None:
    found = index(
        "class Model(LightningModule):\n    def training_step(self, batch):\n        return self.net(batch)\n"
    )
    assert found is not None and [d.qualname for d in found.telling()] == ["<module>", "Model", "Model.training_step"]


@pytest.mark.parametrize("source", TELLING)
def test_telling_syntax(source: str) -> None:
    body = dedent(source).replace("\n", "\n    ")
    found = index(f"def f(self, x):\n    {body}\n")
    assert found is not None
    assert {d.qualname: d.is_telling for d in found.definitions if d.qualname in ("<module>", "f")} == {
        "<module>": True,
        "f": True,
    }
    assert found.is_telling


@pytest.mark.parametrize("source", QUIET)
def test_quiet_syntax(source: str) -> None:
    found = index(source)
    assert found is not None and not found.is_telling


def test_definitions() -> None:
    found = index(
        dedent(
            """\
            import torch.nn as nn, os
            from ..own import thing

            @decorate
            @again
            class A(nn.Module):
                def forward(self, x):
                    def inner(y):
                        y += helper(1)
                    return inner(x.view(2))

                async def quiet(self): return 1

            if True:
                def late(): pass
            """
        )
    )
    assert found is not None
    assert [(d.qualname, d.kind, d.first_row, d.last_row, d.is_telling) for d in found.definitions] == [
        ("<module>", "module", 1, 15, True),
        ("A", "class", 4, 12, True),
        ("A.forward", "function", 7, 10, True),
        ("A.forward.<locals>.inner", "function", 8, 9, True),
        ("A.quiet", "function", 12, 12, False),
        ("late", "function", 15, 15, False),
    ]
    by_name: dict[str, Definition] = {d.qualname: d for d in found.definitions}
    assert by_name["A.forward"].names == {"inner", "x", "y", "helper"}
    assert by_name["A.forward"].attributes == {"view"}
    assert by_name["A"].names >= {"decorate", "again", "nn", "helper"}
    assert found.imports == ("torch.nn", "os", "..own")
    assert [d.qualname for d in found.telling()] == ["<module>", "A", "A.forward", "A.forward.<locals>.inner"]


@pytest.mark.parametrize("source", ["def f(:\n", "x = (" * 500, "\0", "print 'x'"])
def test_what_this_python_cannot_read_is_left_to_others(source: str) -> None:
    assert index(source) is None


def test_warnings_of_the_parser_are_not_ours(recwarn: pytest.WarningsRecorder) -> None:
    assert index("x = '\\d'\nif x is 1: pass\n") is not None
    assert list(recwarn) == []
