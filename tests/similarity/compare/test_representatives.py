"""Which of several images stands for a feature, and what each image weighs."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from atlas.records import ModelCard
from atlas.similarity.atlas_images import AtlasImage, Picture, features_of
from atlas.similarity.compare.representatives import found_pictures, own_pictures

CARD = ModelCard("net", "default", "new", 64, (), (), 0)
CARDS = {"net": CARD, "twin": replace(CARD, name="twin")}


def made(
    task: str, channel: int, *, layer="conv1", target="channel", metric="l1", seed=0, day=1, **other
) -> AtlasImage:
    model = other.get("model", "net")
    picture = Picture(task, f"{task}.png", f"{model}/{layer}:{channel}")
    created = datetime(2026, 1, day, tzinfo=UTC)
    return AtlasImage(picture, model, layer, other.get("weights", "default@new"), (metric, target, seed), created)


def shown(*images: AtlasImage) -> set[str]:
    facts = own_pictures(images, features_of(images, CARDS), CARDS)
    return {one.picture.id for one, stands in zip(images, facts.shown, strict=True) if stands}


NEURON, JOINT, ROW = "neuron3x4", "joint+net/conv1:3", "rowmid"


@pytest.mark.parametrize(
    ("images", "standing"),
    [
        ({"channel": "c", NEURON: "n", JOINT: "j"}, {"c"}),
        ({NEURON: "n", ROW: "r", JOINT: "j"}, {"n", "r"}),
        ({JOINT: "j", "joint+net/conv1:5": "k"}, {"j", "k"}),
        ({NEURON: "n"}, {"n"}),
    ],
)
def test_whole_channels_come_first_and_joint_targets_last(images: dict[str, str], standing: set[str]) -> None:
    assert shown(*(made(task, 0, target=target) for target, task in images.items())) == standing


def test_metrics_and_seeds_stand_together() -> None:
    images = [made("a", 0), made("b", 0, metric="l2"), made("c", 0, seed=1)]
    assert shown(*images) == {"a", "b", "c"}


def test_of_equal_kinds_the_newest_stands() -> None:
    assert shown(made("new", 0, day=3), made("old", 0, day=2), made("older", 0, day=1)) == {"new"}
    assert shown(made("b", 0), made("a", 0)) == {"b"}, "made at once: the later task, whatever order they come in"
    assert shown(made("a", 0), made("b", 0)) == {"b"}


def test_images_of_older_weights_are_pictures_that_stand_for_nothing() -> None:
    old = made("old", 0, weights="default@old", day=9)
    gone = made("gone", 1, weights="default@old")
    images = [made("new", 0), old, gone]
    assert features_of(images, CARDS) == ["net/conv1:0"], "channel 1 has no image of these weights"
    facts = own_pictures(images, ["net/conv1:0"], CARDS)
    assert facts.made.tolist() == [0, -1, -1]
    assert facts.shown.tolist() == [True, False, False]
    assert facts.weight.tolist() == pytest.approx([1 / 3] * 3), "they are still pictures of their layer"


def test_every_source_layer_weighs_the_same() -> None:
    images = [
        *(made(f"a{n}", n) for n in range(6)),
        *(made(f"b{n}", n, layer="conv2") for n in range(2)),
        made("c", 0, model="twin"),
        made("old", 1, layer="conv2", weights="default@old"),
    ]
    facts = own_pictures(images, features_of(images, CARDS), CARDS)
    assert facts.weight.sum() == pytest.approx(1)
    assert facts.weight[:6].sum() == pytest.approx(facts.weight[[6, 7, 9]].sum()) == pytest.approx(facts.weight[8])
    assert facts.own_images


def test_a_feature_is_placed_by_its_address() -> None:
    images = [made("x", 10), made("y", 9), made("z", 0, layer="conv0")]
    features = features_of(images, CARDS)
    assert features == ["net/conv0:0", "net/conv1:10", "net/conv1:9"], "sorted as text, as the tables are"
    assert own_pictures(images, features, CARDS).made.tolist() == [1, 2, 0]


def test_pictures_that_were_found_weigh_the_same_and_are_nobodys() -> None:
    facts = found_pictures([Picture(str(n), "") for n in range(4)])
    assert facts.weight.tolist() == [0.25] * 4
    assert facts.made.tolist() == [-1] * 4
    assert not facts.own_images
    assert not np.any(facts.shown)
