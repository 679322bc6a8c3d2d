"""What the process that holds Ray tells the driver."""

from dataclasses import dataclass, field

from atlas.engine.events import Event
from atlas.engine.roster import Node

Address = tuple[str, int]  # host and port
EVERY_SLOT = -1  # in place of a slot: a command is meant for none of them alone


@dataclass(frozen=True)
class Opening:
    """Ray is there."""

    slots: int
    request: str  # what was asked of the cluster and what it has
    addresses: dict[str, Address]  # of the parts without which nothing goes on, by name
    nodes: tuple[Node, ...] = ()  # of the cluster


@dataclass(frozen=True)
class Refusal:
    """Ray cannot be had."""

    reason: str


@dataclass(frozen=True)
class Report:
    """What has happened since the last one; without events, a sign of life."""

    events: list[tuple[int, Event]] = field(default_factory=list)  # each with the number of its slot's actor
    where: dict[int, str] = field(default_factory=dict)  # `host:pid` by slot
    request: str | None = None  # what was asked of the cluster and what it has by now
