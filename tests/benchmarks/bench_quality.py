"""Which recipe makes the best images of PatternNet: `make quality`, or with names of recipes as arguments.

Images of the 16 logits, of 16 channels of conv5 and of 8 of conv3, from several seeds each, with the metric that the recipe
is meant for, become one row. They are judged as their PNGs hold them, in [0, 1]; of two figures the first is of images as
large as they were made and the second of the same images resized to the 64 px of the networks' training.

own       share of the logits' images that the network itself classifies as their class. Nearly every image is, since it was
          made to be: the column finds failures only
transfer  share so classified by a second network, trained from another seed: what an image shows beyond the quirks of the
          first. With 32 images a share of 50 % has a standard error of 9 %
sure      mean probability that the second network gives to the class; tells recipes apart that transfer does not
score     mean activation of the image's channel on it, in parts of what it is on the best of 2,000 drawn pictures of 64 px:
          the median over all images. 1 is enough; far more may be noise that drives a channel and shows nothing
seeds     share of conv5's images whose nearest other image is the same channel's from another seed: nearest as the second
          network's conv5 sees it, by the correlation of its channels' means, each standardised over these images
seconds   of one thread's processor time per image

One small network, drawn pictures, and no eye: look at the images too. Without its file the second network is trained first,
which takes minutes.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import NamedTuple

import torch
from torch import Tensor

import atlas
from atlas.config.compose import compose_model
from atlas.config.recipe_files import own_metric, read_recipe
from atlas.config.schema import ModelConfig, RecipeConfig
from atlas.generate.recipe_inputs import read_material
from atlas.optvis.priors import resize
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.drawings import CLASSES, draw
from atlas.zoo.load import Loaded, load
from atlas.zoo.patternnet import MEAN, STD

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "outputs" / "patternnet_seed1.safetensors"
RECIPES = ("normalized", "quick", "octaves", "plain", "filter", "fourier", "maco")
LAYERS = {"logits": range(16), "conv5": range(0, 128, 8), "conv3": range(0, 64, 8)}
SIDE = 64  # pixels of the pictures that the networks were trained on
DRAWN = 2000  # pictures that images are measured against
TOGETHER = 50  # pictures that a network sees at once
HEAD = ("recipe", "own", "transfer", "sure", "score", "seeds", "seconds")
Images = dict[str, Tensor]  # layer: (seeds x channels, 3, h, w), the first seed's first


class Judges(NamedTuple):
    """What images are measured with."""

    net: Loaded
    second: Loaded
    best: dict[str, Tensor]  # layer: (channels,) mean activation on the best of the drawn pictures


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES, metavar="RECIPE")
    parser.add_argument("--second", type=Path, default=SECOND, help="weights of the second network, .safetensors")
    parser.add_argument("--seeds", type=int, default=2, help="images of each channel; at least 2")
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    config = compose_model("patternnet")
    judges = judges_of(config, args.second)
    line = markdown_line if args.markdown else text_line
    print(line(HEAD))
    if args.markdown:
        print(line(["---"] * len(HEAD)))
    for name in args.recipes:
        label, recipe = fitted(name, config)
        print(line([label, *row(judges, recipe, own_metric(name), args.seeds)]), flush=True)


def judges_of(config: ModelConfig, second: Path) -> Judges:
    if second == SECOND and not second.exists():
        job = [sys.executable, str(ROOT / "jobs" / "train_patternnet.py"), "--seed", "1", "--out", str(second)]
        subprocess.run(job, check=True, stdout=sys.stderr)
    net = load("patternnet", config)
    pictures = draw(torch.arange(DRAWN) % len(CLASSES), torch.Generator().manual_seed(1), SIDE)
    best = {layer: responses(net, layer, pictures).amax(0) for layer in LAYERS}
    return Judges(net, load("second", replace(config, weights=str(second))), best)


def fitted(name: str, config: ModelConfig) -> tuple[str, RecipeConfig]:
    """The recipe for PatternNet and its label; sizes that are another network's are scaled to begin at 64 px."""
    recipe, label = read_recipe(name), name
    if (first := recipe.octaves[0].size) is not None:
        sizes = [round(SIDE * (octave.size or first) / first) for octave in recipe.octaves]
        octaves = [replace(octave, size=size) for octave, size in zip(recipe.octaves, sizes, strict=True)]
        recipe, label = replace(recipe, octaves=octaves), f"{name} at {', '.join(map(str, sizes))} px"
    material = read_material(recipe)
    return label, fit_recipe(
        recipe, "patternnet", input_size=SIDE, sizes=config.sizes, steps=config.steps, material=material
    )


def row(judges: Judges, recipe: RecipeConfig, metric: str, seeds: int) -> list[str]:
    """The cells of a recipe's row, but for its name."""
    began = process_time()
    made = {layer: make(judges.net, recipe, metric, layer, seeds) for layer in LAYERS}
    seconds = (process_time() - began) / sum(map(len, made.values()))
    small = {layer: resize(images, SIDE) for layer, images in made.items()}
    shown = [made] if small["conv5"].shape == made["conv5"].shape else [made, small]
    columns = zip(*(judged(judges, images, seeds, recipe.space == "raw") for images in shown), strict=True)
    return [*map(" / ".join, columns), f"{seconds:.2f}"]


def judged(judges: Judges, images: Images, seeds: int, raw: bool) -> list[str]:
    """All columns but the time, of images of one size."""
    own, other = (responses(net, "logits", images["logits"], raw) for net in (judges.net, judges.second))
    sure = of_own_channel(other.softmax(1)).mean()
    parts = [
        of_own_channel(responses(judges.net, layer, some, raw)[:, LAYERS[layer]]) / judges.best[layer][LAYERS[layer]]
        for layer, some in images.items()
    ]
    score = torch.cat([part.flatten() for part in parts]).median()
    steady = constancy(responses(judges.second, "conv5", images["conv5"], raw), seeds)
    return [f"{recognised(own):.0%}", f"{recognised(other):.0%}", f"{sure:.2f}", f"{score:.2f}", f"{steady:.0%}"]


def make(net: Loaded, recipe: RecipeConfig, metric: str, layer: str, seeds: int) -> Tensor:
    """Images of the layer's channels, (seeds x channels, 3, h, w), in [0, 1]."""
    shown = {"input_size": SIDE, "mean": MEAN, "std": STD}
    visualize = partial(atlas.visualize, net.model, layer, list(LAYERS[layer]), metric=metric, **shown)
    made = [visualize(recipe=recipe, seed=seed).images for seed in range(seeds)]
    return torch.cat(made).nan_to_num(0.5).clamp(0, 1)


@torch.no_grad()
def responses(net: Loaded, layer: str, images: Tensor, raw: bool = False) -> Tensor:
    """(b, channels) mean activations; raw: fed without the normalisation, as the images were made."""
    forward = net.forward([layer])
    maps = [forward(some if raw else net.preprocess(some))[layer] for some in images.split(TOGETHER)]
    return torch.cat([one.mean((2, 3)) for one in maps])


def of_own_channel(means: Tensor) -> Tensor:
    """(seeds, channels) of (seeds x channels, channels)."""
    return means.unflatten(0, (-1, means.shape[1])).diagonal(dim1=1, dim2=2)


def recognised(logits: Tensor) -> float:
    """Share of images, whose classes follow one another, with the largest logit at their own class."""
    return (logits.argmax(1) == torch.arange(len(logits)) % len(CLASSES)).float().mean().item()


def constancy(vectors: Tensor, seeds: int) -> float:
    """Share of images (b, c), the first seed's first, whose nearest other one belongs to the same channel."""
    standard = (vectors - vectors.mean(0)) / vectors.std(0).clamp(min=1e-6)
    near = torch.corrcoef(standard).fill_diagonal_(-2).argmax(1)
    owners = torch.arange(len(vectors)) % (len(vectors) // seeds)
    return (owners[near] == owners).float().mean().item()


def text_line(cells: Sequence[str]) -> str:
    return cells[0].ljust(28) + "".join(cell.rjust(14) for cell in cells[1:])


def markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
