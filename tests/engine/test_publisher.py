"""Staged files go where their own path says, in order, and a commit can be tried again at any point."""

import json
from pathlib import Path

import pytest

from atlas.engine.publisher import Publisher
from atlas.records import Receipt, Shard
from atlas.store.files import publish
from atlas.store.lock import Lock, Locked
from atlas.store.paths import AtlasPaths

FILES = (
    "staging/0123456789abcdef0123-01234567/examples/probe=p/0.png",
    "staging/0123456789abcdef0123-01234567/responses/probe=p/model=m/layer=l/s.parquet",
)
HOMES = ["examples/probe=p/0.png", "responses/probe=p/model=m/layer=l/s.parquet"]
SHARD = Shard("s", "m", ("p",), 1.0)


@pytest.fixture
def paths(tmp_path: Path) -> AtlasPaths:
    return AtlasPaths(tmp_path)


def staged(paths: AtlasPaths) -> Receipt:
    for file in FILES:
        (paths.root / file).parent.mkdir(parents=True, exist_ok=True)
        (paths.root / file).write_text(file)
    return Receipt("s", FILES, ok=1, dead=0, failed=0, seconds=1.0, batch=1, peak_bytes=1)


def published(paths: AtlasPaths) -> list[str]:
    return [home for home in HOMES if (paths.root / home).is_file()]


def test_every_file_is_moved_to_where_it_belongs_and_its_folder_is_gone(paths: AtlasPaths) -> None:
    with Lock(paths.lock) as lock:
        publisher = Publisher(paths, lock)
        publisher.sweep_staging()
        publisher.commit(staged(paths), SHARD)
    assert published(paths) == HOMES
    assert [path.name for path in paths.staging.iterdir()] == [publisher.nonce]
    (line,) = paths.events.read_text().splitlines()
    assert json.loads(line)["doing"] == "m"


def test_a_commit_is_tried_again_at_any_point(paths: AtlasPaths) -> None:
    """Storage fails once after each of the moves, also after the last one."""
    broken = list(FILES)

    def flaky(source: Path, target: Path) -> None:
        publish(source, target)
        if broken and paths.relative(source) == broken[0]:
            broken.pop(0)
            raise OSError(5, "Input/output error")

    with Lock(paths.lock) as lock:
        publisher, receipt = Publisher(paths, lock, publish=flaky), staged(paths)
        for _ in FILES:
            with pytest.raises(OSError, match="Input/output"):
                publisher.commit(receipt, SHARD)
        publisher.commit(receipt, SHARD)
        publisher.commit(receipt, SHARD)
    assert published(paths) == HOMES


def test_nothing_is_published_without_the_lock(paths: AtlasPaths) -> None:
    with Lock(paths.lock) as lock:
        publisher, receipt = Publisher(paths, lock), staged(paths)
        lock.lost = True  # as its heartbeat finds when another run has taken over
        with pytest.raises(Locked):
            publisher.commit(receipt, SHARD)
        assert published(paths) == []


def test_what_killed_runs_left_is_swept(paths: AtlasPaths) -> None:
    staged(paths)
    half = paths.root / "responses" / ".x.01234567.part"
    half.parent.mkdir()
    half.write_bytes(b"half")
    with Lock(paths.lock) as lock:
        publisher = Publisher(paths, lock)
        publisher.sweep_staging()
    assert not half.exists()
    assert [path.name for path in paths.staging.iterdir()] == [publisher.nonce]
