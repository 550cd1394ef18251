"""What the op model says of the ops that people get wrong most often, statement by statement."""

from __future__ import annotations

import pytest

from inplace_lint.opmodel.lookup import load
from inplace_lint.opmodel.schema import ModuleOp, Op, Save, Variant

MODEL = load()
F = "torch.nn.functional."


def variant(op: Op | ModuleOp | None, *params: str, **constants: object) -> Variant:
    """The first variant that has all of these parameters and whose conditions these constants (or defaults) meet."""
    assert op is not None
    for one in op.variants:
        defaults = {param.name: param.default for param in one.params}
        if isinstance(op, ModuleOp):
            defaults |= {param.name: param.default for param in op.init} | {"training": True}
        known = {**defaults, **constants}
        names = {param.name for param in one.params} | (set(known) if isinstance(op, ModuleOp) else set())
        if {*params, *constants} <= names and all(known[name] == value for name, value in one.when):
            return one
    raise AssertionError(f"{op.spelling}: no variant with {params} and {constants}")


def function(name: str) -> Op:
    op = MODEL.function(F + name) or MODEL.function("torch." + name)
    assert op is not None, name
    return op


def method(name: str) -> Op:
    op = MODEL.method(name)
    assert op is not None, name
    return op


def kept(one: Variant) -> set[str]:
    return {save.what for save in one.saves}


def guards(one: Variant) -> dict[str, set[str]]:
    return {save.what: set(save.guard) for save in one.saves}


@pytest.mark.parametrize(
    "name",
    [
        "exp",
        "expm1",
        "sqrt",
        "rsqrt",
        "tan",
        "tanh",
        "sigmoid",
        "relu",
        "softmax",
        "log_softmax",
        "reciprocal",
        "special.expit",
        "special.expm1",
    ],
)
def test_keeps_result_only(name: str) -> None:
    assert kept(variant(function(name))) == {"result"}


@pytest.mark.parametrize(
    "name",
    [
        "log",
        "log1p",
        "sin",
        "cos",
        "abs",
        "square",
        "erf",
        "gelu",
        "silu",
        "softplus",
        "elu",
        "leaky_relu",
        "selu",
        "celu",
        "mish",
        "logsigmoid",
        "hardtanh",
        "relu6",
        "hardswish",
        "var",
        "nan_to_num",
    ],
)
def test_keeps_input_only(name: str) -> None:
    one = variant(function(name))
    assert kept(one) == {one.params[0].name}


@pytest.mark.parametrize("name", ["norm", "std", "prod", "cumprod", "logsumexp", "amax", "amin", "max", "min"])
def test_keeps_input_and_result(name: str) -> None:
    one = variant(function(name))
    assert kept(one) == {"input", "result"}


@pytest.mark.parametrize(
    "name",
    [
        "add",
        "sub",
        "neg",
        "sum",
        "mean",
        "cumsum",
        "cat",
        "stack",
        "clone",
        "flip",
        "roll",
        "dropout",
        "pad",
        "tril",
        "triu",
        "interpolate",
    ],
)
def test_keeps_no_operand(name: str) -> None:
    one = variant(function(name))
    names = {param.name for param in one.params}
    assert not kept(one) & (names | {"result"})


def test_l1_loss() -> None:
    one = variant(function("l1_loss"))
    assert "result" not in kept(one)


@pytest.mark.parametrize(
    "name", ["__add__", "__radd__", "__iadd__", "__sub__", "__rsub__", "__isub__", "__neg__", "repeat"]
)
def test_operators_that_keep_nothing(name: str) -> None:
    assert not variant(MODEL.method(name)).saves


@pytest.mark.parametrize("name", ["mul", "__mul__", "__rmul__", "mm", "bmm", "matmul", "__matmul__"])
def test_product_guards(name: str) -> None:
    op = MODEL.function("torch." + name) or MODEL.method(name)
    one = variant(op)
    first, second = one.params[0].name, one.params[1].name
    assert guards(one) == {first: {second}, second: {first}}


def test_division_guards() -> None:
    one = variant(function("div"), "other")
    assert guards(one)["input"] == {"other"}
    assert "other" in guards(one)
    assert "result" not in guards(one)


@pytest.mark.parametrize("name", ["mul", "div", "add", "sub"])
def test_a_number_is_an_operand(name: str) -> None:
    kinds = {param.name: param.kind for param in variant(function(name), "other").params}
    assert kinds["other"] == "tensor|number"


def test_pow() -> None:
    by_number = next(v for v in function("pow").variants if v.params[1].kind == "number")
    assert kept(by_number) == {"input"}
    by_tensor = next(
        v for v in function("pow").variants if v.params[1].kind == "tensor" and v.params[0].kind == "tensor"
    )
    assert kept(by_tensor) == {"input", "exponent", "result"}


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_maximum_keeps_both(name: str) -> None:
    assert kept(variant(function(name))) == {"input", "other"}


@pytest.mark.parametrize("name", ["max", "min", "sort", "topk", "kthvalue", "median", "mode"])
def test_values_and_indices(name: str) -> None:
    one = next(v for v in function(name).variants if len(v.outputs) == 2)
    values, indices = one.outputs
    assert values.differentiable
    assert not indices.differentiable
    assert indices.dtype == "int"
    assert "input" not in kept(one)
    assert "result" not in kept(one)
    assert "result1" in kept(one)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("where", "condition"),
        ("masked_fill", "mask"),
        ("gather", "index"),
        ("index_select", "index"),
        ("embedding", "input"),
        ("nll_loss", "target"),
        ("cross_entropy", "target"),
        ("scatter", "index"),
        ("take_along_dim", "indices"),
    ],
)
def test_indices_and_masks_are_kept(name: str, what: str) -> None:
    assert any(what in kept(one) for one in function(name).variants)


def test_indexing() -> None:
    read = MODEL.method("__getitem__")
    basic, advanced = variant(read, index="basic"), variant(read, index="advanced")
    assert basic.outputs[0].kind == "view"
    assert not basic.outputs[0].multi_view
    assert not basic.saves
    assert advanced.outputs[0].kind == "new"
    assert kept(advanced) == {"index"}
    write = MODEL.method("__setitem__")
    for kind in ("basic", "advanced"):
        one = variant(write, index=kind)
        assert one.writes == ("self",)
        assert not kept(one) & {"self", "value", "result"}


def test_linear_keeps_its_weight_for_its_input() -> None:
    for one in (variant(MODEL.module("torch.nn.Linear")), variant(MODEL.function(F + "linear"))):
        own = "self." if any(param.name.startswith("self.") for param in one.params) else ""
        assert guards(one)["input"] == {own + "weight"}
        assert guards(one)[own + "weight"] == {"input"}
        assert own + "bias" not in kept(one)


@pytest.mark.parametrize(
    "name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose2d", "LayerNorm", "BatchNorm1d", "BatchNorm2d"]
)
def test_weight_always_kept(name: str) -> None:
    one = variant(MODEL.module("torch.nn." + name))
    assert Save("self.weight") in one.saves or guards(one)["self.weight"] == set()
    assert guards(one)["input"] == set()


def test_batch_norm_running_statistics() -> None:
    module = MODEL.module("torch.nn.BatchNorm2d")
    training, frozen = variant(module, training=True), variant(module, training=False)
    assert set(training.silent_writes) == {"self.running_mean", "self.running_var"}
    assert not frozen.silent_writes
    assert not frozen.writes
    assert "self.running_mean" in kept(frozen)


@pytest.mark.parametrize("name", ["mul_", "div_", "sin_", "cos_", "clamp_", "abs_", "pow_", "square_", "log_"])
def test_in_place_with_a_private_copy(name: str) -> None:
    op = MODEL.method(name)
    assert op is not None
    one = next(v for v in op.variants if name != "pow_" or v.params[1].kind == "number")
    assert one.writes == ("self",)
    assert not kept(one) & {"self", "result"}
    assert one.outputs[0].kind == "same"


def test_in_place_product_keeps_the_other() -> None:
    for name in ("mul_", "__imul__"):
        assert guards(variant(MODEL.method(name))) == {"other": {"self"}}


@pytest.mark.parametrize("name", ["exp_", "sqrt_", "relu_", "sigmoid_", "tanh_", "reciprocal_", "rsqrt_"])
def test_in_place_that_keeps_the_result(name: str) -> None:
    one = variant(MODEL.method(name))
    assert one.writes == ("self",)
    assert kept(one) == {"result"}


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "relu6", "hardtanh", "silu", "hardswish", "dropout"])
def test_functional_in_place(name: str) -> None:
    op = MODEL.function(F + name)
    off, on = variant(op, inplace=False), variant(op, inplace=True)
    assert not off.writes
    assert on.writes == ("input",)
    assert on.outputs[0].kind == "same"
    keeps_result = name in ("relu", "leaky_relu", "elu")
    assert kept(on) == ({"result"} if keeps_result else set())


@pytest.mark.parametrize(
    "name", ["ReLU", "LeakyReLU", "ELU", "ReLU6", "Hardtanh", "SiLU", "Hardswish", "Dropout", "Mish", "CELU"]
)
def test_modules_in_place(name: str) -> None:
    module = MODEL.module("torch.nn." + name)
    off, on = variant(module, inplace=False), variant(module, inplace=True)
    assert not off.writes
    assert on.writes == ("input",)
    assert ("result" in kept(on)) == (name in ("ReLU", "LeakyReLU", "ELU", "CELU"))


@pytest.mark.parametrize("name", ["zero_", "masked_fill_", "index_fill_", "index_put_"])
def test_expanded_memory_may_be_filled(name: str) -> None:
    assert all(one.expanded_ok for one in method(name).variants)


@pytest.mark.parametrize("name", ["add_", "mul_", "relu_", "copy_", "normal_", "masked_scatter_"])
def test_expanded_memory_may_not_be_written(name: str) -> None:
    assert not any(one.expanded_ok for one in method(name).variants)


def test_fill_from_a_number_only() -> None:
    kinds = {one.params[1].kind: one.expanded_ok for one in method("fill_").variants}
    assert kinds == {"number": True, "tensor": False}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_pooling_to_one_place_is_a_mean(dims: int) -> None:
    for op in (function(f"adaptive_avg_pool{dims}d"), MODEL.module(f"torch.nn.AdaptiveAvgPool{dims}d")):
        for size in (1, (1,) * dims):
            assert not variant(op, output_size=size).saves
        assert kept(variant(op, output_size=2)) == {"input"}


@pytest.mark.parametrize("name", ["Dropout", "Dropout2d"])
def test_no_dropout_writes_nothing(name: str) -> None:
    op = MODEL.module(f"torch.nn.{name}")
    assert not variant(op, inplace=True, p=0.0).writes
    assert variant(op, inplace=True, p=0.5).writes == ("input",)


@pytest.mark.parametrize("name", ["t", "transpose", "permute", "swapaxes", "movedim", "adjoint", "mT", "H"])
def test_turning_breaks_contiguity(name: str) -> None:
    op = MODEL.method(name) or MODEL.property(name)
    assert op is not None
    assert all(one.outputs[0].breaks_contiguity for one in op.variants)


def test_dropout() -> None:
    op = MODEL.function(F + "dropout")
    assert not variant(op, inplace=True, training=True, p=0.0).writes
    assert not variant(op, inplace=True, training=False).writes
    assert variant(op, inplace=False, training=True, p=0.5).outputs[0].kind == "new"
    assert variant(MODEL.module("torch.nn.Dropout"), training=False, inplace=True).writes == ()


@pytest.mark.parametrize(
    "name",
    [
        "view",
        "reshape",
        "flatten",
        "transpose",
        "permute",
        "t",
        "unsqueeze",
        "squeeze",
        "expand",
        "expand_as",
        "broadcast_to",
        "diagonal",
        "narrow",
        "select",
        "unfold",
        "movedim",
        "swapaxes",
        "view_as",
        "unflatten",
        "ravel",
    ],
)
def test_views(name: str) -> None:
    op = MODEL.method(name)
    assert op is not None
    output = op.variants[0].outputs[0]
    assert (output.kind, output.of) == ("view", "self")
    assert not op.variants[0].saves
    assert output.maybe == ("contiguous" if name in ("reshape", "flatten", "ravel") else None)
    assert output.expanded == (name in ("expand", "expand_as", "broadcast_to"))


@pytest.mark.parametrize(
    ("name", "forbidden"),
    [
        ("chunk", True),
        ("split", True),
        ("unbind", True),
        ("tensor_split", False),
        ("hsplit", False),
        ("vsplit", False),
        ("dsplit", False),
    ],
)
def test_pieces(name: str, forbidden: bool) -> None:
    for op in (MODEL.method(name), MODEL.function("torch." + name)):
        for one in op.variants if op else ():
            assert len(one.outputs) == 1
            assert one.outputs[0].multi
            assert one.outputs[0].kind == "view"
            assert one.outputs[0].multi_view == forbidden


@pytest.mark.parametrize("name", ["T", "mT"])
def test_view_properties(name: str) -> None:
    op = MODEL.property(name)
    assert op is not None
    assert op.variants[0].outputs[0].kind == "view"
    assert op.variants[0].outputs[0].breaks_contiguity


@pytest.mark.parametrize("name", ["float", "double", "half", "to", "type", "type_as"])
def test_conversions_may_return_self(name: str) -> None:
    op = MODEL.method(name)
    assert op is not None
    output = next(v.outputs[0] for v in op.variants if v.outputs[0].kind != "none")
    assert (output.kind, output.of, output.maybe) == ("same", "self", "dtype")


def test_contiguous_may_return_self() -> None:
    output = variant(MODEL.method("contiguous")).outputs[0]
    assert (output.kind, output.maybe) == ("same", "contiguous")


def test_ways_out_of_the_graph() -> None:
    detach, data, numpy = MODEL.method("detach"), MODEL.property("data"), MODEL.method("numpy")
    assert variant(detach).outputs[0].kind == "detached"
    assert variant(data).outputs[0].kind == "data"
    assert variant(numpy).outputs[0].kind == "array"
    for name in ("item", "tolist", "size", "dim", "numel"):
        assert all(output.kind == "none" for output in variant(MODEL.method(name)).outputs), name
    assert not variant(function("argmax")).outputs[0].differentiable
    assert variant(function("argmax")).outputs[0].dtype == "int"
    assert variant(MODEL.method("__gt__")).outputs[0].dtype == "bool"


@pytest.mark.parametrize("name", ["squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_"])
def test_metadata_writes(name: str) -> None:
    one = variant(MODEL.method(name))
    assert one.writes == ("self",)
    assert one.metadata
    assert one.outputs[0].kind == "same"


@pytest.mark.parametrize(
    "name",
    [
        "copy_",
        "fill_",
        "zero_",
        "masked_fill_",
        "index_fill_",
        "index_put_",
        "scatter_",
        "index_add_",
        "scatter_add_",
        "bernoulli_",
        "normal_",
        "uniform_",
        "exponential_",
        "index_copy_",
        "masked_scatter_",
        "addcmul_",
        "addmm_",
        "lerp_",
        "clamp_min_",
    ],
)
def test_value_writes(name: str) -> None:
    one = variant(MODEL.method(name))
    assert one.writes == ("self",)
    assert not one.metadata


@pytest.mark.parametrize(
    "name",
    [
        "normal_",
        "uniform_",
        "zeros_",
        "ones_",
        "constant_",
        "xavier_uniform_",
        "kaiming_normal_",
        "orthogonal_",
        "trunc_normal_",
        "eye_",
        "dirac_",
        "sparse_",
    ],
)
def test_init_runs_without_grad(name: str) -> None:
    one = variant(MODEL.function("torch.nn.init." + name))
    assert one.no_grad
    assert one.writes == ("tensor",)


def test_attention_keeps_its_output() -> None:
    one = variant(MODEL.function(F + "scaled_dot_product_attention"))
    assert {"query", "key", "value", "result"} <= kept(one)


@pytest.mark.parametrize(
    ("name", "frees"), [("add", False), ("mul", True), ("sum", False), ("exp", True), ("mean", False)]
)
def test_second_backward(name: str, frees: bool) -> None:
    assert variant(function(name)).frees == frees


def test_loss_reductions_keep_the_same() -> None:
    for name in ("mse_loss", "binary_cross_entropy", "smooth_l1_loss", "huber_loss", "kl_div"):
        op = MODEL.function(F + name)
        for reduction in ("none", "mean", "sum"):
            assert {"input", "target"} <= kept(variant(op, reduction=reduction)) or name == "kl_div"


def test_tensor_lists() -> None:
    for name in ("cat", "stack", "hstack", "vstack", "block_diag", "meshgrid", "broadcast_tensors"):
        assert any(param.kind == "tensors" for param in function(name).variants[0].params), name
    einsum = variant(function("einsum"))
    assert einsum.params[1].star
    assert guards(einsum) == {"operands": {"others"}}


def test_factories() -> None:
    for name in (
        "zeros",
        "ones",
        "rand",
        "randn",
        "arange",
        "empty",
        "eye",
        "full",
        "linspace",
        "zeros_like",
        "randperm",
        "tensor",
    ):
        one = variant(function(name))
        assert one.outputs[0].kind == "new"
        assert not one.outputs[0].differentiable
        assert not one.saves
    assert variant(function("zeros")).params[0].star


def test_optimizers() -> None:
    fused = {name for name in MODEL.optimizers if (row := MODEL.optimizer(name)) and row.fused}
    assert fused == {"torch.optim.Adam", "torch.optim.AdamW", "torch.optim.SGD", "torch.optim.Adagrad"}
    adam = MODEL.optimizer("torch.optim.adam.Adam")
    assert adam is not None
    assert [param.name for param in adam.init][:2] == ["params", "lr"]


def test_long_spellings() -> None:
    assert MODEL.module("torch.nn.modules.activation.ReLU") is MODEL.module("torch.nn.ReLU")
    assert MODEL.function("torch.Tensor.add") is MODEL.method("add")
    assert MODEL.function("torch.functional.einsum") is MODEL.function("torch.einsum")
    assert MODEL.function("torch.no_such_op") is None


def test_device_moves() -> None:
    for name in ("cpu", "cuda"):
        output = variant(MODEL.method(name)).outputs[0]
        assert (output.kind, output.of, output.maybe) == ("same", "self", "values")
