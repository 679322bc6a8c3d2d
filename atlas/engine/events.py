"""What happens to the scheduler (events) and what it wants done (commands): plain values, no clock."""

from dataclasses import dataclass

from atlas.records import Receipt, Shard


@dataclass(frozen=True, slots=True)
class Joined:
    """There is a new slot, in which an actor can live."""

    slot: int


@dataclass(frozen=True, slots=True)
class Draining:
    """A slot's node is about to leave: what the slot works on is finished there, and nothing more is begun."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """A slot is gone, and what ran there with it: nobody's fault."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """An actor has loaded its model."""

    slot: int
    node: str = ""  # id of the node that it lives on
    machine: str = ""  # kind of device that it works on: the same work on the same kind has the same bytes
    report: str = ""  # of its node, for people: host, device, versions


@dataclass(frozen=True, slots=True)
class SetupFailed:
    """An actor could not load its model, or died while it did."""

    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """A shard is finished: the files that its receipt names lie in staging/."""

    slot: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """The work itself raised an error; it would raise it again."""

    slot: int
    shard: str
    error_type: str
    message: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """The machine's fault, not the work's: disk full, no permission, storage gone. Never charged to a task."""

    slot: int
    shard: str
    message: str


@dataclass(frozen=True, slots=True)
class Died:
    """An actor is gone: killed, crashed, or its node lost. Nothing of it can still arrive."""

    slot: int
    reason: str
    places: tuple[int, ...] = ()  # in its shard, of the items that were under way; (): nobody knows
    noticed: bool = False  # its node had said that it would leave, so that the work is not to blame


@dataclass(frozen=True, slots=True)
class Lost:
    """An actor no longer answers, or holds a broken device: it may still live, so it must be killed first."""

    slot: int
    reason: str
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Starved:
    """An actor was killed because its machine ran out of memory: too much was under way there at once."""

    slot: int
    reason: str
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Late:
    """A slot's shard takes much longer than the like of it: who is idle may try it as well."""

    slot: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody wants the run to end: finish what is under way, begin nothing."""


Event = (
    Joined
    | Draining
    | Left
    | Ready
    | SetupFailed
    | Done
    | Failed
    | Trouble
    | Died
    | Lost
    | Starved
    | Late
    | Interrupted
)


@dataclass(frozen=True, slots=True)
class Start:
    """Make an actor in a slot and let it load a model."""

    slot: int
    model: str


@dataclass(frozen=True, slots=True)
class Load:
    """Let a slot's actor, which has nothing to do, load another model in place of its own."""

    slot: int
    model: str


@dataclass(frozen=True, slots=True)
class Send:
    """Give a shard to a slot's actor."""

    slot: int
    shard: Shard
    most: int | None = None  # items at once; None: as many as fit
    copy: bool = False  # another slot has it under way, too: the first receipt counts
    following: str | None = None  # the model that the slot will probably load after it; None: it keeps its own


@dataclass(frozen=True, slots=True)
class Kill:
    """End a slot's actor."""

    slot: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Publish a finished shard."""

    shard: Shard
    receipt: Receipt
    fenced: bool = False  # an actor has just been killed that was making the same files


@dataclass(frozen=True, slots=True)
class Fail:
    """Record the one item of this shard as failed, for good."""

    shard: Shard
    error_type: str
    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give a model up: it cannot be loaded. Its shards stay left to do."""

    model: str
    message: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next command: the storage may come back."""

    seconds: float
    message: str


@dataclass(frozen=True, slots=True)
class Halt:
    """End the run now; a rerun resumes it."""

    message: str


Command = Start | Load | Send | Kill | Commit | Fail | Abandon | Pause | Halt
