"""`atlas.visualize`: images of any network, made by the same code as an atlas's, without Ray and without files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from atlas.config import choices
from atlas.config.mistakes import nearest
from atlas.config.recipe_files import DEFAULT, OCTAVES, own_metric, read_recipe
from atlas.config.schema import CONSTANT, RecipeConfig
from atlas.engine.memory import budget, images_at_once
from atlas.generate.aim import Aim, check_aim, read_aim
from atlas.generate.class_channels import class_channel
from atlas.generate.recipe_inputs import read_material, read_start
from atlas.generate.subject import InputChanges, Subject, subject_of
from atlas.generate.visualization import Visualization
from atlas.optvis.make import Canvas, FinishedImages, make_images, may_fold, one_at_a_time
from atlas.optvis.objectives import Objective
from atlas.optvis.start import picture_tensor
from atlas.records import Item, Target
from atlas.sweep.identity import noise_seed
from atlas.sweep.recipe_fit import fit_recipe
from atlas.sweep.shards import shown_size
from atlas.torch_state import own_torch_state
from atlas.zoo.cut import CutForward
from atlas.zoo.forward import Forward, activation_bytes, takes
from atlas.zoo.input_channels import in_channels


def visualize(
    model: nn.Module | str,
    layer: str | None = None,
    channels: int | str | Sequence[int | str] | None = None,
    *,
    objective: Objective | None = None,
    metric: str | None = None,
    recipe: str | RecipeConfig | None = None,
    octaves: Sequence[Mapping[str, Any]] | None = None,
    target: str | Mapping[str, Any] | Target = "channel",
    constant: float = CONSTANT,
    seed: int = 0,
    start: Tensor | None = None,
    device: str | torch.device | None = None,
    input_size: int | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> Visualization:
    """Images of some channels of a layer of any network, or of an objective of one's own, at once: no Ray, no files.

    Args:
        model: a network, which is left as it is; or the name of one that `model=` knows, as "resnet50", with its weights.
        layer: a module's dotted name; or a feature, as "blocks.5.3:12".
        channels: one of the layer's channels, or several: an image is made for each. Of a named classifier's output,
            names of classes too, as "zebra".
        objective: in place of layer and channels, as `0.5 * channel("layer3:5") - channel("layer4:7")`: one image.
        metric: l1, l2, linf or mean; without it the recipe's own, or what the objective says.
        recipe: a name in conf/recipe/, or a RecipeConfig; without it `standard`, or `normalized`, which has pixels, where
            octaves or a start is given.
        octaves: in place of the recipe's: dicts of size (pixels), steps, lr (start, end), sigma (start, end; pixels).
        target: which part of each channel is driven: a name, or a dict of kind, row, col, count, with.
        constant: C of the metric.
        seed: of the noise that images begin as.
        start: (b, 3, h, w), RGB in [0, 1], in place of the noise; (b, 1, h, w) for a network that takes gray.
        device: where to work, as "cuda"; without it, where the model is.
        input_size: pixels of the images, one side; without it what the named model was trained with, or 224.
        mean, std: of the model's input, in [0, 1]: one number, or one for each channel. Without them a named model's are
            its weights' own, and what a network is shown is not normalised.

    Returns:
        Images (b, 3, h, w), or (b, 1, h, w) where the network takes gray, as optimised, unclamped; scores (b,),
        activations (b, channels of the layer), status, trace.

    Raises:
        ValueError, ConfigError: something is wrong; the message says what is allowed.
        RuntimeError: a forward pass never reaches the layer; NoGradient, which is one: no gradient leads from the layer
            back to the image.
    """
    if recipe is None:
        recipe = DEFAULT if octaves is None and start is None else OCTAVES
    chosen = metric or (None if objective is not None else _own_metric(recipe))
    if chosen is not None and chosen not in choices.METRICS:
        raise ValueError(f"metric={chosen!r}: no such metric; {nearest(chosen, choices.METRICS)}")
    size = input_size if start is None else max(start.shape[-2:])
    with own_torch_state(), subject_of(model, device, InputChanges(size, mean, std)) as subject:
        aim = read_aim(
            layer,
            channels,
            objective=objective,
            target=target,
            metric=(chosen, constant),
            numbered=partial(class_channel, subject),
        )
        forward = Forward(subject.net, aim.example(subject.device).layers)
        settings = _fitted(recipe, octaves, subject, forward, begun=start is not None)
        _check_start(start, (len(aim.channels), subject.channels), settings)
        check_aim(aim, forward, subject)
        return _make(subject, aim, forward, settings, seed=seed, start=start)


def _make(
    subject: Subject, aim: Aim, forward: Forward, recipe: RecipeConfig, *, seed: int, start: Tensor | None
) -> Visualization:
    """Make the images, as many at once as fit in memory."""
    picture = _picture(recipe)
    picture = None if picture is None else in_channels(picture, subject.channels)
    canvas = Canvas(subject.scale, subject.device, subject.layout, picture=picture)
    together, batches = _together(forward, recipe, subject), []
    cut = CutForward(forward, folded=may_fold(recipe))
    for first in range(0, len(aim.channels), together):
        batch = slice(first, first + together)
        channels = aim.channels[batch]
        batches.append(
            make_images(
                cut,
                aim.objective(torch.tensor(channels, device=subject.device)),
                recipe,
                seeds=[noise_seed(aim.layer, Item(channel, seed)) for channel in channels],
                canvas=canvas if start is None else replace(canvas, pictures=start[batch]),
            )
        )
    return _joined(batches, aim.labels)


def _picture(recipe: RecipeConfig) -> Tensor | None:
    """What all images begin as, where the recipe names a picture."""
    if recipe.param != "pixels" or recipe.picture is None:
        return None
    return picture_tensor(read_start(recipe.picture.rpartition("@")[0]))


def _joined(batches: list[FinishedImages], labels: list[str]) -> Visualization:
    return Visualization(
        images=torch.cat([batch.images for batch in batches]),
        scores=torch.cat([batch.scores for batch in batches]),
        activations=torch.cat([batch.activations for batch in batches]),
        losses=torch.cat([batch.losses for batch in batches]),
        status=[status for batch in batches for status in batch.status],
        trace=[trace for batch in batches for trace in batch.trace],
        labels=labels,
    )


def _fitted(
    recipe: str | RecipeConfig,
    octaves: Sequence[Mapping[str, Any]] | None,
    subject: Subject,
    forward: Forward,
    *,
    begun: bool,
) -> RecipeConfig:
    """The recipe with every size and step count filled in; at the network's own size where it takes no other."""
    changes = {} if octaves is None else {"octaves": [_plain(octave) for octave in octaves]}
    settings = read_recipe(recipe, **changes) if isinstance(recipe, str) else recipe
    if begun:  # what images begin as is given: it takes the place of the recipe's picture
        settings = replace(settings, picture=None)
    material = None if begun else read_material(settings)
    fit = partial(
        fit_recipe, settings, "model", input_size=subject.input_size, material=material, device=subject.device.type
    )
    grown = fit(grows=True)
    return grown if _fits(forward, grown, subject) else fit(grows=False)


def _fits(forward: Forward, recipe: RecipeConfig, subject: Subject) -> bool:
    """Whether a network takes the largest images of a recipe; transformers often take those of their own size only."""
    largest, size = max(map(shown_size, recipe.octaves)), subject.input_size
    image = subject.images(1)
    return largest == size or takes(forward, largest, image) or not takes(forward, size, image)


def _plain(octave: Mapping[str, Any]) -> dict[str, Any]:
    """An octave with its tuples as lists, which is what a config holds."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in octave.items()}


def _own_metric(recipe: str | RecipeConfig) -> str:
    return own_metric(recipe if isinstance(recipe, str) else recipe.name)


def _check_start(start: Tensor | None, wanted: tuple[int, int], recipe: RecipeConfig) -> None:
    if start is None:
        return
    shape = tuple(start.shape)
    if recipe.param != "pixels":
        raise ValueError(f"start: recipe {recipe.name} makes images of {recipe.param}; one of pixels can have a start")
    if len(shape) != 4 or shape[:2] != wanted or 0 in shape:
        count, channels = wanted
        raise ValueError(f"start has shape {shape}; one image for each channel is wanted, ({count}, {channels}, h, w)")


def _together(forward: Forward, recipe: RecipeConfig, subject: Subject) -> int:
    """Images at once: as many as the memory there is will hold, or one where each is better made by itself."""
    if one_at_a_time(recipe, subject.device.type):
        return 1
    activations = activation_bytes(forward, subject.images(1))
    return images_at_once(activations, subject.input_size, recipe, room=budget(subject.device.type, 1.0))
