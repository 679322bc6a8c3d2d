"""An atlas for other tools: what they open has every row and picture of it, and a folder is whole or absent."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from made_atlas import make_atlas, picture
from made_similarity import write_similarity
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.query.export import embedded
from atlas.query.export import hf as export_hf
from atlas.query.export.export import CSV_VIEWS, FORMS, ROWS, NotEmpty, export
from atlas.query.guard import QueryError
from atlas.store.images import to_pil


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    paths = make_atlas(tmp_path_factory.mktemp("export") / "small")
    write_similarity(paths)
    with Atlas(paths.root) as opened:
        yield opened


def decoded(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def test_csv_has_every_row_and_lists_as_json(atlas, tmp_path):
    assert "features.csv" in export(atlas, "csv", tmp_path / "out")
    for view in CSV_VIEWS:
        with open(tmp_path / "out" / f"{view}.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == atlas.sql(f"from {view} {ROWS.get(view, '')}").num_rows, view
        if view == "neighbors_named":
            measures = {(row["scope"], row["measure"]) for row in rows}
            assert measures == {("layer", "sym"), *((scope, "profile") for scope in ("model", "other", "all"))}
            assert {int(row["rank"]) for row in rows} == {1, 2, 3, 4, 5}
    with open(tmp_path / "out" / "features.csv", newline="") as file:
        row = next(csv.DictReader(file))
    stored = atlas.sql(f"select activation, score, created from features where task = '{row['task']}'").to_pylist()[0]
    assert json.loads(row["activation"]) == pytest.approx(stored["activation"], rel=1e-6)
    assert json.loads(row["trace"]) == [0.0, 0.25, 0.5]
    assert float(row["score"]) == stored["score"]


def test_hugging_face_finds_tables_and_pictures(atlas, tmp_path, monkeypatch):
    monkeypatch.setattr(export_hf, "FILE_BYTES", 10_000)  # so that there are several files
    monkeypatch.setattr(embedded, "PICTURES_AT_ONCE", 16)
    export(atlas, "hf", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    files = sorted((tmp_path / "out" / "data").glob("features-*.parquet"))
    mark = files[0].name.split("-")[1]
    assert (
        f"data_files: data/features-{mark}-*.parquet" in card and f"data_files: data/neighbors-{mark}-*.parquet" in card
    )
    assert "config_name: neighbors" in card
    assert len(files) > 1
    columns = json.loads(pq.read_schema(files[0]).metadata[b"huggingface"])["info"]["features"]
    assert columns["image"] == {"_type": "Image"}
    assert columns["trace"] == {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"}
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert {row["task"] for row in rows} == set(atlas.sql("select task from features")["task"].to_pylist())
    row = next(row for row in rows if row["feature"] == "alpha/conv1:5")
    assert decoded(row["image"]["bytes"]) == to_pil(picture(5, 16)).tobytes()
    near = (tmp_path / "out" / "data").glob("neighbors-*.parquet")
    assert sum(pq.read_metadata(file).num_rows for file in near) == atlas.sql("from neighbors").num_rows


def test_embedding_atlas_finds_places_pictures_and_neighbors_by_row(atlas, tmp_path):
    description = export(atlas, "embedding-atlas", tmp_path / "out")
    assert "embedding-atlas features.parquet --x x --y y --neighbors neighbors" in description
    assert description.partition("`")[2].rstrip("`") in (tmp_path / "out" / "README.md").read_text()
    table = pq.read_table(tmp_path / "out" / "features.parquet")
    names = ["feature", "model", "layer", "channel", "metric", "score", "status", "x", "y", "neighbors", "image"]
    assert table.column_names == names
    rows = table.to_pylist()
    assert len(rows) == atlas.sql("from layout").num_rows
    feature = next(row for row in rows if row["feature"] == "beta net/block/0:7")
    neighbors = [rows[number]["feature"] for number in feature["neighbors"]["ids"]]
    assert neighbors == atlas.feature("beta net/block/0:7").similar(20, scope="all")["dst"].to_pylist()
    assert feature["neighbors"]["distances"] == sorted(feature["neighbors"]["distances"])
    assert decoded(feature["image"]["bytes"]) == to_pil(picture(7, 16)).tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_before_similarity_and_before_any_image(tmp_path, form):
    for name, layers in (("half", ()), ("none", None)):
        paths = make_atlas(tmp_path / name, *([] if layers is None else [layers]))
        with Atlas(paths.root) as atlas:
            if form == "embedding-atlas":
                with pytest.raises(QueryError, match="no place in the plane yet: run `atlas similarity"):
                    export(atlas, form, tmp_path / "out" / name)
                assert not list((tmp_path / "out").glob("*"))
            else:
                export(atlas, form, tmp_path / "out" / name)
                assert any((tmp_path / "out" / name).iterdir())


def test_an_image_that_is_gone_has_no_bytes(tmp_path):
    paths = make_atlas(tmp_path / "a")
    (paths.root / "images/alpha/conv1/l1/0.png").unlink()
    with Atlas(paths.root) as atlas:
        export(atlas, "hf", tmp_path / "out")
    rows = pq.read_table(next((tmp_path / "out" / "data").glob("features-*-00000.parquet"))).to_pylist()
    gone = next(row for row in rows if row["image"]["path"] == "images/alpha/conv1/l1/0.png")
    assert gone["image"]["bytes"] is None


def test_what_is_there_stays(atlas, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for name in ("full", "file"):
        with pytest.raises(NotEmpty, match=f"{name} exists and is not an empty folder"):
            export(atlas, "csv", tmp_path / name)
    export(atlas, "csv", tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "full"]


def test_an_error_leaves_nothing(atlas, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setitem(FORMS, "csv", fail)
    with pytest.raises(OSError, match="disk full"):
        export(atlas, "csv", tmp_path / "out")
    assert not list(tmp_path.iterdir())
