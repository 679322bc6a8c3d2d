"""The one boundary where work may fail: runs a work function and turns whatever happens into an event."""

import gc
import os
import platform
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from atlas.engine.allocator import keep_freed_memory
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
            import torch

            torch.set_num_threads(self.threads)
            keep_freed_memory()
            self._let_go()
            self._make = work(model)
        except Exception as error:
            return SetupFailed(self.slot, _brief(error))
        return Ready(self.slot, machine=machine_name())

    def run(self, attempt: Attempt) -> Event:
        """Make a shard; Done, or what went wrong, with its traceback when it is the work's own fault."""
        assert self._make is not None, "setup comes first"
        from atlas.zoo.torch_state import kept_torch_state

        try:
            with under_way(attempt), kept_torch_state():
                return Done(self.slot, self._make(attempt.shard))
        except Exception as error:
            return self._fault(error, attempt.shard)

    def where(self) -> str:
        """`host:pid` of this process."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def _let_go(self) -> None:
        """Free the memory of the model before: no two ever lie on a card together."""
        if self._make is None:
            return
        import torch

        self._make = None
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _fault(self, error: Exception, shard: Shard) -> Event:
        # storage, a mount that is gone, no more descriptors: the machine's fault
        if isinstance(error, OSError) and not isinstance(error, DamagedFile) and not _comes_from_model(error):
            return Trouble(self.slot, shard.id, _brief(error))
        if "CUDA error" in str(error):  # sticky: nothing more will work in this process
            return Lost(self.slot, _brief(error))
        text = "".join(traceback.format_exception(error))
        return Failed(self.slot, shard.id, type(error).__name__, text)


def machine_name() -> str:
    """The kind of device that this process works on, card or processor: the same work on the same kind has the same bytes."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    lines = list[str]()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return f"{model} {torch.backends.cpu.get_cpu_capability()}"


def _comes_from_model(error: OSError) -> bool:
    """Whether a model's own code raised an error, forward or backward: it would raise it again."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name.startswith(CALLERS) for name in frames)


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
