"""Channels by layer, and with one `channels` for all of them: the same for sweeps and dreams."""

from dataclasses import replace

import pytest
from made_cards import card, sweep

from atlas.config.mistakes import ConfigError
from atlas.config.schema import DreamConfig
from atlas.sweep.selection import Selecting, read_selection

NAMES = ("red", "green", "blue", "cyan", "pink", "gray", "teal", "gold", "lime", "navy")


def classifier(name: str = "alpha"):
    """`card` with names for the channels of its head."""
    own = card(name)
    return replace(own, layers=(*own.layers[:-1], replace(own.layers[-1], classes=NAMES)))


def selected(config: Selecting) -> dict[str, tuple[int, ...]]:
    own = classifier()
    selection = read_selection(config, {"alpha": own})
    return {layer.name: selection.channels(own, layer) for layer in selection.layers(own)}


def refused(**changes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_selection(sweep(**changes), {"alpha": classifier()})
    return list(caught.value.mistakes)


@pytest.mark.parametrize(
    ("layers", "channels"),
    [
        ({"stem": [3], "head": [9, "blue", "red"]}, {"stem": (3,), "head": (9, 2, 0)}),
        ({"head": "green", "block*": "0:3"}, {"block1": (0, 1, 2), "block2": (0, 1, 2), "head": (1,)}),
        ({"stem": "all"}, {"stem": tuple(range(8))}),
        # a layer that several globs mean has the channels of all of them
        ({"default": "0:2", "block2": [7, 1]}, {"stem": (0, 1), "block2": (0, 1, 7)}),
    ],
)
def test_a_mapping_says_the_channels_of_each_layer(layers, channels):
    assert selected(sweep(layers=layers)) == channels
    assert selected(DreamConfig(layers=layers, models=sweep().models, target={"kind": "channel"})) == channels


def test_a_list_has_the_same_channels_in_each_layer():
    assert selected(sweep(layers=["stem", "head"], channels=[1, 4])) == {"stem": (1, 4), "head": (1, 4)}
    assert selected(sweep(layers="head", channels=["pink", 0])) == {"head": (4, 0)}


def test_every_mistake_in_a_mapping_is_named_with_its_place():
    layers = {"stem": [99, "red"], "hed": [0], "head": ["blu", 10], "block1": "5:5", 3: []}
    assert refused(layers={key: layers[key] for key in ("block1", 3)}) == [
        "layers.block1='5:5': '5:5' holds no channel; a range ends before its second number",
        "layers.3=[]: write all, a:b, a:b:step, or a list as [0]",
        "layers=3: matches no layer of alpha; allowed: stem, block1, block1.conv, block2, head "
        "(`atlas layers MODEL` lists them)",
    ]
    assert refused(layers={key: layers[key] for key in ("stem", "hed", "head")}) == [
        "layers=hed: matches no layer of alpha; did you mean head? (`atlas layers MODEL` lists them)",
        "layers.stem=99: alpha/stem has 8 channels (0 to 7)",
        "layers.stem='red': 'red' is no channel of alpha/stem; write all, a:b, a:b:step, or a list of numbers from 0",
        "layers.head='blu': 'blu' is no class of alpha/head; did you mean blue?",
        "layers.head=10: alpha/head has 10 channels (0 to 9)",
    ]


def test_channels_beside_a_mapping_are_refused_once():
    assert refused(layers={"stem": [0]}, channels="0:4") == [
        "channels='0:4': layers says which channels of each layer; leave channels out, or give layers as a list"
    ]
    assert "name at least one layer" in refused(layers={})[0]


def test_a_dream_wants_channels_unless_its_layers_say_them():
    config = DreamConfig(layers=["stem"], models=sweep().models, target={"kind": "channel"})
    with pytest.raises(ConfigError, match="channels: a value is needed, as channels=VALUE"):
        read_selection(config, {"alpha": classifier()})
