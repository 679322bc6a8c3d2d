"""Sets of images: what is told apart, what stands for a feature, and which row has no image."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from made_atlas import CREATED, Made, make_atlas

from atlas.query.atlas import Atlas
from atlas.records import Target
from atlas.report.site.write import write_site
from atlas.store.images import to_pil, write_pixels
from atlas.store.index import FAILURES, INDEX, write_rows
from atlas.store.plans import write_plan
from tests.report.site_files import apart, cell_of, data_of, layer_of, picture_of, row_of, sheet_of

pytestmark = pytest.mark.usefixtures("page")


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
        ("l1", "channel", 0, "quick", ""),
        ("l1-vabcdef", "channel", 0, "plain", "vabcdef"),
        ("l1-s3", "channel", 3, "quick", ""),
        ("l2", "channel", 0, "quick", ""),
        ("l1-neuron1x2-s1", "neuron1x2", 1, "quick", ""),
    ]
    assert layer["channels"] == [[0, 3], [9, 9]]
    assert layer["stands"] == {"9": 1}, "channel 1: of two recipes the one that more channels have"
    for one in layer["sets"]:
        position = {"l1-vabcdef": 4, "l1": 0, "l1-s3": 0, "l2": 1, "l1-neuron1x2-s1": 2}[one["key"]]
        channel = [0, 1, 2, 3, 9][position]
        image = picture_of(paths.root / f"{one['folder']}{channel}{one['suffix']}")
        shown = cell_of(sheet_of(paths, "alpha", "conv1", f"{one['key']}-0"), position)
        assert apart(shown, image) < 4
    assert [one["state"] for one in data_of(paths, "alpha", "conv1")["sets"]] == [
        "oooo.", ".o..o", "o....", ".o...", "..o.."
    ]  # fmt: skip
    assert not written.notes or "compared" in written.notes[0][0]
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
    rows += [plan | {"task": "t3", "weights": "other@def", "channel": 2, "feature": "alpha/conv1:2"}]
    write_plan(paths.plans / "more.parquet", rows)
    failure = {name: new[name] for name in INDEX.names if name not in ("image", "image_sha256", "activation", "trace")}
    failure |= {"channel": 2, "feature": "alpha/conv1:2", "task": "t3", "status": "failed", "error_type": "Boom"}
    failure |= {"error_message": "Traceback\n  <b>last</b> line \n", "attempts": 2}
    write_rows(paths.shard_failures("s"), [failure], FAILURES)
    write_site(paths)
    grid = data_of(paths, "alpha", "conv1")
    assert [one["key"] for one in layer_of(paths, "alpha", "conv1")["sets"]] == ["l1", "l1-vabcdef", "l2"]
    assert [one["state"] for one in grid["sets"]] == ["oooo", "olf.", ".l.."]
    assert grid["failures"] == [[2, 1, "Boom", "<b>last</b> line", 2]]
    assert layer_of(paths, "alpha", "conv1")["sets"][2]["folder"] == ""
    assert not sheet_of(paths, "alpha", "conv1", "l2-0").exists()


def test_a_dead_channel_stands_with_its_dead_image(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 3, 2, dead=(0,), metrics=("l1",))])
    dead = row_of(paths, Made("alpha", "conv1", 4, 4), "l2", 2, status="dead")
    write_rows(paths.shard_index("alpha", "conv1", "more"), [dead], INDEX)
    write_site(paths)
    layer = layer_of(paths, "alpha", "conv1")
    assert (layer["stands"], layer["samples"]) == ({"2": 1}, [1])
    assert layer["state"] == "dod"


ELSEWHERE = (
    "../secret.png",
    "/etc/secret",
    "images/../../secret.png",
    "images/m/..",
    "secret.png",
    "Images/secret.png",
)


def test_a_row_whose_image_lies_elsewhere_has_none(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("alpha", "conv1", 8, 2, metrics=("l1",))])
    for folder in (tmp_path, paths.root):
        write_pixels(folder / "secret.png", to_pil(np.full((3, 96, 96), 1, np.float32)))
    one = Made("alpha", "conv1", 8, 8)
    rows = [row_of(paths, one, "l2", channel) | {"image": image} for channel, image in enumerate(ELSEWHERE, 2)]
    write_rows(paths.shard_index("alpha", "conv1", "more"), rows, INDEX)
    written = write_site(paths)
    layer = layer_of(paths, "alpha", "conv1")
    assert (layer["state"], layer["samples"], layer["stands"]) == ("oollllll", [0, 1], {})
    assert [(one["folder"], one["suffix"]) for one in layer["sets"]] == [("images/alpha/conv1/l1/", ".png"), ("", "")]
    assert not [note for note in written.notes if "missing" in note[0]]
    assert not sheet_of(paths, "alpha", "conv1", "l2-0").exists()
    assert b"secret" not in b"".join(file.read_bytes() for file in (paths.site / "data").rglob("*.js"))
