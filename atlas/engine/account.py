"""What the time of a run's actors went into: work that was kept, work that was lost, and loading; by model."""

from collections import defaultdict
from typing import NamedTuple

from atlas.engine.events import (
    Died,
    Done,
    Event,
    Failed,
    Kill,
    Left,
    Load,
    Lost,
    Ready,
    Send,
    SetupFailed,
    Start,
    Starved,
    Trouble,
)

HOUR = 3600.0
TOLD_FROM = 60.0  # seconds in all: less is nobody's bill


class _Span(NamedTuple):
    """What a slot is at, and since when."""

    model: str
    loads: bool
    since: float


class Account:
    """Seconds of actors by model. An actor that waits for work costs nothing; loading counts with the wait for resources."""

    def __init__(self) -> None:
        self.kept, self.lost, self.loading = (defaultdict[str, float](float) for _ in range(3))
        self._spans: dict[int, _Span] = {}  # by slot

    def take(self, happening: Event | Start | Load | Send | Kill, now: float) -> None:
        """Note what begins or ends a slot's load or work."""
        match happening:
            case Start(slot, model) | Load(slot, model):
                self._spans[slot] = _Span(model, True, now)
            case Send(slot, shard):
                self._spans[slot] = _Span(shard.model, False, now)
            case Ready(slot) | Done(slot):
                self._end(slot, now, kept=True)
            case Failed(slot) | Trouble(slot) | SetupFailed(slot) | Died(slot) | Lost(slot) | Starved(slot):
                self._end(slot, now, kept=False)
            case Left(slot) | Kill(slot):
                # an actor that never came has cost nothing
                if slot in self._spans and self._spans[slot].loads:
                    del self._spans[slot]
                self._end(slot, now, kept=False)

    def close(self, now: float) -> None:
        """The run ends: what is still under way is lost."""
        for slot in list(self._spans):
            self.take(Kill(slot), now)

    def _end(self, slot: int, now: float, *, kept: bool) -> None:
        span = self._spans.pop(slot, None)
        if span is not None:
            part = self.lost if not kept else self.loading if span.loads else self.kept
            part[span.model] += now - span.since

    @property
    def seconds(self) -> dict[str, dict[str, float]]:
        """By what they went into, and by model."""
        return {"kept": dict(self.kept), "lost": dict(self.lost), "loading": dict(self.loading)}

    def words(self, unit: str, each: float) -> str | None:
        """One sentence; None where there is little to tell. unit: GPU or CPU; each: how many of them an actor has."""
        kept, lost, loading = (sum(part.values()) * each / HOUR for part in (self.kept, self.lost, self.loading))
        if (kept + lost + loading) * HOUR < TOLD_FROM:
            return None
        most_first = sorted(self.kept.items(), key=lambda item: -item[1])
        models = ", ".join(f"{model} {seconds * each / HOUR:.2f}" for model, seconds in most_first)
        return f"{kept:.2f} {unit}-hours of work ({models}), {loading:.2f} of loading, {lost:.2f} lost"
