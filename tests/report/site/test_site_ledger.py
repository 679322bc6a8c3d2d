"""Only what has changed is written again, and whoever looks meanwhile finds all that the overview names."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_atlas import CREATED, WHOLE, Made, make_atlas, task_of
from made_similarity import write_maps, write_similarity

from atlas.query.shell import sentence
from atlas.records import Address, Target
from atlas.report.site import write as writing
from atlas.report.site.write import write_site
from atlas.store.index import INDEX, write_rows
from atlas.store.paths import AtlasPaths, image_path
from tests.report.site_files import LAYERS, cell_of, changed, data_of, files, layer_of, picture_of, row_of, value

pytestmark = [pytest.mark.job, pytest.mark.usefixtures("page")]


def test_a_rerun_writes_nothing(compared: AtlasPaths) -> None:
    before = files(compared)
    written = write_site(compared)
    assert (written.written, written.removed, written.kept) == (0, 0, len(before))
    assert files(compared) == before


def test_one_new_image_rewrites_its_layer_and_its_sheet(made: AtlasPaths) -> None:
    before = files(made)
    layer = LAYERS[2]
    row = row_of(made, replace(layer, model="alpha"), "l2", 17)
    image = image_path(Address(layer.model, layer.layer, 17), "l2", Target(), 0)
    (made.root / row["image"]).rename(made.root / image)
    row |= {"model": layer.model, "feature": f"{layer.model}/{layer.layer}:17", "image": image}
    row |= {"task": task_of(layer, "l2", 17)}
    write_rows(made.shard_index(layer.model, layer.layer, "late"), [row], INDEX)
    write_site(made)
    place = layer_of(made, layer.model, layer.layer)["path"]
    assert changed(made, before) == {
        "data/atlas.js",
        f"data/layers/{place}/layer.js",
        f"data/layers/{place}/features-4.js",
        f"sprites/{place}/l2-0.webp",
        f"sprites/{place}/samples.webp",
    }
    assert layer_of(made, layer.model, layer.layer)["stands"] == {"17": 1}
    assert data_of(made, layer.model, layer.layer)["sets"][1]["state"] == "o" * 16 + "lol" + "l"


def test_similarity_that_arrives_changes_data_and_no_sprite(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", WHOLE)
    told = write_site(paths)
    assert any("`atlas similarity" in sentence(note) for note in told.notes)
    overview = value(paths, "atlas")
    assert (overview["probes"], overview["relations"], overview["models"][0]["maps"]) == ([], {}, {})
    place = overview["models"][0]["layers"][0]["path"]
    before = files(paths)
    write_similarity(paths)
    write_maps(paths)
    assert write_site(paths).notes == []
    found = changed(paths, before)
    assert {f"data/layers/{place}/{name}.js" for name in ("features-0", "layer", "matrix-sym")} <= found
    assert not [name for name in found if name.startswith("sprites")]


def test_files_of_layers_that_are_gone_go_and_others_stay(made: AtlasPaths) -> None:
    (made.site / "mine.txt").write_text("mine")
    kept = made.site_data(layer_of(made, "alpha", "conv1")["path"], "layer")
    for folder in (made.layer_index("alpha", "conv2"), made.plans):
        shutil.rmtree(folder)
    for file in made.failures.iterdir():
        file.unlink()
    written = write_site(made)
    assert written.removed > 0
    assert not (made.site / "data/layers/alpha/conv2").exists() and not (made.site / "sprites/alpha/conv2").exists()
    assert kept.exists() and (made.site / "mine.txt").exists()


@pytest.mark.parametrize("text", ['{"../a.txt": "1", "/etc/x": "1"}', "[]", "{", '"x"'])
def test_a_ledger_of_nonsense_removes_nothing_outside(tmp_path: Path, text: str) -> None:
    paths = make_atlas(tmp_path / "a", [])
    paths.site.mkdir()
    (paths.root / "a.txt").write_text("kept")
    paths.site_ledger.write_text(text)
    write_site(paths)
    assert (paths.root / "a.txt").read_text() == "kept"
    assert write_site(paths).written == 0


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
    lists = {f"data/lists/{kind}.js" for kind in writing.LISTS}
    maps = {
        f"{folder}/{model}{ending}"
        for folder, ending in (("data/maps", ".js"), ("maps", "/atlas.webp"), ("bands", ".webp"))
        for model in ("alpha", "beta%20net")
    }
    assert changed(made, before) == {"data/atlas.js"} | lists | maps
    assert not (made.site / "data" / ".half.js.1.part").exists()


def interrupted(*words: Any) -> Iterator[None]:
    raise KeyboardInterrupt


def add_images(paths: AtlasPaths) -> None:
    """To a layer a channel and a set more."""
    one = Made("beta net", "block/0", 4, 4)
    options = {"variant": "abcdef", "recipe": "plain", "created": CREATED + timedelta(1)}
    rows = [row_of(paths, replace(one, model="alpha", layer="conv1"), "l1", channel, **options) for channel in (2, 30)]
    write_rows(paths.shard_index("alpha", "conv1", "more"), rows, INDEX)


def test_killed_before_the_overview_the_old_one_finds_its_files(
    made: AtlasPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = files(made), layer_of(made, "alpha", "conv1")
    add_images(made)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "notes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_site(made)
    assert layer_of(made, "alpha", "conv1") == old, "the overview of before"
    assert before.keys() < files(made).keys(), "nothing is gone"
    assert [len(one["state"]) for one in data_of(made, "alpha", "conv1")["sets"]] == [8, 8]
    shown = cell_of(made.site_sprites(old["path"], "l1-0"), 7)
    assert abs(shown - picture_of(made.root / "images/alpha/conv1/l1/7.png")).mean() < 12
    write_site(made)
    new = layer_of(made, "alpha", "conv1")
    assert new["channels"] == [[0, 7], [30, 30]]
    assert [one["key"] for one in new["sets"]] == ["l1", "l2", "l1-vabcdef"]
    assert new["path"] != old["path"] and not (made.site / "sprites" / old["path"]).exists()
    assert not (made.site / "data/layers" / old["path"]).exists()


def test_a_map_whose_table_is_gone_goes(made: AtlasPaths) -> None:
    made.layout.unlink()
    write_site(made)
    assert [model["maps"] for model in value(made, "atlas")["models"]] == [{}, {}]
    assert (
        not (made.site / "data/maps").exists()
        and not (made.site / "maps").exists()
        and not (made.site / "bands").exists()
    )


def test_a_file_that_was_emptied_or_cut_heals(made: AtlasPaths) -> None:
    before = files(made)
    broken = ["atlas.js", *(name for name in before if name.endswith(("/layer.js", "samples.webp")))]
    for place, name in enumerate(broken):
        whole = before[name][1]
        (made.site / name).write_bytes(whole[: place % 2 * len(whole) // 2])
    assert write_site(made).written == len(broken)
    assert {name: data for name, (_, data) in files(made).items()} == {name: data for name, (_, data) in before.items()}


def test_files_that_hold_the_same_already_are_left_alone(made: AtlasPaths) -> None:
    before = files(made)
    made.site_ledger.unlink()
    written = write_site(made)
    assert (written.written, written.kept) == (0, len(before))
    assert files(made) == before


def test_files_of_an_older_ledger_go(made: AtlasPaths) -> None:
    old = made.site / "data/layers/alpha/conv1/layer.js"
    old.write_text("old")
    made.site_ledger.write_text(
        json.dumps({**json.loads(made.site_ledger.read_text()), "data/layers/alpha/conv1/layer.js": "1"})
    )
    assert write_site(made).removed == 1
    assert not old.exists()
