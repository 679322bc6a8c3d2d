"""Images are written beside the work: all of them, or the error that one met; never more in memory than there is room for."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atlas.store.image_writer import ImageWriter
from atlas.store.images import sha256_of, write_pixels

SIZE = 8 * 8 * 3


def gray(value: int) -> Callable[[], np.ndarray]:
    return lambda: np.full((8, 8, 3), value, np.uint8)


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("atlas-image")]


@pytest.mark.parametrize("threads", [1, 3])
def test_every_image_is_whole_and_has_its_hash_and_the_disk_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    paths = [tmp_path / folder / f"{number}.png" for folder in "ab" for number in range(5)]
    with ImageWriter(threads, room=2 * SIZE) as writer:
        digests = [writer.put(path, gray(number), SIZE) for number, path in enumerate(paths)]
        writer.flush()
        assert len(synced) == len(paths) + 2, "each file, and each folder"
        assert all(thread.daemon for thread in running())
    assert [sha256_of(path) for path in paths] == [digest.result(0) for digest in digests]
    assert write_pixels(tmp_path / "x", Image.fromarray(gray(3)())) == digests[3].result()
    assert running() == []


def test_an_error_of_the_disk_is_told_to_whoever_waits_and_nobody_hangs(tmp_path: Path) -> None:
    def full(path: Path, image: Image.Image) -> str:
        raise OSError(28, "No space left on device", str(path))

    def put_some(writer: ImageWriter) -> None:
        for number in range(5):
            writer.put(tmp_path / f"{number}.png", gray(number), SIZE)

    with ImageWriter(write=full, room=SIZE) as writer, pytest.raises(OSError, match="No space left"):
        put_some(writer)
    with ImageWriter(write=full) as writer:
        writer.put(tmp_path / "0.png", gray(0), SIZE)
        with pytest.raises(OSError, match="No space left"):
            writer.flush()
    assert running() == []
    assert list(tmp_path.iterdir()) == []


def test_no_more_waits_than_there_is_room_for_and_who_leaves_drops_the_rest(tmp_path: Path) -> None:
    begun, may_go_on, made = threading.Semaphore(0), threading.Event(), []

    def slow(path: Path, image: Image.Image) -> str:
        begun.release()
        may_go_on.wait(10)
        made.append(path.name)
        return ""

    def interrupted() -> None:
        with ImageWriter(write=slow, room=2 * SIZE) as writer:
            for number in range(2):
                writer.put(tmp_path / str(number), gray(number), SIZE)
            begun.acquire()
            late = threading.Thread(target=writer.put, args=(tmp_path / "2", gray(2), SIZE), daemon=True)
            late.start()
            late.join(0.1)
            assert late.is_alive(), "it waits for room"
            threading.Timer(0.05, may_go_on.set).start()
            late.join(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert running() == []
    assert made[0] == "0"
    assert "2" not in made or made == ["0", "1", "2"]


def test_an_image_for_which_there_is_no_memory_beside_the_work_is_written_at_the_end(tmp_path: Path) -> None:
    tries: list[Path] = []

    def tight(path: Path, image: Image.Image) -> str:
        tries.append(path)
        if len(tries) == 1:
            raise MemoryError("no room")
        return write_pixels(path, image)

    with ImageWriter(write=tight) as writer:
        first, second = (writer.put(tmp_path / f"{number}.png", gray(number), SIZE) for number in range(2))
        writer.flush()
    assert first.result(0) == sha256_of(tmp_path / "0.png")
    assert len(tries) == 3
