"""Reading the next model's weights ahead: of the right file, at the right time, and never the cause of an error."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from made_cards import card

from atlas.engine.attempt import Attempt, under_way
from atlas.engine.read_ahead import read_ahead
from tests.engine.test_scheduler import shard

CARD = card()


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the system is asked for."""
    asked: list[str] = []

    def advise(descriptor: int, begin: int, length: int, advice: int) -> None:
        assert (begin, length, advice) == (0, 0, os.POSIX_FADV_WILLNEED)
        asked.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return asked


def test_the_file_of_the_model_that_follows_is_asked_for_and_no_other(tmp_path: Path, paths: list[str]) -> None:
    files = {name: tmp_path / f"{name}.pt" for name in ("a", "b", "gone")}
    cards = {name: replace(CARD, file=str(file)) for name, file in files.items()} | {"random": CARD}
    for name in ("a", "b"):
        files[name].write_bytes(b"weights")
    read_ahead(cards)
    for following in (None, "b", "gone", "random", "another"):
        with under_way(Attempt(shard(), following=following)):
            read_ahead(cards)
    assert paths == [str(files["b"])]


def test_what_cannot_be_read_ahead_is_let_be(tmp_path: Path) -> None:
    """A folder, and a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    with under_way(Attempt(shard(), following="b")):
        for path in (tmp_path, tmp_path / "pipe"):
            read_ahead({"b": replace(CARD, file=str(path))})
