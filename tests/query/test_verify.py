"""`verify` finds every harm that is done to an atlas, names the place, and finds none where there is none."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from made_atlas import WHOLE, make_atlas

from atlas.query.verify.verify import verify
from atlas.store.index import INDEX, read_table, write_table
from atlas.store.lock import Lock

INDEX_FILE = "index/model=alpha/layer=conv1/l1-0.parquet"
IMAGE = "images/alpha/conv1/l1/0.png"


@pytest.fixture
def paths(tmp_path):
    return make_atlas(tmp_path / "whole", WHOLE)


def change(root: Path, **columns):
    """Write one index file again with other columns."""
    table = read_table(root / INDEX_FILE)
    for name, value in columns.items():
        values = [value, *table.column(name).to_pylist()[1:]]
        table = table.set_column(
            table.schema.get_field_index(name), INDEX.field(name), pa.array(values, INDEX.field(name).type)
        )
    write_table(root / INDEX_FILE, table)


def flip(path: Path, place: float = 0.5):
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF
    path.write_bytes(data)


HARMS = {
    "atlas.json cannot be read": lambda root: (root / "atlas.json").write_text("{"),
    "cannot be read": lambda root: flip(root / INDEX_FILE, 0.1),
    "classes.parquet cannot be read": lambda root: (root / "classes.parquet").write_bytes(b"no table"),
    "stands also in": lambda root: shutil.copy(root / INDEX_FILE, (root / INDEX_FILE).with_name("copy.parquet")),
    "another layer's folder": lambda root: change(root, layer="conv9", feature="alpha/conv9:0"),
    "not that of its columns": lambda root: change(root, feature="alpha/conv1:4"),
    "neither ok nor dead": lambda root: change(root, status="fine"),
    "NULL in metric": lambda root: change(root, metric=None),
    "is in no plan": lambda root: change(root, task="unheard of"),
    "not finite": lambda root: change(root, activation=[0.0, float("nan"), 0, 0, 0, 0]),
    "no activation vector": lambda root: change(root, activation=None),
    "of 6 channels, where others of the layer have 3": lambda root: change(root, activation=[0.0, 1.0, 2.0]),
    "channel 9 of a layer": lambda root: change(root, channel=9),
    "its row says 9 x 16": lambda root: change(root, width=9),
    "no path under images/": lambda root: change(root, image="images/../../x.png"),
    "the image is missing": lambda root: (root / IMAGE).unlink(),
    "sha256": lambda root: flip(root / IMAGE),
    "an image without a row": lambda root: shutil.copy(root / IMAGE, root / "images/alpha/conv1/l1/77.png"),
    "a half file": lambda root: (root / "images/alpha/.0.png.1234.part").write_bytes(b""),
    "other columns": lambda root: write_table(root / INDEX_FILE, read_table(root / INDEX_FILE).drop_columns(["loss"])),
}


def test_a_whole_atlas_is_whole(paths):
    report = verify(paths)
    assert report.whole
    assert report.exit_code == 0
    assert (report.planned, report.ok, report.dead, report.images) == (12, 10, 2, 12)


@pytest.mark.parametrize("what", HARMS)
def test_every_harm_is_found(paths, what):
    HARMS[what](paths.root)
    report = verify(paths)
    assert report.exit_code == 1
    assert any(what in f"{p.place} {p.what}" for p in report.problems if p.kind == "broken"), report.problems


def test_failed_and_left_tasks_are_missing_not_broken(tmp_path):
    report = verify(make_atlas(tmp_path / "half"))
    assert report.exit_code == 3
    assert not report.broken
    assert (report.planned, report.ok, report.dead, report.failed, report.left) == (80, 68, 2, 2, 8)
    assert {(p.kind, p.place) for p in report.problems} == {
        ("failed", "alpha/conv2:5 l1 seed 0"),
        ("failed", "alpha/conv2:5 l2 seed 0"),
        ("left", "beta net/block/0 l1"),
        ("left", "beta net/block/0 l2"),
    }


def test_what_a_killed_shard_left_is_no_orphan(tmp_path):
    paths = make_atlas(tmp_path / "half")
    folder = paths.root / "images" / "beta%20net" / "block%2F0" / "l1"
    shutil.copy(folder / "0.png", folder / "19-s3.png")
    (paths.staging).mkdir()
    (paths.staging / ".x.part").write_bytes(b"")
    assert verify(paths).exit_code == 3
    shutil.copy(folder / "0.png", folder / "1-s3.png")
    assert [p.place for p in verify(paths).problems if p.kind == "broken"] == [
        "images/beta%20net/block%2F0/l1/1-s3.png"
    ]


def test_half_files_of_a_run_at_work_are_its_own(paths):
    HARMS["a half file"](paths.root)
    with Lock(paths.lock):
        assert verify(paths).whole
