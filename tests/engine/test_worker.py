"""The worker's one boundary: whose fault an error is."""

import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from atlas.engine.attempt import Attempt
from atlas.engine.events import Event, Failed, Lost, Ready, SetupFailed, Trouble
from atlas.engine.executor import InlineExecutor
from atlas.engine.worker import Worker
from atlas.store.files import write_bytes
from tests.engine.test_scheduler import shard


def run(work) -> Event:
    worker = Worker(0, threads=1)
    worker.setup(lambda model: work, "a")
    return worker.run(Attempt(shard()))


class Failing(nn.Module):
    """Raises an error on its way forward, or back."""

    def __init__(self, error: OSError, backward: bool) -> None:
        super().__init__()
        self.error, self.backward = error, backward

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if not self.backward:
            return self.fail(maps)
        maps.register_hook(self.fail)
        return maps * 2

    def fail(self, maps: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "error", [OSError("own"), FileNotFoundError(2, "gone"), OSError(28, "No space left on device")]
)
def test_a_models_own_oserror_is_that_models_failure(error: OSError, backward: bool) -> None:
    """Whatever its number: it would be raised again, and would stop the whole run each time."""
    net = Failing(error, backward)
    event = run(lambda of: net(torch.ones(1, requires_grad=True)).sum().backward())
    assert isinstance(event, Failed)
    assert event.error_type == type(error).__name__


def test_storage_that_fails_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    event = run(lambda of: write_bytes(tmp_path / "file" / "image.png", b""))
    assert isinstance(event, Trouble)


def test_a_broken_gpu_is_the_workers_end() -> None:
    def broken(of) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    assert isinstance(run(broken), Lost)


def test_the_model_before_is_gone_when_the_next_is_loaded_in_the_same_worker() -> None:
    """Also one that refers to itself, and though the next cannot be loaded."""
    nets: list[weakref.ref[nn.Module]] = []

    def work(model: str):
        assert not any(net() for net in nets)
        if model == "bad":
            raise RuntimeError("no such weights")
        net = nn.Conv2d(3, 4, 1)
        net.itself = [net]
        nets.append(weakref.ref(net))
        return lambda of: net

    executor = InlineExecutor(work, threads=1)
    worker, events = executor.worker, []
    for model in ("a", "b", "bad", "c"):
        executor.load(0, model)
        events += executor.poll(0.0)
    assert [type(event) for event in events] == [Ready, Ready, SetupFailed, Ready]
    assert executor.worker is worker
    assert len(nets) == 3 and nets[-1]() is not None
