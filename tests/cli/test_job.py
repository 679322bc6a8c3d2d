"""How a job ends: which exit code an error is, and what is said of it."""

import errno

import pytest

from atlas.cli import job
from atlas.config import compose
from atlas.engine.executor import ClusterError
from atlas.engine.signals import StopNow


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ClusterError("nobody answers"), 2, "atlas: nobody answers"),
        (OSError(errno.ENOSPC, "No space left"), 75, "run the same again"),
        (OSError(errno.EROFS, "Read-only file system"), 75, "run the same again"),
        (OSError(errno.ENAMETOOLONG, "File name too long"), 2, "atlas: [Errno 36] File name too long"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2, "Permission denied: 'x'"),
        (StopNow(), 75, "run the same again"),
        (KeyboardInterrupt(), 75, "run the same again"),
    ],
)
def test_a_permanent_fault_is_no_interruption_and_the_reverse(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(compose, "run_job", fail)
    assert job.run_job("generate", []) == code
    assert words in capsys.readouterr().err


def test_what_a_library_makes_of_a_signal_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hydra, for one, has raised an error of its own."""

    def fail(*_: object) -> None:
        raise ValueError("in place of StopNow")

    monkeypatch.setattr(compose, "run_job", fail)
    with pytest.raises(ValueError, match="in place"):
        job.run_job("generate", [])
    monkeypatch.setattr(job, "is_ending", lambda: True)
    assert job.run_job("generate", []) == 75
