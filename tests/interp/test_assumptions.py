"""What depends on an unknown caller is a warning that says what was assumed; what does not is an error."""

from __future__ import annotations

import pytest
from engine_checks import diagnostics

from inplace_lint.diagnostics import Severity

WRITES = "    y = x.exp()\n    y += 1\n    y.sum().backward()\n"
FLAGGED = "    y = w.exp() if flag else w * 2\n    if flag:\n        y += 1\n    y.sum().backward()\n"


RETURNS = "    y = x.exp()\n    y += 1\n    return y\n"


@pytest.mark.parametrize("parameter", ["x", "x: torch.Tensor"])
def test_an_unknown_argument_is_an_assumption(parameter: str) -> None:
    (found,) = diagnostics(f"def f({parameter}):\n{RETURNS}")
    assert (found.code, found.severity, found.span.start.row) == ("IPL202", Severity.WARNING, 5)
    assert found.assumptions == ("argument `x` of `f` requires grad", "the result of `f` is trained")


def test_backward_on_what_comes_from_it_alone_needs_no_assumption() -> None:
    """If it did not require grad, backward would raise as well."""
    (found,) = diagnostics(f"def f(x):\n{WRITES}")
    assert (found.code, found.severity, found.assumptions) == ("IPL202", Severity.ERROR, ())


def test_of_two_arguments_backward_says_that_one_requires_grad() -> None:
    (found,) = diagnostics(f"def f(x, v):\n    torch.relu(v)\n{WRITES.replace('y.sum()', '(y.sum() + v.sum())')}")
    assert (found.severity, found.assumptions) == (Severity.WARNING, ("argument `x` of `f` requires grad",))


@pytest.mark.parametrize("argument", ["w", "w * 2", "torch.nn.Parameter(torch.ones(3))"])
def test_a_caller_in_the_file_settles_it(argument: str) -> None:
    (found,) = diagnostics(f"def f(x):\n{WRITES}f({argument})\n")
    assert (found.code, found.severity, found.assumptions) == ("IPL202", Severity.ERROR, ())


def test_a_caller_whose_tensor_needs_no_grad_settles_it_too() -> None:
    assert diagnostics(f"def f(x):\n{WRITES.replace('y.sum().backward()', 'return y')}f(torch.ones(3))\n") == []


def test_a_flag_of_the_caller_is_an_assumption() -> None:
    (found,) = diagnostics(f"def f(flag):\n{FLAGGED}")
    assert (found.code, found.severity) == ("IPL202", Severity.WARNING)
    assert any("`flag` of `f`" in text and "true" in text for text in found.assumptions)


def test_a_flag_that_defaults_to_the_good_side_is_an_assumption() -> None:
    (found,) = diagnostics(f"def f(flag=False):\n{FLAGGED}")
    assert found.severity == Severity.WARNING
    assert found.assumptions == ("`flag` of `f` is True",)


BEHIND_A_FLAG = [
    ("w.mul_(2)", "IPL101"),
    ("w[0] = 0", "IPL102"),
    ("w.exp().add_(1, alpha=2).backward()", "IPL202"),
    ("w.expand(2, 3).detach().add_(1)", "IPL403"),
    ("torch.add(w, 1, out=torch.empty(3))", "IPL103"),
    ("y = w.exp().sum(); y.backward(); y.backward()", "IPL501"),
]


@pytest.mark.parametrize(("write", "code"), BEHIND_A_FLAG)
@pytest.mark.parametrize(
    ("parameter", "test", "severity", "assumed"),
    [
        ("flag=False", "flag", Severity.WARNING, ("`flag` of `f` is True",)),
        ("flag=True", "flag", Severity.ERROR, ()),
        ("flag=True", "not flag", Severity.WARNING, ("`flag` of `f` is False",)),
        ("flag=0", "flag", Severity.WARNING, ("`flag` of `f` is not 0",)),
    ],
)
def test_what_a_default_switches_off_takes_a_caller_who_switches_it_on(
    write: str, code: str, parameter: str, test: str, severity: Severity, assumed: tuple[str, ...]
) -> None:
    (found,) = diagnostics(f"def f({parameter}):\n    if {test}:\n        {write}\n")
    assert (found.code, found.severity, found.assumptions) == (code, severity, assumed)


def test_callers_who_leave_a_default_alone_never_get_behind_it() -> None:
    assert (
        diagnostics("def f(flag=False):\n    if flag:\n        w.mul_(2)\n    return w * 2\nf().sum().backward()\n")
        == []
    )


def test_what_the_program_itself_decides_is_none() -> None:
    (found,) = diagnostics("y = w.exp()\nif torch.rand(()) > 0.5:\n    y += 1\ny.sum().backward()\n")
    assert (found.severity, found.assumptions) == (Severity.ERROR, ())


def test_a_parameter_of_a_module_needs_no_assumption() -> None:
    module = """\
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 3)

    def forward(self, x):
        y = self.fc(x).sigmoid()
        y += 1
        return y
"""
    (found,) = diagnostics(module)
    assert (found.code, found.severity, found.assumptions) == ("IPL202", Severity.ERROR, ())


def test_a_forward_that_is_not_trained_is_silent() -> None:
    assert diagnostics(f"@torch.no_grad()\ndef forward(x):\n{WRITES.replace('y.sum().backward()', 'return y')}") == []


@pytest.mark.parametrize(
    ("use", "tensor"),
    [
        ("x.unsqueeze(0)", True),
        ("x.is_leaf", True),
        ("x.masked_fill(x > 0, 1.0)", True),
        ("x.relu()", True),
        ("x.relu(w)", False),  # a block's layer: a tensor's method takes no argument
        ("x.relu", False),  # a setting of that name
        ("x.shape", False),  # an array has one, too
        ("x.cuda()", False),  # so has a module
        ("x.split(' ')", False),  # a text has that
    ],
)
def test_what_only_tensors_have_shows_that_an_argument_is_one(use: str, tensor: bool) -> None:
    found = diagnostics(f"def f(x):\n    y = {use}\n    z = w * x\n    x *= 2\n    z.sum().backward()\n    return y\n")
    assert [one.code for one in found] == (["IPL201"] if tensor else [])


def test_what_an_alias_of_an_argument_goes_through_shows_the_argument() -> None:
    module = """\
class Pass(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 2, 1)

    def forward(self, feature):
        out = feature
        for i in range(1, out.shape[2]):
            out[:, :, i : i + 1].add_(self.conv(out[:, :, i - 1 : i]))
        return out
"""
    (found,) = diagnostics(module)
    assert (found.code, found.severity) == ("IPL201", Severity.ERROR)


def test_the_body_of_a_callee_shows_what_its_caller_passes() -> None:
    source = """\
def rescale(image):
    copy = image.clone()
    for channel, scale in zip(copy[0], (0.5, 0.2)):
        channel.mul_(scale)
    return copy

def show(picture, path):
    save(rescale(picture), path)
"""
    (found,) = diagnostics(source)
    assert (found.code, found.assumptions) == ("IPL401", ("argument `picture` of `show` requires grad",))


def test_what_suppression_keeps_of_boxes_is_hardly_trained() -> None:
    forward = "        y = self.head(x)\n        y[:, 5:] *= y[:, 4:5]\n        keep = {}\n        return y[keep[:9]]\n"
    net = (
        "import torchvision\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = torch.nn.Linear(3, 6)\n    def forward(self, x):\n"
    )
    (found,) = diagnostics(net + forward.format("torchvision.ops.nms(y[:, :4], y[:, 5], 0.5)"))
    assert found.severity == Severity.WARNING
    assert found.assumptions == ("the boxes that non-maximum suppression keeps are trained",)
    (found,) = diagnostics(net + forward.format("y[:, 5].argsort()"))
    assert found.severity == Severity.ERROR


def test_what_raises_at_once_with_out_is_no_warning_for_unknown_callers() -> None:
    call = "    torch.mul({}, 2, out=torch.empty(3))\n"
    assert diagnostics(f"def f(x: torch.Tensor):\n{call.format('x')}") == []
    (found,) = diagnostics(f"def f(x: torch.Tensor):\n{call.format('w')}")
    assert (found.code, found.severity) == ("IPL103", Severity.ERROR)


@pytest.mark.parametrize(("count", "codes"), [("torch.sum(y, 0)", ["IPL202"]), ("torch.sum(y, 0).float()", [])])
def test_what_is_converted_before_it_is_computed_with_may_be_integers(count: str, codes: list[str]) -> None:
    found = diagnostics(f"""\
class Score:
    def weigh(self, x: torch.Tensor, y: torch.Tensor):
        count = {count}
        share = torch.reciprocal(count * count)
        share[torch.isinf(share)] = 0
        return (x * share).sum()
""")
    assert [one.code for one in found] == codes


@pytest.mark.parametrize("result", ["s", "a + s", "(s * a).sum()", "(a - s).abs() + b"])
def test_of_arguments_that_meet_in_a_result_one_that_requires_grad_is_enough(result: str) -> None:
    (found,) = diagnostics(f"""\
def f(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor):
    s = torch.exp(x)
    s += 1
    return {result}
""")
    assert found.assumptions == ("argument `x` of `f` requires grad", "the result of `f` is trained")


def test_which_of_several_arguments_requires_grad_is_left_open() -> None:
    (found,) = diagnostics("""\
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 2, 1)

    def mix(self, a: torch.Tensor, b: torch.Tensor):
        both = torch.exp(a + b)
        both += 1
        return both
""")
    assert found.assumptions[0] == "argument `a` of `Net.mix` or argument `b` of `Net.mix` requires grad"


def test_an_argument_that_meets_others_several_times_is_named_once() -> None:
    (found,) = diagnostics("""\
def mix(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor):
    both = torch.exp((a + b) + (b + c) + (a + c))
    both += 1
    return both
""")
    one_of = " or ".join(f"argument `{name}` of `mix`" for name in "abc")
    assert found.assumptions[0] == f"{one_of} requires grad"


def test_an_expansion_to_an_unknown_shape_is_a_note_whatever_else_is_known() -> None:
    source = "def f(x, shape):\n    y = torch.exp(x * w).expand(shape)\n    y += 1\n    return y\n"
    assert "IPL403" not in [one.code for one in diagnostics(source)]


@pytest.mark.parametrize("write", ["moved.add_(1)", "moved += 1"])
def test_being_on_a_device_already_is_an_assumption(write: str) -> None:
    (found,) = diagnostics(f"def f(device):\n    moved = torch.ones(3, requires_grad=True).to(device)\n    {write}\n")
    assert (found.code, found.severity) == ("IPL101", Severity.WARNING)
    assert found.assumptions == ("the tensor already is on that device",)


def test_the_processor_is_where_tensors_are_made() -> None:
    (found,) = diagnostics('torch.ones(3, requires_grad=True).to("cpu").add_(1)\n')
    assert (found.code, found.severity, found.assumptions) == ("IPL101", Severity.ERROR, ())


def test_a_flag_that_nobody_knows_is_an_assumption() -> None:
    (found,) = diagnostics("import config\ntorch.empty(3, requires_grad=config.flag()).normal_()\n")
    assert (found.code, found.severity) == ("IPL101", Severity.WARNING)
    assert found.assumptions == ("`requires_grad` is true there",)


@pytest.mark.parametrize(
    ("annotation", "assumed"), [("", ["`channel` of `f` is a number"]), (": int", []), (": list[int]", None)]
)
def test_what_picks_a_view_is_a_number(annotation: str, assumed: list[str] | None) -> None:
    picks = "    part = y[:, channel]\n    z = part * part\n    y[:, channel] = 0\n    z.sum().backward()\n"
    found = diagnostics(f"def f(channel{annotation}):\n    y = w.expand(2, 3).sin()\n{picks}")
    assert [list(one.assumptions) for one in found] == ([] if assumed is None else [assumed])


@pytest.mark.parametrize(
    ("flag", "told"),
    [("flag", 1), ("latest", 1), ("training", 1), ("predict_mode", 0), ("is_test", 0), ("evaluating", 0)],
)
def test_what_takes_a_flag_that_says_that_nothing_is_trained_is_a_note(flag: str, told: int) -> None:
    source = f"def f({flag}):\n{FLAGGED.replace('flag', flag)}"
    assert len(diagnostics(source)) == told


def test_a_flag_that_says_that_something_is_trained_is_none_such() -> None:
    write = "    y = w.exp()\n    if {test}training:\n        y += 1\n    y.sum().backward()\n"
    assert len(diagnostics(f"def f(training):\n{write.format(test='')}")) == 1
    assert diagnostics(f"def f(training):\n{write.format(test='not ')}") == []


def test_how_many_dimensions_an_argument_has_decides_what_a_layer_keeps_of_it_turned() -> None:
    """A layer keeps a turned matrix itself, and a copy of a turned batch."""
    layer = "layer = torch.nn.Linear(3, 3)\n"
    code = "def f(x):\n    y = torch.sin(x)\n    z = layer(y.transpose({dims}))\n    y += 1\n    z.sum().backward()\n"
    found = diagnostics(layer + code.format(dims="-1, -2"))
    assert [(one.code, one.severity) for one in found] == [("IPL201", Severity.WARNING)]
    assert any("`linear` works on its input itself" in text.lower() for text in found[0].assumptions)
    assert diagnostics(layer + code.format(dims="1, 2")) == []
