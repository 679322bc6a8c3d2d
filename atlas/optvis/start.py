"""What images begin as, by the recipe's `param`: noise, a picture, Fourier coefficients or phases."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from atlas.config import choices
from atlas.config.schema import RecipeConfig
from atlas.optvis import params
from atlas.optvis.params import GRAY, RGB, Param
from atlas.optvis.spaces import Space

Picture = Float[Tensor, "c h w"]


def start(
    recipe: RecipeConfig, seeds: Sequence[int], space: Space, *, channels: int = RGB, picture: Picture | None = None
) -> Param:
    """One image for each seed, on the CPU. picture: in [0, 1], what all of them begin as, instead of noise."""
    if recipe.param == "pixels" and picture is not None:
        images = picture.expand(len(seeds), -1, -1, -1)
        return params.pixels(space.enter(images), space.gray(GRAY, images))
    return STARTS[recipe.param](recipe, seeds, space, channels)


def pixels(recipe: RecipeConfig, seeds: Sequence[int], space: Space, channels: int) -> Param:
    """Uniform noise between the recipe's bounds, as the space has it."""
    low, high = recipe.start
    images = params.noise(seeds, _size(recipe), low, high, channels=channels)
    return params.pixels(space.enter(images), space.gray(GRAY, images))


def fourier(recipe: RecipeConfig, seeds: Sequence[int], space: Space, channels: int) -> Param:
    """Normal coefficients, of the recipe's mean and deviation."""
    mean, deviation = recipe.start
    return params.fourier(seeds, _size(recipe), mean, deviation, channels=channels)


def phases(recipe: RecipeConfig, seeds: Sequence[int], space: Space, channels: int) -> Param:
    """Normal phases, of the recipe's mean and deviation, below the magnitudes of the recipe's spectrum."""
    mean, deviation = recipe.start
    return params.phases(seeds, _size(recipe), mean, deviation, amplitudes=recipe.amplitudes, channels=channels)


def picture_tensor(picture: Image.Image) -> Picture:
    """An RGB picture as numbers in [0, 1]."""
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1) / 255.0


def _size(recipe: RecipeConfig) -> int:
    return recipe.octaves[0].size or 0


STARTS: dict[str, Callable[..., Param]] = {name: globals()[name] for name in choices.PARAMS}
