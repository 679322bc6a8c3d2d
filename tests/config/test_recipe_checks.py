"""Each check of a recipe: what it refuses, what it says, and what it lets pass."""

import math
from pathlib import Path

import pytest
from made_cards import recipe

from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError
from atlas.config.recipe_checks import CHOICES, recipe_mistakes
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import OctaveConfig, TransformsConfig
from atlas.optvis.steps import OPTIMIZERS

NAMES = sorted(path.stem for path in (conf_dir() / "recipe").glob("*.yaml"))
FILE, FOLDER = __file__, str(Path(__file__).parent)
ONE = [OctaveConfig(size=64, steps=3)]
TWO = [*ONE, *ONE]


def octave(**changes) -> dict:
    return {"octaves": [OctaveConfig(**{"size": 64, "steps": 3} | changes)]}


def transforms(**changes) -> dict:
    return {"transforms": TransformsConfig(**changes)}


def fourier(**changes) -> dict:
    return {"param": "fourier", "start": [0.0, 0.01], "octaves": ONE} | changes


def phases(**changes) -> dict:
    return {"param": "phases", "start": [0.0, 1.0], "octaves": ONE} | changes


def told(**changes) -> list[str]:
    return list(recipe_mistakes(recipe(**changes)))


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_of_ours_is_right(name):
    assert list(recipe_mistakes(read_recipe(name))) == []


def test_the_names_in_the_checks_are_those_in_the_code():
    assert CHOICES["optimizer"] == ("descent", *OPTIMIZERS)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        fourier(),
        phases(spectrum=FOLDER),
        {"picture": "sklearn:flower.jpg"},
        {"optimizer": "adam", "weight_decay": 0.5},
        transforms(crop=[0.01, 1.0], noise=3.0, views=9),
        transforms(pad=99, jitter=[0, 7], scale=[0.1, 10.0], rotate=180),
        fourier(gradient="rms"),
        octave(sigma=[0.001, 100.0], lr=[-1.0, 0.0]),
    ],
)
def test_what_is_unusual_and_right_passes(changes):
    assert told(**changes) == []


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"param": "pixel"}, "recipe.param=pixel: did you mean pixels?"),
        ({"space": "bgr"}, "recipe.space=bgr: "),
        ({"gradient": "norm"}, "recipe.gradient=norm: "),
        ({"optimizer": "adamw"}, "recipe.optimizer=adamw: did you mean adam"),
        ({"precision": "float16"}, "recipe.precision=float16: did you mean"),
        ({"start": [0.6, 0.5]}, "recipe.start=[0.6, 0.5]: the bounds [low, high]"),
        ({"start": [0.5]}, "recipe.start=[0.5]: the bounds"),
        ({"start": [0.5, math.inf]}, "recipe.start=[0.5, inf]: the bounds"),
        (fourier(start=[0.0, -1.0]), "recipe.start=[0.0, -1.0]: mean and deviation of the fourier"),
        (phases(start=[math.nan, 1.0]), "recipe.start=[nan, 1.0]: mean and deviation of the phases"),
        (phases(start=[0.0]), "recipe.start=[0.0]: mean and deviation"),
        ({"rescue": -1}, "recipe.rescue=-1: a whole number from 0 up"),
        ({"trace_every": 0}, "recipe.trace_every=0: a whole number from 1 up"),
        ({"optimizer": "sgd", "weight_decay": -0.1}, "recipe.weight_decay=-0.1: a number from 0 up"),
        ({"optimizer": "sgd", "weight_decay": math.nan}, "recipe.weight_decay=nan: a number from 0 up"),
        ({"weight_decay": 0.1}, "recipe.weight_decay=0.1: optimizer=descent has none; use optimizer=sgd"),
        ({"octaves": []}, "recipe.octaves=[]: at least one octave is wanted, as {size: 64"),
        (octave(size=7), "recipe.octaves[0].size=7: at least 8 pixels"),
        (octave(steps=0), "recipe.octaves[0].steps=0: a whole number from 1 up"),
        (octave(lr=[0.1]), "recipe.octaves[0].lr=[0.1]: two rates"),
        (octave(lr=[0.1, math.nan]), "recipe.octaves[0].lr=[0.1, nan]: two rates"),
        (octave(sigma=[0.0, 1.0]), "recipe.octaves[0].sigma=[0.0, 1.0]: two widths [start, end] above 0"),
        (octave(sigma=[1.0]), "recipe.octaves[0].sigma=[1.0]: two widths"),
        (octave(shown=64), "recipe.octaves[0].shown=64: this is worked out from recipe.transforms; leave it null"),
        ({"octaves": [*ONE, OctaveConfig(size=3)]}, "recipe.octaves[1].size=3: at least 8"),
        (
            {"picture": "no/such.jpg"},
            "recipe.picture=no/such.jpg: no such file; name a picture, or one at hand: sklearn:",
        ),
        ({"picture": FOLDER}, f"recipe.picture={FOLDER}: no such file"),
        ({"picture": "sklearn:cat.jpg"}, "recipe.picture=sklearn:cat.jpg: no such file"),
        (fourier(octaves=TWO), "recipe.octaves: recipe.param=fourier works at one size; give one octave, not 2"),
        (fourier(**octave(sigma=[1.0, 0.5])), "recipe.octaves[0].sigma=[1.0, 0.5]: recipe.param=fourier has no pixels"),
        (fourier(clamp=True), "recipe.clamp=true: recipe.param=fourier is within [0, 1] already"),
        (phases(space="model"), "recipe.space=model: recipe.param=phases makes RGB"),
        (
            phases(picture="sklearn:china.jpg"),
            "recipe.picture=sklearn:china.jpg: recipe.param=phases does not begin as",
        ),
        (phases(spectrum="no/such"), "recipe.spectrum=no/such: no such folder; name one of pictures"),
        (phases(spectrum=FILE), f"recipe.spectrum={FILE}: is no folder"),
        (transforms(pad=-1), "recipe.transforms.pad=-1: a whole number from 0 up"),
        (transforms(views=0), "recipe.transforms.views=0: a whole number from 1 up"),
        (transforms(jitter=[8]), "recipe.transforms.jitter=[8]: pixels before and after"),
        (transforms(jitter=[8, -4]), "recipe.transforms.jitter=[8, -4]: pixels before and after"),
        (transforms(scale=[0.0, 1.0]), "recipe.transforms.scale=[0.0, 1.0]: two factors [from, to] between 0.1 and 10"),
        (transforms(scale=[1.0, 11.0]), "recipe.transforms.scale=[1.0, 11.0]: two factors"),
        (transforms(rotate=-1.0), "recipe.transforms.rotate=-1.0: a number from 0 to 180"),
        (transforms(rotate=math.nan), "recipe.transforms.rotate=nan: a number from 0 to 180"),
        (transforms(noise=-0.1), "recipe.transforms.noise=-0.1: a number from 0 up"),
        (transforms(noise=math.inf), "recipe.transforms.noise=inf: a number from 0 up"),
        (
            transforms(crop=[0.0, 0.5]),
            "recipe.transforms.crop=[0.0, 0.5]: two parts [from, to] of the image, 0.01 to 1",
        ),
        (transforms(crop=[0.5]), "recipe.transforms.crop=[0.5]: two parts"),
        (transforms(crop=[0.2, 0.3], pad=2), "recipe.transforms.crop=[0.2, 0.3]: crops are not also padded"),
        (transforms(crop=[0.2, 0.3], rotate=2.0), "recipe.transforms.crop=[0.2, 0.3]: crops are not also padded"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_each_mistake_is_named_with_its_place_and_what_is_allowed(changes, mistake):
    (said,) = told(**changes)
    assert said.startswith(mistake)


def test_all_mistakes_are_told_at_once():
    wrong = fourier(octaves=[OctaveConfig(size=3, sigma=[1.0, 1.0])] * 2, clamp=True, space="raw", rescue=-1)
    assert len(told(**wrong)) == 7


def test_a_recipe_read_by_name_is_checked_too():
    with pytest.raises(ConfigError, match=r"recipe\.space=raw: recipe\.param=fourier makes RGB"):
        read_recipe("fourier", space="raw")
    with pytest.raises(ConfigError, match=r"recipe\.transforms\.views"):
        read_recipe("maco", transforms={"views": "many"})
