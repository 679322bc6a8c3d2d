"""What can be wrong with a recipe's values, before any model is looked at."""

import math
from collections.abc import Iterator
from pathlib import Path

from atlas.config import choices
from atlas.config.rules import at_least, choice, folder, two
from atlas.config.schema import OctaveConfig, RecipeConfig, TransformsConfig

CHOICES = {
    "param": choices.PARAMS,
    "space": choices.SPACES,
    "gradient": choices.GRADIENTS,
    "optimizer": ("descent", *choices.OPTIMIZERS),
    "precision": choices.PRECISIONS,
}
AT_HAND = ("sklearn:china.jpg", "sklearn:flower.jpg")  # photographs that come with scikit-learn
OCTAVE = "{size: 64, steps: 20, lr: [0.4, 0.3], sigma: [2.4, 0.8]}"


def recipe_mistakes(recipe: RecipeConfig) -> Iterator[str]:
    """What is wrong with a recipe's values."""
    for key, allowed in CHOICES.items():
        yield from choice(f"recipe.{key}", getattr(recipe, key), allowed)
    yield from _start(recipe)
    for key, least in (("rescue", 0), ("trace_every", 1)):
        yield from at_least(f"recipe.{key}", getattr(recipe, key), least)
    if not 0 <= recipe.weight_decay < math.inf:
        yield f"recipe.weight_decay={recipe.weight_decay}: a number from 0 up is wanted"
    if recipe.weight_decay and recipe.optimizer == "descent":
        yield f"recipe.weight_decay={recipe.weight_decay}: optimizer=descent has none; use optimizer=sgd, adam or nadam"
    yield from _transforms(recipe.transforms)
    if not recipe.octaves:
        yield f"recipe.octaves=[]: at least one octave is wanted, as {OCTAVE}"
    for place, octave in enumerate(recipe.octaves):
        yield from _octave(f"recipe.octaves[{place}]", octave)
    if recipe.param == "pixels":
        yield from _picture(recipe.picture)
    elif recipe.param in choices.PARAMS:
        yield from _no_pixels(recipe)


def _start(recipe: RecipeConfig) -> Iterator[str]:
    low, high = recipe.start if len(recipe.start) == 2 else (math.nan, math.nan)
    if recipe.param == "pixels":
        if not -math.inf < low <= high < math.inf:
            yield f"recipe.start={recipe.start}: the bounds [low, high] of the noise are wanted"
    elif not (math.isfinite(low) and 0 <= high < math.inf):
        yield f"recipe.start={recipe.start}: mean and deviation of the {recipe.param} that images begin with are wanted"


def _no_pixels(recipe: RecipeConfig) -> Iterator[str]:
    """What only pixels can have done to them."""
    param = f"recipe.param={recipe.param}"
    if len(recipe.octaves) > 1:
        yield f"recipe.octaves: {param} works at one size; give one octave, not {len(recipe.octaves)}"
    if any(octave.sigma is not None for octave in recipe.octaves):
        yield f"recipe.octaves[0].sigma={recipe.octaves[0].sigma}: {param} has no pixels to blur; leave it null"
    if recipe.clamp:
        yield f"recipe.clamp=true: {param} is within [0, 1] already; leave it false"
    if recipe.space != "rgb":
        yield f"recipe.space={recipe.space}: {param} makes RGB in [0, 1]; leave it rgb"
    if recipe.picture is not None:
        yield f"recipe.picture={recipe.picture}: {param} does not begin as a picture; use recipe=dream, or leave it null"
    if recipe.param == "phases" and recipe.spectrum != "1/f":
        yield from folder("recipe.spectrum", recipe.spectrum)


def _picture(picture: str | None) -> Iterator[str]:
    if picture is not None and picture not in AT_HAND and not Path(picture).expanduser().is_file():
        yield f"recipe.picture={picture}: no such file; name a picture, or one at hand: {', '.join(AT_HAND)}"


def _transforms(transforms: TransformsConfig) -> Iterator[str]:
    where = "recipe.transforms"
    yield from choice(f"{where}.edge", transforms.edge, choices.EDGES)
    if transforms.edge == "wrap" and transforms.pad:
        yield f"{where}.pad={transforms.pad}: gray around the image and edge=wrap exclude each other; leave one of them"
    for key, least in (("pad", 0), ("views", 1)):
        yield from at_least(f"{where}.{key}", getattr(transforms, key), least)
    yield from two(f"{where}.jitter", transforms.jitter, "pixels before and after scaling and turning are wanted", 0)
    yield from two(f"{where}.scale", transforms.scale, "two factors [from, to] between 0.1 and 10 are wanted", 0.1, 10)
    for key, most in (("rotate", 180), ("noise", math.inf), ("shift", 1)):
        value = getattr(transforms, key)
        if not 0 <= value <= most or not math.isfinite(value):
            yield f"{where}.{key}={value}: a number from 0 {'up' if most == math.inf else f'to {most}'} is wanted"
    if transforms.crop is None:
        return
    yield from two(
        f"{where}.crop", transforms.crop, "two parts [from, to] of the image, 0.01 to 1, are wanted", 0.01, 1
    )
    moved = transforms.pad or any(transforms.jitter) or transforms.shift or transforms.rotate
    if moved or transforms.scale != [1.0, 1.0]:
        yield f"{where}.crop={transforms.crop}: crops are not also padded, moved, scaled or turned; leave those as they are"


def _octave(where: str, octave: OctaveConfig) -> Iterator[str]:
    if octave.size is not None and octave.size < 8:
        yield f"{where}.size={octave.size}: at least 8 pixels are wanted, or null for the model's own size"
    if octave.steps is not None and octave.steps < 1:
        yield f"{where}.steps={octave.steps}: a whole number from 1 up is wanted, or null for the model's own"
    yield from two(f"{where}.lr", octave.lr, "two rates [start, end] are wanted")
    if octave.sigma is not None and not (
        len(octave.sigma) == 2 and all(0 < width < math.inf for width in octave.sigma)
    ):
        yield f"{where}.sigma={octave.sigma}: two widths [start, end] above 0 are wanted, or null for no blur"
    if octave.shown is not None:
        yield f"{where}.shown={octave.shown}: this is worked out from recipe.transforms; leave it null"
