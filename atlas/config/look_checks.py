"""What can be wrong with the values of the jobs that begin with pictures, before one of them or a model is opened."""

import math
from collections.abc import Iterator
from dataclasses import replace

from atlas.config import choices
from atlas.config.checks import metric_mistakes, model_mistakes
from atlas.config.recipe_checks import recipe_mistakes
from atlas.config.rules import at_least, choice, distinct, several, two
from atlas.config.schema import DreamConfig, RecipeConfig, SaliencyConfig


def saliency_mistakes(config: SaliencyConfig) -> list[str]:
    """Everything that is wrong with the values of `atlas saliency` themselves."""
    return [
        *_category(config.category),
        *model_mistakes(config),
        *several("method", config.method, choices.MAPS),
        *_layer(config),
        *at_least("samples", config.samples, 1),
        *_noise(config.noise),
        *two("overlay", config.overlay, "the shares [picture, map] are wanted, two numbers from 0 up", least=0),
        *choice("device", config.device, choices.DEVICES),
        *at_least("batch", config.batch, 1),
        *_threads(config.threads),
    ]


def dream_mistakes(config: DreamConfig) -> list[str]:
    """Everything that is wrong with the values of `atlas dream` themselves."""
    return [
        *model_mistakes(config),
        *metric_mistakes(config),
        *_dreaming(config.recipe),
        *([] if config.size is None else at_least("size", config.size, 8)),
        *at_least("frames", config.frames, 1),
        *choice("device", config.device, choices.DEVICES),
        *_threads(config.threads),
    ]


def _layer(config: SaliencyConfig) -> Iterator[str]:
    if config.layer is not None and "grad_cam" not in distinct(config.method):
        yield f"layer={config.layer}: only method=grad_cam reads this"


def _noise(noise: float) -> Iterator[str]:
    if not (math.isfinite(noise) and noise > 0):
        yield f"noise={noise}: a number above 0 is wanted, as 0.15: the deviation in parts of a picture's range"


def _threads(threads: int | None) -> Iterator[str]:
    if threads is not None:
        yield from at_least("threads", threads, 1)


def _dreaming(recipe: RecipeConfig) -> Iterator[str]:
    """A recipe that changes a picture's pixels; the picture that it names itself plays no part."""
    if recipe.param in ("fourier", "phases"):
        yield (
            f"recipe={recipe.name}: its images are made of {recipe.param}, which a picture is not; "
            "take one that changes pixels, as recipe=dream or recipe=dream_normalized"
        )
    else:
        yield from recipe_mistakes(replace(recipe, picture=None))


def _category(category: object) -> Iterator[str]:
    if category is not None and (isinstance(category, bool) or not isinstance(category, int | str)):
        yield f"category={category}: the number or the name of one class is wanted, or null for the predicted one"
