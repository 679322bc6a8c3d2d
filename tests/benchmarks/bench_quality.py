"""Which recipe makes the best images of PatternNet: `make quality`, or with names of recipes as arguments.

Images of the 16 logits, 16 channels of conv5 and 16 of conv3, each from several seeds, with the metric that the recipe is
meant for, become one row. Where a cell has two figures, the first is of images as large as they were made and the second of
the same images resized to 64 px, on which the networks were trained. Images are judged as their PNGs hold them: in [0, 1].

own       share of the logits' images that the network itself classifies as their class; nearly every image is, as it was
          made to be: the column finds failures only
transfer  share so classified by a second network, trained from another seed: what an image shows beyond the first network's
          own quirks. A share of 50 % of 48 images has a standard error of 7 %
score     activation of the image's channel on it, in parts of the best of 2,000 drawn pictures of 64 px: the median over
          all images. More is no better in itself: noise that nobody can read may drive a channel very far
seeds     share of conv5's images whose nearest other image, as the second network's conv5 sees it (correlation of its
          channels' means, standardised over these images), is the same channel's from another seed. Chance is 4 % for three
seconds   of one thread's processor time per image

One small network, drawn pictures, and no eye: look at the images too. The second network is trained, in some minutes,
unless its file is there.
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
from atlas.config.recipes import own_metric, read_recipe
from atlas.config.schema import ModelConfig, RecipeConfig
from atlas.optvis.priors import resize
from atlas.run.materials import read_material
from atlas.sweep.recipes import fit_recipe
from atlas.zoo.load import Loaded, load
from atlas.zoo.patternnet import MEAN, STD
from atlas.zoo.pictures import CLASSES, draw

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "outputs" / "patternnet_seed1.safetensors"
RECIPES = ("normalized", "quick", "octaves", "plain", "filter", "fourier", "maco")
LAYERS = {"logits": range(16), "conv5": range(0, 128, 8), "conv3": range(0, 64, 4)}
SIDE = 64  # pixels of the pictures that the networks were trained on
DRAWN = 2000  # pictures that images are measured against
TOGETHER = 50  # pictures that a network sees at once
HEAD = ("recipe", "own", "transfer", "score", "seeds", "seconds")
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
    parser.add_argument("--seeds", type=int, default=3, help="images of each channel; at least 2")
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
    images = {layer: make(judges.net, recipe, metric, layer, seeds) for layer in LAYERS}
    seconds = (process_time() - began) / sum(map(len, images.values()))
    sizes = [images] + [{layer: resize(some, SIDE) for layer, some in images.items()}] * (
        images["conv5"].shape[-1] != SIDE
    )
    raw = recipe.space == "raw"
    cells = [[f"{recognised(net, some['logits'], raw):.0%}" for some in sizes] for net in (judges.net, judges.second)]
    cells += [[f"{score(judges, some, raw):.2f}" for some in sizes]]
    cells += [[f"{constancy(responses(judges.second, 'conv5', some['conv5'], raw), seeds):.0%}" for some in sizes]]
    return [*map(" / ".join, cells), f"{seconds:.2f}"]


def make(net: Loaded, recipe: RecipeConfig, metric: str, layer: str, seeds: int) -> Tensor:
    """Images of the layer's channels, (seeds x channels, 3, h, w), in [0, 1]."""
    visualize = partial(atlas.visualize, net.model, layer, list(LAYERS[layer]), metric=metric, mean=MEAN, std=STD)
    made = [visualize(recipe=recipe, seed=seed).images for seed in range(seeds)]
    return torch.cat(made).clamp(0, 1)


@torch.no_grad()
def responses(net: Loaded, layer: str, images: Tensor, raw: bool = False) -> Tensor:
    """(b, channels) mean activations; raw: fed without the normalisation, as they were made."""
    forward, channels = net.forward([layer]), list(LAYERS[layer])
    maps = [forward(some if raw else net.preprocess(some))[layer] for some in images.split(TOGETHER)]
    means = torch.cat([one.mean((2, 3)) for one in maps])
    return means[:, channels] if net.name == "patternnet" else means


def recognised(net: Loaded, images: Tensor, raw: bool) -> float:
    said = responses(net, "logits", images, raw).argmax(1)
    return (said == torch.arange(len(images)) % len(CLASSES)).float().mean().item()


def score(judges: Judges, images: Images, raw: bool) -> float:
    """Median over all images of all layers."""
    parts = []
    for layer, some in images.items():
        of_channels = responses(judges.net, layer, some, raw).unflatten(0, (-1, len(LAYERS[layer])))
        parts.append((of_channels.diagonal(dim1=1, dim2=2) / judges.best[layer]).flatten())
    return torch.cat(parts).median().item()


def constancy(vectors: Tensor, seeds: int) -> float:
    """Share of images (b, c), the first seed's first, whose nearest other one belongs to the same channel."""
    standard = (vectors - vectors.mean(0)) / vectors.std(0).clamp(min=1e-6)
    near = torch.corrcoef(standard).fill_diagonal_(-2).argmax(1)
    owners = torch.arange(len(vectors)) % (len(vectors) // seeds)
    return (owners[near] == owners).float().mean().item()


def text_line(cells: Sequence[str]) -> str:
    return cells[0].ljust(28) + "".join(cell.rjust(16) for cell in cells[1:])


def markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
