"""Layouts against real tensors: the same views on both sides, and the same answers to what can be put together."""

from __future__ import annotations

import random

import pytest

from inplace_lint.domain.layouts import COPIES, DENSE, Layout, join_layouts, of_strides

torch = pytest.importorskip("torch")

TRIALS = 3000


def _joins(tensor: torch.Tensor, kept: int) -> bool:
    """Whether all dimensions but the last ones can be put together without a copy: PyTorch's `view` is the judge."""
    try:
        tensor.view((-1, *tensor.shape[max(tensor.dim() - kept, 0) :]) if kept < tensor.dim() else tensor.shape)
    except RuntimeError:
        return False
    return True


def _step(rng: random.Random, tensor: torch.Tensor, laid: Layout | None) -> tuple[torch.Tensor, Layout | None]:
    """One random view of both, dimensions counted from either end."""
    rank = tensor.dim()
    back = rank if rng.random() < 0.4 else 0
    dim = rng.randrange(rank) - back
    kind = rng.choice(["swap", "cut", "pick", "unit", "order", "move", "steps"])
    if kind == "swap":
        other = rng.randrange(rank) - back
        return tensor.transpose(dim, other), laid and laid.swapped(dim, other)
    if kind == "cut" and tensor.shape[dim] > 1:
        return tensor.narrow(dim, 0, tensor.shape[dim] - 1), laid and laid.cut(dim)
    if kind == "pick" and rank > 1:
        return tensor.select(dim, 0), laid and laid.picked(dim)
    if kind == "unit":
        return tensor.unsqueeze(dim), laid and laid.with_unit(dim)
    if kind == "order":
        dims = rng.sample(range(rank), rank)
        return tensor.permute(dims), laid and laid.permuted(dims)
    if kind == "move":
        target = rng.randrange(rank) - back
        return tensor.movedim(dim, target), laid and laid.moved([dim], [target])
    if kind == "steps":
        index = (..., slice(None, None, 2), *(slice(None),) * (rank - 1 - dim % rank))
        return tensor[index], laid and laid.cut(dim, step=True)
    return tensor, laid


def test_layouts_answer_as_tensors_do() -> None:
    rng = random.Random(1)
    known = 0
    for _ in range(TRIALS):
        tensor = torch.zeros([rng.randint(2, 3) for _ in range(rng.randint(1, 4))])
        laid: Layout | None = DENSE if rng.random() < 0.5 else DENSE.of_rank(tensor.dim())
        for _ in range(rng.randint(0, 3)):
            tensor, laid = _step(rng, tensor, laid)
        shape = tuple(tensor.shape)
        truth = {
            "strided": not tensor.is_contiguous(),
            "folded": not _joins(tensor, 1),
            "batched": not _joins(tensor, 2),
            "flat": not _joins(tensor, 0),
        }
        for rule, copied in truth.items():
            assert of_strides(shape, tensor.stride()).copied(rule) is copied, (rule, shape, tensor.stride())
            if laid is not None:
                assert laid.copied(rule, shape) in (copied, None), (rule, laid, shape, tensor.stride())
                known += laid.copied(rule, shape) is not None
    assert known > 2 * TRIALS


def test_what_nobody_knows_is_no_answer() -> None:
    turned = DENSE.swapped(-1, -2)
    assert turned is not None
    # A matrix has one dimension to be put together with none; a batch of them has two, which do not join.
    assert turned.copied("folded") is None
    assert turned.copied("folded", (None, None)) is False
    assert turned.copied("folded", (None, None, None)) is True
    assert turned.swapped(1, 2) is None
    assert DENSE.permuted((1, 1)) is None


def test_sizes_of_one_join_whatever_lies_beside() -> None:
    turned = DENSE.swapped(0, 1)
    assert turned is not None
    assert turned.copied("folded", (4, 1, 3)) is False
    assert turned.copied("folded", (4, 2, 3)) is True


def test_joined_layouts_are_known_where_both_are_dense() -> None:
    assert join_layouts(DENSE, DENSE.of_rank(3)) == DENSE
    assert join_layouts(DENSE, DENSE.swapped(0, 1)) is None
    assert join_layouts(None, DENSE) is None


def test_every_rule_takes_a_copy_of_nothing_contiguous_but_where_batches_come_first() -> None:
    dense = DENSE.of_rank(3)
    assert dense is not None
    assert {rule for rule in COPIES if dense.copied(rule)} == {"crossed", "mirrored", "turned"}
