"""Which layers of a plan are worth torch's compiler: those where it saves more than it takes."""

from collections import defaultdict

from atlas.config.schema import RecipeConfig
from atlas.sweep.plan import Plan
from atlas.sweep.shards import shown_size

# multiply-adds per second of an H100 in bfloat16, as the graph is and compiled; seconds for one size of images (docs/gpu.md)
PLAIN, COMPILED, SECONDS = 1.65e13, 2.6e13, 48.0

Layers = frozenset[tuple[str, str]]  # model, layer


def compiled_layers(choice: str, plan: Plan, device: str, actors: int) -> Layers:
    """The layers to compile, as `cluster.compile` says. Each of the actors compiles what it works on.

    It is decided by the whole plan, whatever is left of it, so that a job that goes on makes its images as it began.
    """
    work = defaultdict[tuple[str, str], float](float)
    for shard in plan.shards:
        work[shard.model, shard.layer] += shard.cost
    if choice == "always":
        return frozenset(work)
    if choice == "never" or device != "cuda":
        return frozenset()
    saved = (1 / PLAIN - 1 / COMPILED) / actors
    return frozenset(
        (model, layer) for (model, layer), cost in work.items() if saved * cost > SECONDS * _sizes(plan.recipes[model])
    )


def _sizes(recipe: RecipeConfig) -> int:
    """Of the images that a model is shown: each is compiled for itself."""
    return len({shown_size(octave) for octave in recipe.octaves})
