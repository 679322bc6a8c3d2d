"""Reading the next model's weights ahead: of the right file, at the right time, and never the cause of an error."""

import os
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from made_cards import card

from atlas.engine.attempt import Attempt, under_way
from atlas.engine.read_ahead import CHUNK, read_ahead, read_through
from tests.engine.test_scheduler import shard

CARD = card()


def test_the_file_of_the_model_that_follows_is_read_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[Path] = []
    monkeypatch.setattr("atlas.engine.read_ahead.read_through", paths.append)
    cards = {name: replace(CARD, file=str(tmp_path / name)) for name in ("a", "b")} | {"random": CARD}
    assert read_ahead(cards) is None
    for following in (None, "random", "another", "b"):
        with under_way(Attempt(shard(), following=following)):
            thread = read_ahead(cards)
        assert (thread is None) == (following != "b")
    assert thread is not None
    thread.join()
    assert paths == [tmp_path / "b"]


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="bytes that were read are counted on Linux")
def test_the_whole_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(3 * CHUNK + 5))

    def count() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    before = count()
    read_through(tmp_path / "weights")
    assert count() - before >= 3 * CHUNK + 5


def test_what_cannot_be_read_ahead_is_let_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone, a folder, a pipe that nobody writes to, and a system without threads."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", tmp_path, tmp_path / "pipe"):
        read_through(path)

    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    with under_way(Attempt(shard(), following="b")):
        assert read_ahead({"b": replace(CARD, file=str(tmp_path / "gone"))}) is None
