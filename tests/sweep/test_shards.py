"""Shards partition the items, evenly, by cost alone."""

from hypothesis import given
from hypothesis import strategies as st
from made_cards import card, recipe

from atlas.config.schema import OctaveConfig
from atlas.records import Item
from atlas.sweep.shards import RATE, SHARD_IMAGES, cut, image_cost

COST = st.floats(1, 1e14)
SECONDS = st.floats(1e-3, 1e4)


@given(st.integers(0, 500), COST, st.sampled_from(["cpu", "cuda"]), SECONDS)
def test_cut_partitions_the_items_in_order(count, cost, device, seconds):
    items = [Item(channel, seed) for channel in range(count) for seed in (0, 7)]
    shards = cut(items, cost, device, seconds)
    assert [item for shard in shards for item in shard] == items
    sizes = [len(shard) for shard in shards]
    assert all(0 < size <= SHARD_IMAGES for size in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1
    assert all(size == 1 or size * cost <= seconds * RATE[device] for size in sizes)


@given(st.integers(1, 300), COST, SECONDS)
def test_no_fewer_shards_would_do(count, cost, seconds):
    shards = cut([Item(channel, 0) for channel in range(count)], cost, "cpu", seconds)
    fitting = max(1, min(SHARD_IMAGES, int(seconds * RATE["cpu"] / cost)))
    assert (len(shards) - 1) * fitting < count


def test_cost_grows_with_steps_and_with_the_area():
    net, deep = card(), card().layers[3]
    own = recipe(octaves=[OctaveConfig(size=64, steps=10)])
    assert image_cost(deep, net, own) == 2 * 10 * deep.macs
    assert image_cost(deep, net, recipe(octaves=[OctaveConfig(size=128, steps=10)])) == 2 * 40 * deep.macs
    both = recipe(octaves=[OctaveConfig(size=64, steps=10), OctaveConfig(size=128, steps=10)])
    assert image_cost(deep, net, both) == 2 * 50 * deep.macs
