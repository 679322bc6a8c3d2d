"""Slots as a function of the nodes, and the device of a run from what the nodes have."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.config.schema import ClusterConfig
from atlas.engine.events import Draining, Joined, Left
from atlas.engine.executor import ActorShape, ClusterError
from atlas.engine.roster import Node, Roster
from atlas.engine.survey import fit

CPU, CARD = ActorShape(None, 1, 0.0, most=99), ActorShape(None, 1, 1.0, most=99)
HEAD = Node("head", 0, 0)


def test_a_late_node_brings_slots_and_one_that_goes_takes_its_own_along() -> None:
    roster, two = Roster(CPU), Node("a", 2, 0)
    assert roster.update([HEAD, two]) == [Joined(0), Joined(1)]
    roster.place(0, "a"), roster.place(1, "a")
    assert roster.update([HEAD, two]) == []
    assert roster.update([HEAD, two, Node("b", 1, 0)]) == [Joined(2)]
    roster.place(2, "b")
    assert roster.update([HEAD, two]) == [Left(2, "its node is gone")]
    assert roster.nodes == {0: "a", 1: "a"}


def test_a_draining_node_is_told_of_once_and_its_room_counts_no_more() -> None:
    roster, node = Roster(CPU), Node("a", 1, 0)
    roster.update([node, Node("b", 1, 0)])
    roster.place(0, "a"), roster.place(1, "b")
    leaving = replace(node, draining=True)
    assert roster.update([leaving, Node("b", 1, 0)]) == [Draining(0, "its node is about to leave")]
    assert roster.update([leaving, Node("b", 1, 0)]) == []
    assert roster.update([leaving, Node("b", 1, 0), Node("c", 1, 0)]) == [Joined(2)]
    assert roster.update([Node("b", 1, 0), Node("c", 1, 0)]) == [Left(0, "its node is gone")]


def test_a_node_that_is_refused_has_no_slots() -> None:
    roster, nodes = Roster(CPU), [Node("a", 2, 0), Node("b", 1, 0)]
    roster.update(nodes)
    roster.place(0, "a"), roster.place(1, "a"), roster.place(2, "b")
    roster.refuse("a", "a is refused: it has torch 2.11.0 (2.13.0 here)")
    assert roster.update(nodes) == [Left(slot, "a is refused: it has torch 2.11.0 (2.13.0 here)") for slot in (0, 1)]
    assert roster.update(nodes) == []
    assert roster.update([*nodes, Node("c", 1, 0)]) == [Joined(3)]


def test_from_zero_one_actor_is_asked_for_at_a_time_or_as_many_as_were_named() -> None:
    roster = Roster(CARD)
    assert (roster.update([HEAD]), roster.asking) == ([], 1)
    assert (roster.update([HEAD, Node("a", 8, 2)]), roster.asking) == ([Joined(0), Joined(1)], 1)
    named = Roster(replace(CARD, count=4))
    assert (named.update([HEAD, Node("a", 8, 1)]), named.asking) == ([Joined(0)], 3)
    few = Roster(replace(CARD, most=1))
    assert (few.update([HEAD, Node("a", 8, 2)]), few.asking) == ([Joined(0)], 0), "no more than there is work for"


def test_a_machine_short_of_memory_keeps_its_room_to_itself_and_another_is_asked_for_and_used() -> None:
    roster, node = Roster(replace(CPU, most=2)), Node("a", 2, 0)
    roster.update([node])
    roster.place(0, "a"), roster.place(1, "a")
    assert (roster.update([node]), roster.asking, roster.closed()) == ([], 0, [])
    roster.rest(0, "a")
    assert (roster.update([node]), roster.asking, roster.closed()) == ([], 1, ["a"])
    assert roster.update([node, Node("b", 2, 0)]) == [Joined(2)], "as there is work for"
    roster.place(1, None)
    assert roster.closed() == [], "its other actor has died, and is replaced"
    assert roster.closed([1]) == ["a"], "by one that is on its way"
    roster.place(1, "a"), roster.place(0, None)
    assert (roster.update([node]), roster.closed()) == ([Left(0, "no node has room for it any more")], [])


def test_a_machine_short_of_memory_that_goes_is_forgotten() -> None:
    roster, node = Roster(CPU), Node("a", 2, 0)
    roster.update([node])
    roster.place(0, "a"), roster.place(1, "a"), roster.rest(0, "a")
    roster.refuse("a", "another torch")
    assert roster.update([node]) == [Left(0, "another torch"), Left(1, "another torch")]
    assert (roster.closed(), roster.update([Node("b", 1, 0)])) == (["a"], [Joined(2)])


def test_several_actors_share_a_card_and_a_rest_of_a_card_is_no_room() -> None:
    half = replace(CARD, gpus=0.5)
    assert [Node("a", 8, cards).room(half) for cards in (1, 2)] == [2, 4]
    assert Node("a", 3, 2).room(half) == 3, "as the CPUs allow"
    assert [Node(name, 8, 1).room(replace(CARD, gpus=2.0)) for name in "ab"] == [0, 0], "not over two nodes"


def test_cards_are_chosen_by_name() -> None:
    shape = replace(CARD, accelerators=("H100", "A100"))
    kinds = [Node("a", 8, 1, "H100"), Node("b", 8, 1, "L4"), Node("c", 8, 1, "A100"), Node("d", 8, 1)]
    assert [node.room(shape) for node in kinds] == [1, 0, 1, 0]


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=6), max_size=8), st.integers(1, 9))
def test_whatever_comes_and_goes_slots_are_as_many_as_there_is_room_and_work_for(
    ticks: list[list[tuple[int, bool]]], most: int
) -> None:
    roster, slots, leaving = Roster(replace(CPU, most=most)), set[int](), set[int]()
    for tick in ticks:
        leaving |= {number for number, drains in tick if drains}
        nodes = {f"n{number}": Node(f"n{number}", 2, 0, draining=number in leaving) for number, _ in tick}
        for event in roster.update(nodes.values()):
            if isinstance(event, Joined):
                assert event.slot not in slots, "a number is never given twice"
                slots.add(event.slot)
            elif isinstance(event, Left):
                slots.remove(event.slot)
        assert slots == set(roster.nodes)
        staying = [slot for slot, node in roster.nodes.items() if node is None or not nodes[node].draining]
        room = sum(node.room(CPU) for node in nodes.values())
        assert len(staying) == min(most, room) or (len(staying) > room and None not in roster.nodes.values())
        free = [node.id for node in nodes.values() if not node.draining for _ in range(2)]
        for taken in filter(None, roster.nodes.values()):
            free.remove(taken) if taken in free else None
        for slot in [slot for slot, node in roster.nodes.items() if node is None]:
            roster.place(slot, free.pop())


RAY = ClusterConfig(kind="ray", address="head:6379")


def test_a_head_without_gpus_plans_for_the_cards_of_its_nodes() -> None:
    fitted, note = fit(RAY, [HEAD, Node("a", 8, 4), Node("b", 16, 0)])
    assert (fitted.device, fitted.cpus_per_actor, note) == ("cuda", None, None)
    tight, _ = fit(RAY, [HEAD, Node("a", 4, 4)])
    assert (tight.device, tight.cpus_per_actor) == ("cuda", 1), "no card stays without an actor for want of CPUs"


def test_where_no_node_has_a_gpu_the_cpus_work_and_it_is_said() -> None:
    fitted, note = fit(RAY, [HEAD, Node("a", 8, 0)])
    assert fitted.device == "cpu"
    assert note is not None and "no node of the cluster at head:6379 has a GPU" in note
    for wanted in (replace(RAY, device="cuda"), replace(RAY, accelerator=["H100"])):
        fitted, note = fit(
            wanted, [HEAD, Node("a", 8, 0), Node("b", 8, 1, "L4")][: 2 if wanted.device == "cuda" else 3]
        )
        assert fitted.device == "cuda"
        assert note is not None and "waited for" in note


def test_a_cluster_with_nothing_to_work_on_is_refused_unless_it_is_said_what_to_wait_for() -> None:
    with pytest.raises(ClusterError, match=r"cluster\.device=auto: no node .* say cluster\.device=cuda or cpu"):
        fit(RAY, [HEAD])
    assert fit(replace(RAY, device="cpu"), [HEAD])[0].device == "cpu"
