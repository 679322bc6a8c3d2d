"""Tries at a shard: batches obey them, and note which items are under way."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from atlas.engine.attempt import Attempt, read_note, under_way
from atlas.engine.memory import in_batches
from tests.engine.test_scheduler import shard


def test_batches_are_as_small_as_the_attempt_allows_and_noted_before_they_begin(tmp_path: Path) -> None:
    of, notes = shard(channels=range(7)), []

    def work(batch: Sequence[object]) -> int:
        notes.append(read_note(tmp_path / "note"))
        return len(batch)

    with under_way(Attempt(of, 3, tmp_path / "note")):
        assert [batch.result for batch in in_batches(of.items[1:], 5, work, "cpu")] == [3, 3]
    assert notes == [(1, 2, 3), (4, 5, 6)], "places in the shard"
    assert [batch.result for batch in in_batches(of.items, 5, len, "cpu")] == [5, 2], "nothing is left behind"


def test_work_goes_on_where_no_note_can_be_written(tmp_path: Path) -> None:
    of = shard()
    with under_way(Attempt(of, None, tmp_path / "gone" / "note")):
        assert [batch.result for batch in in_batches(of.items, 9, len, "cpu")] == [4]


@pytest.mark.parametrize("text", [None, "", "[1, 2"])
def test_a_note_that_is_not_there_or_cut_off_says_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "note").write_text(text)
    assert read_note(tmp_path / "note") == read_note(None) == ()
