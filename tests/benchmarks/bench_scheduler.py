"""The scheduler beyond any machine at hand: a thousand actors and a million tasks, played in simulated time.

    PYTHONPATH=. python tests/benchmarks/bench_scheduler.py [--tasks N] [--actors N]

Nodes of one actor each are preempted (20 % a minute, half of them with a notice), actors die, one shard in a hundred takes
ten times as long. The state machine is the real one, and so are its pace and its eye for what is late; clock, actors and
storage are played. Prints one line of JSON for each size: microseconds an event, memory, busy share, wasted work.
"""

import argparse
import gc
import heapq
import json
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from atlas.engine.events import (
    Commit,
    Died,
    Done,
    Draining,
    Event,
    Fail,
    Joined,
    Kill,
    Left,
    Load,
    Ready,
    Send,
    Start,
)
from atlas.engine.overdue import Overdue
from atlas.engine.pace import Pace
from atlas.engine.scheduler import Scheduler
from atlas.records import ImageShard, Item, Receipt, Shard, Target

RATE = 1e9  # multiply-adds a second of an actor
SECONDS = 1.0  # of a task, and of a shard
LOAD = 5.0  # seconds that a model takes to load
AWAY = 20.0  # seconds until a preempted node is replaced
PREEMPTED = 0.2 / 60  # of the nodes a second
NOTICE = 30.0  # seconds between a notice and the end of a node
DEATHS = 0.001  # of the shards kill their actor's process, by chance
STRAGGLERS, SLOWER = 0.01, 10.0  # shards, and how much longer they take
LAYERS = 50
TICK = 1.0  # seconds between two looks at what is late


@dataclass
class Cluster:
    """Plays what the scheduler commands, and reports what becomes of it, in simulated time."""

    scheduler: Scheduler
    random: random.Random
    now: float = 0.0
    events: list[tuple[float, int, Any]] = field(default_factory=list)  # when, and what happens then
    lives: Counter[int] = field(default_factory=Counter)  # by slot: actors so far, so that late events are told apart
    sent: dict[int, tuple[float, Shard]] = field(default_factory=dict)  # by slot: when, and what
    here: dict[int, float] = field(default_factory=dict)  # by slot: since when its node is there
    done: Counter[str] = field(default_factory=Counter)
    present = busy = wasted = 0.0  # seconds of nodes that stay, and of work that was committed and that was lost
    failed = slots = handled = 0
    spent = 0.0  # seconds of processor inside the scheduler
    _order: int = 0

    def __post_init__(self) -> None:
        self.overdue = Overdue(600.0, RATE)

    def at(self, seconds: float, what: Any) -> None:
        """Let something happen in a while."""
        self._order += 1
        heapq.heappush(self.events, (self.now + seconds, self._order, what))

    def join(self) -> None:
        """A node with room for one actor joins; one day it goes."""
        slot, self.slots = self.slots, self.slots + 1
        self.here[slot] = self.now
        leaves = self.random.expovariate(PREEMPTED)
        if slot % 2:
            self.at(max(0.0, leaves - NOTICE), ("drain", slot))
        self.at(leaves, ("leave", slot))
        self.feed(Joined(slot))

    def leave(self, slot: int) -> None:
        """A node goes, and what ran there with it."""
        self.lives[slot] += 1
        self._gone(slot)
        if slot in self.sent:
            self._lose(slot)
            self.feed(Died(slot, "node gone", noticed=bool(slot % 2)))
        self.feed(Left(slot, "node gone"))
        self.at(AWAY, ("join", slot))

    def _gone(self, slot: int) -> None:
        """From here on a slot counts as present no more: a node that has given notice begins nothing."""
        if slot in self.here:
            self.present += self.now - self.here.pop(slot)

    def feed(self, event: Event) -> None:
        """Tell the scheduler, and do what it commands."""
        began = time.thread_time()
        commands = self.scheduler.handle(event)
        self.spent += time.thread_time() - began
        self.handled += 1
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Any) -> None:
        match command:
            case Start(slot) | Load(slot):
                self.lives[slot] += 1
                self.at(LOAD, ("ready", slot, self.lives[slot]))
            case Send(slot, shard):
                self.sent[slot] = self.now, shard
                self.overdue.restart(slot, self.now)
                seconds = shard.cost / RATE * self.random.uniform(0.9, 1.1)
                if self.random.random() < STRAGGLERS:
                    seconds *= SLOWER
                kind = "died" if self.random.random() < DEATHS else "done"
                self.at(seconds, (kind, slot, self.lives[slot]))
            case Kill(slot):
                self.lives[slot] += 1
                self._lose(slot)
            case Commit(shard):
                self.done[shard.id] += 1
            case Fail():
                self.failed += 1

    def _lose(self, slot: int) -> None:
        if slot in self.sent:
            since, _ = self.sent.pop(slot)
            self.wasted += self.now - since

    def play(self) -> None:
        """Play until every task is settled."""
        look = TICK
        while not self.scheduler.finished:
            self.now, _, what = heapq.heappop(self.events)
            self._happen(*what)
            if self.now >= look:
                look = self.now + TICK
                self._look()
        self.present += sum(self.now - since for since in self.here.values())

    def _look(self) -> None:
        if self.scheduler.idle:
            for event in list(self.overdue.late(self.scheduler.busy, self.now, self.scheduler.pace)):
                self.feed(event)

    def _happen(self, what: str, slot: int, life: int | None = None) -> None:
        if life is not None and life != self.lives[slot]:
            return
        match what:
            case "join":
                self.join()
            case "drain":
                self._gone(slot)
                self.feed(Draining(slot, "preempted"))
            case "leave":
                self.leave(slot)
            case "ready":
                self.feed(Ready(slot, f"node{slot}", "card"))
            case "died":
                self._lose(slot)
                self.feed(Died(slot, "killed"))
            case "done":
                since, shard = self.sent.pop(slot)
                self.busy += self.now - since
                receipt = Receipt(shard.id, (), len(shard.items), 0, 0, self.now - since, batch=1, peak_bytes=0)
                self.feed(Done(slot, receipt))


def plan(tasks: int) -> list[Shard]:
    """As many shards of one task each, of a few layers of one model."""
    target = Target()
    return [
        ImageShard(f"{n:x}", "model", (Item(n, 0),), SECONDS * RATE, f"layer{n % LAYERS}", 0, "l1", "v", target)
        for n in range(tasks)
    ]


def simulate(actors: int, tasks: int) -> dict[str, Any]:
    """Play a run; its figures."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    cluster = Cluster(Scheduler(plan(tasks), Pace(SECONDS)), random.Random(0))
    for _ in range(actors):
        cluster.join()
    cluster.play()
    assert all(count == 1 for count in cluster.done.values()), "nothing is committed twice"
    return {
        "actors": actors,
        "tasks": tasks,
        "simulated_seconds": round(cluster.now),
        "events": cluster.handled,
        "microseconds_an_event": round(1e6 * cluster.spent / cluster.handled, 1),
        "events_a_second": round(cluster.handled / cluster.now),
        "MiB": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10,
        "nodes": cluster.slots,
        "busy_share": round((cluster.busy + cluster.wasted) / cluster.present, 4),
        "useful_share": round(cluster.busy / cluster.present, 4),
        "wasted": round(cluster.wasted / (cluster.busy + cluster.wasted), 4),
        "failed": cluster.failed,
        "committed": len(cluster.done),
        "real_seconds": round(time.perf_counter() - began, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, default=1000)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    asked = parser.parse_args()
    for parts in (100, 10, 1):
        figures = simulate(max(1, asked.actors // parts), max(1, asked.tasks // parts))
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
