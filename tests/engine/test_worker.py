"""The worker's one boundary: whose fault an error is."""

from pathlib import Path

import pytest

from atlas.engine.attempt import Attempt
from atlas.engine.events import Event, Failed, Lost, Trouble
from atlas.engine.worker import Worker
from atlas.store.files import write_bytes
from tests.engine.test_scheduler import shard


def run(work) -> Event:
    worker = Worker(0, threads=1)
    worker.setup(lambda model: work, "a")
    return worker.run(Attempt(shard()))


@pytest.mark.parametrize(
    "error", [OSError("own"), FileNotFoundError(2, "gone"), OSError(28, "No space left on device")]
)
def test_a_models_own_oserror_is_that_models_failure(error: OSError) -> None:
    """Whatever its number: it would be raised again, and would stop the whole run each time."""

    def forward(of) -> None:
        raise error

    event = run(forward)
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
