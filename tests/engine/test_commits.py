"""Commits go on beside the loop, several at once; storage that fails is tried again, and given up once for all."""

import threading
from collections.abc import Callable

import pytest

from atlas.engine.clock import Clock
from atlas.engine.commits import FENCE, TRIES, Commits
from atlas.engine.events import Commit
from atlas.records import Receipt, Shard
from atlas.store.lock import Locked
from tests.engine.test_scheduler import receipt, shard


class Slept(Clock):
    """Sleeps no time, and says how long it should have."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Storage:
    """In place of a publisher: does as `commit` says."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit

    def commit(self, receipt: Receipt, shard: Shard) -> None:
        self._commit()


def published(commit: Callable[[], None], *commands: Commit) -> tuple[list, list[float]]:
    clock = Slept()
    commits = Commits(Storage(commit), clock, lambda message: None)  # type: ignore[arg-type]
    for command in commands:
        commits.begin(command)
    commits.close()
    done = commits.ended()
    assert commits.idle
    return done, clock.seconds


COMMIT = Commit(shard(), receipt(shard()))


def test_commits_wait_for_the_storage_together() -> None:
    together = threading.Barrier(8, timeout=20)
    done, _ = published(lambda: (together.wait(), None)[1], *[COMMIT] * 8)
    assert done == [(COMMIT, None)] * 8


def test_what_replaces_files_of_a_killed_actor_gives_it_time_to_die() -> None:
    _, slept = published(lambda: None, Commit(shard(), receipt(shard()), fenced=True))
    assert slept == [FENCE]


def test_a_storage_that_fails_for_good_is_tried_for_a_while_by_one_commit_and_once_by_those_after_it() -> None:
    tries = []

    def fail() -> None:
        tries.append(0)
        raise OSError(28, "No space left on device")

    (first,), slept = published(fail, COMMIT)
    assert isinstance(first[1], OSError)
    assert (len(tries), slept) == (TRIES, [1, 2, 4, 8])


def test_a_run_that_took_the_atlas_over_ends_this_one() -> None:
    def locked() -> None:
        raise Locked("taken over")

    ((_, error),), _ = published(locked, COMMIT)
    with pytest.raises(Locked):
        raise error
