"""The second half of `similarity` with the real network and no Ray: the tables,
and which images count for them.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from planted import Planted, oracle
from scipy.stats import mannwhitneyu
from sweeps import SMALL, patternnet_card, run_small, sweep

from atlas.config.compose import compose_model
from atlas.config.schema import ProbeConfig
from atlas.generate.job import generate
from atlas.records import MEASURES, SCOPES, Address
from atlas.similarity.atlas_images import Picture
from atlas.similarity.job import similarity
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.tables.examples import COPY_SIDE
from atlas.store.images import to_pil, write_pixels
from atlas.sweep.plan import make_plan
from atlas.zoo.card import make_card
from atlas.zoo.drawings import draw
from atlas.zoo.load import load
from tests.similarity.small_atlas import LAYERS, PATTERNS, compare, computed, neighbors, of, responses, state, table

pytestmark = pytest.mark.job


def test_tables_are_those_of_a_float64_oracle(compared: Path) -> None:
    """METHODS 5.8, from the responses on."""
    rows = responses(compared)
    features = {row["picture"]: row["feature"] for row in rows}
    pictures = sorted(features)
    addresses = sorted(set(features.values()))
    means = {(row["picture"], row["layer"]): row["mean"] for row in rows}
    parsed = [Address.parse(address) for address in addresses]
    values = np.array([[means[p, a.layer][a.channel] for a in parsed] for p in pictures], np.float32)
    made_for = np.array([addresses.index(features[picture]) for picture in pictures])
    layers = np.array([int("conv2" in features[picture]) for picture in pictures])
    data = Planted(addresses, values, made_for, layers)
    for measure in MEASURES:
        scores, table_rows = oracle(data, measure), neighbors(compared, "all", measure)
        assert len(table_rows) == 12 * (11 + 5)
        for row in table_rows:
            wanted = scores[addresses.index(row["src"]), addresses.index(row["dst"])]
            assert row["score"] == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    assert sorted(row["task"] for row in table(compared, "quality")) == pictures


def test_every_table_is_there(compared: Path) -> None:
    for scope in ("layer", "model", "all"):
        assert {path.name for path in (compared / f"neighbors/scope={scope}").iterdir()} == {
            f"measure={m}" for m in MEASURES
        }
    assert not (compared / "neighbors/scope=other").exists(), "there is but one model"
    assert len(table(compared, "layers")) == 4
    assert table(compared, "matches") == []
    assert len(table(compared, "clusters")) == 12 * 2
    assert len(table(compared, "layout")) == 12
    for layer in ("conv1", "conv2"):
        for measure in ("sym", "profile"):
            assert np.load(compared / f"maps/patternnet/{layer}/{measure}.npy").shape == (6, 6)
            order = np.load(compared / f"maps/patternnet/{layer}/{measure}.order.npy")
            assert sorted(order) == list(range(6))
    record = state(compared)["atlas"]
    assert (record["features"], record["pictures"], record["missing"]) == (12, 12, {"pictures": 0})
    assert record["measures"] == list(MEASURES) and record["scopes"] == list(SCOPES)
    assert not list((compared / "staging").glob("bank-*"))
    assert not (compared / "lock").exists()


@cache
def maps_of(picture: Path) -> dict[str, np.ndarray]:
    """What both layers of PatternNet do on a picture, alone."""
    loaded = load("patternnet", compose_model("patternnet"))
    reader = PictureReader(ProbeConfig("natural", str(picture.parent)), picture.parent)
    image = np.asarray(reader.read(Picture("", picture.name), loaded.input_size), np.float32) / 255
    with torch.no_grad():
        maps = loaded.forward(["conv1", "conv2"])(loaded.preprocess(torch.tensor(image).permute(2, 0, 1)[None]))
    return {layer: values[0].numpy() for layer, values in maps.items()}


def check_place(row: dict, folder: Path) -> None:
    """The place of an example is the highest of its map, in its box; the heat map is highest there."""
    values = maps_of(folder / row["source"])[row["layer"]][row["channel"]]
    assert (row["height"], row["width"], row["side"]) == (*values.shape, 64)
    assert values[row["y"], row["x"]] == pytest.approx(values.max(), rel=1e-4)
    across, down = ((row[name] + 0.5) / row[side] * 64 for name, side in (("x", "width"), ("y", "height")))
    assert 0 <= row["x0"] <= across <= row["x1"] <= 64 and 0 <= row["y0"] <= down <= row["y1"] <= 64
    heat = np.array(row["heat"]).reshape(-1, row["heat_width"])
    assert heat.shape == (14, 14)
    assert heat[int((down - 0.001) / 64 * 14), int((across - 0.001) / 64 * 14)] == 255


def test_examples_are_the_pictures_that_drive_a_feature_most(fresh: Path, natural: Path) -> None:
    compare(fresh, *of(natural))
    path, folder = fresh / "examples/probe=natural/examples.parquet", fresh / "pictures/natural"
    rows = pq.read_table(path, partitioning=None).to_pylist()
    answers = {(row["picture"], row["layer"]): row for row in responses(fresh, "natural")}
    pictures = sorted({picture for picture, _ in answers}, key=lambda picture: natural / picture.rpartition(" ")[0])
    by_feature: dict[str, list[dict]] = {}
    for row in rows:
        by_feature.setdefault(row["feature"], []).append(row)
    assert len(by_feature) == 12
    for examples in by_feature.values():
        layer, channel = examples[0]["layer"], examples[0]["channel"]
        wanted = sorted(pictures, key=lambda picture: -answers[picture, layer]["mean"][channel])[:4]
        assert [row["rank"] for row in examples] == [1, 2, 3, 4]
        assert [row["picture"] for row in examples] == wanted
        for row in examples:
            assert row["mean"] == answers[row["picture"], layer]["mean"][channel]
            assert row["max"] == answers[row["picture"], layer]["max"][channel]
            assert (natural / row["source"]).exists()
            with Image.open(fresh / row["image"]) as copy:
                assert copy.size == (COPY_SIDE, COPY_SIDE)
            check_place(row, natural)
    named = {fresh / row["image"] for row in rows}
    assert set(folder.iterdir()) == named
    first = natural / rows[0]["source"]
    old = fresh / rows[0]["image"]
    Image.new("RGB", (200, 180)).save(first)
    outcome = compare(fresh, *of(natural))
    assert (outcome.looked, list(outcome.compared)) == (1, ["natural"])
    rows = pq.read_table(path, partitioning=None).to_pylist()
    assert not old.exists(), "nobody names the picture as it was"
    assert set(folder.iterdir()) == {fresh / row["image"] for row in rows}


def test_images_of_other_weights_represent_nothing(done: Path) -> None:
    """The model's weights have changed, and no image was made with the new ones."""
    before = computed(done)
    card = replace(patternnet_card(), digest="changed")
    outcome = similarity(sweep(*SMALL, out=done), {"patternnet": card})
    assert (outcome.features, list(outcome.compared)) == (0, [])
    assert "changed" in outcome.notes[0] and patternnet_card().digest in outcome.notes[0]
    assert computed(done) == before


def test_after_the_weights_have_changed_only_new_images_represent_features(done: Path) -> None:
    random = replace(compose_model("patternnet"), weights="none")
    card = make_card("patternnet", random)
    config = sweep(*SMALL, "layers=[conv1]", "channels=0:4", "models.patternnet.weights=none", out=done)
    generate(config, make_plan(config, {"patternnet": card}), [])
    outcome = similarity(sweep(*SMALL, out=done), {"patternnet": card})
    assert (outcome.features, outcome.looked, list(outcome.compared)) == (4, 16, ["atlas"])
    assert {row["src"] for row in neighbors(done)} == {f"patternnet/conv1:{n}" for n in range(4)}
    assert len(table(done, "quality")) == 4
    answers = [(row["picture"], row["layer"], row["weights"]) for row in responses(done)]
    assert len(answers) == len(set(answers)) == 24 + 16


def test_measures_that_are_no_longer_asked_for_are_removed(done: Path) -> None:
    outcome = compare(done, "similarity.measures=[z,profile]", "similarity.scopes=[layer,all]")
    assert (outcome.looked, list(outcome.compared)) == (0, ["atlas"])
    left = {
        tuple(part.partition("=")[2] for part in path.parts[-3:-1]) for path in (done / "neighbors").rglob("*.parquet")
    }
    assert left == {(scope, measure) for scope in ("layer", "all") for measure in ("z", "profile")}
    assert state(done)["atlas"]["measures"] == ["z", "profile"]
    assert {row["measure"] for row in table(done, "clusters")} == {"profile"}


def test_fewer_neighbors_are_asked_for(done: Path) -> None:
    compare(done, "similarity.top=2", "similarity.bottom=0")
    rows = neighbors(done)
    assert len(rows) == 12 * 2
    assert {row["sign"] for row in rows} == {1}


def test_two_models_are_compared_across(fresh: Path) -> None:
    """A copy of the model under another name: its channels are their twins."""
    twin = replace(patternnet_card(), name="twin")
    config = sweep(*SMALL, *LAYERS, out=fresh)
    config.models = {"twin": config.models["patternnet"]}
    generate(config, make_plan(config, {"twin": twin}), [])
    outcome = similarity(sweep(*SMALL, out=fresh), {"patternnet": patternnet_card(), "twin": twin})
    assert (outcome.features, outcome.looked) == (24, 48)
    rows = table(fresh, "matches")
    assert len(rows) == 24
    for row in rows:
        twin_of = row["src"].partition("/")[2]
        assert row["dst"].endswith(twin_of) and row["partner"].endswith(twin_of)
        assert row["score"] > 0.9999 and row["mutual"]
    assert len(table(fresh, "layers")) == 16
    assert (fresh / "neighbors/scope=other").exists()


def test_a_lone_feature_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    out = tmp_path / "a"
    run_small(out, "layers=[conv1]", "channels=[3]")
    assert list(compare(out).compared) == ["atlas"]
    assert neighbors(out) == [] and table(out, "layout") == []
    natural = compare(out, *PATTERNS)
    assert list(natural.compared) == ["patterns"]
    assert neighbors(out, "all", "profile", "patterns") == []
    run_small(out, "layers=[conv1]", "channels=[3,4]")
    assert list(compare(out).compared) == ["atlas"]
    assert neighbors(out) == [], "of two, without the own image one is left, and one does not vary"
    assert {row["src"] for row in neighbors(out, "all", "raw")} == {"patternnet/conv1:3", "patternnet/conv1:4"}


def test_one_picture_alone_tells_of_no_feature(fresh: Path) -> None:
    """Nothing varies over one picture, so nothing is live."""
    for image in sorted((fresh / "images").rglob("*.png"))[1:]:
        image.unlink()
    outcome = compare(fresh)
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (1, 11, ["atlas"])
    assert neighbors(fresh) == [] and table(fresh, "layers") == []
    assert [row["self_rank"] for row in table(fresh, "quality")] == [None]


def test_names_are_of_the_labels_of_each_probe(fresh: Path, natural: Path) -> None:
    compare(fresh, "probe=patterns", "probes.patterns.count=400", "probes.patterns.examples=0")
    drawn = table(fresh, "names")
    assert [row["feature"] for row in drawn] == [
        f"patternnet/{layer}:{channel}" for layer in ("conv1", "conv2") for channel in range(6)
    ]
    assert sum(row["name"] is not None for row in drawn) >= 9, "even first layers answer to directions and areas"
    outcome = compare(fresh, *of(natural))
    assert list(outcome.compared) == ["natural"]
    rows = table(fresh, "names")
    assert [row for row in rows if row["probe"] == "patterns"] == drawn, "the other probe's names stay"
    found = [row for row in rows if row["probe"] == "natural"]
    assert len(found) == 12 and {row["name"] for row in found} <= {"church", "flower", None}
    answers = {(row["picture"], row["layer"]): row["mean"] for row in responses(fresh, "natural")}
    for row in found:
        means = {picture: mean[row["channel"]] for (picture, layer), mean in answers.items() if layer == row["layer"]}
        inside = [mean for picture, mean in means.items() if picture.startswith("church/")]
        outside = [mean for picture, mean in means.items() if picture.startswith("flower/")]
        auc = mannwhitneyu(inside, outside).statistic / 36
        assert row["auc"] == pytest.approx(max(auc, 1 - auc)), "two labels: the surer is the one above a half"
    for picture in natural.rglob("*.*"):
        picture.rename(natural / f"{picture.parent.name}-{picture.name}")
    compare(fresh, *of(natural))
    assert table(fresh, "names") == drawn, "a folder without subfolders has no labels"


def test_pictures_without_labels_are_of_the_classes_that_the_model_sees(fresh: Path, tmp_path: Path) -> None:
    run_small(fresh, "layers=[logits]", "channels=[4,5,9]")
    folder = tmp_path / "drawings"
    folder.mkdir()
    labels = torch.arange(60) % 3
    for number, drawing in enumerate(draw(torch.tensor([4, 5, 9])[labels], torch.Generator().manual_seed(0))):
        write_pixels(folder / f"{number}.png", to_pil(drawing.numpy()))
    compare(fresh, *of(folder))
    rows = {row["feature"]: row for row in table(fresh, "names")}
    assert len(rows) == 15
    for channel, label in ((4, "checks"), (5, "dots"), (9, "zigzags")):
        row = rows[f"patternnet/logits:{channel}"]
        assert (row["name"], row["weights"]) == (label, patternnet_card().provenance) and row["auc"] > 0.99
