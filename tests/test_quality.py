"""What the images are worth, on the network that comes with the package, with the recipe that the demo uses."""

import pytest
import torch

import atlas
from atlas.config.compose import compose_model
from atlas.config.recipe_files import read_recipe
from atlas.optvis.priors import resize
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.drawings import CLASSES, draw
from atlas.zoo.load import load
from atlas.zoo.patternnet import MEAN, STD

pytestmark = pytest.mark.job


def test_the_image_made_for_a_class_is_classified_as_that_class() -> None:
    """At least 15 of 16, at the size it was made and at the size the network was trained on."""
    config = compose_model("patternnet")
    net = load("patternnet", config)
    recipe = fit_recipe(
        read_recipe("normalized"), "patternnet", input_size=64, sizes=config.sizes, steps=config.steps, device="cpu"
    )
    made = atlas.visualize(net.model, "logits", list(range(len(CLASSES))), recipe=recipe, mean=MEAN, std=STD)
    assert made.status == ["ok"] * len(CLASSES)
    own = torch.arange(len(CLASSES))
    for images in (made.images, resize(made.images, 64)):
        with torch.no_grad():
            said = net.model(net.preprocess(images)).argmax(1)
        assert (said == own).sum() >= 15


@pytest.mark.slow
def test_an_image_drives_its_channel_harder_than_the_best_of_many_drawn_pictures() -> None:
    config = compose_model("patternnet")
    net = load("patternnet", config)
    channels = list(range(0, 128, 16))
    recipe = fit_recipe(
        read_recipe("normalized"), "patternnet", input_size=64, sizes=[64, 64, 64], steps=config.steps, device="cpu"
    )
    made = atlas.visualize(net.model, "conv5", channels, recipe=recipe, mean=MEAN, std=STD)
    pictures = draw(torch.arange(512) % len(CLASSES), torch.Generator().manual_seed(1))
    with torch.no_grad():
        natural = net.forward(["conv5"])(net.preprocess(pictures))["conv5"].mean((2, 3))[:, channels].amax(0)
    assert (made.scores > natural).float().mean() >= 0.9
