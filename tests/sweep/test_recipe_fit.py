"""Sizes and steps that a recipe leaves open are the model's own."""

from copy import deepcopy
from functools import partial

import pytest
from made_cards import recipe

from atlas.config.mistakes import ConfigError
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.sweep import recipe_fit
from atlas.sweep.recipe_fit import STEPS, Material

fit_recipe = partial(recipe_fit.fit_recipe, device="cpu")

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


def test_a_recipe_of_one_size_has_the_models_own():
    assert fitted(recipe(octaves=[OctaveConfig()]), input_size=64, sizes=[48, 64, 96], steps=[28, 18, 14]) == [(64, 28)]


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


def refused(given: RecipeConfig, **options) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        fit_recipe(given, "vit", **{"input_size": 224, "grows": False} | options)
    return list(caught.value.mistakes)


ONLY = "vit takes images of 224 x 224 pixels only"


def test_other_sizes_are_refused_for_a_model_that_takes_only_its_own():
    assert refused(read_recipe("octaves")) == [
        f"recipe.octaves[{place}].size={size}: {ONLY}; leave size null, or give 224"
        for place, size in enumerate((299, 340, 380))
    ]
    assert fit_recipe(read_recipe("filter"), "vit", input_size=224, grows=False).octaves[0].size == 224
    assert refused(recipe(octaves=[OctaveConfig(), OctaveConfig()]), sizes=[80, 224]) == [
        f"models.vit.sizes[0]=80: {ONLY}; leave it null, or give 224"
    ]


def test_a_picture_that_does_not_fit_such_a_model_is_refused_with_all_that_is_wrong():
    dream = read_recipe("dream")
    wide, square = Material("china@0", (427, 640)), Material("cat@1", (500, 500))
    size = f"recipe.octaves[0].size=null, of recipe.picture=sklearn:china.jpg: {ONLY}; give 224"
    cut = f"recipe.picture=sklearn:china.jpg: {ONLY}, and this is 640 x 427; cut it square"
    assert refused(dream, material=wide) == [size, cut]
    assert refused(dream, material=square) == [size]
    sized = read_recipe("dream", octaves=[{"size": 224, "steps": 3}])
    assert refused(sized, material=wide) == [cut]
    assert fit_recipe(sized, "vit", input_size=224, grows=False, material=square).octaves[0].size == 224


def test_a_picture_keeps_its_size_unless_one_is_given_and_is_known_by_content():
    china = Material("sklearn:china.jpg@0123", (427, 640))
    fitted_ = fit_recipe(read_recipe("dream"), "m", input_size=64, sizes=[64], material=china)
    assert (fitted_.octaves[0].size, fitted_.octaves[0].steps, fitted_.picture) == (640, 250, "sklearn:china.jpg@0123")
    smaller = read_recipe("dream", octaves=[{"size": 320, "steps": 5}])
    assert fit_recipe(smaller, "m", input_size=64, material=china).octaves[0].size == 320


def test_what_is_shown_is_the_image_with_its_frame_less_what_jitter_takes():
    (octave,) = fit_recipe(read_recipe("fourier"), "m", input_size=224).octaves
    assert (octave.size, octave.shown) == (224, 224 + 2 * 12 - 8 - 4)
    (fixed,) = fit_recipe(read_recipe("fourier"), "m", input_size=224, grows=False).octaves
    assert (fixed.size, fixed.shown) == (224, None)
    (own,) = fit_recipe(read_recipe("fourier"), "m", input_size=224, sizes=[64, 80]).octaves
    assert own.size == 224, "models.NAME.sizes are of pixels and their octaves"


def test_crops_are_shown_at_the_models_size_and_the_image_is_as_much_larger():
    (octave,) = fit_recipe(read_recipe("maco"), "m", input_size=224).octaves
    assert octave.shown == 224
    assert octave.size * (0.2 + 0.25) / 2 == pytest.approx(224, abs=1)
    (fixed,) = fit_recipe(read_recipe("maco"), "m", input_size=224, grows=False).octaves
    assert (fixed.size, fixed.shown) == (224, None)


def test_recipes_that_show_the_image_itself_say_nothing_of_it():
    for name in ("standard", "normalized", "octaves", "filter", "quick"):
        assert {octave.shown for octave in fit_recipe(read_recipe(name), "m", input_size=224).octaves} == {None}


@pytest.mark.parametrize(("device", "precision"), [("cpu", "float32"), ("cuda", "bfloat16"), ("mps", "float32")])
def test_precision_auto_goes_by_the_device_and_any_other_is_left(device: str, precision: str):
    for name in ("auto", "tf32", "float32"):
        fit = fit_recipe(recipe(precision=name), "m", input_size=64, device=device)
        assert fit.precision == (precision if name == "auto" else name)
