"""Which recipe makes the best images: `make quality`, or with names of recipes as arguments.

A recipe may be changed on the way, as `fourier+optimizer=nadam+octaves=[{steps: 256, lr: [0.1, 0.02]}]`. Images are
judged as their PNGs hold them, in [0, 1]; those of `raw` recipes without the network's normalisation, as they were made.

own      share of the classes' images that the network itself takes for their class, and the mean probability it gives it.
         They were made to be: this finds failures only
judges   the same by networks that the optimiser never saw: what an image shows beyond the first network's quirks. Of 64
         images a share of 80 % has a standard error of 5 %
layers   activation of an image's channel on it, (a - mean) / (best - mean) of the same on natural pictures: the median over
         the layer's images. 1 is as much as the best picture. Far more may be noise that drives a channel and shows nothing
first    share of images that drive their channel more than any other image of the layer does (self_rank 1)
contrast mean deviation of an image's pixels. Below 0.1 it looks gray, above 0.35 it glares
seconds  of one thread's processor time per image (of wall time on a GPU)

No figure replaces looking at the images: `--sheets FOLDER` draws them.
"""

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
import torch.nn.functional as F
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor

import atlas
from atlas.config.compose import compose_model
from atlas.config.recipe_files import own_metric, read_recipe
from atlas.config.schema import ModelConfig, RecipeConfig
from atlas.generate.recipe_inputs import read_material
from atlas.optvis.priors import resize
from atlas.store.images import read_picture
from atlas.store.photographs import photographs
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.drawings import CLASSES, draw
from atlas.zoo.load import Loaded, load

ROOT = Path(__file__).parents[2]
SECOND = ROOT / "outputs" / "patternnet_seed1.safetensors"
RECIPES = ("standard", "normalized", "quick", "fourier", "octaves", "plain", "filter", "maco")
PICTURES = 2000  # natural ones that images are measured against
TOGETHER = 50  # pictures that a network sees at once
LITE = ModelConfig(source="efficientnet_lite")
# Daisy, palace, lion and zebra, and every 16th of the first 960 classes of ImageNet.
IMAGENET = (985, 698, 291, 340, *range(0, 960, 16))


@dataclass(frozen=True)
class Bench:
    """A network, what images are made of it, and what they are measured with."""

    net: Loaded
    config: ModelConfig
    classes: str  # the layer of the classes
    channels: dict[str, list[int]]  # of each layer
    judges: tuple[Loaded, ...]  # other networks of the same classes
    natural: dict[str, Tensor]  # layer: (2, channels), mean over natural pictures, and over them the largest


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES, metavar="RECIPE")
    parser.add_argument("--network", choices=BENCHES, default="efficientnet_lite0")
    parser.add_argument("--few", action="store_true", help="a quarter of the channels and classes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sheets", type=Path, help="a folder for a picture of each recipe's images")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    bench = BENCHES[args.network](args.device)
    if args.few:
        bench = replace(bench, channels={layer: numbers[::4] for layer, numbers in bench.channels.items()})
    head = ["recipe", "own", *(judge.name for judge in bench.judges), *bench.channels, "first", "contrast", "seconds"]
    print(markdown_line(head), markdown_line(["---"] * len(head)), sep="\n")
    for name in args.recipes:
        label, recipe = fitted(name, bench)
        images, seconds = made(bench, recipe, own_metric(name.partition("+")[0]))
        print(markdown_line([label, *judged(bench, images, recipe.space == "raw"), f"{seconds:.2f}"]), flush=True)
        if args.sheets is not None:
            args.sheets.mkdir(parents=True, exist_ok=True)
            sheet(images).save(args.sheets / f"{label.replace('/', '_')}.png")


def patternnet_bench(device: str) -> Bench:
    """PatternNet, and the same trained from another seed, which is done first where its file is missing (minutes)."""
    if not SECOND.exists():
        job = [sys.executable, str(ROOT / "jobs" / "train_patternnet.py"), "--seed", "1", "--out", str(SECOND)]
        subprocess.run(job, check=True, stdout=sys.stderr)
    config = compose_model("patternnet")
    net, second = load("patternnet", config, device), load("second", replace(config, weights=str(SECOND)), device)
    channels = {"conv3": list(range(0, 64, 8)), "conv5": list(range(0, 128, 8)), "logits": list(range(len(CLASSES)))}
    pictures = draw(torch.arange(PICTURES) % len(CLASSES), torch.Generator().manual_seed(1), net.input_size)
    return Bench(net, config, "logits", channels, (second,), natural(net, channels, pictures.split(TOGETHER)))


def lite_bench(device: str) -> Bench:
    """EfficientNet-Lite0's stages, head and 64 classes, and Lite1 and Lite2."""
    net, *judges = (load(f"efficientnet_lite{number}", LITE, device) for number in range(3))
    widths = {"blocks.0": 16, "blocks.1": 24, "blocks.2": 40, "blocks.3": 80, "blocks.4": 112, "blocks.5": 192}
    widths |= {"blocks.6": 320, "conv_head": 1280}
    channels = {layer: [width * (2 * place + 1) // 24 for place in range(12)] for layer, width in widths.items()}
    channels["classifier"] = list(IMAGENET)
    return Bench(net, LITE, "classifier", channels, tuple(judges), natural(net, channels, photograph_crops()))


BENCHES = {"patternnet": patternnet_bench, "efficientnet_lite0": lite_bench}


def photograph_crops() -> Iterator[Tensor]:
    """Square parts, of a quarter to all of the shorter side, of the photographs of scikit-learn and scikit-image."""
    drawn, pictures = random.Random(0), [_tensor(path) for path in photographs().values()]
    for _ in range(0, PICTURES, TOGETHER):
        yield torch.cat([_crop(pictures[drawn.randrange(len(pictures))], drawn) for _ in range(TOGETHER)])


def _tensor(path: Path) -> Tensor:
    return torch.from_numpy(np.asarray(read_picture(path)).copy()).permute(2, 0, 1)[None] / 255


def _crop(photograph: Tensor, drawn: random.Random) -> Tensor:
    height, width = photograph.shape[-2:]
    side = int(min(height, width) * drawn.uniform(0.25, 1))
    top, left = drawn.randint(0, height - side), drawn.randint(0, width - side)
    part = photograph[..., top : top + side, left : left + side]
    return F.interpolate(part, size=(224, 224), mode="bilinear", antialias=True)


def natural(net: Loaded, layers: Mapping[str, object], pictures: Iterator[Tensor]) -> dict[str, Tensor]:
    """(2, channels) of each layer: mean and largest mean activation over the pictures."""
    seen = [responses(net, list(layers), some) for some in pictures]
    rows = {layer: torch.cat([means[layer] for means in seen]) for layer in layers}
    return {layer: torch.stack([means.mean(0), means.amax(0)]) for layer, means in rows.items()}


def fitted(name: str, bench: Bench) -> tuple[str, RecipeConfig]:
    """The recipe for the bench's network and its label; sizes that are another network's are scaled to begin at its own."""
    base, *changes = name.split("+")
    recipe, label = read_recipe(base, **OmegaConf.to_container(OmegaConf.from_dotlist(changes))), name
    side = bench.net.input_size
    if (first := recipe.octaves[0].size) is not None:
        sizes = [round(side * (octave.size or first) / first) for octave in recipe.octaves]
        octaves = [replace(octave, size=size) for octave, size in zip(recipe.octaves, sizes, strict=True)]
        recipe, label = replace(recipe, octaves=octaves), f"{name} at {', '.join(map(str, sizes))} px"
    own = {"input_size": side, "sizes": bench.config.sizes, "steps": bench.config.steps}
    return label, fit_recipe(
        recipe, bench.net.name, **own, device=bench.net.device.type, material=read_material(recipe)
    )


def made(bench: Bench, recipe: RecipeConfig, metric: str) -> tuple[dict[str, Tensor], float]:
    """Images (channels, 3, h, w) of each layer, in [0, 1] with as many levels as a PNG has, and seconds for each."""
    net, clock = bench.net, process_time if bench.net.device.type == "cpu" else perf_counter
    mean, std = net.preprocessing.mean, net.preprocessing.std
    began, images = clock(), {}
    for layer, channels in bench.channels.items():
        shown = {"input_size": net.input_size, "mean": mean, "std": std, "device": net.device}
        optimised = atlas.visualize(net.model, layer, channels, metric=metric, recipe=recipe, **shown).images
        images[layer] = optimised.nan_to_num(0.5).clamp(0, 1).mul(255).round() / 255
    return images, (clock() - began) / sum(map(len, images.values()))


def judged(bench: Bench, images: dict[str, Tensor], raw: bool) -> list[str]:
    """The cells of a row between the recipe's name and its time."""
    seen = {layer: responses(bench.net, [layer], some, raw)[layer] for layer, some in images.items()}
    cells = [recognised(seen[bench.classes], bench)]
    for judge in bench.judges:
        sized = resize(images[bench.classes], judge.input_size)
        cells.append(recognised(responses(judge, [bench.classes], sized, raw)[bench.classes], bench))
    own = {layer: means[:, bench.channels[layer]] for layer, means in seen.items()}
    for layer, means in own.items():
        mean, best = bench.natural[layer][:, bench.channels[layer]]
        cells.append(f"{((means.diagonal() - mean) / (best - mean)).median():.2f}")
    first = torch.cat([means.argmax(0) == torch.arange(len(means), device=means.device) for means in own.values()])
    contrast = torch.stack([some.std((1, 2, 3)).mean() for some in images.values()]).mean()
    return [*cells, f"{first.float().mean():.0%}", f"{contrast:.2f}"]


@torch.no_grad()
def responses(net: Loaded, layers: Sequence[str], images: Tensor, raw: bool = False) -> dict[str, Tensor]:
    """(b, channels) mean activations of each layer; raw: fed without the normalisation, as the images were made."""
    forward, rows = net.forward(layers), {layer: [] for layer in layers}
    for some in images.to(net.device).split(TOGETHER):
        for layer, maps in forward(some if raw else net.preprocess(some)).items():
            rows[layer].append(maps.mean((2, 3)))
    return {layer: torch.cat(means) for layer, means in rows.items()}


def recognised(logits: Tensor, bench: Bench) -> str:
    """Share of images whose largest logit is their own class's, and the mean probability of that class."""
    wanted = torch.tensor(bench.channels[bench.classes], device=logits.device)
    right = (logits.argmax(1) == wanted).float().mean()
    return f"{right:.0%} {logits.softmax(1)[torch.arange(len(wanted)), wanted].mean():.2f}"


def sheet(images: dict[str, Tensor], side: int = 160, columns: int = 8) -> Image.Image:
    """The first images of each layer, a row a layer; of the classes three rows."""
    rows = []
    for layer, some in images.items():
        many = columns * (3 if layer == list(images)[-1] else 1)
        tiles = F.interpolate(some[:many], size=(side, side), mode="bilinear", antialias=True).cpu()
        tiles = torch.cat([tiles, tiles.new_ones(-len(tiles) % columns, 3, side, side)])
        rows += [torch.cat(list(row), 2) for row in tiles.split(columns)]
    return Image.fromarray(torch.cat(rows, 1).clamp(0, 1).mul(255).byte().permute(1, 2, 0).numpy())


def markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
