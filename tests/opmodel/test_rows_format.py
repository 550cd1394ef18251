"""The text form of rows: it reads back as written, whole tables and odd values alike."""

from __future__ import annotations

import pytest

from inplace_lint.opmodel import lookup, rows
from inplace_lint.opmodel.schema import REQUIRED, Op, Output, Param, Save, Variant

MODEL = lookup.load()


def test_whole_tables_read_back() -> None:
    for table in (MODEL.functions, MODEL.methods, MODEL.properties):
        for spelling in table:
            op = table.get(spelling)
            assert op is not None
            assert rows.decode_op(spelling, rows.encode_op(op)) == op
    for spelling in MODEL.modules:
        module = MODEL.modules.get(spelling)
        assert module is not None
        assert rows.decode_module(spelling, rows.encode_module(module)) == module
    for spelling in MODEL.optimizers:
        row = MODEL.optimizers.get(spelling)
        assert row is not None
        assert rows.decode_optimizer(spelling, rows.encode_optimizer(row)) == row
    for spelling in MODEL.attributes:
        attribute = MODEL.attributes.get(spelling)
        assert attribute is not None
        assert rows.decode_attribute(spelling, rows.encode_attribute(attribute)) == attribute


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, 1, -100, 0.1, 1e-05, float("inf"), 1j, "mean", "a=b:c", (), (1,), (0, -1), (1, (2, 3)), ...],
)
def test_defaults_read_back(value: object) -> None:
    assert rows.decode_default(rows.encode_default(value)) == value


def test_what_is_no_constant_becomes_an_ellipsis() -> None:
    assert rows.encode_default(object()) == "..."
    assert rows.encode_default((1, object())) == "..."


def test_every_field_reads_back() -> None:
    variant = Variant(
        params=(
            Param("self", "tensor"),
            Param("sizes", "other", REQUIRED, star=True),
            Param("p", "number", 0.5, keyword_only=True),
            Param("mode", "other", "a=b", keyword_only=True),
        ),
        outputs=(Output("view", "self", "contiguous", True, True, False, "bool", "same", True, True), Output("none")),
        saves=(Save("self", ("p", "mode"), True), Save("result"), Save("result1", (), True)),
        writes=("self",),
        differentiable=("self",),
        when=(("p", 0.0), ("mode", None), ("flag", True), ("dims", (1, 2))),
        node="SomeBackward0",
        frees=False,
        no_grad=True,
        private_copy=("self",),
        metadata=True,
        silent_writes=("self.running_mean",),
    )
    op = Op("torch.some", "some", (variant,))
    assert rows.decode_op("torch.some", rows.encode_op(op)) == op


def test_a_positional_parameter_cannot_follow_a_keyword_only_one() -> None:
    with pytest.raises(ValueError, match="after a keyword-only one"):
        rows.encode_params((Param("a", "tensor", keyword_only=True), Param("b", "tensor")))


def test_rows_are_consistent() -> None:
    """What a variant says refers to its own parameters and outputs."""
    for table in (MODEL.functions, MODEL.methods, MODEL.properties, MODEL.modules):
        for spelling in table:
            op = table.get(spelling)
            assert op is not None
            for variant in op.variants:
                names = {param.name for param in variant.params}
                assert len(names) == len(variant.params), spelling
                for save in variant.saves:
                    assert save.what in names or save.what.startswith("result"), (spelling, save)
                    assert set(save.guard) <= names | {"others"}, (spelling, save)
                for group in (variant.writes, variant.differentiable, variant.private_copy, variant.silent_writes):
                    assert set(group) <= names, (spelling, group)
                assert variant.outputs, spelling
                for output in variant.outputs:
                    assert (output.of is None) == (output.kind in ("new", "none")), (spelling, output)
                    assert output.of is None or output.of in names, (spelling, output)


def test_start_up_reads_nothing() -> None:
    model = lookup.OpModel()
    assert model.functions._lines is None
    assert model.function("torch.add") is not None
    assert model.modules._lines is None
    assert len(model.functions._rows) == 1


def test_a_foreign_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "FORMAT", "another format")
    with pytest.raises(ValueError, match="not a table of this op model"):
        lookup.OpModel().function("torch.add")
