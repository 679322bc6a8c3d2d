"""What a person who watches, and events.jsonl, are told of what happens to the actors and their nodes."""

from atlas.engine.events import Died, Draining, Event, Failed, Joined, Left, Lost, Ready, SetupFailed, Starved
from atlas.engine.executor import Executor
from atlas.engine.progress import Display
from atlas.engine.publisher import Publisher


class EventWord:
    """Tells of faults, each time, and of a node, once: when its first actor is ready."""

    def __init__(self, executor: Executor, publisher: Publisher, display: Display, *, of_nodes: bool) -> None:
        """of_nodes: whether the person hears of them too: of several there may be one that is unlike the others."""
        self.executor, self.log, self.display = executor, publisher.log, display
        self.of_nodes = of_nodes
        self._nodes: set[str] = set()  # those that have been told of

    def tell(self, event: Event) -> None:
        """Tell of one event, if there is anything to tell."""
        match event:
            case (
                Died(slot, reason)
                | Lost(slot, reason)
                | Starved(slot, reason)
                | SetupFailed(slot, reason)
                | Draining(slot, reason)
                | Left(slot, reason)
            ):
                kind, where = type(event).__name__, self.executor.where(slot)
                self.log("worker", slot=slot, what=kind, where=where, reason=reason)
                self.display.say(f"worker {slot} ({where}) {kind.lower()}: {reason.splitlines()[0]}")
            case Joined(slot):
                self.log("joined", slot=slot)
            case Ready(slot, node, _, report) if report and node not in self._nodes:
                self._nodes.add(node)
                self.log("node", slot=slot, node=node, report=report)
                if self.of_nodes:
                    self.display.say(f"node {report}; its weights are the plan's")
            case Failed(slot, shard, error_type, message):
                self.log("error", slot=slot, shard=shard, error_type=error_type, message=message)
