"""METHODS §5.11: the sources' loop, written naively, one image at a time, gives the same image as ours."""

import pytest
import torch
from references import OCTAVES, naive_octaves
from torch import Tensor, nn

import atlas
from atlas.config.schema import ModelConfig
from atlas.zoo.load import load
from tests.small_nets import images, kinked

SHORT = [(size, 12, lr, sigma) for size, (_, lr, sigma) in zip((48, 56, 64), OCTAVES, strict=True)]
GAIN = {"l1": 1, "l2": 30, "linf": 300, "mean": 300}  # of the layer, so that a few steps drive the image far
WHOLE = [(size, 100, lr, sigma) for size, lr, sigma in OCTAVES]


def difference(model: nn.Module, layer: str, channels: list[int], metric: str, octaves: list, start: Tensor) -> float:
    """The largest difference of any pixel."""
    given = [{"size": size, "steps": steps, "lr": lr, "sigma": sigma} for size, steps, lr, sigma in octaves]
    louder = model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: output * GAIN[metric])
    ours = atlas.visualize(model, layer, channels, metric=metric, recipe="octaves", octaves=given, start=start)
    theirs = [
        naive_octaves(model, layer, start[i : i + 1], channel, metric=metric, octaves=octaves)
        for i, channel in enumerate(channels)
    ]
    louder.remove()
    assert ours.status == ["ok"] * len(channels)
    assert ours.images.std((1, 2, 3)).min() > 0.01, "nothing was driven: undriven noise ends at 0.002"
    assert len({image.sum().item() for image in ours.images}) == len(channels)
    return (ours.images - torch.cat(theirs)).abs().max().item()


@pytest.fixture(scope="module")
def patternnet() -> nn.Module:
    return load("patternnet", ModelConfig(source="patternnet")).model


@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
@pytest.mark.parametrize("layer", ["conv2", "conv5"])
def test_octaves_on_the_trained_patternnet(patternnet, layer, metric):
    assert difference(patternnet, layer, [0, 5, 11], metric, SHORT, images(3, 48)) <= 1e-4


@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
def test_octaves_through_relus_in_place_and_batch_norms(metric):
    assert difference(kinked(), "6", [0, 3, 5], metric, SHORT, images(3, 48)) <= 1e-4


@pytest.mark.parametrize("metric", ["l1", *(pytest.param(m, marks=pytest.mark.slow) for m in ("l2", "linf", "mean"))])
def test_all_three_hundred_steps_at_full_size(metric):
    assert difference(kinked(), "6", [2], metric, WHOLE, images(1, 299)) <= 1e-4
