"""Known answers of the optimiser: an image in closed form,
and the sources' loop written naively (METHODS §5: 10, 11).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from atlas.config.recipe_files import read_recipe
from atlas.config.schema import CONSTANT, ModelConfig
from atlas.optvis.make import Canvas, make_images
from atlas.optvis.metrics import metric_named
from atlas.optvis.params import noise
from atlas.optvis.spaces import UNSCALED
from atlas.optvis.targets import target_objective
from atlas.records import Target
from atlas.selftest.check import Answer
from atlas.selftest.naive import OCTAVES, Stretch, naive_octaves
from atlas.zoo.forward import Forward
from atlas.zoo.load import load

SIZE, STEPS = 16, 100  # of the image in closed form
RATES = (0.4, 0.3)
OCTAVE_SIZES = (48, 56, 64)  # of the octaves that are made twice, six steps each
RATE_FACTORS = {("conv3", "l1"): 4.0, ("conv3", "l2"): 30.0, ("conv2", "linf"): 300.0}  # to drive images far
CHANNELS = (0, 5, 11, 17)
PIXEL_TOLERANCE = 1e-4  # METHODS §5.11
CANVAS = Canvas(UNSCALED, torch.device("cpu"), torch.contiguous_format)


def linear_layer() -> Answer:
    """The gradient of l1 is the layer's own weights: the image is the start, and the sum of all rates times those."""
    weights = torch.randn(len(CHANNELS), 3 * SIZE * SIZE, generator=torch.Generator().manual_seed(0)) / SIZE
    recipe = read_recipe("plain", octaves=[{"size": SIZE, "steps": STEPS, "lr": list(RATES)}])
    start = noise(CHANNELS, SIZE, *recipe.start)

    def forward(images: Tensor) -> Mapping[str, Tensor]:
        return {"out": (images.flatten(1) @ weights.T)[:, :, None, None]}

    channels = torch.arange(len(CHANNELS))
    objective = target_objective(Target(), "out", channels, metric_named("l1", CONSTANT))
    images = make_images(forward, objective, recipe, seeds=CHANNELS, canvas=CANVAS).images.double()
    rates = sum((RATES[0] * (STEPS - i) + RATES[1] * i) / STEPS for i in range(STEPS))
    wanted = start.double() + rates * weights.reshape(start.shape).double()
    error, moved = (images - wanted).abs().max().item(), (wanted - start).abs().max().item()
    rounding = STEPS * torch.finfo(torch.float32).eps * wanted.abs().max().item()  # of as many additions
    return Answer(
        error <= rounding < moved,
        f"after {STEPS} steps that moved a pixel by {moved:.1f}, the largest error is {error:.1e} "
        f"(wanted: ≤ {rounding:.1e}, float32's rounding)",
    )


def naive_loop() -> Answer:
    """The optimiser's batch of images is what the naive loop makes one by one."""
    model = _smooth()
    cases = {f"{layer} {metric}": _error(model, layer, metric, rate) for (layer, metric), rate in RATE_FACTORS.items()}
    contrast = min(contrast for _, contrast in cases.values())
    errors = ", ".join(f"{name} {error:.1e}" for name, (error, _) in cases.items())
    return Answer(
        max(error for error, _ in cases.values()) <= PIXEL_TOLERANCE and contrast > 0.01,
        f"{len(CHANNELS)} images in one batch and one by one, largest difference: {errors} "
        f"(wanted: ≤ {PIXEL_TOLERANCE:g}); "
        f"least contrast {contrast:.2f} (wanted: > 0.01, or nothing was driven)",
    )


def _error(model: nn.Module, layer: str, metric: str, factor: float) -> tuple[float, float]:
    """The largest difference of any pixel, and the least deviation of an image's pixels."""
    octaves = _octaves(factor)
    names = ("size", "steps", "lr", "sigma")
    recipe = read_recipe("octaves", octaves=[dict(zip(names, octave, strict=True)) for octave in octaves])
    start = noise(CHANNELS, OCTAVE_SIZES[0], *recipe.start)
    objective = target_objective(Target(), layer, torch.tensor(CHANNELS), metric_named(metric, CONSTANT))
    images = make_images(Forward(model, [layer]), objective, recipe, seeds=CHANNELS, canvas=CANVAS).images
    naive = [
        naive_octaves(model, layer, start[number : number + 1], channel, metric=metric, octaves=octaves)
        for number, channel in enumerate(CHANNELS)
    ]
    return (images - torch.cat(naive)).abs().max().item(), images.std((1, 2, 3)).min().item()


def _octaves(factor: float) -> list[Stretch]:
    return [
        (size, 6, [factor * rate for rate in rates], list(sigmas))
        for size, (_, rates, sigmas) in zip(OCTAVE_SIZES, OCTAVES, strict=True)
    ]


def _smooth() -> nn.Module:
    """PatternNet with softplus in place of its leaky ReLUs: at a kink rounding does not stay rounding."""
    model = load("patternnet", ModelConfig(source="patternnet")).model
    for block in model.children():
        if hasattr(block, "activation"):
            block.activation = nn.Softplus()
    return model
