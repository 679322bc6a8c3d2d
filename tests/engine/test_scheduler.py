"""The scheduler against arbitrary histories of a cluster: every image settles exactly once, whatever happens."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.engine.backlog import Backlog
from atlas.engine.blame import DEATHS
from atlas.engine.events import (
    Abandon,
    Commit,
    Died,
    Done,
    Draining,
    Event,
    Fail,
    Failed,
    Halt,
    Interrupted,
    Joined,
    Kill,
    Late,
    Left,
    Load,
    Lost,
    Pause,
    Ready,
    Send,
    SetupFailed,
    Start,
    Starved,
    Trouble,
)
from atlas.engine.pace import Pace
from atlas.engine.scheduler import TROUBLES, Scheduler
from atlas.engine.slots import SETUPS, Slots
from atlas.engine.staffing import following
from atlas.records import ImageShard, Item, Receipt, Shard, Target
from atlas.sweep.identity import shard_id


def shard(model: str = "a", channels: range = range(4), cost: float = 1.0) -> ImageShard:
    items = tuple(Item(channel, 0) for channel in channels)
    name = shard_id("variant", model, Target(), items)
    return ImageShard(name, model, items, cost * len(items), "layer", 0, "l1", "variant", Target())


def receipt(of: Shard) -> Receipt:
    return Receipt(of.id, ("staging/a/rows",), ok=len(of.items), dead=0, failed=0, seconds=1.0, batch=1, peak_bytes=1)


def ready(shards: list[Shard], slots: int = 1) -> tuple[Scheduler, dict[int, Shard]]:
    """A scheduler whose slots have all loaded a model, and what each was sent."""
    scheduler = Scheduler(shards)
    started = [c for n in range(slots) for c in scheduler.handle(Joined(n)) if isinstance(c, Start)]
    sent = [c for start in started for c in scheduler.handle(Ready(start.slot)) if isinstance(c, Send)]
    return scheduler, {send.slot: send.shard for send in sent}


def test_a_finished_shard_is_committed_and_the_next_is_sent() -> None:
    first, second = shard(channels=range(4)), shard(channels=range(4, 6))
    scheduler, sent = ready([second, first])
    assert sent == {0: first}, "the largest comes first"
    assert scheduler.handle(Done(0, receipt(first))) == [Commit(first, receipt(first)), Send(0, second)]
    assert scheduler.handle(Done(0, receipt(second))) == [Commit(second, receipt(second))]
    assert scheduler.finished


def test_no_more_actors_are_started_than_there_are_shards() -> None:
    scheduler = Scheduler([shard()])
    assert [scheduler.handle(Joined(n)) for n in range(3)] == [[Start(0, "a")], [], []]


def test_two_models_on_two_slots_are_each_pinned_in_their_own() -> None:
    shards = [shard("big", range(n, n + 1), cost=100) for n in range(20)] + [shard("small", range(1))]
    scheduler = Scheduler(shards)
    commands = [c for n in range(2) for c in scheduler.handle(Joined(n))]
    assert sorted(c.model for c in commands if isinstance(c, Start)) == ["big", "small"]


def test_a_slot_changes_model_in_the_same_actor_and_is_told_of_it_with_its_last_shard() -> None:
    scheduler = Scheduler([shard("a"), shard("b"), shard("b", range(9, 12))])
    scheduler.handle(Joined(0))
    (first,) = scheduler.handle(Ready(0))
    _, last = scheduler.handle(Done(0, receipt(scheduler.busy[0])))
    assert isinstance(first, Send) and isinstance(last, Send)
    assert (first.shard.model, first.following) == ("b", None)
    assert (last.shard.model, last.following) == ("b", "a")
    _, change = scheduler.handle(Done(0, receipt(last.shard)))
    assert change == Load(0, "a")
    (send,) = scheduler.handle(Ready(0))
    assert isinstance(send, Send) and (send.shard.model, send.following) == ("a", None)


@pytest.mark.parametrize(
    "event", [SetupFailed(0, "no such file"), Died(0, "killed"), Lost(0, "no answer"), Starved(0, "out of memory")]
)
def test_a_new_actor_is_made_where_the_one_before_may_be_broken(event: Event) -> None:
    """Whether it was loading its first model or another."""
    scheduler, sent = ready([shard("a"), shard("b")])
    assert Load(0, "b") in scheduler.handle(Done(0, receipt(sent[0])))
    assert scheduler.handle(event)[-1] == Start(0, "b")
    assert scheduler.handle(event)[-1] == Start(0, "b")


def test_what_follows_is_known_once_each_slot_may_have_its_last_shard() -> None:
    slots, backlog = Slots(), Backlog([shard("a"), shard("a", range(9, 12)), shard("b")], None)
    for number in range(2):
        slots.join(number)
        with slots.changing(slots[number]) as slot:
            slot.model, slot.ready = "a", True
    assert following(slots[0], slots, backlog) is None, "each may get one more"
    backlog["a"].pop()
    assert following(slots[0], slots, backlog) == "b", "nobody knows which of the two gets it"
    slots[0].failures["b"] = SETUPS
    assert following(slots[0], slots, backlog) is None
    backlog.give_up("b")
    assert following(slots[1], slots, backlog) is None


def test_an_actor_that_changes_its_model_is_still_as_fast_as_it_was_measured() -> None:
    scheduler = Scheduler([shard("a"), shard("b")], pace := Pace(100.0))
    scheduler.handle(Joined(0))
    (send,) = scheduler.handle(Ready(0))
    assert isinstance(send, Send)
    scheduler.handle(Done(0, receipt(send.shard)))
    pace.learn(send.shard, replace(receipt(send.shard), seconds=9.0), slot=1)
    assert pace.expected(send.shard, 0) == 1.0


def test_the_shard_of_a_dead_actor_goes_out_again_first_and_whole() -> None:
    first, second = shard(), shard(channels=range(9, 10))
    scheduler, _ = ready([first, second])
    assert scheduler.handle(Died(0, "killed")) == [Start(0, "a")]
    assert scheduler.handle(Ready(0)) == [Send(0, first)]


def test_a_shard_with_two_deaths_is_halved_and_a_single_image_with_two_deaths_fails() -> None:
    scheduler, sent = ready([shard(channels=range(2))])
    sizes = []
    commands: list = [Send(0, sent[0])]
    for _ in range(12):
        sizes += [len(c.shard.items) for c in commands if isinstance(c, Send)]
        if any(isinstance(c, Fail) for c in commands):
            break
        if 0 in scheduler.busy:
            commands = scheduler.handle(Died(0, "killed by the kernel"))
        else:
            commands = scheduler.handle(Ready(0))
    (failed,) = [c for c in commands if isinstance(c, Fail)]
    assert sizes == [2] * DEATHS + [1] * DEATHS
    assert failed.shard.items == (Item(0, 0),)
    assert (failed.error_type, failed.message, failed.attempts) == ("ActorDied", "killed by the kernel", 2 * DEATHS)


@pytest.mark.parametrize("size", [2, 8, 64, 1000])
@pytest.mark.parametrize("event", [Died, Lost])
def test_a_poisoned_or_hanging_item_costs_three_actors_whatever_the_shards_size(size: int, event: type) -> None:
    """The worker has noted what was under way: a batch first, then the item alone."""
    scheduler, sent = ready([shard(channels=range(size))])
    bad, batch, deaths, settled = Item(size // 2, 0), 16, 0, []
    commands: list = [Send(0, sent[0])]
    while not scheduler.finished:
        of, most = next(((c.shard, c.most) for c in commands if isinstance(c, Send)), (None, None))
        if of is None:
            commands = scheduler.handle(Ready(0))
        elif bad in of.items:
            at, together = of.items.index(bad), most or batch
            first = at - at % together
            deaths += 1
            commands = scheduler.handle(event(0, "x", tuple(range(first, min(first + together, len(of.items))))))
        else:
            commands = scheduler.handle(Done(0, receipt(of)))
        settled += [item for c in commands if isinstance(c, Commit | Fail) for item in c.shard.items]
        failed = [c for c in commands if isinstance(c, Fail)]
        assert all(c.shard.items == (bad,) and c.error_type == "ActorDied" for c in failed)
    assert deaths == 3
    assert sorted(settled) == [Item(n, 0) for n in range(size)]


def test_two_kills_at_random_fail_nothing() -> None:
    """The second item is not the first one's culprit."""
    scheduler, sent = ready([shard(channels=range(8))])
    scheduler.handle(Died(0, "killed", tuple(range(8))))
    assert scheduler.handle(Ready(0)) == [Send(0, sent[0], 1)], "one at a time, to find the one"
    scheduler.handle(Died(0, "killed", (5,)))
    (alone,) = scheduler.handle(Ready(0))
    assert isinstance(alone, Send) and alone.shard.items == (Item(5, 0),)
    _, others = scheduler.handle(Done(0, receipt(alone.shard)))
    assert isinstance(others, Send) and len(others.shard.items) == 7 and others.most is None


def test_a_machine_short_of_memory_gets_half_as_much_at_once_and_one_actor_fewer() -> None:
    first, second = shard(), shard(channels=range(4, 8))
    scheduler, sent = ready([first, second], slots=2)
    assert scheduler.handle(Starved(0, "out of memory", (0, 1, 2, 3))) == [Kill(0)]
    assert list(scheduler.slots) == [1]
    _, again = scheduler.handle(Done(1, receipt(sent[1])))
    assert again == Send(1, sent[0], 2), "uncharged, and no more together than may fit"
    sizes = []
    for places in [(0, 1), (2,), (0,)]:
        assert scheduler.handle(Starved(1, "out of memory", places))[-1] == Start(1, "a"), "the last slot stays"
        (send,) = scheduler.handle(Ready(1))
        assert isinstance(send, Send)
        sizes.append((len(send.shard.items), send.most))
    assert sizes == [(4, 1), (1, 1), (3, 1)], "an item that is too large alone is given up, and the others go on"


def test_an_error_is_bisected_to_the_one_image_and_the_others_succeed() -> None:
    scheduler, sent = ready([shard(channels=range(8))])
    bad, done, failed = Item(5, 0), [], []
    todo = [Send(0, sent[0])]
    while todo:
        send = todo.pop()
        of = send.shard
        event = Failed(0, of.id, "ValueError", "trace") if bad in of.items else Done(0, receipt(of))
        commands = scheduler.handle(event)
        done += list(of.items) if any(isinstance(c, Commit) for c in commands) else []
        failed += [c for c in commands if isinstance(c, Fail)]
        todo += [c for c in commands if isinstance(c, Send)]
    assert [f.shard.items for f in failed] == [(bad,)]
    assert (failed[0].error_type, failed[0].message) == ("ValueError", "trace")
    assert sorted(done) == [Item(n, 0) for n in range(8) if n != 5]
    assert scheduler.finished


def test_a_late_receipt_of_a_shard_that_went_elsewhere_is_ignored() -> None:
    scheduler, sent = ready([shard()])
    scheduler.handle(Lost(0, "no answer"))
    assert [c for c in scheduler.handle(Done(0, receipt(sent[0]))) if isinstance(c, Commit)] == []
    assert not scheduler.finished


def test_an_actor_that_is_lost_is_killed_before_its_work_goes_out_again() -> None:
    scheduler, _ = ready([shard()])
    assert scheduler.handle(Lost(0, "no answer")) == [Kill(0), Start(0, "a")]


def test_storage_trouble_backs_off_is_never_charged_and_ends_in_a_stop() -> None:
    scheduler, sent = ready([shard()])
    waits = []
    for _ in range(TROUBLES):
        pause, again = scheduler.handle(Trouble(0, sent[0].id, "disk full"))
        assert isinstance(pause, Pause)
        waits.append(pause.seconds)
        assert again == Send(0, sent[0])
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert scheduler.handle(Trouble(0, sent[0].id, "disk full")) == [Halt("disk full")]
    assert scheduler.finished
    assert scheduler.blame.attempts[sent[0].id] == 0


def test_a_commit_ends_a_row_of_troubles() -> None:
    first, second = shard(), shard(channels=range(7, 9))
    scheduler, _ = ready([first, second])
    for _ in range(TROUBLES):
        scheduler.handle(Trouble(0, first.id, "slow storage"))
    scheduler.handle(Done(0, receipt(first)))
    assert isinstance(scheduler.handle(Trouble(0, second.id, "slow storage"))[0], Pause)


def test_a_model_that_loads_in_no_slot_is_given_up_and_the_others_go_on() -> None:
    scheduler = Scheduler([shard("bad"), shard("good")])
    commands = [c for n in range(2) for c in scheduler.handle(Joined(n))]
    done: list[str] = []
    while not scheduler.finished:
        command = commands.pop(0)
        if isinstance(command, Start | Load):
            bad = command.model == "bad"
            commands += scheduler.handle(SetupFailed(command.slot, "no such file") if bad else Ready(command.slot))
        elif isinstance(command, Send):
            commands += scheduler.handle(Done(command.slot, receipt(command.shard)))
        elif isinstance(command, Commit | Abandon):
            done.append(command.shard.model if isinstance(command, Commit) else f"without {command.model}")
    done += [f"without {c.model}" for c in commands if isinstance(c, Abandon)]
    assert sorted(done) == ["good", "without bad"]


def test_an_actor_that_is_found_dead_when_it_should_load_another_model_is_no_fault_of_that_model() -> None:
    scheduler = Scheduler([shard("a"), shard("b")])
    scheduler.handle(Joined(0))
    (first,) = scheduler.handle(Ready(0))
    other = "b" if first.shard.model == "a" else "a"
    assert Load(0, other) in scheduler.handle(Done(0, receipt(first.shard)))
    assert scheduler.handle(Died(0, "gone unseen")) == [Start(0, other)]
    assert not scheduler.slots[0].failures
    assert scheduler.handle(Died(0, "killed by its model")) == [Start(0, other)]
    assert scheduler.slots[0].failures[other] == 1


def test_one_bad_slot_takes_no_model_from_the_others() -> None:
    scheduler = Scheduler([shard(channels=range(n, n + 1)) for n in range(9)])
    for number in range(3):
        scheduler.handle(Joined(number))
    for _ in range(SETUPS):
        commands = scheduler.handle(SetupFailed(0, "broken node"))
    assert commands == []
    assert scheduler.slots[0].model is None, "not tried there again"
    assert [type(c) for c in scheduler.handle(Ready(1))] == [Send]


def test_one_trouble_heard_from_many_actors_counts_once() -> None:
    scheduler, sent = ready([shard(channels=range(n, n + 1)) for n in range(9)], slots=8)
    said = [c for slot, of in sent.items() for c in scheduler.handle(Trouble(slot, of.id, "a glitch"))]
    assert sum(isinstance(c, Pause) for c in said) == 1
    assert not any(isinstance(c, Halt) for c in said)


def test_work_killed_for_the_sake_of_a_stop_is_not_charged() -> None:
    scheduler, _ = ready([shard(channels=range(1))])
    scheduler.handle(Died(0, "once"))
    scheduler.handle(Ready(0))
    scheduler.handle(Interrupted())
    assert scheduler.handle(Lost(0, "the grace is over")) == [Kill(0)]
    assert scheduler.finished
    assert scheduler.queues["a"], "left to do"


def test_after_an_interrupt_what_flies_lands_and_nothing_takes_off() -> None:
    scheduler, sent = ready([shard(), shard(channels=range(7, 9))])
    assert scheduler.handle(Interrupted()) == []
    assert not scheduler.finished
    assert scheduler.handle(Done(0, receipt(sent[0]))) == [Commit(sent[0], receipt(sent[0]))]
    assert scheduler.finished


def test_a_slot_that_leaves_takes_nothing_with_it() -> None:
    scheduler, sent = ready([shard()], slots=1)
    scheduler.handle(Left(0, "node gone"))
    assert scheduler.slots == {}
    scheduler.handle(Joined(7))
    assert scheduler.handle(Ready(7)) == [Send(7, sent[0])]


HAPPENINGS = ["done", "done", "done", "ready", "ready", "failed", "died", "lost", "setup", "late", "left", "joined"]
HAPPENINGS += ["starved", "noted", "drained", "noticed", "slow", "slow"]


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    slots=st.integers(1, 4),
    history=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 5)), max_size=60),
    poison=st.integers(0, 40),
    nodes=st.integers(1, 3),
    seconds=st.sampled_from([None, 0.1, 1.5, 5.0]),
)
def test_whatever_happens_every_image_settles_exactly_once(
    sizes: list[int], slots: int, history: list[tuple[str, int]], poison: int, nodes: int, seconds: float | None
) -> None:
    """Play a random history, then a calm end: commits, failures and abandoned images partition the plan."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    plan = [shard("ab"[n % 2], range(s, s + size)) for n, (s, size) in enumerate(zip(starts, sizes, strict=True))]
    world = World(Scheduler(plan, None if seconds is None else Pace(seconds)), poison, nodes)
    for number in range(slots):
        world.feed(Joined(number))
    for happening, number in history:
        world.happen(happening, number)
    world.feed(Joined(99))
    world.calm_down()
    wanted = Counter((of.model, item) for of in plan for item in of.items)
    assert Counter(world.settled) + Counter(world.abandoned(plan)) == wanted


class World:
    """A cluster as the scheduler sees it."""

    def __init__(self, scheduler: Scheduler, poison: int, nodes: int = 1) -> None:
        self.scheduler, self.poison, self.nodes = scheduler, poison, nodes
        self.settled: list[tuple[str, Item]] = []
        self.given_up: set[str] = set()
        self.stale: list[Receipt] = []
        self.actors: set[int] = set()  # slots whose actor lives and is of use

    def check_files(self) -> None:
        """Slots are filed as a look at each of them would find them."""
        slots = self.scheduler.slots
        assert slots.busy == {n: slot.shard for n, slot in slots.items() if slot.shard is not None}
        assert set(slots.empty) == {n for n, slot in slots.items() if slot.model is None}
        for model in "ab":
            having = {n: slot for n, slot in slots.items() if slot.model == model}
            assert slots.holding[model] == len(having)
            assert set(slots.starting[model]) == {n for n, slot in having.items() if not slot.ready}
            assert set(slots.idle[model]) == {n for n, slot in having.items() if slot.ready and slot.shard is None}
            staying = [slot.node for slot in having.values() if slot.ready and not slot.draining]
            assert slots.nodes[model] == Counter(staying)
        shared = Counter(shard.id for shard in slots.busy.values() if shard in self.scheduler.twins)
        assert set(shared.values()) <= {2}

    def feed(self, event: object) -> None:
        if isinstance(event, Died | SetupFailed | Left):
            self.actors.discard(event.slot)
        for command in self.scheduler.handle(event):  # type: ignore[arg-type]
            if isinstance(command, Commit):
                self.settled += [(command.shard.model, item) for item in command.shard.items]
            elif isinstance(command, Fail):
                assert len(command.shard.items) == 1
                self.settled += [(command.shard.model, item) for item in command.shard.items]
            elif isinstance(command, Abandon):
                self.given_up.add(command.model)
            elif isinstance(command, Start | Kill):
                self.actors.discard(command.slot)
                self.actors |= {command.slot} if isinstance(command, Start) else set()
            elif isinstance(command, Load):
                assert command.slot in self.actors, "it has an actor"
            elif isinstance(command, Send):
                assert command.slot in self.actors
                assert command.following != command.shard.model
                assert self.scheduler.slots[command.slot].model == command.shard.model, "pinned"
                assert not self.scheduler.slots[command.slot].draining
        self.check_files()

    def happen(self, happening: str, number: int) -> None:
        if happening == "joined":
            return self.feed(Joined(number + 10))
        slots = list(self.scheduler.slots)
        if not slots:
            return None
        slot = slots[number % len(slots)]
        state, of = self.scheduler.slots[slot], self.scheduler.slots[slot].shard
        if happening == "late" and self.stale:
            return self.feed(Done(slot, self.stale[number % len(self.stale)]))
        if happening == "left":
            return self.feed(Left(slot, "gone"))
        if happening == "drained":
            return self.feed(Draining(slot, "spot"))
        if state.model is not None and not state.ready:
            ready = Ready(slot, node=f"n{slot % self.nodes}", machine="m")
            return self.feed(ready if happening in ("ready", "done") else SetupFailed(slot, "no"))
        if of is None:
            return None
        self.stale.append(receipt(of))
        places = tuple(range(number % (len(of.items) + 1)))
        events = {
            "failed": Failed(slot, of.id, "E", "m"),
            "died": Died(slot, "d"),
            "lost": Lost(slot, "l"),
            "noted": Died(slot, "d", places),
            "noticed": Died(slot, "d", places, noticed=True),
            "slow": Late(slot),
            "starved": Starved(slot, "s", places),
        }
        return self.feed(events.get(happening, self._outcome(slot, of)))

    def _outcome(self, slot: int, of: Shard) -> Done | Failed:
        poisoned = any(item.channel == self.poison for item in of.items)
        return Failed(slot, of.id, "Poison", "x") if poisoned else Done(slot, receipt(of))

    def calm_down(self) -> None:
        for _ in range(2000):
            if self.scheduler.finished:
                return
            for number, slot in list(self.scheduler.slots.items()):
                if slot.model is not None and not slot.ready:
                    self.feed(Ready(number))
                elif slot.shard is not None:
                    self.feed(self._outcome(number, slot.shard))
        pytest.fail("the scheduler never finishes")

    def abandoned(self, plan: list[Shard]) -> list[tuple[str, Item]]:
        settled = set(self.settled)
        images = [(of.model, item) for of in plan if of.model in self.given_up for item in of.items]
        return [image for image in images if image not in settled]
