"""Workers as Ray actors. Ray runs and places processes and reports deaths; the scheduler does the rest."""

import os
import socket
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

# Ray reads both when it is imported.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

import ray
from ray.util.metrics import Gauge

from atlas.engine.attempt import Attempt
from atlas.engine.environment import Environment, difference, environment, report
from atlas.engine.events import Died, Event, Left, Lost, Ready, Starved
from atlas.engine.executor import ActorShape
from atlas.engine.ray_connection import actor_options, connect
from atlas.engine.ray_nodes import ACCELERATOR, NODE, gave_notice, living_nodes, node_of
from atlas.engine.roster import Roster
from atlas.engine.watchers import NUMBERS, Sight
from atlas.engine.work import Work
from atlas.engine.worker import Worker

TICK = 1.0  # seconds between two looks at the nodes
NOTICE = 1.0  # seconds after a death in which its node may still say that it leaves: SLURM ends all processes at once
EMPTY = 10.0  # seconds that a slot stands empty, after which there is no work for more actors


class Actor(Worker):
    """A worker that lives in a process of Ray's."""

    def place(self) -> tuple[str, str, Environment]:
        """`host:pid` of this process, the id of its node, and what it works with."""
        return self.where(), ray.get_runtime_context().get_node_id(), environment()

    def setup(self, work: Work, model: str) -> Event:
        """As a worker's, with a report of what is here."""
        event = super().setup(work, model)
        if not isinstance(event, Ready):
            return event
        return replace(event, report=f"{socket.gethostname()}: {event.machine}; {report(environment())}")


class RayExecutor:
    """`cluster=local` and `cluster=ray`. One actor a slot, one call in flight each; slots as the nodes have room for."""

    def __init__(self, work: Work, shape: ActorShape, address: str | None) -> None:
        connect(shape, address)
        self.shape, self.roster = shape, Roster(shape)
        self.roster.update(living_nodes())
        self.slots = len(self.roster.nodes)
        self._actor_class = ray.remote(**actor_options(shape, shared=address is not None))(Actor)
        self._work = ray.put(work)
        self._actors: dict[int, Any] = {}
        self._spare: list[Any] = []  # actors that wait for resources that no node has, as an autoscaler sees
        self._closed: list[str] = []  # nodes on which no new actor is placed
        self._addresses: dict[int, str] = {}
        self._calls: dict[Any, tuple[int, str]] = {}  # by reference: the slot, and setup, run or place
        self._calls_of: defaultdict[int, set[Any]] = defaultdict(set)  # the references, by slot
        self._gauges: dict[str, Gauge] = {}
        self._deaths: list[tuple[float, int, Any, str]] = []  # since when, whose, of which actor, and why
        self._filled = time.monotonic()  # when each slot had an actor
        self._look = time.monotonic() + TICK  # when the nodes are looked at again

    def start(self, slot: int, model: str) -> None:
        self.kill(slot)
        # the slot has just left, which the driver is about to hear
        if slot not in self.roster.nodes:
            return
        self.roster.place(slot, None)
        self._follow_closed()
        actor = self._spare.pop(0) if self._spare else self._new_actor()
        self._actors[slot] = actor
        self._call(slot, "place", actor.place.remote())
        self._call(slot, "setup", actor.setup.remote(self._work, model))

    def load(self, slot: int, model: str) -> None:
        actor = self._actors.get(slot)
        # else it has just died with its node, of which the driver is about to hear
        if actor is not None:
            self._call(slot, "setup", actor.setup.remote(self._work, model))

    def send(self, slot: int, attempt: Attempt) -> None:
        actor = self._actors.get(slot)
        # as above
        if actor is not None:
            self._call(slot, "run", actor.run.remote(attempt))

    def kill(self, slot: int) -> None:
        """End a slot's process; nothing of it is heard any more."""
        actor = self._actors.pop(slot, None)
        self._addresses.pop(slot, None)
        for call in self._calls_of.pop(slot, ()):
            self._calls.pop(call, None)
        if actor is not None:
            ray.kill(actor, no_restart=True)

    def poll(self, timeout: float) -> list[Event]:
        events = [*self._follow_nodes(), *self._settled_deaths()]
        if not self._calls:
            time.sleep(0.0 if events else timeout)
            return events
        ready, _ = ray.wait(list(self._calls), num_returns=1, timeout=0.0 if events else timeout)
        if ready:
            # all that has come meanwhile: one at a time would be too slow for many actors
            ready, _ = ray.wait(list(self._calls), num_returns=len(self._calls), timeout=0.0)
        return events + [event for call in ready if (event := self._read(call)) is not None]

    def where(self, slot: int) -> str:
        return self._addresses.get(slot, "waiting for resources")

    def request(self) -> str:
        """What was asked of the cluster and what it has, for somebody whose actors never come."""
        shape = self.shape
        count = max(1, self.roster.asking + len(self.roster.staying))
        cards = f" ({' or '.join(shape.accelerators)})" if shape.accelerators else ""
        nodes = living_nodes()
        has = {"CPU": sum(node.cpus for node in nodes), "GPU": sum(node.gpus for node in nodes)}
        kinds = sorted({node.accelerator for node in nodes} - {""})
        return (
            f"asked for {count} actors of {shape.cpus} CPU and {shape.gpus:g} GPU{cards}; "
            f"the cluster has {has}{' of ' + ', '.join(kinds) if kinds else ''} on {len(nodes)} nodes"
            + "".join(f"; {reason}" for reason in dict.fromkeys(self.roster.refused.values()))
        )

    def watch(self, sight: Sight) -> None:
        """Set the cluster's gauges, which its own metrics export: `atlas_done` and so on, by atlas and stage."""
        for name, value in sight.numbers.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(f"atlas_{name}", NUMBERS[name], ("atlas", "stage"))
            self._gauges[name].set(value, {"atlas": sight.atlas, "stage": sight.stage})

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where the parts of Ray listen without which nothing goes on, by name."""
        node = ray.get_runtime_context().get_node_id()
        here = next((one for one in ray.nodes() if one["NodeID"] == node), None)
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        raylet = {"raylet": (here["NodeManagerAddress"], here["NodeManagerPort"])} if here else {}
        return {"GCS": (host, int(port))} | raylet

    def close(self) -> None:
        for slot in list(self._actors):
            self.kill(slot)
        ray.shutdown()

    def _new_actor(self) -> Any:
        labels = {ACCELERATOR: f"in({','.join(self.shape.accelerators)})"} if self.shape.accelerators else {}
        if self._closed:
            labels[NODE] = f"!in({','.join(self._closed)})"
        # whose slot it will be is not known yet, and is filled in where it reports
        return self._actor_class.options(label_selector=labels or None).remote(-1, self.shape.cpus)

    def _call(self, slot: int, kind: str, call: Any) -> None:
        self._calls[call] = slot, kind
        self._calls_of[slot].add(call)

    def _follow_nodes(self) -> list[Event]:
        """What has changed with the nodes of the cluster; what worked on one that is gone has died."""
        if time.monotonic() < self._look:
            return []
        self._look = time.monotonic() + TICK
        places, events = dict(self.roster.nodes), list[Event]()
        for event in self.roster.update(living_nodes()):
            if isinstance(event, Left):
                if self._calls_of.get(event.slot) or any(slot == event.slot for _, slot, _, _ in self._deaths):
                    noticed = gave_notice(places[event.slot])
                    events.append(Died(event.slot, event.reason, noticed=noticed))
                self.kill(event.slot)
            events.append(event)
        self._ask()
        return events

    def _ask(self) -> None:
        """Have as many actors wait for resources as there is work for and no room; none while slots stand empty for long."""
        self._follow_closed()
        now, wanted = time.monotonic(), len(self._spare)
        if all(slot in self._actors for slot in self.roster.staying):
            self._filled, wanted = now, self.roster.asking
        # the actors that wait are about to be taken by slots that have just joined
        elif now - self._filled > EMPTY:
            wanted = 0
        while len(self._spare) < wanted:
            self._spare.append(self._new_actor())
        while len(self._spare) > wanted:
            ray.kill(self._spare.pop(), no_restart=True)

    def _follow_closed(self) -> None:
        """End the actors that wait, once other nodes are closed to them than when they were made."""
        if (closed := self.roster.closed(self._actors)) == self._closed:
            return
        self._closed = closed
        while self._spare:
            ray.kill(self._spare.pop(), no_restart=True)

    def _settled_deaths(self) -> list[Event]:
        """The deaths of which it is known by now whether their node had announced them."""
        now, deaths = time.monotonic(), self._deaths
        self._deaths = [death for death in deaths if now - death[0] < NOTICE]
        events: list[Event] = []
        for since, slot, actor, reason in deaths:
            # else the slot has another actor, or is gone
            if now - since >= NOTICE and self._actors.get(slot) is actor:
                events.append(self._gone(slot, Died(slot, reason, noticed=gave_notice(self.roster.nodes.get(slot)))))
        return events

    def _read(self, call: Any) -> Event | None:
        slot, kind = self._calls.pop(call, (-1, ""))
        if slot < 0:
            return None
        self._calls_of[slot].discard(call)
        try:
            value = ray.get(call)
        except ray.exceptions.ActorUnavailableError as error:
            return None if kind == "place" else self._gone(slot, self._unreachable(slot, _brief(error)))
        except ray.exceptions.OutOfMemoryError as error:
            self.roster.rest(slot, node_of(self._actors[slot]))
            return None if kind == "place" else self._gone(slot, Starved(slot, _brief(error)))
        except ray.exceptions.RayActorError as error:
            if kind != "place":
                self._deaths.append((time.monotonic(), slot, self._actors[slot], _brief(error)))
            return None
        except ray.exceptions.RayError as error:  # the worker catches its own: this is Ray's
            return None if kind == "place" else self._gone(slot, Lost(slot, _brief(error)))
        if kind == "place":
            self._placed(slot, *value)
            return None
        event = replace(value, slot=slot)
        return replace(event, node=self.roster.nodes.get(slot) or "") if isinstance(event, Ready) else event

    def _placed(self, slot: int, address: str, node: str, versions: Environment) -> None:
        """An actor says where it is. A node that works with something else than this machine is refused, with all its slots."""
        self._addresses[slot] = address
        self.roster.place(slot, node)
        if differs := difference(versions, environment()):
            host = address.rpartition(":")[0]
            self.roster.refuse(node, f"{host} is refused, since its images would be others: it has {differs}")
            # before its actor is ready
            self._look = 0.0

    def _unreachable(self, slot: int, reason: str) -> Event:
        if gave_notice(self.roster.nodes.get(slot)):
            return Died(slot, reason, noticed=True)
        return Lost(slot, reason)

    def _gone(self, slot: int, event: Event) -> Event:
        self.kill(slot)
        return event


def _brief(error: Exception) -> str:
    """The first lines of what Ray says: what happened, without its advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])}"[:500]
