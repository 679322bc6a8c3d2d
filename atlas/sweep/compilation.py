"""Which layers of a plan are worth torch's compiler: those where it saves more than it takes."""

from collections import defaultdict

from atlas.config.schema import RecipeConfig
from atlas.sweep.plan import Plan
from atlas.sweep.shards import shown_size

# of GoogLeNet's inception4a on an H100, in bfloat16: multiply-adds per second of a step as it is, and of one that was
# compiled as a whole; seconds that this took for one size of images (docs/gpu.md)
PLAIN, COMPILED, SECONDS = 1.65e13, 2.6e13, 48.0

Layers = frozenset[tuple[str, str]]  # model, layer


def compiled_layers(choice: str, plan: Plan, device: str) -> Layers:
    """The layers to compile, as `cluster.compile` says.

    It is decided by the whole plan, and not by what is left of it or by the number of actors: on neither may an image depend.
    """
    work = defaultdict[tuple[str, str], float](float)
    for shard in plan.shards:
        work[shard.model, shard.layer] += shard.cost
    if choice == "always":
        return frozenset(work)
    if choice == "never" or device != "cuda":
        return frozenset()
    saved = 1 / PLAIN - 1 / COMPILED
    return frozenset(
        (model, layer) for (model, layer), cost in work.items() if saved * cost > SECONDS * _sizes(plan.recipes[model])
    )


def _sizes(recipe: RecipeConfig) -> int:
    """Of the images that a model is shown: each is compiled for itself."""
    return len({shown_size(octave) for octave in recipe.octaves})
