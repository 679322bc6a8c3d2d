"""What changes a task's id, and what does not."""

from dataclasses import fields, replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_cards import recipe

from atlas.config.schema import OctaveConfig, RecipeConfig, TransformsConfig
from atlas.records import ImageShard, Item, ModelCard, Shard, Target
from atlas.sweep.identity import UNSEEN, fingerprint, noise_seed, shard_id, task_id, variant_of

ITEMS = tuple(Item(channel, 0) for channel in range(6))
OTHER = {
    "start": [0.4, 0.6],
    "param": "fourier",
    "picture": "cat.jpg@00",
    "amplitudes": [[1.0], [1.0], [1.0]],
    "space": "raw",
    "optimizer": "adam",
    "weight_decay": 1e-4,
    "transforms": TransformsConfig(jitter=[4, 0]),
    "gradient": "rms",
    "clamp": True,
    "rescue": 16,
    "precision": "tf32",
    "octaves": [OctaveConfig(size=64, steps=11)],
}


def task(item: Item = ITEMS[0], **changes) -> str:
    asked = {"digest": "d0", "recipe": recipe(), "metric": "l1", "constant": 200.0} | changes
    card = ModelCard(asked.get("name", "alpha"), "file", asked["digest"], 64, (), (), 0)
    variant = variant_of(card, asked["recipe"], asked["metric"], asked["constant"])
    return task_id(shard(variant, asked.get("layer", "conv"), asked.get("target", Target())), item)


def shard(variant: str, layer: str = "conv", target: Target = Target()) -> ImageShard:
    name = shard_id(variant, layer, target, ITEMS)
    return ImageShard(name, "alpha", ITEMS, 6.0, layer, 0, "l1", variant, target)


def test_everything_that_reaches_a_pixel_is_another_task():
    ids = [
        task(),
        task(Item(1, 0)),
        task(Item(0, 1)),
        task(digest="d1"),
        task(layer="conv2"),
        task(metric="l2"),
        task(constant=100.0),
        task(constant=None),
        task(target=Target("row")),
        task(target=Target("row", row=0)),
        task(target=Target("neuron", row=0)),
        task(target=Target("joint", partners=("alpha/conv:1",))),
        *(task(recipe=recipe(**{key: value})) for key, value in OTHER.items()),
        *(task(recipe=recipe(octaves=[octave])) for octave in OCTAVES),
    ]
    assert all(a != b for a, b in combinations(ids, 2))


OCTAVES = [
    OctaveConfig(size=64, steps=10),
    OctaveConfig(size=65, steps=10),
    OctaveConfig(size=64, steps=10, lr=[0.1, 0.2]),
    OctaveConfig(size=64, steps=10, sigma=[0.1, 0.2]),
]


@pytest.mark.parametrize("change", [{"name": "another"}, {"trace_every": 1}])
def test_a_recipes_name_and_trace_do_not_reach_a_pixel(change):
    assert task(recipe=recipe(**change)) == task()


def test_a_picture_is_known_by_what_it_shows_and_a_spectrum_by_its_amplitudes():
    here, there, other = (task(recipe=recipe(picture=name)) for name in ("cat.jpg@00", "/far/dog.png@00", "cat.jpg@01"))
    assert here == there != other
    curves = [[1.0, 0.5]] * 3
    ids = [task(recipe=recipe(spectrum=folder, amplitudes=curves)) for folder in ("photos", "elsewhere")]
    assert ids[0] == ids[1] != task(recipe=recipe(spectrum="photos", amplitudes=[[1.0, 0.4]] * 3))


def test_every_part_of_a_recipe_is_told_from_another_or_known_to_be_unseen():
    assert {field.name for field in fields(RecipeConfig)} == {*OTHER, *UNSEEN}


def test_a_task_does_not_know_its_shard():
    whole = shard("v")
    half = whole.only(ITEMS[3:])
    assert half.id != whole.id
    assert half.cost == pytest.approx(whole.cost / 2)
    assert [task_id(half, item) for item in half.items] == [task_id(whole, item) for item in ITEMS[3:]]
    assert task_id(replace(whole, cost=1.0, layer_index=7, id="x"), ITEMS[0]) == task_id(whole, ITEMS[0])


def test_a_part_of_a_shard_is_named_by_its_items():
    """The name of an index file: a run that is resumed at the same place must give it again."""
    whole = shard("v")
    parts = [whole.only(items) for items in (ITEMS[:3], ITEMS[3:], ITEMS[:1], ITEMS[1:3])]
    assert whole.only(tuple(Item(channel, 0) for channel in range(3))) == parts[0]
    assert len({part.id for part in [whole, *parts, shard("w").only(ITEMS[:3])]}) == 6
    assert (parts[0].label, type(parts[0])) == ("alpha/conv l1", ImageShard)
    assert Shard("x", "alpha", ("probe",), 1.0).label == "alpha"


def test_ids_are_frozen():
    """Atlases that exist name their files and tasks by these; METHOD must be raised when they are meant to change."""
    assert fingerprint({"b": [1, 2.5, None, "é"], "a": True}) == "e93c8908a131c9090400"
    assert task() == "7d562fa7ac9668c0519b"
    assert noise_seed("conv", Item(3, 1)) == 3268337234589785121


@given(st.text(max_size=20), st.integers(0, 4096), st.integers(0, 2**31))
def test_noise_seeds_fit_a_generator(layer, channel, seed):
    assert 0 <= noise_seed(layer, Item(channel, seed)) < 2**63


def test_noise_seeds_differ_by_layer_channel_and_seed():
    seeds = {noise_seed(layer, Item(c, s)) for layer in ("a", "b") for c in range(500) for s in range(3)}
    assert len(seeds) == 3000


def test_the_same_weights_under_two_names_are_two_models() -> None:
    assert task(name="alpha") != task(name="beta")
