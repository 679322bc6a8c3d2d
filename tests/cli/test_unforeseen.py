"""Whatever is wrong ends in a line on stderr and an exit code; a traceback is for those who ask for it."""

import errno

import pytest

from atlas.cli import job, main, unforeseen
from atlas.store.damaged_file import DamagedFile


def broken(*_: object, **__: object) -> None:
    raise KeyError("asked")


def test_an_error_that_nobody_foresaw_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(main, "cli", broken)
    monkeypatch.delenv(unforeseen.SHOWS, raising=False)
    with pytest.raises(SystemExit) as ending:
        main.main()
    told = capsys.readouterr().err
    assert (ending.value.code, told.count("\n")) == (1, 1)
    assert "KeyError: 'asked' (test_unforeseen.py, line" in told
    monkeypatch.setenv(unforeseen.SHOWS, "1")
    with pytest.raises(KeyError):
        main.main()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 75),
        (OSError(errno.EIO, "Input/output error"), 75),
        (OSError(errno.ENAMETOOLONG, "File name too long"), 2),
        (OSError(errno.ENOTDIR, "Not a directory"), 2),
        (DamagedFile("index/x.parquet", ValueError("cut off")), 1),
    ],
)
def test_what_a_rerun_does_not_mend_is_not_called_interrupted(error, code, monkeypatch, capsys):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(job.compose, "run_job", fail)
    assert job.run_job("generate", []) == code
    assert ("run the same again" in capsys.readouterr().err) == (code == 75)
