"""A recipe made to fit a model: sizes and step counts that the recipe leaves open are the model's own."""

from dataclasses import replace

from atlas.config.mistakes import ConfigError
from atlas.config.schema import RecipeConfig

GROWTH = (1.0, 340 / 299, 380 / 299)  # the sources' octaves, relative to the input size of their network
STEPS = 40  # of an octave of a whole atlas's recipe, where a model says nothing else


def fit_recipe(
    recipe: RecipeConfig,
    name: str,
    *,
    input_size: int,
    grows: bool = True,
    sizes: list[int] | None = None,
    steps: list[int] | None = None,
) -> RecipeConfig:
    """The recipe with every size (pixels) and step count filled in; ConfigError where the model names too few.

    The images of a model that takes only its own input size (`grows` false) stay at it.
    """
    octaves = []
    for place, octave in enumerate(recipe.octaves):
        size, count = octave.size, octave.steps
        if size is None:
            size = _pick(
                sizes, place, f"models.{name}.sizes", otherwise=round(input_size * (_growth(place) if grows else 1.0))
            )
        if count is None:
            count = _pick(steps, place, f"models.{name}.steps", otherwise=STEPS)
        octaves.append(replace(octave, size=size, steps=count))
    return replace(recipe, octaves=octaves)


def _growth(place: int) -> float:
    """Past the sources' three octaves an image keeps growing as from the second to the third."""
    return GROWTH[place] if place < len(GROWTH) else GROWTH[-1] * (GROWTH[-1] / GROWTH[-2]) ** (place + 1 - len(GROWTH))


def _pick(values: list[int] | None, place: int, where: str, *, otherwise: int) -> int:
    if values is None:
        return otherwise
    if place >= len(values):
        raise ConfigError([f"{where}={values}: the recipe has {place + 1} or more octaves; give a number for each"])
    return values[place]
