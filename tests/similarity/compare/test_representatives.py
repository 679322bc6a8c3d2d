"""Which of several images represents a feature, and what each image weighs."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from atlas.records import ModelCard
from atlas.similarity.atlas_images import AtlasImage, Picture, features_of
from atlas.similarity.compare.representatives import roles_of_images, roles_of_pictures

CARD = ModelCard("net", "default", "new", 64, (), (), 0)
CARDS = {"net": CARD, "twin": replace(CARD, name="twin")}


def image(
    task: str, channel: int, *, layer="conv1", target="channel", metric="l1", seed=0, day=1, **other
) -> AtlasImage:
    model = other.get("model", "net")
    picture = Picture(task, f"{task}.png", f"{model}/{layer}:{channel}")
    created = datetime(2026, 1, day, tzinfo=UTC)
    return AtlasImage(picture, model, layer, other.get("weights", "default@new"), (metric, target, seed), created)


def representatives(*images: AtlasImage) -> set[str]:
    roles = roles_of_images(images, features_of(images, CARDS), CARDS)
    return {image.picture.id for image, represents in zip(images, roles.represents, strict=True) if represents}


NEURON, JOINT, ROW = "neuron3x4", "joint+net/conv1:3", "rowmid"


@pytest.mark.parametrize(
    ("images", "chosen"),
    [
        ({"channel": "c", NEURON: "n", JOINT: "j"}, {"c"}),
        ({NEURON: "n", ROW: "r", JOINT: "j"}, {"n", "r"}),
        ({JOINT: "j", "joint+net/conv1:5": "k"}, {"j", "k"}),
        ({NEURON: "n"}, {"n"}),
    ],
)
def test_whole_channels_come_first_and_joint_targets_last(images: dict[str, str], chosen: set[str]) -> None:
    assert representatives(*(image(task, 0, target=target) for target, task in images.items())) == chosen


def test_metrics_and_seeds_represent_together() -> None:
    images = [image("a", 0), image("b", 0, metric="l2"), image("c", 0, seed=1)]
    assert representatives(*images) == {"a", "b", "c"}


def test_of_equal_kinds_the_newest_represents() -> None:
    assert representatives(image("new", 0, day=3), image("old", 0, day=2), image("older", 0, day=1)) == {"new"}
    assert representatives(image("b", 0), image("a", 0)) == {"b"}, (
        "made at once: the later task, whatever order they come in"
    )
    assert representatives(image("a", 0), image("b", 0)) == {"b"}


def test_images_of_older_weights_are_pictures_that_represent_nothing() -> None:
    old = image("old", 0, weights="default@old", day=9)
    gone = image("gone", 1, weights="default@old")
    images = [image("new", 0), old, gone]
    assert features_of(images, CARDS) == ["net/conv1:0"], "channel 1 has no image of these weights"
    roles = roles_of_images(images, ["net/conv1:0"], CARDS)
    assert roles.made_for.tolist() == [0, -1, -1]
    assert roles.represents.tolist() == [True, False, False]
    assert roles.weight.tolist() == pytest.approx([1 / 3] * 3), "they are still pictures of their layer"


def test_every_source_layer_weighs_the_same() -> None:
    images = [
        *(image(f"a{n}", n) for n in range(6)),
        *(image(f"b{n}", n, layer="conv2") for n in range(2)),
        image("c", 0, model="twin"),
        image("old", 1, layer="conv2", weights="default@old"),
    ]
    roles = roles_of_images(images, features_of(images, CARDS), CARDS)
    assert roles.weight.sum() == pytest.approx(1)
    assert roles.weight[:6].sum() == pytest.approx(roles.weight[[6, 7, 9]].sum()) == pytest.approx(roles.weight[8])
    assert roles.own_images


def test_a_feature_is_placed_by_its_address() -> None:
    images = [image("x", 10), image("y", 9), image("z", 0, layer="conv0")]
    features = features_of(images, CARDS)
    assert features == ["net/conv0:0", "net/conv1:10", "net/conv1:9"], "sorted as text, as the tables are"
    assert roles_of_images(images, features, CARDS).made_for.tolist() == [1, 2, 0]


def test_pictures_made_for_nothing_weigh_the_same_and_are_nobodys() -> None:
    roles = roles_of_pictures([Picture(str(n), "") for n in range(4)], [])
    assert roles.weight.tolist() == [0.25] * 4
    assert roles.made_for.tolist() == [-1] * 4
    assert not roles.own_images
    assert not np.any(roles.represents)
