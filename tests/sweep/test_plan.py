"""A plan is the whole product, cut into shards, or every mistake in it at once."""

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_cards import MACS, card, metrics, sweep

from atlas.config.schema import ClusterConfig, ModelConfig
from atlas.records import Item
from atlas.sweep.identity import task_id
from atlas.sweep.plan import device_of, find_layer, make_plan
from tests.made_cards import plan_mistakes

METRICS = ["l1", "l2", "linf", "mean"]
CARDS = {"alpha": card("alpha", "d0"), "beta": card("beta", "d1")}
WIDTHS = {layer.name: layer.channels for layer in card().layers}


@given(
    st.sampled_from([["alpha"], ["alpha", "beta"]]),
    st.lists(st.sampled_from(METRICS), min_size=1, unique=True),
    st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True),
    st.sampled_from([["stem"], ["stem", "block2"], ["block1", "head"]]),
    st.sampled_from(["all", "0:5", "3:9:2", [2, 0], "10:14"]),
    st.floats(0.001, 100),
)
def test_shards_partition_the_product_exactly(models, names, seeds, layers, channels, seconds):
    asked = sweep(*models, metrics=metrics(*names), seeds=seeds, layers=layers, channels=channels)
    asked.cluster.shard_seconds = seconds
    cards = {name: CARDS[name] for name in models}
    assume(not plan_mistakes(asked, cards))  # a range that no layer asked for reaches
    plan = make_plan(asked, cards)
    chosen = {"all": slice(None), "0:5": slice(0, 5), "3:9:2": slice(3, 9, 2), "10:14": slice(10, 14)}
    wanted = [
        (model, layer, metric, Item(channel, seed))
        for model, layer, metric in product(models, layers, names)
        for channel in (channels if isinstance(channels, list) else range(WIDTHS[layer])[chosen[channels]])
        for seed in seeds
    ]
    made = [(shard.model, shard.layer, shard.metric, item) for shard in plan.shards for item in shard.items]
    assert made == wanted
    assert plan.tasks == len(wanted)
    tasks = {task_id(shard, item) for shard in plan.shards for item in shard.items}
    assert len(tasks) == len(wanted)
    assert len({shard.id for shard in plan.shards}) == len(plan.shards)


def test_counts_multiply():
    asked = sweep("alpha", "beta", metrics=metrics(*METRICS), seeds=[0, 1, 2], layers="default", channels="0:5")
    assert make_plan(asked, CARDS).tasks == 2 * 2 * 5 * 4 * 3


def test_the_same_plan_twice_and_whatever_the_shards():
    def tasks(seconds):
        asked = sweep("alpha", "beta", layers="all", cluster=ClusterConfig(kind="local", shard_seconds=seconds))
        plan = make_plan(asked, CARDS)
        return [shard.id for shard in plan.shards], [task_id(s, i) for s in plan.shards for i in s.items]

    assert tasks(1.0) == tasks(1.0)
    assert tasks(1.0)[1] == tasks(0.01)[1]
    assert tasks(1.0)[0] != tasks(0.01)[0]


def test_a_model_not_chosen_before_changes_no_other_ones_ids():
    alone = make_plan(sweep("alpha"), {"alpha": CARDS["alpha"]}).shards
    assert make_plan(sweep("alpha", "beta"), CARDS).shards[: len(alone)] == alone


def test_a_shard_costs_what_its_images_cost_to_the_deepest_layer():
    plain = make_plan(sweep(layers=["stem"]), {"alpha": CARDS["alpha"]})
    target = {"kind": "joint", "with": ["alpha/head:0"]}
    joint = make_plan(sweep(layers=["stem"], target=target), {"alpha": CARDS["alpha"]})
    steps = 10 + 5 * (round(64 * 340 / 299) / 64) ** 2
    assert plain.cost == pytest.approx(8 * 2 * MACS * steps)
    assert joint.cost == pytest.approx(5 * plain.cost)
    assert find_layer(CARDS["alpha"], "alpha/block1.conv:3").name == "block1.conv"


def test_the_device_is_the_machines_unless_it_is_said():
    assert [device_of(sweep(), card(gpus=n)) for n in (0, 2)] == ["cpu", "cuda"]
    asked = sweep(cluster=ClusterConfig(kind="local", device="cpu"))
    assert device_of(asked, card(gpus=2)) == "cpu"


def test_a_gpu_that_is_not_there_is_said_before_any_work():
    asked = sweep(cluster=ClusterConfig(kind="local", device="cuda"))
    (mistake,) = plan_mistakes(asked, {"alpha": card()})
    assert "cluster.device=cuda" in mistake
    assert plan_mistakes(asked, {"alpha": card(gpus=1)}) == []
    planned = sweep(cluster=asked.cluster, dry_run=True)
    assert plan_mistakes(planned, {"alpha": card()}) == []


def test_every_mistake_is_told_at_once():
    asked = sweep("alpha", "beta", layers=["stem", "hed"], channels=[0, 99], target={"kind": "row", "row": 40})
    asked.models["beta"] = ModelConfig(source="any", sizes=[64])
    mistakes = plan_mistakes(asked, CARDS)
    for part in ("layers=hed", "did you mean head", "channels=99: alpha/stem", "channels=99: beta/stem"):
        assert any(part in mistake for mistake in mistakes), part
    for part in ("target.row=40: alpha/stem", "target.row=40: beta/stem", "models.beta.sizes=[64]"):
        assert any(part in mistake for mistake in mistakes), part
    assert len(mistakes) == 6


def test_what_needs_no_model_is_told_without_any():
    asked = sweep(channels="a:b", target={"kind": "cumulative"}, layers=["nothing"])
    mistakes = plan_mistakes(asked, {})
    assert [mistake.partition(" ")[0] for mistake in mistakes] == ["channels='a:b':", "target.count"]


def test_a_right_sweep_has_no_mistakes():
    assert plan_mistakes(sweep("alpha", "beta", layers="all"), CARDS) == []


def test_places_in_lists_are_targets_of_one_sweep_and_each_is_held_against_the_map():
    asked = sweep(layers=["block1"], channels=[0], target={"kind": "neuron", "row": [0, 1], "col": [2, 3]})
    plan = make_plan(asked, {"alpha": CARDS["alpha"]})
    labels = [shard.target.label for shard in plan.shards]
    assert (plan.tasks, labels) == (4, ["neuron0x2", "neuron0x3", "neuron1x2", "neuron1x3"])
    wrong = sweep(layers=["block1"], target={"kind": "neuron", "row": [0, 8], "col": [2, 9]})
    assert set(plan_mistakes(wrong, {"alpha": CARDS["alpha"]})) == {
        f"target.{place}: alpha/block1 is 8 x 8 at 64 pixels" for place in ("row=8", "col=9")
    }
    assert plan_mistakes(sweep(target={"kind": "row", "row": []}), {"alpha": CARDS["alpha"]}) == [
        "target.row=[]: a number, or a list of some, is wanted"
    ]
