"""A layer is compiled where that saves more than it takes, by the whole plan."""

from dataclasses import replace

from made_cards import card, recipe, sweep

from atlas.config.schema import OctaveConfig
from atlas.sweep.compilation import COMPILED, PLAIN, SECONDS, compiled_layers
from atlas.sweep.plan import Plan, make_plan

ONE = SECONDS / (1 / PLAIN - 1 / COMPILED)  # multiply-adds that pay for one size of images
BOTH = frozenset({("alpha", "stem"), ("alpha", "block2")})


def plan(stem: float, block: float, *sizes: int) -> Plan:
    """Two layers, of so many times the work that pays for one size."""
    octaves = [OctaveConfig(size=size, steps=10) for size in sizes]
    made = make_plan(sweep(layers=["stem", "block2"], recipe=recipe(octaves=octaves)), {"alpha": card()})
    work = {"stem": stem, "block2": block}
    costs = {layer: sum(shard.cost for shard in made.shards if shard.layer == layer) for layer in work}
    parts = (replace(shard, cost=shard.cost / costs[shard.layer] * ONE * work[shard.layer]) for shard in made.shards)
    return replace(made, shards=tuple(parts))


def test_what_saves_more_than_it_takes_is_compiled_for_each_size() -> None:
    assert compiled_layers("auto", plan(1.1, 0.9, 64), "cuda") == {("alpha", "stem")}
    assert compiled_layers("auto", plan(1.9, 2.1, 32, 64, 64), "cuda") == {("alpha", "block2")}


def test_a_cpu_is_not_and_whoever_says_so_is_obeyed() -> None:
    assert compiled_layers("auto", plan(50, 50, 64), "cpu") == frozenset()
    assert compiled_layers("never", plan(50, 50, 64), "cuda") == frozenset()
    assert compiled_layers("always", plan(0.1, 0.1, 64), "cpu") == BOTH
