"""Where the time of actors went: kept, lost, loading; by model."""

import pytest

from atlas.engine.account import Account
from atlas.engine.events import Died, Done, Kill, Load, Ready, Send, Start
from atlas.records import Receipt, Shard


def shard(model: str) -> Shard:
    return Shard(f"of {model}", model, (1,), 1.0)


def done(slot: int) -> Done:
    return Done(slot, Receipt("s", (), ok=1, dead=0, failed=0, seconds=1.0, batch=1, peak_bytes=0))


def test_each_second_of_work_is_kept_or_lost_and_waiting_costs_nothing() -> None:
    account = Account()
    history = [
        (0, Start(0, "a")),
        (5, Ready(0)),
        (20, Send(0, shard("a"))),
        (50, done(0)),
        (50, Load(0, "b")),
        (52, Ready(0)),
        (52, Load(0, "a")),
        (52, Ready(0)),
        (52, Send(0, shard("a"))),
        (62, Died(0, "preempted")),
        (62, Died(0, "told of twice")),
        (62, Start(0, "b")),
        (63, Kill(0)),
        (70, Kill(0)),
    ]
    for now, happening in history:
        account.take(happening, float(now))
    assert account.seconds == {"kept": {"a": 30.0}, "lost": {"a": 10.0}, "loading": {"a": 5.0, "b": 2.0}}


def test_what_is_under_way_when_the_run_ends_is_lost() -> None:
    account = Account()
    account.take(Start(0, "a"), 0.0)
    account.take(Send(1, shard("a")), 0.0)
    account.close(7.0)
    account.close(9.0)
    assert account.seconds == {"kept": {}, "lost": {"a": 7.0}, "loading": {}}


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, None), (7200, "1.00 GPU-hours of work (a 1.00), 0.00 of loading, 0.00 lost")]
)
def test_the_bill_is_in_shares_of_a_card_and_little_is_no_bill(seconds: float, words: str | None) -> None:
    account = Account()
    account.take(Send(0, shard("a")), 0.0)
    account.take(done(0), seconds)
    assert account.words("GPU", 0.5) == words
