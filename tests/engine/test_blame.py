"""Who is charged for a death: a shard that has killed actors on two nodes, and never one whose node went."""

from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.engine.blame import MOST_DEATHS
from atlas.engine.events import (
    Command,
    Commit,
    Died,
    Done,
    Draining,
    Fail,
    Joined,
    Kill,
    Late,
    Left,
    Lost,
    Ready,
    Send,
    Start,
)
from atlas.engine.scheduler import Scheduler
from atlas.records import Item, Shard
from tests.engine.test_scheduler import receipt, shard


def on_nodes(shards: list[Shard], *nodes: str) -> tuple[Scheduler, dict[int, Shard]]:
    """A scheduler with a ready slot on each of these nodes, and what each slot has."""
    scheduler = Scheduler(shards)
    for number in range(len(nodes)):
        scheduler.handle(Joined(number))
    for number, node in enumerate(nodes):
        scheduler.handle(Ready(number, node, "machine"))
    return scheduler, dict(scheduler.busy)


def one_by_one(count: int) -> list[Shard]:
    return [shard(channels=range(n, n + 1)) for n in range(count)]


def failed(commands: list[Command]) -> list[Shard]:
    return [command.shard for command in commands if isinstance(command, Fail)]


def test_two_deaths_on_one_node_condemn_nothing_as_long_as_there_is_another_node() -> None:
    scheduler, sent = on_nodes(one_by_one(9), "x", "y")
    bad = sent[0]
    scheduler.handle(Died(0, "killed"))
    (again,) = scheduler.handle(Ready(0, "x", "machine"))
    assert isinstance(again, Send) and again.shard != bad, "not to the node where it has died"
    _, elsewhere = scheduler.handle(Done(1, receipt(sent[1])))
    assert elsewhere == Send(1, bad)
    commands = scheduler.handle(Died(1, "killed"))
    assert failed(commands) == [bad], "two nodes agree"


def test_on_a_single_node_two_deaths_condemn_as_nobody_else_can_be_asked() -> None:
    scheduler, sent = on_nodes(one_by_one(9), "x")
    scheduler.handle(Died(0, "killed"))
    scheduler.handle(Ready(0, "x", "machine"))
    assert failed(scheduler.handle(Died(0, "killed"))) == [sent[0]]


def test_a_death_that_its_node_announced_is_nobodys_fault_however_often() -> None:
    scheduler, _ = on_nodes(one_by_one(1), "n0")
    for number in range(1, 20):
        assert scheduler.handle(Draining(number - 1, "spot")) == []
        commands = scheduler.handle(Died(number - 1, "preempted"))
        assert failed(commands) == []
        scheduler.handle(Joined(number))
        (send,) = scheduler.handle(Ready(number, f"n{number}", "machine"))
        assert isinstance(send, Send)
    assert scheduler.handle(Died(19, "node gone", noticed=True)) == [Start(19, "a")]
    scheduler.handle(Ready(19, "n19", "machine"))
    scheduler.handle(Draining(19, "spot"))
    assert scheduler.handle(Lost(19, "no answer")) == [Kill(19)]
    assert scheduler.blame.attempts == {}


def test_a_draining_node_finishes_its_shard_and_gets_no_other() -> None:
    scheduler, sent = on_nodes(one_by_one(9), "x", "y")
    assert scheduler.handle(Draining(0, "spot")) == []
    commands = scheduler.handle(Done(0, receipt(sent[0])))
    assert commands == [Commit(sent[0], receipt(sent[0])), Kill(0)]
    assert list(scheduler.slots) == [1]


def test_an_idle_or_loading_actor_of_a_draining_node_ends_at_once() -> None:
    scheduler = Scheduler(one_by_one(9))
    scheduler.handle(Joined(0))
    assert scheduler.handle(Draining(0, "spot")) == [Kill(0)]
    assert scheduler.slots == {}
    assert scheduler.handle(Ready(0)) == [], "too late"


def test_a_slot_that_leaves_hands_its_shard_back_uncharged() -> None:
    scheduler, sent = on_nodes(one_by_one(3), "x", "y")
    scheduler.handle(Left(0, "gone"))
    _, again = scheduler.handle(Done(1, receipt(sent[1])))
    assert again == Send(1, sent[0])
    assert scheduler.blame.attempts == {}


def test_a_late_shard_goes_to_an_idle_actor_of_the_same_kind_and_the_first_receipt_counts() -> None:
    scheduler, sent = on_nodes(one_by_one(2), "x", "y")
    scheduler.handle(Done(1, receipt(sent[1])))
    assert scheduler.idle
    assert scheduler.handle(Late(0)) == [Send(1, sent[0], copy=True)]
    assert scheduler.handle(Late(0)) == [], "twice is enough"
    assert scheduler.handle(Done(1, receipt(sent[0]))) == [Kill(0), Commit(sent[0], receipt(sent[0]), fenced=True)]
    assert scheduler.finished
    assert scheduler.handle(Done(0, receipt(sent[0]))) == [], "too late"


def test_the_first_actor_may_still_win_and_either_may_die_without_loss() -> None:
    scheduler, sent = on_nodes(one_by_one(2), "x", "y")
    scheduler.handle(Done(1, receipt(sent[1])))
    scheduler.handle(Late(0))
    assert scheduler.handle(Died(1, "killed")) == [], "the other goes on"
    assert scheduler.busy == {0: sent[0]}
    assert scheduler.handle(Done(0, receipt(sent[0]))) == [Commit(sent[0], receipt(sent[0]))]


def test_another_kind_of_machine_would_make_other_bytes_and_gets_no_copy() -> None:
    scheduler, sent = on_nodes(one_by_one(1), "x")
    scheduler.handle(Joined(1))
    with scheduler.slots.changing(scheduler.slots[1]) as slot:
        slot.model, slot.ready, slot.node, slot.machine = "a", True, "y", "other"
    assert scheduler.handle(Late(0)) == []


def test_what_an_actor_has_died_of_goes_to_one_actor_at_a_time() -> None:
    scheduler, sent = on_nodes(one_by_one(2), "x", "y")
    scheduler.handle(Died(0, "killed"))
    commands = scheduler.handle(Done(1, receipt(sent[1])))
    assert Send(1, sent[0]) in commands
    scheduler.handle(Ready(0, "x", "machine"))
    assert scheduler.handle(Late(1)) == []


def test_no_more_idle_actors_stay_than_shards_are_under_way() -> None:
    scheduler, sent = on_nodes(one_by_one(4), "w", "x", "y", "z")
    commands = [c for n in range(3) for c in scheduler.handle(Done(n, receipt(sent[n])))]
    assert [c.slot for c in commands if isinstance(c, Kill)] == [0, 1]
    assert scheduler.idle and len(scheduler.busy) == 1
    scheduler.handle(Died(3, "killed"))
    assert scheduler.busy == {2: sent[3]}, "the idle one takes it over"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["died", "lost", "noticed"])), max_size=40))
def test_an_image_is_given_up_only_by_two_nodes_or_by_one_again_and_again(history: list[tuple[int, str]]) -> None:
    """Nodes 0 and 1 have one actor each, and the image kills some of them: whatever the order, nothing else fails."""
    scheduler, _ = on_nodes(one_by_one(3), "n0", "n1", "n1")
    charged: dict[str, list[str]] = {}
    for number, happening in history:
        of = scheduler.busy.get(number)
        if of is None:
            if number in scheduler.slots and scheduler.slots[number].model is not None:
                scheduler.handle(Ready(number, f"n{min(number, 1)}", "machine"))
            continue
        if happening != "noticed":
            charged.setdefault(of.id, []).append(scheduler.slots[number].node)
        events = {"died": Died(number, "d"), "lost": Lost(number, "l"), "noticed": Died(number, "d", noticed=True)}
        for guilty in failed(scheduler.handle(events[happening])):
            deaths = charged[guilty.id]
            alone = not any(slot.ready for slot in scheduler.slots.values() if slot.node not in deaths)
            assert len(set(deaths)) == 2 or len(deaths) >= (2 if alone else MOST_DEATHS)
    assert all(item == Item(item.channel, 0) for of in scheduler.busy.values() for item in of.items)
