"""A recipe made to fit a model: what it leaves open, sizes and step counts above all, is the model's own."""

from dataclasses import dataclass, replace

from atlas.config.choices import AUTO, UNKNOWN
from atlas.config.mistakes import ConfigError
from atlas.config.schema import OctaveConfig, RecipeConfig, TransformsConfig

GROWTH = (1.0, 340 / 299, 380 / 299)  # the sources' octaves, relative to the input size of their network
STEPS = 40  # of an octave of a whole atlas's recipe, where a model says nothing else


@dataclass(frozen=True)
class Material:
    """What a recipe takes from files, known by content and not by place."""

    picture: str | None = None  # name@digest
    size: tuple[int, int] = (0, 0)  # of the picture: height, width
    spectrum: str = "1/f"  # or the folder, which the amplitudes tell of
    amplitudes: list[list[float]] | None = None  # of three colours, over frequency


def fit_recipe(
    recipe: RecipeConfig,
    name: str,
    *,
    input_size: int,
    grows: bool = True,
    sizes: list[int] | None = None,
    steps: list[int] | None = None,
    material: Material | None = None,
    device: str,
) -> RecipeConfig:
    """The recipe with every size (pixels), step count and the precision filled in; ConfigError where it does not fit.

    device: what precision=auto goes by. The images of a model that takes only its own input size (`grows` false) stay at it.
    """
    octaves = []
    for place, octave in enumerate(recipe.octaves):
        size, count = octave.size, octave.steps
        if size is None and material is not None and recipe.picture is not None:
            size = max(material.size)
        if size is None:
            otherwise = _own_size(recipe, place, input_size, grows)
            # else there is one size, and that the model's own
            grown = recipe.param == "pixels" and len(recipe.octaves) > 1
            size = _pick(sizes if grown else None, place, f"models.{name}.sizes", otherwise=otherwise)
        if count is None:
            count = _pick(steps, place, f"models.{name}.steps", otherwise=STEPS)
        shown = octave.shown or _shown(recipe.transforms, size, input_size, grows)
        octaves.append(replace(octave, size=size, steps=count, shown=None if shown == size else shown))
    recipe = replace(recipe, precision=AUTO.get(device, UNKNOWN) if recipe.precision == "auto" else recipe.precision)
    if not grows:
        _check_fixed(name, input_size, recipe, octaves, material)
    if material is None:
        return replace(recipe, octaves=octaves)
    inputs = {"picture": material.picture, "spectrum": material.spectrum, "amplitudes": material.amplitudes}
    return replace(recipe, octaves=octaves, **inputs)


def _own_size(recipe: RecipeConfig, place: int, input_size: int, grows: bool) -> int:
    """The model's input size, grown from octave to octave; where crops are shown, as much larger as they are parts of it."""
    if not grows:
        return input_size
    if recipe.transforms.crop is not None:
        return 2 * round(input_size / sum(recipe.transforms.crop))
    return round(input_size * _growth(place))


def _shown(transforms: TransformsConfig, size: int, input_size: int, grows: bool) -> int:
    """Pixels of a view: with the gray around the image, less what jitter may move out of sight."""
    if transforms.crop is not None:
        return input_size
    return max(1, size + 2 * transforms.pad - sum(transforms.jitter)) if grows else size


def _growth(place: int) -> float:
    """Past the sources' three octaves an image keeps growing as from the second to the third."""
    return GROWTH[place] if place < len(GROWTH) else GROWTH[-1] * (GROWTH[-1] / GROWTH[-2]) ** (place + 1 - len(GROWTH))


def _pick(values: list[int] | None, place: int, where: str, *, otherwise: int) -> int:
    if values is None:
        return otherwise
    if place >= len(values):
        raise ConfigError([f"{where}={values}: the recipe has {place + 1} or more octaves; give a number for each"])
    return values[place]


def _check_fixed(
    name: str, input_size: int, recipe: RecipeConfig, octaves: list[OctaveConfig], material: Material | None
) -> None:
    """ConfigError for images that a model of one input size cannot take."""
    only = f"{name} takes images of {input_size} x {input_size} pixels only"
    mistakes = []
    for place, octave in enumerate(octaves):
        if octave.size == input_size:
            continue
        if recipe.octaves[place].size is not None:
            mistakes.append(
                f"recipe.octaves[{place}].size={octave.size}: {only}; leave size null, or give {input_size}"
            )
        elif material is not None and recipe.picture is not None:
            mistakes.append(
                f"recipe.octaves[{place}].size=null, of recipe.picture={recipe.picture}: {only}; give {input_size}"
            )
        else:
            mistakes.append(f"models.{name}.sizes[{place}]={octave.size}: {only}; leave it null, or give {input_size}")
    if material is not None and material.picture and len(set(material.size)) > 1:
        height, width = material.size
        mistakes.append(f"recipe.picture={recipe.picture}: {only}, and this is {width} x {height}; cut it square")
    if mistakes:
        raise ConfigError(mistakes)
