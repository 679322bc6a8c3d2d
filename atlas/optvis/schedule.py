"""What the optimiser is told: stretches of steps, what is shown at each, and how a step is taken."""

from dataclasses import dataclass
from typing import TypeVar

from atlas.config.schema import OctaveConfig, RecipeConfig, TransformsConfig

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Octave:
    """One stretch of steps at one image size."""

    steps: int
    lr: tuple[float, float]  # start, end
    sigma: tuple[float, float] | None = None  # of the blur after each step, start, end, pixels; None: no blur
    size: int | None = None  # pixels of the longer side that images grow to; None: as they are
    shown: int | None = None  # pixels of the views that the model is shown; None: as the images


@dataclass(frozen=True)
class Transforms:
    """How what the model is shown differs from the image at every step, at random, image by image."""

    edge: str = "gray"  # what lies beyond the image: gray, or wrap (its other side, as on a torus)
    pad: int = 0  # pixels of gray around the image
    jitter: tuple[int, int] = (0, 0)  # pixels, before and after scaling and rotating
    shift: float = 0.0  # to any side, in parts of the image's
    scale: tuple[float, float] = (1.0, 1.0)  # from, to
    rotate: float = 0.0  # degrees, to either side
    crop: tuple[float, float] | None = None  # side of a square part, from, to, of the image's
    noise: float = 0.0  # standard deviation of what is added to a view
    views: int = 1  # of each image at every step; the loss is their mean


@dataclass(frozen=True)
class Schedule:
    """The optimiser's own settings, whatever config they come from."""

    octaves: tuple[Octave, ...]
    transforms: Transforms = Transforms()
    gradient: str = "raw"  # raw, or rms: divided by its own root mean square, image by image
    optimizer: str = "descent"  # descent, or a key of OPTIMIZERS
    weight_decay: float = 0.0
    clamp: bool = False  # to [0, 1] after every step
    rescue: int = 0  # first steps during which a dead image's gradient passes blocking ReLUs
    trace_every: int = 10  # steps between two scores of the trace


def schedule_of(recipe: RecipeConfig) -> Schedule:
    """A recipe's schedule; every step count of the recipe is filled in. Only pixels grow from octave to octave."""
    return Schedule(
        octaves=tuple(_octave(octave, grows=recipe.param == "pixels") for octave in recipe.octaves),
        transforms=_transforms(recipe.transforms),
        gradient=recipe.gradient,
        optimizer=recipe.optimizer,
        weight_decay=recipe.weight_decay,
        clamp=recipe.clamp,
        rescue=recipe.rescue,
        trace_every=recipe.trace_every,
    )


def _octave(octave: OctaveConfig, *, grows: bool) -> Octave:
    return Octave(
        steps=octave.steps or 0,
        lr=_pair(octave.lr),
        sigma=None if octave.sigma is None else _pair(octave.sigma),
        size=octave.size if grows else None,
        shown=octave.shown,
    )


def _transforms(transforms: TransformsConfig) -> Transforms:
    return Transforms(
        edge=transforms.edge,
        pad=transforms.pad,
        jitter=_pair(transforms.jitter),
        shift=transforms.shift,
        scale=_pair(transforms.scale),
        rotate=transforms.rotate,
        crop=None if transforms.crop is None else _pair(transforms.crop),
        noise=transforms.noise,
        views=transforms.views,
    )


def _pair(values: list[N]) -> tuple[N, N]:
    first, second = values
    return first, second
