"""`target=` read, and held against the layers it is asked of."""

import pytest
from made_cards import card

from atlas.config.mistakes import ConfigError
from atlas.records import Target
from atlas.sweep.targets import make_target, make_targets, target_mistakes

STEM, HEAD = card().layers[0], card().layers[-1]


@pytest.mark.parametrize(
    ("config", "target", "label"),
    [
        ({}, Target(), "channel"),
        ({"kind": "channel"}, Target(), "channel"),
        ({"kind": "row", "row": 2}, Target("row", row=2), "row2"),
        ({"kind": "row", "row": None}, Target("row"), "rowmid"),
        ({"kind": "neuron", "row": 0, "col": 3}, Target("neuron", row=0, col=3), "neuron0x3"),
        ({"kind": "neuron", "row": None, "col": None}, Target("neuron"), "neuronmidxmid"),
        ({"kind": "cumulative", "count": 9}, Target("cumulative", count=9), "cumulative9"),
        (
            {"kind": "joint", "with": ["m/a:1", "m/b:2"]},
            Target("joint", partners=("m/a:1", "m/b:2")),
            "joint+m/a:1+m/b:2",
        ),
    ],
)
def test_targets_are_read_and_labelled(config, target, label):
    assert make_target(config) == target
    assert target.label == label


@pytest.mark.parametrize(
    ("config", "mistakes"),
    [
        ({"kind": "rwo"}, ["target.kind=rwo: no such target; did you mean row?"]),
        ({"kind": "channel", "row": 3}, ["target.row=3: target=channel has no such key"]),
        ({"kind": "neuron", "row": -1, "col": "x"}, ["target.row=-1: a whole", "target.col='x': a whole"]),
        ({"kind": "row", "row": True}, ["target.row=True: a whole"]),
        ({"kind": "row", "row": 1.0}, ["target.row=1.0: a whole"]),
        ({"kind": "cumulative"}, ["target.count is missing"]),
        ({"kind": "cumulative", "count": 0}, ["target.count=0: a whole number from 1 up"]),
        ({"kind": "joint", "with": []}, ["target.with=[]: target=joint wants a list of features"]),
        ({"kind": "joint", "with": "m/a:1"}, ["target.with='m/a:1': target=joint wants a list"]),
        ({"kind": "joint", "with": ["m/a", "m/a:1", ":2"]}, ["target.with: 'm/a' is no", "target.with: ':2' is no"]),
    ],
)
def test_every_mistake_is_named_at_once(config, mistakes):
    with pytest.raises(ConfigError) as caught:
        make_target(config)
    assert len(caught.value.mistakes) == len(mistakes)
    for told, wanted in zip(caught.value.mistakes, mistakes, strict=True):
        assert told.startswith(wanted)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (Target("row", row=15), []),
        (Target("row", row=16), ["target.row=16: alpha/stem is 16 x 16 at 64 pixels"]),
        (Target("neuron", row=16, col=99), ["target.row=16: alpha/stem", "target.col=99: alpha/stem"]),
        (Target("cumulative", count=256), []),
        (Target("cumulative", count=257), ["target.count=257: alpha/stem is 16 x 16"]),
        (Target("row"), []),
    ],
)
def test_places_are_held_against_the_map(target, named):
    mistakes = target_mistakes(target, card(), [STEM])
    assert [mistake[: len(wanted)] for mistake, wanted in zip(mistakes, named, strict=True)] == named


def test_every_layer_is_held_against_the_target():
    assert len(target_mistakes(Target("row", row=1), card(), [STEM, HEAD])) == 1


def test_partners_must_be_of_the_same_model_and_exist():
    partners = ("alpha/head:9", "beta/head:0", "alpha/haed:0", "alpha/head:10")
    assert target_mistakes(Target("joint", partners=partners), card(), [STEM]) == [
        "target.with=beta/head:0: the partner must be of the model that is driven, alpha",
        "target.with=alpha/haed:0: alpha has no layer haed; did you mean head?",
        "target.with=alpha/head:10: alpha/head has 10 channels (0 to 9)",
    ]


@pytest.mark.parametrize(
    ("config", "labels"),
    [
        ({"kind": "neuron", "row": [0, 1], "col": [2]}, ["neuron0x2", "neuron1x2"]),
        ({"kind": "neuron", "row": [0, 1], "col": [2, 3]}, ["neuron0x2", "neuron0x3", "neuron1x2", "neuron1x3"]),
        ({"kind": "neuron", "row": [0, None], "col": 4}, ["neuron0x4", "neuronmidx4"]),
        ({"kind": "row", "row": (3, 1, 3)}, ["row3", "row1"]),
        ({"kind": "cumulative", "count": [1, 5]}, ["cumulative1", "cumulative5"]),
        ({"kind": "row", "row": 3}, ["row3"]),
        ({"kind": "joint", "with": ["m/a:1", "m/b:2"]}, ["joint+m/a:1+m/b:2"]),
        ({}, ["channel"]),
    ],
)
def test_lists_of_places_are_multiplied(config, labels):
    assert [target.label for target in make_targets(config)] == labels


@pytest.mark.parametrize(
    ("config", "mistakes"),
    [
        ({"kind": "neuron", "row": [], "col": [2]}, ["target.row=[]: a number, or a list of some, is wanted"]),
        ({"kind": "neuron", "row": [], "col": []}, ["target.row=[]: a number", "target.col=[]: a number"]),
        ({"kind": "neuron", "row": [0, -1], "col": [2]}, ["target.row=-1: a whole number from 0 up"]),
        ({"kind": "cumulative", "count": [1, 0]}, ["target.count=0: a whole number from 1 up"]),
        ({"kind": "channel", "row": [0, 1]}, ["target.row=0: target=channel has no such key"]),
        ({"kind": "row", "row": [[0]]}, ["target.row=[0]: a whole number"]),
    ],
)
def test_a_wrong_list_is_refused(config, mistakes):
    with pytest.raises(ConfigError) as caught:
        make_targets(config)
    assert len(caught.value.mistakes) == len(mistakes)
    for told, wanted in zip(caught.value.mistakes, mistakes, strict=True):
        assert told.startswith(wanted)
