"""What hangs and what is late: by what was measured, and by nothing where nothing was."""

from atlas.engine.events import Late, Lost
from atlas.engine.overdue import HUNG, LATE, Overdue
from atlas.engine.pace import Pace
from atlas.records import Receipt
from tests.engine.test_scheduler import shard


def test_work_is_late_after_twice_what_the_like_of_it_took_in_its_slot() -> None:
    overdue, pace, of = Overdue(600.0, rate=1e9), Pace(20.0), shard()
    overdue.restart(0, now=100.0), overdue.restart(1, now=100.0)
    assert list(overdue.late({0: of}, 400.0, pace)) == [], "nothing was measured: it may take as long as it may"
    pace.learn(of, Receipt(of.id, (), 4, 0, 0, seconds=5.0, batch=4, peak_bytes=0), 0)
    pace.learn(of, Receipt(of.id, (), 4, 0, 0, seconds=50.0, batch=4, peak_bytes=0), 1)
    busy = {0: of, 1: of}
    assert list(overdue.late(busy, 100.0 + LATE * 5.0, pace)) == []
    assert list(overdue.late(busy, 101.0 + LATE * 5.0, pace)) == [Late(0)]
    assert list(overdue.late(busy, 101.0 + LATE * 50.0, pace)) == [Late(0), Late(1)]


def test_work_hangs_after_the_deadline_or_several_times_the_slowest_or_what_its_cost_lets_expect() -> None:
    of = shard(cost=1e9)
    for slowest, rate, limit in ((1.0, 1e12, 60.0), (20.0, 1e12, HUNG * 20.0), (1.0, 1e8, HUNG * 40.0)):
        overdue = Overdue(60.0, rate)
        overdue.restart(0, now=0.0)
        overdue.learn(slowest)
        assert list(overdue.hung({0: of}, limit)) == []
        assert [type(event) for event in overdue.hung({0: of}, limit + 1)] == [Lost]
