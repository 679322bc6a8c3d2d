"""A damaged table is named, whatever has happened to its bytes, and removed on request; nothing else is."""

import random
from pathlib import Path

import pyarrow as pa
import pytest

from atlas.store.comparisons import read_comparisons, write_comparison
from atlas.store.damage import remove_damaged, remove_damaged_comparisons
from atlas.store.damaged_file import DamagedFile
from atlas.store.index import INDEX, read_table, write_table
from atlas.store.paths import AtlasPaths
from atlas.store.plans import is_whole_plan, write_plan

TABLE = pa.table({"task": [f"{n * 7919 % 97}" for n in range(40)], "score": [n / 7 for n in range(40)]})
ROWS = pa.Table.from_pylist([{"feature": "m/l:0", "task": "t"}], schema=INDEX)


def test_a_byte_anywhere_is_noticed_or_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    write_table(path, TABLE)
    whole = path.read_bytes()
    dice, messages = random.Random(0), []
    for place in sorted(dice.sample(range(len(whole)), 250)):
        data = bytearray(whole)
        data[place] ^= dice.randrange(1, 256)
        path.write_bytes(data)
        try:
            assert read_table(path, ["task", "score"]).equals(TABLE), place
        except DamagedFile as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all(message.startswith(f"{path} is damaged") and "retry=broken" in message for message in messages)


@pytest.mark.parametrize("length", [0, 3, 40, 300])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.parquet"
    write_table(path, TABLE)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFile, match=r"x\.parquet is damaged"):
        read_table(path)
    assert not is_whole_plan(path, 40)


def test_a_column_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    write_table(tmp_path / "x.parquet", TABLE)
    with pytest.raises(DamagedFile, match="no column seed"):
        read_table(tmp_path / "x.parquet", ["task", "seed"])
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "y.parquet")


def test_damaged_tables_go_and_whole_ones_stay(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path)
    files = [
        paths.shard_index("m", "l", "a"),
        paths.shard_index("m", "l", "b"),
        paths.plans / "p.parquet",
        paths.neighbor_table("layer", "z", "atlas"),
        paths.layers,
    ]
    for file in files:
        write_table(file, ROWS if file.is_relative_to(paths.index) else TABLE)
    write_comparison(paths, "atlas", {"mark": "m", "files": ["layers.parquet"]})
    write_comparison(paths, "other", {"mark": "m", "files": []})
    for file in (files[0], files[3], files[4]):
        file.write_bytes(b"PAR1")
    notes = remove_damaged_comparisons(paths)
    assert [file.exists() for file in files] == [True, True, True, False, False]
    assert len(notes) == 2
    assert list(read_comparisons(paths)) == ["other"], "its table is to be made again"
    (note,) = remove_damaged(paths)
    assert "index/model=m/layer=l/a.parquet was damaged" in note
    assert [file.exists() for file in files] == [False, True, True, False, False]
    assert remove_damaged(paths) == []
    write_table(files[1], ROWS.drop_columns(["task"]))
    (note,) = remove_damaged(paths)
    assert "b.parquet was damaged (its columns are not as they should be: task)" in note


def test_a_plan_that_is_lost_is_made_of_what_it_came_to(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path)
    rows = [{"feature": f"m/l:{channel}", "task": f"t{channel}", "channel": channel} for channel in range(3)]
    write_table(paths.shard_index("m", "l", "a"), pa.Table.from_pylist(rows[:2], schema=INDEX))
    write_plan(paths.plans / "kept.parquet", [rows[0]])
    write_plan(paths.plans / "lost.parquet", rows[1:])
    (paths.plans / "lost.parquet").write_bytes(b"garbage")
    (note,) = remove_damaged(paths)
    assert note.endswith("it holds again what has been made; what was left to do is asked for by its own command")
    assert read_table(paths.plans / "lost.parquet", ["task", "channel"]).to_pylist() == [{"task": "t1", "channel": 1}]


def test_a_column_of_an_earlier_version_is_no_damage(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path)
    write_table(paths.shard_index("m", "l", "a"), ROWS.append_column("self_rank", pa.array([None], pa.int32())))
    assert remove_damaged(paths) == []
