"""A plan is written in groups however long it is, whole or not at all."""

import pyarrow.parquet as pq
import pytest

from atlas.store import plans
from atlas.store.index import files_under, read_table, tasks_in
from atlas.store.plans import PLAN, write_plan


def rows(count: int):
    """Made one at a time, as a long plan is."""
    for channel in range(count):
        yield {name: f"{name} {channel}" for name in PLAN.names} | {"layer_index": 1, "channel": channel, "seed": 0}


@pytest.mark.parametrize(("count", "groups"), [(0, 0), (1, 1), (9, 1), (10, 1), (11, 2), (35, 4)])
def test_what_is_written_is_read_group_by_group(tmp_path, monkeypatch, count, groups):
    monkeypatch.setattr(plans, "GROUP", 10)
    path = tmp_path / "plans" / "plan.parquet"
    write_plan(path, rows(count))
    assert read_table(path).to_pylist() == list(rows(count))
    with pq.ParquetFile(path) as file:
        assert file.schema_arrow.equals(PLAN)
        assert file.num_row_groups == groups
    assert tasks_in(files_under(path.parent)) == {f"task {n}" for n in range(count)}


def test_a_plan_that_breaks_off_is_not_there(tmp_path):
    def broken():
        yield from rows(3)
        raise RuntimeError("no card")

    with pytest.raises(RuntimeError, match="no card"):
        write_plan(tmp_path / "plan.parquet", broken())
    assert list(tmp_path.iterdir()) == []
