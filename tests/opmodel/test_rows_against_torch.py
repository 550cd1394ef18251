"""Every shipped row against real PyTorch: what samples do must be covered, what a row claims must have been seen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch.testing hands out its samples only with expecttest installed")

from inplace_lint.opmodel.lookup import load  # noqa: E402
from tools.opmodel import check, indexing, modules, spellings  # noqa: E402

SHARDS = 8
MODEL = load()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    if torch.__version__.split("+")[0] != MODEL.version:
        pytest.skip(f"the rows are of PyTorch {MODEL.version}, installed is {torch.__version__}")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_functions(shard: int) -> None:
    checked, found = 0, []
    for position, spelling in enumerate(spellings.functions()):
        row = MODEL.functions.get(spelling.dotted)
        if position % SHARDS == shard and row is not None:
            found += check.check_op(spelling, row)
            checked += 1
    assert not found, "\n".join(found)
    assert checked > len(MODEL.functions) / SHARDS * 0.8


@pytest.mark.parametrize("shard", range(SHARDS))
def test_methods(shard: int) -> None:
    checked, found = 0, []
    for position, spelling in enumerate(spellings.methods()):
        row = MODEL.methods.get(spelling.name)
        if position % SHARDS == shard and row is not None:
            found += check.check_op(spelling, row)
            checked += 1
    assert not found, "\n".join(found)
    assert checked > len(MODEL.methods) / SHARDS * 0.8


@pytest.mark.parametrize("shard", range(SHARDS))
def test_modules(shard: int) -> None:
    checked, found = 0, []
    for position, (name, cls) in enumerate(modules.classes()):
        row = MODEL.modules.get(f"torch.nn.{name}")
        if position % SHARDS == shard and row is not None:
            found += check.check_module(cls, row)
            checked += 1
    assert not found, "\n".join(found)
    assert checked


def test_every_row_names_something_real() -> None:
    functions = {spelling.dotted for spelling in spellings.functions()}
    assert set(MODEL.functions) <= functions
    assert all(hasattr(torch.Tensor, name) for table in (MODEL.methods, MODEL.properties) for name in table)
    assert all(hasattr(torch.nn, spelling.removeprefix("torch.nn.")) for spelling in MODEL.modules)
    assert all(hasattr(torch.optim, spelling.removeprefix("torch.optim.")) for spelling in MODEL.optimizers)


def test_indexing_and_properties_regenerate() -> None:
    for op in indexing.rows():
        assert MODEL.method(op.spelling) == op
    from tools.opmodel import build

    for name, _ in spellings.properties():
        assert MODEL.property(name) == build.property_op(name)


def test_optimizers_regenerate() -> None:
    rows = {row.spelling: row for row in modules.optimizers()}
    assert rows == {spelling: MODEL.optimizer(spelling) for spelling in MODEL.optimizers}


def test_a_wrong_row_is_found_out() -> None:
    """The comparison itself: a claim dropped, one made up, and a kind changed must each show."""
    from dataclasses import replace

    from inplace_lint.opmodel.schema import Output, Save

    spelling = next(one for one in spellings.functions() if one.dotted == "torch.exp")
    row = MODEL.function("torch.exp")
    assert row is not None
    right = row.variants[0]
    assert check.check_op(spelling, row) == []
    for wrong, text in (
        (replace(right, saves=()), "torch.exp: saves result"),
        (replace(right, saves=(*right.saves, Save("input"))), "torch.exp: claims save input, which no call showed"),
        (replace(right, outputs=(Output("view", "input"),)), "torch.exp: returns new, not view"),
        (replace(right, frees=False), "torch.exp: frees its graph"),
    ):
        assert text in check.check_op(spelling, replace(row, variants=(wrong, *row.variants[1:])))


def test_attributes() -> None:
    from tools.opmodel import attributes

    mine = {row.spelling: row for row in attributes.attributes()}
    assert set(MODEL.attributes) == set(mine)
    assert all((row := MODEL.attributes.get(name)) is not None and row.called == mine[name].called for name in mine)
