"""Batches that are halved where memory ran out: nothing twice, nothing lost, nothing out of order."""

from collections.abc import Sequence

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from atlas.engine.memory import CPU_BUDGET, budget, in_batches, peak

NO_ROOM = [torch.OutOfMemoryError("CUDA out of memory"), MemoryError("no room"), RuntimeError("can't allocate memory")]


class Tight:
    """Work that fits only so much at once; items are sizes."""

    def __init__(self, room: int, error: Exception | None = None) -> None:
        self.room, self.error = room, error or MemoryError("no room")
        self.tried: list[list[int]] = []

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.tried.append(list(batch))
        if sum(batch) > self.room:
            raise self.error
        return list(batch)


@pytest.mark.parametrize("error", NO_ROOM, ids=lambda error: type(error).__name__)
def test_a_batch_that_does_not_fit_is_halved_and_the_size_is_remembered(error: Exception) -> None:
    work = Tight(3, error)
    batches = list(in_batches([1] * 11, 8, work, "cpu"))
    assert [len(batch.items) for batch in batches] == [2] * 5 + [1]
    assert [len(batch) for batch in work.tried] == [8, 4, *[2] * 5, 1], "tried again neither at 8 nor at 4"
    assert {batch.size for batch in batches} == {2}
    assert all(batch.error is None and batch.result == batch.items for batch in batches)


def test_one_item_that_never_fits_is_told_of_and_the_others_are_done() -> None:
    batches = list(in_batches([1, 1, 99, 1, 1], 4, Tight(5), "cpu"))
    assert [(list(batch.items), batch.error) for batch in batches] == [
        ([1, 1], None),
        ([99], "MemoryError: no room"),
        ([1], None),
        ([1], None),
    ]
    assert [batch.result for batch in batches] == [[1, 1], None, [1], [1]]


def test_other_errors_are_not_taken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="wrong"):
        list(in_batches([1, 1], 2, Tight(0, RuntimeError("something is wrong")), "cpu"))
    with pytest.raises(ValueError):
        list(in_batches([1, 1], 2, Tight(0, ValueError("no")), "cpu"))


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 12), st.integers(1, 20))
def test_every_item_comes_out_once_and_in_order(items: list[int], size: int, room: int) -> None:
    batches = list(in_batches(items, size, Tight(room), "cpu"))
    assert [item for batch in batches for item in batch.items] == items
    assert all((batch.error is None) == (sum(batch.items) <= room) for batch in batches)
    assert all(len(batch.items) == 1 for batch in batches if batch.error)
    assert all(len(batch.items) <= batch.size <= size for batch in batches)


def test_what_was_given_is_left_as_it_was() -> None:
    items = [1, 2, 3]
    list(in_batches(items, 2, Tight(4), "cpu"))
    assert items == [1, 2, 3]


def test_no_items_no_work() -> None:
    assert list(in_batches([], 4, Tight(0), "cpu")) == []


def test_the_budget_is_of_the_machine_and_not_of_the_moment() -> None:
    assert 0 < budget("cpu", 1.0) <= CPU_BUDGET
    assert budget("cpu", 1.0) <= psutil.virtual_memory().total / 4
    assert budget("cpu", 1.0) == budget("cpu", 0.5)
    assert peak("cpu") > 1 << 20
