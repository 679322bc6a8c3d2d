"""The site of an atlas: what its files say is what the atlas says, and only what has changed is written."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_atlas import CREATED, WHOLE, Made, make_atlas, task_of
from made_similarity import write_maps, write_similarity
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.query.sources import quoted
from atlas.records import Feature, Target
from atlas.report.site import static
from atlas.report.site import write as writing
from atlas.report.site.numbers import as_bytes, listed, rounded
from atlas.report.site.script import script
from atlas.report.site.write import write_site
from atlas.store.files import write_json
from atlas.store.images import write_image
from atlas.store.index import FAILURES, INDEX, Row, read_table, write_rows
from atlas.store.paths import AtlasPaths, image_path, safe
from atlas.store.plans import write_plan

LAYERS = (
    Made("alpha", "conv1", 8, 8, index=0, dead=(3,), size=96),
    Made("alpha", "conv2", 12, 12, index=1, failed=(5,), size=96),
    Made("beta net", "block/0", 20, 16, index=0, size=32),
)
ATLAS = "name root created updated versions chunk sheet state notes probes models relations"
MODEL = "name path weights recipes counts map layers"
LAYER = "name path index width channels counts features sets stands cell samples measures families"
SET = "key metric target seed recipe variant count folder suffix"
IMAGE = """set status score start loss steps seconds device precision weights task created width height trace spectrum
    rivals"""
STATES = "planned ok dead failed left"


@pytest.fixture(scope="module", autouse=True)
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The page as it is now, whoever works on it meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static, "STATIC", shutil.copytree(static.STATIC, tmp_path_factory.mktemp("page") / "static"))
        yield


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> AtlasPaths:
    """An atlas with similarity, and its site; not to be changed."""
    paths = make_atlas(tmp_path_factory.mktemp("site") / "a", LAYERS)
    write_similarity(paths)
    write_maps(paths)
    write_site(paths)
    return paths


@pytest.fixture
def made(compared: AtlasPaths, tmp_path: Path) -> AtlasPaths:
    """A copy of it."""
    shutil.copytree(compared.root, tmp_path / "a")
    return AtlasPaths(tmp_path / "a")


def put(file: Path) -> tuple[str, Any]:
    """What a data file puts: its key and value."""
    text = file.read_bytes().decode("ascii")
    assert text.startswith("atlas.put(") and text.endswith(");")
    key, value = json.loads(f"[{text[len('atlas.put(') : -len(');')]}]")
    return key, value


def value(paths: AtlasPaths, key: str) -> Any:
    found, told = put(paths.site / "data" / f"{key}.js")
    assert found == key
    return told


def layer_of(paths: AtlasPaths, model: str, layer: str) -> Any:
    (found,) = [one for name in value(paths, "atlas")["models"] if name["name"] == model for one in name["layers"]
                if one["name"] == layer]  # fmt: skip
    return found


def files(paths: AtlasPaths) -> dict[str, tuple[int, bytes]]:
    """Every file of the site: when it was written, and what it holds."""
    found = (path for path in paths.site.rglob("*") if path.is_file() and path != paths.site_ledger)
    return {path.relative_to(paths.site).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def changed(paths: AtlasPaths, before: dict[str, tuple[int, bytes]]) -> set[str]:
    return {name for name, stamp in files(paths).items() if before.get(name, (0, b""))[0] != stamp[0]}


def cell_of(paths: AtlasPaths, folder: str, name: str, place: int, cell: int = 96, columns: int = 16) -> np.ndarray:
    with Image.open(paths.site / "sprites" / folder / f"{name}.webp") as sheet:
        left, top = place % columns * cell, place // columns * cell
        return np.asarray(sheet.convert("RGB").crop((left, top, left + cell, top + cell)), float)


def picture_of(path: Path, cell: int = 96) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS), float)


def keys(found: Any, names: str) -> None:
    assert set(found) == set(names.split())


def test_every_file_has_the_keys_of_the_contract(compared: AtlasPaths) -> None:
    overview = value(compared, "atlas")
    keys(overview, ATLAS)
    keys(overview["state"], STATES)
    assert (overview["chunk"], overview["sheet"], overview["name"]) == (64, 16, "a")
    keys(overview["probes"]["atlas"], "when pictures features measures scopes")
    for model in overview["models"]:
        keys(model, MODEL)
        keys(model["counts"], STATES)
        told = value(compared, f"maps/{model['path']}")
        keys(told["atlas"], "layer channel x y")
        assert len({len(column) for column in told["atlas"].values()}) == 1
        for layer in model["layers"]:
            keys(layer, LAYER)
            keys(layer["features"], "ok dead failed left")
            for one in layer["sets"]:
                keys(one, SET)
            grid = value(compared, f"layers/{layer['path']}/layer")
            keys(grid, "sets clusters matches failures")
            assert len(grid["sets"]) == len(layer["sets"])
            for one in grid["sets"]:
                keys(one, "state score rank z")
            for measure in layer["measures"]:
                keys(value(compared, f"layers/{layer['path']}/matrix-{measure}"), "channels family low high data")
            details = value(compared, f"layers/{layer['path']}/features-0")
            keys(details, "layers features")
            for feature in details["features"].values():
                keys(feature, "images neighbors examples")
                for image in feature["images"]:
                    keys(image, IMAGE)
    assert [model["name"] for model in overview["models"]] == ["alpha", "beta net"]
    assert [layer["name"] for layer in overview["models"][0]["layers"]] == ["conv1", "conv2"]


def test_only_files_that_are_known_lie_there(compared: AtlasPaths) -> None:
    known = json.loads(compared.site_ledger.read_text())
    assert set(known) == set(files(compared))
    assert {"index.html", "atlas.js", "atlas.css", "data/atlas.js", "data/maps/beta%20net.js"} <= set(known)
    assert "data/layers/beta%20net/block%2F0/features-0.js" in known
    assert "sprites/beta%20net/block%2F0/l1-0.webp" in known


def test_the_page_is_one_script_and_one_style(compared: AtlasPaths) -> None:
    script = (compared.site / "atlas.js").read_text()
    assert script.startswith('(() => { "use strict";\n') and script.endswith("})();\n")
    assert (compared.site / "atlas.css").exists()
    assert "atlas.js" in compared.site_page.read_text()


def test_a_cell_shows_the_image_of_its_position(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        layer = layer_of(compared, "alpha", "conv2")
        grid = value(compared, "layers/alpha/conv2/layer")
        assert layer["channels"] == [[0, 11]]
        for one, told in zip(layer["sets"], grid["sets"], strict=True):
            for position, state in enumerate(told["state"]):
                shown = cell_of(compared, "alpha/conv2", f"{one['key']}-0", position)
                if state == "f":
                    assert np.ptp(shown.mean((0, 1))) < 12 and shown.mean() < 40, "blank"
                    continue
                path = one["folder"] + str(position) + one["suffix"]
                assert atlas.sql(f"SELECT count(*) AS n FROM features WHERE image = '{path}'")["n"][0].as_py() == 1
                image = picture_of(compared.root / path)
                assert np.abs(shown.mean((0, 1)) - image.mean((0, 1))).max() < 4
                assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.95


def test_samples_are_images_of_the_layer(compared: AtlasPaths) -> None:
    layer = layer_of(compared, "alpha", "conv1")
    assert layer["samples"] == [0, 1, 2, 4, 5, 6, 7]
    with Image.open(compared.site / "sprites/alpha/conv1/samples.webp") as row:
        assert row.size == (7 * 96, 96)
    for place, channel in enumerate(layer["samples"]):
        shown = cell_of(compared, "alpha/conv1", "samples", place, columns=7)
        image = picture_of(compared.root / f"images/alpha/conv1/l1/{channel}.png")
        assert np.abs(shown.mean((0, 1)) - image.mean((0, 1))).max() < 4


def test_a_large_layer_has_small_cells_and_several_sheets(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("m", "wide", 600, 530, metrics=("l1",))], shard=600)
    write_site(paths)
    layer = layer_of(paths, "m", "wide")
    assert (layer["cell"], layer["channels"], layer["width"]) == (64, [[0, 599]], 600)
    assert sorted(path.name for path in (paths.site / "sprites/m/wide").iterdir()) == [
        *(f"l1-{number}.webp" for number in range(3)),
        "samples.webp",
    ]
    for position in (0, 17, 255, 256, 529):
        shown = cell_of(paths, "m/wide", f"l1-{position // 256}", position % 256, cell=64)
        image = picture_of(paths.root / f"images/m/wide/l1/{position}.png", 64)
        assert np.abs(shown.mean((0, 1)) - image.mean((0, 1))).max() < 5
    for number in range(10):
        expected = [str(channel) for channel in range(64 * number, min(64 * number + 64, 600))]
        assert list(value(paths, f"layers/m/wide/features-{number}")["features"]) == expected


def test_states_scores_and_counts(compared: AtlasPaths) -> None:
    grid = value(compared, "layers/alpha/conv1/layer")
    assert [one["state"] for one in grid["sets"]] == ["ooodoooo"] * 2
    assert grid["sets"][0]["score"][:5] == [0.5, 1.5, 2.5, 0.0, 4.5]
    assert grid["sets"][0]["rank"] == [1, 1, 1, None, 1, 1, 1, 1]
    assert grid["sets"][0]["z"][:4] == [4.5, 4.5, 4.5, None]
    failed = value(compared, "layers/alpha/conv2/layer")
    assert failed["sets"][0]["state"] == "ooooofoooooo"
    assert failed["failures"] == [
        [5, 0, "NonFinite", "no longer finite", 1],
        [5, 1, "NonFinite", "no longer finite", 1],
    ]
    layer = layer_of(compared, "beta net", "block/0")
    assert layer["counts"] == {"planned": 40, "ok": 32, "dead": 0, "failed": 0, "left": 8}
    assert layer["features"] == {"ok": 16, "dead": 0, "failed": 0, "left": 4}
    assert value(compared, f"layers/{layer['path']}/layer")["sets"][1]["state"] == "o" * 16 + "l" * 4
    assert layer_of(compared, "alpha", "conv1")["features"] == {"ok": 7, "dead": 1, "failed": 0, "left": 0}
    assert value(compared, "atlas")["state"] == {"planned": 80, "ok": 68, "dead": 2, "failed": 2, "left": 8}


def test_notes_say_what_is_missing(compared: AtlasPaths) -> None:
    left, failed = value(compared, "atlas")["notes"]
    assert left.startswith("8 images are not made yet") and failed.startswith("2 images failed")


def test_neighbors_are_those_of_the_query(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        for address in ("alpha/conv2:1", "beta net/block/0:7"):
            feature = Feature.parse(address)
            told = value(compared, f"layers/{safe(feature.model)}/{safe(feature.layer)}/features-0")
            lists = told["features"][str(feature.channel)]["neighbors"]
            assert {
                f"atlas/{scope}/{measure}" for scope in ("model", "other") for measure in ("sym", "profile")
            } <= set(lists)
            for name, rows in lists.items():
                _, scope, measure = name.split("/")
                for sign, opposite in ((1, False), (-1, True)):
                    expected = atlas.feature(address).similar(50, scope=scope, measure=measure, opposite=opposite)
                    mine = [row for row in rows if row[0] == sign]
                    named = [str(Feature(*told["layers"][row[2]], row[3])) for row in mine]
                    assert named == expected["dst"].to_pylist()
                    assert [row[1] for row in mine] == expected["rank"].to_pylist()
                    assert [row[4] for row in mine] == pytest.approx(expected["score"].to_pylist(), rel=1e-3)
                    assert [row[5] for row in mine] == pytest.approx(expected["baseline"].to_pylist(), rel=1e-3)
                    assert [row[6] or None for row in mine] == expected["rank_rev"].to_pylist()
                    assert [bool(row[7]) for row in mine] == expected["mutual"].to_pylist()


def test_matches_are_those_of_the_query(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        rows = {row["src"]: row for row in atlas.match("beta net", "alpha").to_pylist()}
    told = value(compared, "layers/beta%20net/block%2F0/layer")["matches"]
    assert list(told) == ["alpha"]
    layers = told["alpha"]["layers"]
    for channel, row in enumerate(told["alpha"]["rows"]):
        expected = rows.get(f"beta net/block/0:{channel}")
        if expected is None:
            assert row is None
            continue
        assert f"alpha/{layers[row[0]]}:{row[1]}" == expected["dst"]
        assert row[2:5] == [pytest.approx(expected["score"], rel=1e-3), 0.3, int(expected["mutual"])]
        partner = f"alpha/{layers[row[5]]}:{row[6]}" if row[5] >= 0 else None
        assert partner == expected["partner"]
        assert (row[7] is None) == (partner is None)


def test_clusters_matrices_maps_examples_and_relations_are_those_of_the_tables(compared: AtlasPaths) -> None:
    grid, layer = value(compared, "layers/alpha/conv2/layer"), layer_of(compared, "alpha", "conv2")
    assert (layer["measures"], layer["families"]) == (["sym", "profile"], len(set(grid["clusters"]["sym"]["family"])))
    told = value(compared, "layers/alpha/conv2/matrix-profile")
    place = compared.map("alpha", "conv2", "profile")
    matrix = np.load(place.with_name("profile.npy"))
    shown = unpacked(told).reshape(matrix.shape)
    apart = ~np.eye(len(matrix), dtype=bool)
    assert np.abs(shown - matrix)[apart].max() <= (told["high"] - told["low"]) / 255 + 1e-6
    assert set(np.frombuffer(base64.b64decode(told["data"]), np.uint8).reshape(matrix.shape)[~apart]) == {0}
    assert told["channels"] == np.load(place.with_name("profile.order.npy")).tolist()
    assert (told["channels"], told["family"]) == tuple(grid["clusters"]["profile"].values())
    with Atlas(compared.root) as atlas:
        rows = atlas.sql("FROM layout WHERE model = 'alpha' ORDER BY feature").to_pylist()
        pictures = atlas.feature("alpha/conv2:2").rows("examples").sort_by("rank").to_pylist()
        pairs = atlas.sql("FROM layers").to_pylist()
    plane = value(compared, "maps/alpha")["atlas"]
    assert plane["channel"] == [row["channel"] for row in rows]
    assert plane["layer"] == [["conv1", "conv2"].index(row["layer"]) for row in rows]
    assert np.allclose(plane["x"], [row["x"] for row in rows], atol=1e-4)
    found = value(compared, "layers/alpha/conv2/features-0")["features"]["2"]["examples"]["natural"]
    assert [path for path, _ in found] == [row["image"] for row in pictures]
    relations = value(compared, "atlas")["relations"]["atlas"]
    assert [pair[:2] for pair in relations] == [[i, j] for i in range(3) for j in range(3)]
    assert len(pairs) == len(relations)
    assert relations[0] == [0, 0, 1, 1, 1, 0.5, 1, 0.2]


def unpacked(told: Any) -> np.ndarray:
    steps = np.frombuffer(base64.b64decode(told["data"]), np.uint8)
    return told["low"] + steps / 255 * (told["high"] - told["low"])


def test_spectrum_rivals_and_trace_are_those_of_the_index(compared: AtlasPaths) -> None:
    image = value(compared, "layers/alpha/conv2/features-0")["features"]["4"]["images"][0]
    with Atlas(compared.root) as atlas:
        row = atlas.feature("alpha/conv2:4").rows().to_pylist()[0]
    vector = np.array(row["activation"])
    assert np.abs(unpacked(image["spectrum"]) - vector).max() <= np.ptp(vector) / 255
    assert [channel for channel, _ in image["rivals"]] == list(range(11, 3, -1))
    assert image["rivals"][0][1] == 1
    assert (image["trace"], image["task"], image["start"], image["steps"]) == ([0, 0.25, 0.5], row["task"], 0, 20)
    assert image["created"] == CREATED.isoformat()


def test_numbers_have_four_digits_and_none_is_no_number() -> None:
    values = np.array([0.123456, 12345.678, -1.00004, 0, 1e-9, 9999.6, 3.3e7])
    assert rounded(values).tolist() == [0.1235, 12350, -1, 0, 1e-9, 10000, 3.3e7]
    assert listed(np.array([1, np.nan, np.inf])) == [1, None, None]
    assert as_bytes(np.array([[np.nan]])) == as_bytes(np.zeros((1, 0))) == [None]
    assert as_bytes(np.full((1, 3), 7.0)) == [{"low": 7, "high": 7, "data": "AAAA"}]
    far = np.array([1000.4, np.nan, 1001.2])
    told, other = as_bytes(np.array([far, [1, 2, 3]]))
    assert told and other and np.allclose(unpacked(other), [1, 2, 3], atol=2 / 255)
    assert np.abs(unpacked(told) - far)[[0, 2]].max() < 0.01
    assert json.loads(script("k", far.tolist()[:1])[15:-2]) == [1000.4]
    with pytest.raises(ValueError):
        script("k", [float("nan")])


def test_a_rerun_writes_nothing(compared: AtlasPaths) -> None:
    before = files(compared)
    written = write_site(compared)
    assert (written.written, written.removed, written.kept) == (0, 0, len(before))
    assert files(compared) == before


def row_of(paths: AtlasPaths, made: Made, metric: str, channel: int, **changes: Any) -> Row:
    """A row of the index for an image of one's own, which is written too."""
    row = next(row for file in sorted(paths.layer_index(made.model, LAYERS[0].layer).glob("*.parquet"))
               for row in read_table(file).to_pylist())  # fmt: skip
    feature = Feature(made.model, made.layer, channel)
    variant, target = changes.pop("variant", ""), changes.pop("target", Target())
    row |= {"feature": str(feature), "layer": made.layer, "channel": channel, "metric": metric, "target": target.label}
    row |= {"model": made.model, **changes}
    row["image"] = image_path(feature, metric, target, row["seed"], variant)
    row["task"] = f"{row['image']}{row['recipe']}"
    row["image_sha256"] = write_image(paths.root / row["image"], np.full((3, 96, 96), 0.25 + channel / 40, np.float32))
    return row


def test_one_new_image_rewrites_its_layer_and_its_sheet(made: AtlasPaths) -> None:
    before = files(made)
    layer = LAYERS[2]
    row = row_of(made, replace(layer, model="alpha"), "l2", 17)
    image = image_path(Feature(layer.model, layer.layer, 17), "l2", Target(), 0)
    (made.root / row["image"]).rename(made.root / image)
    row |= {"model": layer.model, "feature": f"{layer.model}/{layer.layer}:17", "image": image}
    row |= {"task": task_of(layer, "l2", 17)}
    write_rows(made.shard_index(layer.model, layer.layer, "late"), [row], INDEX)
    write_site(made)
    place = "beta%20net/block%2F0"
    assert changed(made, before) == {
        "data/atlas.js",
        f"data/layers/{place}/layer.js",
        f"data/layers/{place}/features-0.js",
        f"sprites/{place}/l2-0.webp",
        f"sprites/{place}/samples.webp",
    }
    assert layer_of(made, layer.model, layer.layer)["stands"] == {"17": 1}
    assert value(made, f"layers/{place}/layer")["sets"][1]["state"] == "o" * 16 + "lol" + "l"


def test_similarity_that_arrives_changes_data_and_no_sprite(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", WHOLE)
    told = write_site(paths)
    assert any("`atlas similarity" in note for note in told.notes)
    overview = value(paths, "atlas")
    assert (overview["probes"], overview["relations"], overview["models"][0]["map"]) == ({}, {}, False)
    assert overview["models"][0]["layers"][0]["families"] is None
    before = files(paths)
    write_similarity(paths)
    write_maps(paths)
    assert write_site(paths).notes == []
    found = changed(paths, before)
    assert {f"data/layers/alpha/conv1/{name}.js" for name in ("features-0", "layer", "matrix-sym")} <= found
    assert not [name for name in found if name.startswith("sprites")]


def test_a_stale_similarity_is_told(made: AtlasPaths) -> None:
    told = json.loads(made.similarity.read_text())
    write_json(made.similarity, {"atlas": {**told["atlas"], "features": 3}})
    assert any("similarity knows 3 of 34 features" in note for note in write_site(made).notes)


def test_files_of_layers_that_are_gone_go_and_others_stay(made: AtlasPaths) -> None:
    (made.site / "mine.txt").write_text("mine")
    for folder in (made.layer_index("alpha", "conv2"), made.plans):
        shutil.rmtree(folder)
    for file in made.failures.iterdir():
        file.unlink()
    written = write_site(made)
    assert written.removed > 0
    assert not (made.site / "data/layers/alpha/conv2").exists() and not (made.site / "sprites/alpha/conv2").exists()
    assert (made.site / "data/layers/alpha/conv1/layer.js").exists() and (made.site / "mine.txt").exists()


@pytest.mark.parametrize("text", ['{"../a.txt": "1", "/etc/x": "1"}', "[]", "{", '"x"'])
def test_a_ledger_of_nonsense_removes_nothing_outside(tmp_path: Path, text: str) -> None:
    paths = make_atlas(tmp_path / "a", [])
    paths.site.mkdir()
    (paths.root / "a.txt").write_text("kept")
    paths.site_ledger.write_text(text)
    write_site(paths)
    assert (paths.root / "a.txt").read_text() == "kept"
    assert write_site(paths).written == 0


HOSTILE = [
    Made("<script>alert(1)</script>", "../../x", 3, 3),
    Made("..", "..", 3, 3),
    Made("m", "a/b", 3, 3),
    Made("m", "a", 4, 4, index=1),
    Made("m", "a:1", 5, 5, index=2),
    Made("m", "con:3", 3, 3, index=3),
    Made("quo'te\"", "back\\slash\u2028`", 3, 3),
]


def test_names_stay_inside_and_are_escaped(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "deep" / "a", HOSTILE)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    write_similarity(paths)
    write_maps(paths)
    write_site(paths)
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert all(path.is_relative_to(paths.root) for path in after - before)
    told = [layer for model in value(paths, "atlas")["models"] for layer in model["layers"]]
    assert len(told) == len(HOSTILE)
    names = {(model["name"], layer["name"]) for model in value(paths, "atlas")["models"] for layer in model["layers"]}
    assert names == {(one.model, one.layer) for one in HOSTILE}
    with Atlas(paths.root) as atlas:
        for one in HOSTILE:
            details = value(paths, f"layers/{safe(one.model)}/{safe(one.layer)}/features-0")
            assert list(details["features"]) == [str(channel) for channel in range(one.channels)]
            mine = details["features"]["1"]["neighbors"]["atlas/layer/sym"]
            near = [str(Feature(*details["layers"][row[2]], row[3])) for row in mine if row[0] == 1]
            src = quoted(str(Feature(one.model, one.layer, 1)))
            kind = "scope = 'layer' AND measure = 'sym' AND sign = 1"
            rows = atlas.sql(f"SELECT dst FROM neighbors WHERE src = {src} AND {kind} ORDER BY rank, dst")
            assert near == rows["dst"].to_pylist() != []
    assert all(file.read_bytes().isascii() for file in (paths.site / "data").rglob("*.js"))


def test_metrics_seeds_targets_variants_and_recipes_are_sets(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 4, 4, metrics=("l1",), size=96)])
    (one,) = [Made("alpha", "conv1", 4, 4)]
    neuron = Target("neuron", row=1, col=2)
    rows = [
        row_of(paths, one, "l2", 1),
        row_of(paths, one, "l1", 0, seed=3),
        row_of(paths, one, "l1", 2, target=neuron, seed=1),
        row_of(paths, one, "l1", 1, variant="abcdef", recipe="plain", created=CREATED + timedelta(1)),
        row_of(paths, one, "l1", 9, variant="abcdef", recipe="plain", created=CREATED + timedelta(1)),
    ]
    write_rows(paths.shard_index("alpha", "conv1", "more"), rows, INDEX)
    written = write_site(paths)
    layer = layer_of(paths, "alpha", "conv1")
    assert [(one["key"], one["target"], one["seed"], one["recipe"], one["variant"]) for one in layer["sets"]] == [
        ("l1-vabcdef", "channel", 0, "plain", "vabcdef"),
        ("l1", "channel", 0, "quick", ""),
        ("l1-s3", "channel", 3, "quick", ""),
        ("l2", "channel", 0, "quick", ""),
        ("l1-neuron1x2-s1", "neuron1x2", 1, "quick", ""),
    ]
    assert [one["count"] for one in layer["sets"]] == [2, 4, 1, 1, 1]
    assert layer["channels"] == [[0, 3], [9, 9]]
    assert layer["stands"] == {"0": 1, "2": 1, "3": 1}, "channel 1: of two recipes the newer"
    for one in layer["sets"]:
        position = {"l1-vabcdef": 4, "l1": 0, "l1-s3": 0, "l2": 1, "l1-neuron1x2-s1": 2}[one["key"]]
        channel = [0, 1, 2, 3, 9][position]
        image = picture_of(paths.root / f"{one['folder']}{channel}{one['suffix']}")
        shown = cell_of(paths, "alpha/conv1", f"{one['key']}-0", position)
        assert np.abs(shown.mean((0, 1)) - image.mean((0, 1))).max() < 4
    assert [one["state"] for one in value(paths, "layers/alpha/conv1/layer")["sets"]] == [
        ".o..o", "oooo.", "o....", ".o...", "..o.."
    ]  # fmt: skip
    assert not written.notes or "compared" in written.notes[0]
    with Atlas(paths.root) as atlas:
        assert atlas.feature("alpha/conv1:9").rows()["image"].to_pylist() == [rows[-1]["image"]]


def test_what_failed_or_is_left_of_a_variant_is_of_the_set_of_its_weights(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 4, 4, metrics=("l1",))])
    one = Made("alpha", "conv1", 4, 4)
    new = row_of(paths, one, "l1", 0, variant="abcdef", weights="other@def", created=CREATED + timedelta(1))
    write_rows(paths.shard_index("alpha", "conv1", "more"), [new], INDEX)
    plan = {"shard": "s", **{name: new[name] for name in ("model", "layer", "layer_index", "target", "metric", "seed")}}
    plan |= {"recipe": new["recipe"], "channel": 1, "feature": "alpha/conv1:1"}
    rows = [plan | {"task": "t1", "weights": "other@def"}, plan | {"task": "t2", "weights": "x", "metric": "l2"}]
    write_plan(paths.plans / "more.parquet", rows)
    failure = {name: new[name] for name in INDEX.names if name not in ("image", "image_sha256", "activation", "trace")}
    failure |= {"channel": 2, "feature": "alpha/conv1:2", "task": "t3", "status": "failed", "error_type": "Boom"}
    failure |= {"error_message": "Traceback\n  <b>last</b> line \n", "attempts": 2}
    write_rows(paths.shard_failures("s"), [failure], FAILURES)
    write_site(paths)
    grid = value(paths, "layers/alpha/conv1/layer")
    assert [one["key"] for one in layer_of(paths, "alpha", "conv1")["sets"]] == ["l1-vabcdef", "l1", "l2"]
    assert [one["state"] for one in grid["sets"]] == ["olf.", "oooo", ".l.."]
    assert grid["failures"] == [[2, 0, "Boom", "<b>last</b> line", 2]]
    assert layer_of(paths, "alpha", "conv1")["sets"][2]["count"] == 0
    assert not (paths.site / "sprites/alpha/conv1/l2-0.webp").exists()


def test_a_dead_channel_stands_with_its_dead_image(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 3, 2, dead=(0,), metrics=("l1",))])
    dead = row_of(paths, Made("alpha", "conv1", 4, 4), "l2", 2, status="dead")
    write_rows(paths.shard_index("alpha", "conv1", "more"), [dead], INDEX)
    write_site(paths)
    layer = layer_of(paths, "alpha", "conv1")
    assert (layer["stands"], layer["samples"]) == ({"2": 1}, [1])
    assert layer["features"] == {"ok": 1, "dead": 2, "failed": 0, "left": 0}


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_an_image_that_cannot_be_read_is_a_blank_cell_and_a_note(made: AtlasPaths, how: str) -> None:
    image = made.root / "images/alpha/conv1/l1/2.png"
    whole = image.read_bytes()
    if how == "gone":
        image.unlink()
    else:
        image.write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(made.site / "sprites")
    written = write_site(made)
    assert any(
        note.startswith("1 image is missing or damaged, as images/alpha/conv1/l1/2.png") for note in written.notes
    )
    assert cell_of(made, "alpha/conv1", "l1-0", 2).mean() < 40
    assert cell_of(made, "alpha/conv1", "l1-0", 4).std() > 5
    image.write_bytes(whole)
    assert write_site(made).written == 3, "the sheet, the samples and the overview"
    assert cell_of(made, "alpha/conv1", "l1-0", 2).std() > 5


def test_an_atlas_without_any_image(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("m", "l", 70, 0)])
    written = write_site(paths)
    assert written.notes == ["no image was made yet: `atlas run` makes them"]
    layer = layer_of(paths, "m", "l")
    assert (layer["width"], layer["samples"], [one["count"] for one in layer["sets"]]) == (None, [], [0, 0])
    assert value(paths, "layers/m/l/layer")["sets"][0]["state"] == "l" * 70
    assert list(value(paths, "layers/m/l/features-1")["features"]) == ["64", "65", "66", "67", "68", "69"]
    assert not (paths.site / "sprites").exists()


def test_an_atlas_of_which_nothing_was_asked(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [])
    assert write_site(paths).notes
    assert value(paths, "atlas")["models"] == []


def test_similarity_half_written_is_shown_without_its_matrix(made: AtlasPaths) -> None:
    place = made.map("alpha", "conv1", "sym")
    np.save(place.with_name("sym.npy"), np.zeros((3, 3)))
    place.with_name("sym.order.npy").unlink()
    matrix = made.map("alpha", "conv2", "sym").with_name("sym.order.npy")
    np.save(matrix, np.load(matrix)[::-1])
    write_json(made.similarity, {})
    write_site(made)
    assert layer_of(made, "alpha", "conv1")["measures"] == ["profile"]
    assert layer_of(made, "alpha", "conv2")["measures"] == ["profile"]
    assert not list((made.site / "data/layers/alpha").rglob("matrix-sym.js"))


def test_stopped_on_the_way_it_keeps_what_it_has(made: AtlasPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(made.site)
    monkeypatch.setattr(writing, "_write_maps", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_site(made)
    assert not made.site_overview.exists()
    assert not [name for name in os.listdir(made.site) if name.endswith(".part")]
    before = files(made)
    monkeypatch.undo()
    (made.site / "data" / ".half.js.1.part").write_text("half")
    write_site(made)
    assert changed(made, before) == {"data/atlas.js", "data/maps/alpha.js", "data/maps/beta%20net.js"}
    assert not (made.site / "data" / ".half.js.1.part").exists()


def interrupted(*words: Any) -> Iterator[None]:
    raise KeyboardInterrupt
