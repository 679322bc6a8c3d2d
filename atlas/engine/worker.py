"""The one boundary where work may fail: runs a work function and turns whatever happens into an event."""

import os
import socket
import traceback
from collections.abc import Callable
from typing import Any

from atlas.engine.attempt import Attempt, under_way
from atlas.engine.events import Done, Event, Failed, Lost, Ready, SetupFailed, Trouble
from atlas.engine.work import Work
from atlas.records import Receipt, Shard
from atlas.store.damaged_file import DamagedFile

CALLERS = ("torch.nn.", "torch.autograd", "torch._tensor")  # modules through which a model's code is called


class Worker:
    """One slot's worker: a work function for one pinned model at a time. Knows no Ray: an actor wraps it, inline calls it.

    What a model's code does to torch's own state ends with each call, so that the next model finds a fresh process.
    """

    def __init__(self, slot: int, threads: int) -> None:
        self.slot, self.threads = slot, threads
        self._make: Callable[[Any], Receipt] | None = None

    def setup(self, work: Work, model: str) -> Event:
        """Load the model, in place of the one before; Ready, or SetupFailed with the reason."""
        try:
            # Imported here: the driver imports this module, too, and does without torch.
            from atlas.engine import torch_process

            torch_process.begin(self.threads)
            if self._make is not None:
                self._make = None
                torch_process.free()
            self._make = torch_process.keeping_torch(work(model))
        except Exception as error:
            return SetupFailed(self.slot, _brief(error))
        return Ready(self.slot, machine=torch_process.machine_name())

    def run(self, attempt: Attempt) -> Event:
        """Make a shard; Done, or what went wrong, with its traceback when it is the work's own fault."""
        assert self._make is not None, "setup comes first"
        try:
            with under_way(attempt):
                return Done(self.slot, self._make(attempt.shard))
        except Exception as error:
            return self._fault(error, attempt.shard)

    def where(self) -> str:
        """`host:pid` of this process."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def _fault(self, error: Exception, shard: Shard) -> Event:
        # storage, a mount that is gone, no more descriptors: the machine's fault
        if isinstance(error, OSError) and not isinstance(error, DamagedFile) and not _comes_from_model(error):
            return Trouble(self.slot, shard.id, _brief(error))
        if "CUDA error" in str(error):  # sticky: nothing more will work in this process
            return Lost(self.slot, _brief(error))
        text = "".join(traceback.format_exception(error))
        return Failed(self.slot, shard.id, type(error).__name__, text)


def _comes_from_model(error: OSError) -> bool:
    """Whether a model's own code raised an error, forward or backward: it would raise it again."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name.startswith(CALLERS) for name in frames)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
