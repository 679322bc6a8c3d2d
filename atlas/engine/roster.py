"""Which slots a run has, as a function of its cluster's nodes: nodes in; slots that join, drain and leave out. Knows no Ray."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from atlas.engine.events import Draining, Joined, Left
from atlas.engine.executor import ActorShape


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, and what it has for actors."""

    id: str
    cpus: float
    gpus: float
    accelerator: str = ""  # the card's name, as Ray labels it: H100
    draining: bool = False  # it has said that it will leave

    def room(self, shape: ActorShape) -> int:
        """How many actors it can hold."""
        if self.draining or (shape.accelerators and self.accelerator not in shape.accelerators):
            return 0
        by_cpu = int(self.cpus / shape.cpus)
        return min(by_cpu, int(self.gpus / shape.gpus + 1e-6)) if shape.gpus else by_cpu


class Roster:
    """The slots that there are, and the node of each as far as its actor has said."""

    def __init__(self, shape: ActorShape) -> None:
        self.shape = shape
        self.nodes: dict[int, str | None] = {}  # by slot; None: its actor waits for resources, or is on its way
        self.asking = 0  # actors to ask for beside those of the slots, for which no node has room
        self.refused: dict[str, str] = {}  # nodes that are not worked on, and why
        self._draining: set[int] = set()
        # slots whose machine was short of memory: without an actor, they keep its room from being used again
        self._resting: set[int] = set()
        self._room: dict[str, int] = {}  # by node, at the last look
        self._next = 0

    @property
    def most(self) -> int:
        """Slots for which there is work, and which are asked for."""
        return self.shape.most if self.shape.count is None else min(self.shape.count, self.shape.most)

    @property
    def staying(self) -> list[int]:
        """The slots that have work to do, and whose node does not leave."""
        return [slot for slot in self.nodes if slot not in self._draining | self._resting]

    def place(self, slot: int, node: str | None) -> None:
        """A slot's actor lives on a node; None: another is on its way."""
        if slot in self.nodes:
            self.nodes[slot] = node
            self._resting.discard(slot)

    def rest(self, slot: int, node: str | None) -> None:
        """Have no actor in a slot, since its node has too little memory for it, until one is placed there again."""
        if slot in self.nodes:
            self.nodes[slot] = node
            self._resting.add(slot)

    def closed(self, started: Iterable[int] = ()) -> list[str]:
        """The nodes that get no more actors: those that are refused, and those whose memory has no room for another.

        started: the slots that have an actor; those on their way may each come to a node that is short of memory.
        """
        if not self._resting:
            return list(self.refused)
        short = {node for slot in self._resting if (node := self.nodes[slot]) is not None}
        slots, coming = Counter(self.nodes.values()), sum(self.nodes.get(slot, "") is None for slot in started)
        return [*self.refused, *sorted(node for node in short if slots[node] + coming >= self._room.get(node, 0))]

    def refuse(self, node: str, reason: str) -> None:
        """Have no slots on a node any more."""
        self.refused[node] = reason

    def update(self, nodes: Iterable[Node]) -> list[Joined | Draining | Left]:
        """Follow the nodes: what has changed since the last call."""
        alive = {node.id: node for node in nodes}
        events: list[Joined | Draining | Left] = []
        for slot, node in list(self.nodes.items()):
            if node is not None and node not in alive:
                events.append(self._left(slot, "its node is gone"))
            elif node in self.refused:
                events.append(self._left(slot, self.refused[node]))
            elif node is not None and alive[node].draining and slot not in self._draining:
                self._draining.add(slot)
                events.append(Draining(slot, "its node is about to leave"))
        self._room = {node.id: node.room(self.shape) for node in alive.values() if node.id not in self.refused}
        slots = min(self.most, sum(self._room.values()) - len(self._resting - self._draining))
        staying = self.staying
        without_node = [slot for slot in staying if self.nodes[slot] is None]
        surplus = without_node[: max(0, len(staying) - slots)]
        events += [self._left(slot, "no node has room for it any more") for slot in surplus]
        events += [self._joined() for _ in range(slots - len(staying))]
        # a number that was asked for is waited for at once; else one more at a time
        self.asking = self.most - slots if self.shape.count is not None else min(1, self.most - slots)
        return events

    def _joined(self) -> Joined:
        slot, self._next = self._next, self._next + 1
        self.nodes[slot] = None
        return Joined(slot)

    def _left(self, slot: int, reason: str) -> Left:
        del self.nodes[slot]
        self._draining.discard(slot)
        self._resting.discard(slot)
        return Left(slot, reason)
