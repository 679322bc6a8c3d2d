"""Sizes and steps that a recipe leaves open are the model's own."""

from copy import deepcopy

import pytest
from made_cards import recipe

from atlas.config.mistakes import ConfigError
from atlas.config.recipes import read_recipe
from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.sweep.recipes import STEPS, fit_recipe

OPEN = recipe(octaves=[OctaveConfig(), OctaveConfig(), OctaveConfig()])


def fitted(given=OPEN, **options) -> list[tuple[int | None, int | None]]:
    octaves = fit_recipe(given, "m", **{"input_size": 299} | options).octaves
    return [(octave.size, octave.steps) for octave in octaves]


def test_the_sources_sizes_at_the_sources_input_size():
    assert fitted() == [(299, STEPS), (340, STEPS), (380, STEPS)]


def test_other_input_sizes_grow_alike():
    assert [size for size, _ in fitted(input_size=224)] == [224, 255, 285]


def test_the_models_own_numbers_come_first_and_the_recipes_before_them():
    assert fitted(sizes=[64, 80, 96], steps=[20, 16, 12]) == [(64, 20), (80, 16), (96, 12)]
    half = recipe(octaves=[OctaveConfig(size=50), OctaveConfig(steps=3)])
    assert fitted(half, sizes=[64, 80], steps=[20, 16]) == [(50, 20), (80, 3)]
    octaves = read_recipe("octaves")
    assert fit_recipe(octaves, "m", input_size=64, sizes=[1, 2, 3], steps=[1, 1, 1]) == octaves


def test_past_the_sources_three_octaves_images_keep_growing():
    sizes = [size for size, _ in fitted(recipe(octaves=[OctaveConfig()] * 6))]
    assert sizes == sorted(set(sizes))
    assert sizes[3] / sizes[2] == pytest.approx(380 / 340, abs=0.01)


def test_too_few_numbers_are_refused():
    for options, where in (({"sizes": [64, 80]}, "models.m.sizes"), ({"steps": []}, "models.m.steps")):
        with pytest.raises(ConfigError, match=where):
            fitted(**options)


def test_the_recipe_is_not_changed_and_the_rest_of_it_stays():
    before = deepcopy(OPEN)
    once = fit_recipe(OPEN, "m", input_size=100)
    assert before == OPEN
    assert (once.name, once.start, once.octaves[0].lr) == (OPEN.name, OPEN.start, OPEN.octaves[0].lr)
    assert fit_recipe(once, "other", input_size=5) == once


def test_a_model_that_takes_only_its_own_size_keeps_it():
    open_ended = RecipeConfig(name="r", start=[0.4, 0.6], octaves=[OctaveConfig(), OctaveConfig(), OctaveConfig()])
    sizes = [octave.size for octave in fit_recipe(open_ended, "vit", input_size=224, grows=False).octaves]
    assert sizes == [224, 224, 224]
