"""How the images of a layer are cut into shards: by cost alone, so the same plan is cut the same way everywhere."""

from itertools import pairwise

from atlas.config.schema import OctaveConfig, RecipeConfig
from atlas.records import Item, Layer, ModelCard

# multiply-adds per second of one actor: measured on one core of an EPYC, assumed for a GPU
RATE = {"cpu": 2.5e10, "cuda": 4e12}
SHARD_IMAGES = 64  # of one shard, at most


def image_cost(layer: Layer, card: ModelCard, recipe: RecipeConfig) -> float:
    """Multiply-adds of one image: a pass forward and one back to the input for each step, at the size of what is shown."""
    pixels = sum((octave.steps or 0) * (shown_size(octave) / card.input_size) ** 2 for octave in recipe.octaves)
    return 2.0 * max(layer.macs, 1) * pixels * recipe.transforms.views


def shown_size(octave: OctaveConfig) -> int:
    """Pixels of the longer side of what the model sees."""
    return octave.shown or octave.size or 0


def cut(items: list[Item], cost: float, device: str, seconds: float) -> list[tuple[Item, ...]]:
    """Consecutive runs of items of about `seconds` of work each for one actor on `device`, as even as can be.

    No items, as where a layer is narrower than the channels asked for begin: no run.
    """
    fitting = max(1, min(SHARD_IMAGES, int(seconds * RATE[device] / cost)))
    pieces = -(-len(items) // fitting)
    size, longer = divmod(len(items), max(pieces, 1))
    starts = [i * size + min(i, longer) for i in range(pieces + 1)]
    return [tuple(items[a:b]) for a, b in pairwise(starts)]
