"""The views: typed when empty, whole when full, right for odd names, and the same rows as any Parquet reader finds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from made_atlas import LAYERS, WHOLE, Made, make_atlas, task_of
from made_similarity import write_similarity

from atlas.query.atlas import Atlas
from atlas.query.view_files import VIEW_FILES
from atlas.query.views import VIEWS, views_text, write_views
from atlas.store.columns import KEY, description
from atlas.store.index import FAILURES, INDEX, write_rows
from atlas.store.manifest import new_manifest, write_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.plans import PLAN
from atlas.store.similarity_tables import LAYERS as LAYER_PAIRS
from atlas.store.similarity_tables import NEIGHBORS, QUALITY


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    paths = make_atlas(tmp_path_factory.mktemp("views") / "small")
    write_similarity(paths)
    with Atlas(paths.root) as opened:
        yield opened


def test_every_index_column_is_there_in_order(atlas):
    assert atlas.sql("from features limit 0").column_names == [*INDEX.names, "self_rank", "self_z", "name"]
    assert atlas.sql("from failures limit 0").column_names == FAILURES.names
    assert atlas.sql("from plan limit 0").column_names == PLAN.names


def test_an_atlas_without_a_file_has_the_same_types(atlas, tmp_path):
    paths = AtlasPaths(tmp_path / "empty")
    write_manifest(paths.manifest, new_manifest("empty"))
    with Atlas(paths.root) as empty:
        for view in VIEWS:
            nothing = empty.sql(f"from {view}")
            assert nothing.num_rows == 0
            assert nothing.schema == atlas.sql(f"from {view}").schema, view


def test_files_that_a_run_publishes_appear_in_an_open_atlas(tmp_path):
    paths = AtlasPaths(tmp_path / "growing")
    write_manifest(paths.manifest, new_manifest("growing"))
    with Atlas(paths.root) as atlas:
        assert atlas.sql("select count(*) n from features")["n"].to_pylist() == [0]
        for number in (1, 2):
            row = {"model": "m", "layer": "l", "channel": number, "task": str(number)}
            write_rows(paths.shard_index("m", "l", str(number)), [row], INDEX)
            assert atlas.sql("select count(*) n from features")["n"].to_pylist() == [number]


def test_the_columns_of_neighbors_begin_with_their_folders(atlas):
    assert atlas.sql("from neighbors limit 0").column_names == ["scope", "measure", *NEIGHBORS.names]
    row = atlas.sql("from neighbors_named where dst_model = 'beta net' and dst_channel = 4 limit 1").to_pylist()[0]
    assert (row["dst"], row["dst_layer"]) == ("beta net/block/0:4", "block/0")
    assert row["dst_image"] == "images/beta%20net/block%2F0/l1/4.png"


def test_odd_addresses_are_split_as_python_does(tmp_path):
    odd = (Made("m", "a:b/c:d", 3, 3, metrics=("l1",)),)
    paths = make_atlas(tmp_path / "a", odd)
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        row = atlas.sql("select distinct src_model, src_layer, src_channel from neighbors_named where src like '%:2'")
        assert row.to_pylist() == [{"src_model": "m", "src_layer": "a:b/c:d", "src_channel": 2}]


def test_ranks_of_the_own_image_come_from_quality(atlas):
    ranks = atlas.sql(
        "select status, self_rank, self_z, count(*) n from features group by all order by all"
    ).to_pylist()
    assert ranks == [
        {"status": "dead", "self_rank": None, "self_z": None, "n": 2},
        {"status": "ok", "self_rank": 1, "self_z": 4.5, "n": 68},
    ]


def test_a_task_that_quality_holds_twice_is_one_row(tmp_path):
    paths = make_atlas(tmp_path / "a", WHOLE)
    task = task_of(WHOLE[0], "l1", 0)
    write_rows(paths.quality, [{"task": task, "self_rank": 2}, {"task": task, "self_rank": 2}], QUALITY)
    with Atlas(paths.root) as atlas:
        assert atlas.sql("from features").num_rows == 12


def test_similarity_that_comes_later_appears_and_what_is_rewritten_is_seen(tmp_path):
    paths = make_atlas(tmp_path / "a")
    with Atlas(paths.root) as atlas:
        assert atlas.sql("from neighbors").num_rows == 0
        write_similarity(paths)
        assert atlas.sql("from neighbors").num_rows > 0
        assert atlas.sql("select self_rank from features where self_rank = 1").num_rows == 68
        for number in range(5):
            row = {"probe": "atlas", "model_a": "alpha", "cka": number / 8}
            write_rows(paths.layers, [row], LAYER_PAIRS)
            assert atlas.sql("select cka from layers")["cka"].to_pylist() == [number / 8]


def test_one_list_is_read_out_of_one_file(tmp_path):
    paths = make_atlas(tmp_path / "a", images=False)
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        where = "src = 'alpha/conv2:3' and scope = 'layer' and measure = 'sym'"
        plan = atlas._connection.execute(f"explain analyze select * from neighbors where {where}").fetchall()[0][1]
    assert "Scanning Files: 1/20" in plan


PLAIN = """
import sys, duckdb
duckdb.sql(open("atlas.sql").read())
for view in sys.argv[1:]:
    print(view, duckdb.sql(f"select count(*) from {view}").fetchall()[0][0])
assert not any(name.split(".")[0] == "atlas" for name in sys.modules)
"""


def test_atlas_sql_gives_the_same_views_to_a_plain_duckdb(tmp_path):
    paths = make_atlas(tmp_path / "it's = odd")
    write_similarity(paths)
    assert write_views(paths).read_text() == views_text(paths)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    call = [sys.executable, "-I", "-c", PLAIN, *VIEWS]
    done = subprocess.run(call, cwd=paths.root, env=clean, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with Atlas(paths.root) as atlas:
        mine = [f"{view} {atlas.sql(f'from {view}').num_rows}" for view in VIEWS]
        assert sorted(atlas.sql("show tables")["name"].to_pylist()) == sorted(VIEWS)
    assert done.stdout.splitlines() == mine


def test_atlas_sql_works_from_anywhere_and_in_a_copy(tmp_path, monkeypatch):
    paths = make_atlas(tmp_path / "a [1]", WHOLE)
    text = write_views(paths).read_text()
    shutil.copytree(paths.root, tmp_path / "copy")
    (tmp_path / "copy" / "failures").mkdir(exist_ok=True)
    for folder, seen in ((tmp_path, paths.root), (paths.root, Path()), (tmp_path / "copy", Path())):
        monkeypatch.chdir(folder)
        with duckdb.connect() as connection:
            connection.execute(text)
            rows = connection.execute("SELECT path, image FROM images").fetchall()
        assert len(rows) == 12
        assert all(path == (seen / image).as_posix() for path, image in rows)


def test_what_is_on_disk_explains_itself(atlas):
    # made_similarity writes neighbors by itself
    for kind in (kind for kind in VIEW_FILES if kind.view != "neighbors"):
        for file in kind.files(atlas.path):
            named = [name for name, text in fields_of(file) if text]
            assert set(named) >= {name for name in pq.read_schema(file).names if description(name, kind.view)}, file
    for view in VIEWS:
        rows = atlas.sql(f"describe {view}").to_pylist()
        assert [row["column_name"] for row in rows if not row["description"]] == [], view


def fields_of(file: Path) -> list[tuple[str, str]]:
    return [(field.name, (field.metadata or {}).get(KEY, b"").decode()) for field in pq.read_schema(file)]


def test_no_column_of_the_index_is_null_in_every_row(atlas):
    rows = ds.dataset(atlas.paths.index, format="parquet").to_table()
    assert [name for name in rows.column_names if rows[name].null_count == rows.num_rows] == []


def test_the_rows_are_those_of_the_files(atlas):
    files = ds.dataset(atlas.paths.index, format="parquet").to_table()
    mine = atlas.sql("select task, score, activation from features order by task")
    assert mine.to_pylist() == files.select(["task", "score", "activation"]).sort_by("task").to_pylist()


def test_images_have_an_absolute_path_that_exists(atlas):
    rows = atlas.sql("select path, image, width from images").to_pylist()
    assert len(rows) == 70
    for row in rows:
        assert (atlas.path.resolve() / row["image"]).as_posix() == row["path"]
        assert (atlas.path / row["image"]).is_file()


def test_every_task_has_one_state(atlas):
    rows = atlas.sql("select state, count(*) n, count(distinct task) t from tasks group by state").to_pylist()
    assert {row["state"]: row["n"] for row in rows} == {"ok": 68, "dead": 2, "failed": 2, "left": 8}
    assert all(row["n"] == row["t"] for row in rows)
    failed = atlas.sql("select task, recipe from tasks where state = 'failed' order by metric").to_pylist()
    assert failed == [{"task": task_of(LAYERS[1], metric, 5), "recipe": "quick"} for metric in ("l1", "l2")]


@pytest.mark.parametrize("root", ["it's [one] *", "model=wrong/atlas", "ü ? #"])
def test_any_folder_and_any_name(tmp_path, root):
    odd = Made("m 'x'%", "../7", 3, 3, metrics=("l1",)), Made("null", ".hidden/ü+%", 2, 2, metrics=("l1",))
    paths = make_atlas(tmp_path / root, odd)
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        assert atlas.sql("select distinct scope from neighbors order by 1")["scope"].to_pylist() == [
            *("all", "layer", "model", "other")
        ]
        layers = atlas.sql("select distinct model, layer from features order by all").to_pylist()
        assert layers == [{"model": made.model, "layer": made.layer} for made in odd]
        for made in odd:
            assert atlas.feature(f"{made.model}/{made.layer}:1").rows().num_rows == 1
