"""Which files a site has, what they are named and which keys they hold; no name leads out of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_atlas import Made, make_atlas
from made_similarity import write_maps, write_similarity

from atlas.query.atlas import Atlas
from atlas.query.view_files import quoted
from atlas.records import Address
from atlas.report.site.write import write_site
from atlas.store.paths import AtlasPaths
from tests.report.site_files import data_of, files, layer_of, neighbors_of, value

pytestmark = pytest.mark.usefixtures("page")
ATLAS = "name root updated chunk sheet state notes probes pictures compare models relations lists closest images"
MODEL = "name path weights recipes maps layers"
LAYER = "name path channels names state sets stands cell samples measures families loses"
SET = "key metric target seed recipe variant folder suffix"
IMAGE = """set status score start loss steps seconds device precision weights task created width height trace spectrum
    rivals"""
STATES = "ok dead failed left"
HOSTILE = [
    Made("<script>alert(1)</script>", "../../x", 3, 3),
    Made("..", "..", 3, 3),
    Made("m", "a/b", 3, 3),
    Made("m", "a", 4, 4, index=1),
    Made("m", "a:1", 5, 5, index=2),
    Made("m", "con:3", 3, 3, index=3),
    Made("quo'te\"", "back\\slash\u2028`", 3, 3),
]


def keys(found: Any, names: str) -> None:
    assert set(found) == set(names.split())


def test_every_file_has_the_keys_of_the_contract(compared: AtlasPaths) -> None:
    overview = value(compared, "atlas")
    keys(overview, ATLAS)
    keys(overview["state"], STATES)
    assert (overview["chunk"], overview["sheet"], overview["name"]) == (4, 16, "a")
    assert overview["probes"] == ["atlas"]
    for model in overview["models"]:
        keys(model, MODEL)
        told = value(compared, f"maps/{model['path']}")
        keys(told["atlas"], "layers layer channel x y cell columns rows regions pixels")
        assert len({len(told["atlas"][name]) for name in ("layer", "channel", "x", "y", "cell")}) == 1
        for layer in model["layers"]:
            keys(layer, LAYER)
            assert len(layer["state"]) == sum(last - first + 1 for first, last in layer["channels"])
            for one in layer["sets"]:
                keys(one, SET)
            grid = value(compared, f"layers/{layer['path']}/layer")
            keys(grid, "sets clusters matches winners failures")
            assert len(grid["sets"]) == len(layer["sets"])
            for one in grid["sets"]:
                keys(one, "state score rank z")
            for measure in layer["measures"]:
                keys(
                    value(compared, f"layers/{layer['path']}/matrix-{measure}"),
                    "channels family names low high shown every tile data",
                )
            details = value(compared, f"layers/{layer['path']}/features-0")
            keys(details, "layers steps features")
            for feature in details["features"].values():
                keys(feature, "images neighbors examples")
                for image in feature["images"]:
                    keys(image, IMAGE)
    assert [model["name"] for model in overview["models"]] == ["alpha", "beta net"]
    assert [layer["name"] for layer in overview["models"][0]["layers"]] == ["conv1", "conv2"]


def test_only_files_that_are_known_lie_there(compared: AtlasPaths) -> None:
    known = json.loads(compared.site_ledger.read_text())
    assert set(known) == set(files(compared))
    assert {
        "index.html",
        "atlas.js",
        "atlas.css",
        "inter.woff2",
        "maps/alpha/atlas.webp",
        "data/lists/pairs.js",
        "data/atlas.js",
        "data/maps/beta%20net.js",
    } <= set(known)
    place = layer_of(compared, "beta net", "block/0")["path"]
    assert re.fullmatch("beta%20net/block%2F0/[0-9a-f]{8}", place)
    assert {f"data/layers/{place}/features-0.js", f"sprites/{place}/l1-0.webp"} <= set(known)
    assert all(known[name] == [known[name][0], len(data)] for name, (_, data) in files(compared).items())


def test_the_page_is_one_script_and_one_style(compared: AtlasPaths) -> None:
    script = (compared.site / "atlas.js").read_text()
    assert '\n(() => { "use strict";\n' in script and script.endswith("})();\n")
    assert (compared.site / "atlas.css").exists()
    assert "atlas.js" in compared.site_page.read_text()


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
            details = data_of(paths, one.model, one.layer, "features-0")
            assert list(details["features"]) == [str(channel) for channel in range(min(4, one.channels))]
            near = [row["dst"] for row in neighbors_of(details, 1, "atlas/layer/sym") if row["sign"] == 1]
            src = quoted(str(Address(one.model, one.layer, 1)))
            kind = "scope = 'layer' AND measure = 'sym' AND sign = 1"
            rows = atlas.sql(f"SELECT dst FROM neighbors WHERE src = {src} AND {kind} ORDER BY rank, dst")
            assert near == rows["dst"].to_pylist() != []
    assert all(file.read_bytes().isascii() for file in (paths.site / "data").rglob("*.js"))


def test_an_atlas_of_which_nothing_was_asked(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [])
    assert write_site(paths).notes
    assert value(paths, "atlas")["models"] == []
