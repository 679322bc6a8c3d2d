"""Shards of the wanted seconds, by measured rates; what is worked on together stays together."""

from collections import deque
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from atlas.engine.events import Commit, Done, Joined, Ready, Send
from atlas.engine.pace import Pace
from atlas.engine.scheduler import Scheduler
from atlas.records import ImageShard, Receipt, Shard
from tests.engine.test_scheduler import shard


def shards(sizes: list[int]) -> list[ImageShard]:
    starts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    return [shard(channels=range(begin, end)) for begin, end in pairwise(starts)]


def measured(seconds: float, *, wanted: float, batch: int = 4) -> Pace:
    """After a shard of 4 images, each of which took so many seconds."""
    pace = Pace(wanted)
    first = shard()
    pace.learn(first, Receipt(first.id, (), 4, 0, 0, seconds=4 * seconds, batch=batch, peak_bytes=0))
    return pace


def take(pace: Pace, queue: deque[Shard], most: int = 99) -> Shard:
    return pace.take(queue, most=most, fixed=())


def test_nothing_is_joined_or_cut_before_something_like_it_was_done() -> None:
    queue = deque[Shard](shards([4, 4]))
    assert take(Pace(100.0), queue) == shards([4])[0]
    other = shard(model="b")
    assert measured(1.0, wanted=100.0).expected(other) is None


def test_short_shards_are_joined_to_the_wanted_seconds() -> None:
    queue = deque[Shard](shards([4, 4, 4, 4, 2]))
    whole = take(measured(1.0, wanted=13.0), queue)
    assert (len(whole.items), whole.runs, whole.cost) == (12, (4, 4, 4), 12.0)
    assert len(queue) == 2
    assert len(take(measured(1.0, wanted=13.0), queue, most=1).items) == 4, "a share for the other slots"


def test_shards_of_other_work_are_not_joined_and_those_that_came_back_stay_as_they_are() -> None:
    pace = measured(1.0, wanted=100.0)
    first, second, third = shards([4, 4, 4])
    queue = deque[Shard]([first, shard(model="b"), second])
    assert take(pace, queue) == first
    queue = deque[Shard]([first, second, third])
    assert pace.take(queue, most=9, fixed={first.id}) == first
    assert pace.take(queue, most=9, fixed={third.id}) == second
    plain = Shard("x", "a", (1, 2), 2.0)
    pace.learn(plain, Receipt("x", (), 2, 0, 0, seconds=1e4, batch=1, peak_bytes=0))
    assert take(pace, deque([plain, plain])) is plain, "a product that says nothing of it keeps its shards"


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(1, 5), st.floats(0.5, 40))
def test_however_shards_are_made_up_the_same_images_are_made_together(
    sizes: list[int], batch: int, wanted: float
) -> None:
    def batches(of: Shard) -> list[tuple]:
        runs, begin = [], 0
        for size in of.runs:
            run = of.items[begin : begin + size]
            runs += [run[n : n + batch] for n in range(0, size, batch)]
            begin += size
        return runs

    plan = shards(sizes)
    scheduler, sent = Scheduler(plan, Pace(wanted)), []
    commands = [*scheduler.handle(Joined(0)), *scheduler.handle(Ready(0))]
    while sends := [command.shard for command in commands if isinstance(command, Send)]:
        (of,) = sends
        sent.append(of)
        fitted = min(batch, of.together)
        receipt = Receipt(of.id, (), len(of.items), 0, 0, seconds=len(of.items) * 1.0, batch=fitted, peak_bytes=0)
        commands = scheduler.handle(Done(0, receipt))
        assert any(isinstance(command, Commit) for command in commands)
    assert scheduler.finished
    assert sorted(b for of in sent for b in batches(of)) == sorted(b for of in plan for b in batches(of))


def test_a_part_of_a_shard_keeps_its_runs() -> None:
    first, second = shards([3, 2])
    both = first.joined([second])
    assert both.only(both.items[2:]).runs == (1, 2)
    assert both.only(first.items).only(first.items[:1]).runs == (1,)
