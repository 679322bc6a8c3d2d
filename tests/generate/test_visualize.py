"""`atlas.visualize` on any module: what it returns, what it refuses, and that it leaves no trace in the model."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import atlas
from atlas.config.compose import compose_model
from atlas.config.mistakes import ConfigError
from atlas.optvis import channel
from atlas.zoo.load import load
from atlas.zoo.patternnet import MEAN, STD
from tests.small_nets import Tokens, images, kinked, recipe, seeded, smooth
from tests.zoo.test_layers import hooks

OCTAVES = [dict(size=16, steps=6, lr=(0.4, 0.3), sigma=(2.4, 0.8)), dict(size=20, steps=4, lr=(0.3, 0.2))]


def test_what_comes_back():
    net = smooth()
    v = atlas.visualize(net, layer="2", channels=[0, 5, 5], metric="l1", octaves=OCTAVES)
    assert v.images.shape == (3, 3, 20, 20)
    assert v.scores.shape == v.losses.shape == (3,)
    assert v.activations.shape == (3, 8)
    assert v.status == ["ok"] * 3
    assert torch.equal(v.images[1], v.images[2])
    with torch.no_grad():
        maps = net[:3](v.images)
    torch.testing.assert_close(v.activations, maps.mean((2, 3)))
    torch.testing.assert_close(v.scores, v.activations[[0, 1, 2], [0, 5, 5]])
    assert [len(trace) for trace in v.trace] == [1, 1, 1]
    assert all(score > trace[0] for score, trace in zip(v.scores, v.trace, strict=True))


def test_pictures_are_the_clipped_images():
    v = atlas.visualize(smooth(), "2", [0, 5], recipe="octaves", octaves=[dict(size=16, steps=30, lr=[5.0, 5.0])])
    assert v.images.min() < 0 or v.images.max() > 1
    for picture, image in zip(v.pil(), v.images, strict=True):
        assert (picture.mode, picture.size) == ("RGB", (16, 16))
        for place in ((0, 0), (3, 11)):
            wanted = (image[:, place[1], place[0]].clamp(0, 1) * 255).round().int().tolist()
            assert list(picture.getpixel(place)) == wanted


def test_one_channel_may_stand_alone_and_seeds_differ():
    first = atlas.visualize(smooth(), "2", 3, octaves=OCTAVES)
    again = atlas.visualize(smooth(), "2", [3], octaves=OCTAVES, seed=0)
    other = atlas.visualize(smooth(), "2", [3], octaves=OCTAVES, seed=1)
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


def test_more_channels_than_fit_together_are_as_when_alone(monkeypatch):
    channels = [i % 8 for i in range(19)]
    monkeypatch.setattr("atlas.engine.memory.CPU_BUDGET", 1 << 20)
    sizes = []
    net = smooth()
    net.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    many = atlas.visualize(net, "2", channels, octaves=OCTAVES)
    assert 1 < max(sizes) < 19, "as many at once as the memory is said to hold"
    for place in (0, 15, 16, 18):
        one = atlas.visualize(smooth(), "2", channels[place], octaves=OCTAVES)
        torch.testing.assert_close(many.images[place], one.images[0], rtol=0, atol=1e-4)


def test_the_model_is_left_as_it_was():
    net = kinked().train()
    net[1].eval()
    modes = [module.training for module in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    held = list(hooks(net))
    v = atlas.visualize(net, "6", [0, 1], octaves=OCTAVES)
    assert torch.equal(v.images, atlas.visualize(kinked(), "6", [0, 1], octaves=OCTAVES).images), "made in eval mode"
    with pytest.raises(ValueError, match="channels"):
        atlas.visualize(net, "6", [99], octaves=OCTAVES)
    assert [module.training for module in net.modules()] == modes
    assert list(hooks(net)) == held
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in net.parameters())


def test_a_start_takes_the_place_of_the_noise_and_is_kept():
    start = images(2, 18)
    before = start.clone()
    v = atlas.visualize(smooth(), "2", [0, 1], recipe="octaves", octaves=[dict(steps=1, lr=(0.0, 0.0))], start=start)
    assert torch.equal(start, before)
    torch.testing.assert_close(v.images, start)


def test_mean_and_std_stand_between_image_and_model():
    net, start = smooth(), images(1, 16)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    v = atlas.visualize(net, "2", 0, octaves=[dict(steps=1, lr=(0.0, 0.0))], start=start, mean=mean, std=std)
    seen = (start - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    torch.testing.assert_close(v.activations, net[:3](seen).mean((2, 3)).detach())


@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
@pytest.mark.parametrize(
    "target", ["channel", "row", dict(kind="neuron", row=0, col=3), dict(kind="cumulative", count=9)]
)
def test_every_metric_of_every_target(metric, target):
    v = atlas.visualize(smooth(), "2", [4], metric=metric, target=target, octaves=OCTAVES)
    assert v.scores[0] > v.trace[0][0]


def test_features_without_a_map():
    v = atlas.visualize(kinked(), "11", [0, 3], octaves=OCTAVES)
    assert v.activations.shape == (2, 4)
    assert v.status == ["ok", "ok"]
    torch.testing.assert_close(v.scores, v.activations[[0, 1], [0, 3]])


@pytest.mark.parametrize(("layer", "channels"), [("block", 16), ("block.linear1", 32), ("head", 4)])
def test_tokens_of_a_transformer(layer, channels):
    v = atlas.visualize(seeded(Tokens), layer, [0, 2], octaves=[dict(size=24, steps=5, lr=(0.1, 0.1))])
    assert v.activations.shape == (2, channels)
    assert v.status == ["ok", "ok"]
    assert all(score > trace[0] for score, trace in zip(v.scores, v.trace, strict=True))


def test_a_recipe_may_be_an_object():
    v = atlas.visualize(smooth(), "2", [1], recipe=recipe((12, 2)))
    assert v.images.shape == (1, 3, 12, 12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer": "3x"}, "no layer '3x' in Sequential"),
        ({"metric": "l3"}, "metric='l3': no such metric.*l1"),
        ({"channels": [0, 8]}, r"channels=\[8\]: layer 2 has 8 channels \(0 to 7\)"),
        ({"channels": -1}, r"channels=\[-1\]"),
        ({"recipe": "octavs"}, "recipe='octavs': no such recipe; did you mean octaves"),
        ({"octaves": []}, r"recipe.octaves=\[\]: at least one octave"),
        ({"octaves": [dict(sise=16)]}, r"recipe.octaves\[0\].sise|Key 'sise'"),
        ({"octaves": [dict(size=16, steps=0)]}, r"recipe.octaves\[0\].steps=0"),
        ({"channels": []}, "a channel or a list of channels is wanted"),
        ({"channels": [True]}, "a channel or a list of channels is wanted"),
        ({"start": torch.zeros(1, 2, 8, 9)}, "one image for each channel"),
        ({"start": torch.zeros(1, 3, 8, 8), "recipe": "fourier", "octaves": None}, "one of pixels can have a start"),
        ({"mean": [0.5, 0.5]}, "2 numbers for a model that takes 3 channels"),
        ({"target": {"kind": "joint", "with": ["net/2:99"]}}, r"channels=\[99\]: layer 2 has"),
        ({"start": torch.zeros(2, 3, 8, 8)}, r"start has shape \(2, 3, 8, 8\).*\(1, 3, h, w\)"),
        ({"target": "rows"}, "target.kind=rows: no such target; did you mean row"),
        ({"target": {"kind": "row", "row": 99}}, r"target.row=99: this map has"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_named(changes, message):
    asked = {"layer": "2", "channels": [0], "octaves": OCTAVES} | changes
    with pytest.raises((ValueError, ConfigError), match=message):
        atlas.visualize(smooth(), asked.pop("layer"), asked.pop("channels"), **asked)


def test_a_module_without_parameters_works():
    v = atlas.visualize(nn.Sequential(nn.AvgPool2d(2)), "0", [0], octaves=OCTAVES)
    assert v.status == ["ok"]


def test_a_joint_target_drives_its_partners_too():
    octaves = [{"size": 16, "steps": 12, "lr": (0.1, 0.1)}]
    alone = atlas.visualize(smooth(), "2", [0], octaves=octaves)
    joint = atlas.visualize(smooth(), "2", [0], octaves=octaves, target={"kind": "joint", "with": ["net/2:5"]})
    assert joint.activations[0, 5] > alone.activations[0, 5]


def test_a_layer_may_name_its_channel():
    by_address = atlas.visualize(smooth(), "2:3", octaves=OCTAVES)
    assert torch.equal(by_address.images, atlas.visualize(smooth(), "2", 3, octaves=OCTAVES).images)
    assert by_address.labels == ["2:3"]


def test_an_objective_of_ones_own():
    made = atlas.visualize(smooth(), objective=0.5 * channel("2:3") - channel("4:1"), octaves=OCTAVES)
    assert made.images.shape[0] == 1 and made.labels == ["0.5 2:3 - 4:1"]
    assert made.scores[0] > made.trace[0][0]
    alone = atlas.visualize(smooth(), objective=channel("2:3"), metric="l2", octaves=OCTAVES)
    assert torch.equal(alone.images, atlas.visualize(smooth(), "2", 3, metric="l2", octaves=OCTAVES).images)


def test_a_model_by_name_is_shown_what_its_weights_were_trained_with():
    octaves = [dict(size=24, steps=3, lr=(0.1, 0.1))]
    named = atlas.visualize("patternnet", "conv3:12", octaves=octaves)
    loaded = load("patternnet", compose_model("patternnet"))
    by_hand = atlas.visualize(loaded.model, "conv3", 12, octaves=octaves, input_size=64, mean=MEAN, std=STD)
    torch.testing.assert_close(named.images, by_hand.images, rtol=0, atol=1e-4)
    with pytest.raises(ConfigError, match="patternet"):
        atlas.visualize("patternet", "conv3:12")


def test_a_notebook_shows_each_image_above_its_caption():
    made = atlas.visualize(smooth(), "2", [0, 3], octaves=OCTAVES)
    html = made._repr_html_()
    assert html.count("data:image/png;base64,") == 2 and "2:3" in html
    assert repr(made).startswith("Visualization(2 x ") and len(repr(made)) < 200
    hostile = replace(made, labels=["<script>", "2:3"])
    assert "<script>" not in hostile._repr_html_()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "layer is missing"),
        ({"layer": "2"}, "channels is missing"),
        ({"layer": "2", "objective": channel("2:1")}, "leave layer and channels out"),
        ({"objective": channel("2:99")}, r"channels=\[99\]: layer 2 has"),
    ],
)
def test_what_is_to_be_driven_is_said_once(asked, message):
    with pytest.raises(ValueError, match=message):
        atlas.visualize(smooth(), **asked, octaves=OCTAVES)


def test_a_class_is_a_channel_by_its_name():
    named = atlas.visualize("patternnet", "logits", ["rings", 3], octaves=OCTAVES)
    assert named.labels == ["logits:6", "logits:3"]
    (alone,) = atlas.visualize("patternnet", "logits:rings", octaves=OCTAVES).images
    assert torch.allclose(alone, named.images[0], atol=1e-4)


@pytest.mark.parametrize(
    ("model", "layer", "name", "message"),
    [
        ("patternnet", "logits", "ringz", "did you mean rings"),
        ("patternnet", "conv5", "rings", "conv5 has no classes with names"),
        (None, "2", "rings", "2 has no classes with names"),
    ],
)
def test_a_name_of_no_class_is_refused(model, layer, name, message):
    with pytest.raises(ValueError, match=message):
        atlas.visualize(model or smooth(), layer, name, octaves=OCTAVES)
