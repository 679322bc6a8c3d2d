"""Paths, files and locks on a real S3 server: what holds of a folder holds there, too."""

import json
import os
import pickle
import socket
from pathlib import Path

import pytest
from object_store import ignoring, new_place, objects_under, use

from atlas.store import bucket as objects
from atlas.store import lock as module
from atlas.store.bucket_path import is_remote, path_of
from atlas.store.event_log import EventLog
from atlas.store.files import publish, read_json, readable, remove_tree, write_bytes, write_json, write_whole
from atlas.store.local_folder import LocalFolder
from atlas.store.lock import Lock, Locked, read_owner
from atlas.store.output import atlas_mistakes
from atlas.store.store_probe import store_mistakes

pytestmark = pytest.mark.job
FILES = ("atlas.json", "index/model=a%2Fb/layer=c d/1.parquet", "index/model=é~/2.parquet", "lock-1-of-4", "x/.y.png")


@pytest.fixture
def url(s3: str) -> str:
    return new_place()


@pytest.fixture
def twins(url: str, tmp_path: Path) -> tuple[Path, Path]:
    """The same files in a folder and below a URL."""
    roots = tmp_path, path_of(url)
    for root in roots:
        for name in FILES:
            write_bytes(root / name, name.encode())
    return roots


@pytest.mark.parametrize(
    "pattern", ["*", "lock-*-of-*", "*/*", "index/model=*/[!.]*.parquet", "model=*", "**/*.parquet"]
)
def test_the_same_files_match_as_in_a_folder(twins: tuple[Path, Path], pattern: str) -> None:
    here, there = ({p.relative_to(root).as_posix() for p in root.glob(pattern)} for root in twins)
    assert here == there
    files, keys = ({p.relative_to(root).as_posix() for p in root.rglob(pattern[-1]) if p.is_file()} for root in twins)
    assert files == keys


def test_a_path_says_what_pathlib_says(twins: tuple[Path, Path]) -> None:
    here, there = (root / FILES[1] for root in twins)
    for facts in (
        lambda p, root: (p.name, p.stem, p.suffix, p.parent.name, len(p.relative_to(root).parts)),
        lambda p, root: (p.exists(), p.is_file(), p.is_dir(), p.parent.is_dir(), p.parent.is_file()),
        lambda p, root: (p.read_bytes(), p.read_text(), p.stat().st_size),
        lambda p, root: [
            q.relative_to(root).as_posix() for q in (p.with_name("z"), p.with_suffix(".x"), p.parent / "y")
        ],
        lambda p, root: root in p.parents and p.parent == root / "index/model=a%2Fb" / "layer=c d",
        lambda p, root: sorted([p.with_name("b"), p.with_name("a")])[0].name,
    ):
        assert facts(here, twins[0]) == facts(there, twins[1])
    assert pickle.loads(pickle.dumps(there)) == there and hash(there) == hash(path_of(str(there)))
    assert str(path_of("s3://b//x/y/")) == "s3://b/x/y"
    assert not is_remote(path_of("outputs/a")) and isinstance(path_of("outputs/a"), Path)
    gone = there.with_name("gone")
    assert not gone.exists()
    for call in (gone.read_bytes, gone.stat):
        with pytest.raises(FileNotFoundError, match="gone"):
            call()


def test_an_object_is_published_once(url: str) -> None:
    root = path_of(url)
    staged, target = root / "staging/a/x", root / "index/x"
    write_bytes(staged, b"rows")
    publish(staged, target)
    publish(staged, target)  # once more, as after an answer that was lost
    assert target.read_bytes() == b"rows" and not staged.exists()
    write_bytes(staged, b"rows")  # a store has written, and its answer was lost before the staged one was removed
    publish(staged, target)
    assert not staged.exists()
    write_bytes(staged, b"others")
    with pytest.raises(FileExistsError, match="another run has published it"):
        publish(staged, target)
    assert target.read_bytes() == b"rows", "in index/ = done, for ever"
    with pytest.raises(FileNotFoundError):
        publish(root / "staging/none", root / "index/none")


def test_nothing_is_left_of_a_file_that_was_not_written_to_its_end(url: str) -> None:
    def fails(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_whole(path_of(url) / "x", fails)
    write_json(path_of(url) / "y", {"a": 1})
    assert objects_under(url) == {"y": b'{\n  "a": 1\n}\n'}
    assert read_json(path_of(url) / "y") == {"a": 1}
    assert readable(path_of(url) / "y").read(1) == b"{"  # type: ignore[union-attr]
    remove_tree(path_of(url))
    assert objects_under(url) == {}


def test_a_log_goes_on_where_it_ended(url: str) -> None:
    for _ in range(2):
        log = EventLog(path_of(url) / "events.jsonl")
        log.append("a")
        log.append("b")  # within seconds: told with the next one that is told at once
        log.append("c", at_once=True)
    assert (path_of(url) / "events.jsonl").read_text() == "a\nb\nc\n" * 2


# the lock


def leave(url: str, **changes: object) -> Path:
    """A lock as somebody's driver has left it."""
    lock = path_of(url) / "lock"
    write_json(lock, {"host": socket.gethostname(), "pid": 1, "started": "1", "token": "theirs", **changes})
    return lock


def test_of_two_drivers_one_is_refused(url: str) -> None:
    lock = path_of(url) / "lock"
    with Lock(lock):
        with pytest.raises(Locked, match="wait for it"), Lock(lock):
            pass
        assert lock.is_file()
    assert objects_under(url) == {}


def test_a_stale_lock_is_taken_over_by_one_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = leave(url)
    first, second = Lock(lock), Lock(lock)
    owner = read_owner(lock)
    assert owner is not None
    assert [first._remove_stale(owner), second._remove_stale(owner)] == [True, False]
    with pytest.raises(Locked), second:
        pass
    with first:
        assert json.loads(lock.read_bytes())["token"] == first._token


def test_who_was_taken_over_notices_and_removes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    lock = path_of(url) / "lock"
    with Lock(lock) as held:
        before = lock.stat().st_mtime
        leave(url, token="another")
        held._thread.join(0.5)
        with pytest.raises(Locked, match="was taken over"):
            held.check()
    assert json.loads(lock.read_bytes())["token"] == "another"
    assert before > 0


def test_a_heart_beats_and_clocks_that_differ_take_no_lock(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = leave(url, host="elsewhere")
    with pytest.raises(Locked, match="on elsewhere"), Lock(lock):
        pass
    # this machine's clock is an hour ahead of the store's, by which the other is alive
    monkeypatch.setattr(module.time, "time", lambda: lock.stat().st_mtime + 3600)
    with pytest.raises(Locked, match="on elsewhere"), Lock(lock):
        pass
    monkeypatch.setattr(module, "STALE", -1.0)
    with Lock(lock) as held:
        assert held.taken_over == "process 1 on elsewhere"
        tag = lock.facts().tag  # type: ignore[attr-defined]
        held._sign()
        assert not held.lost and lock.facts().tag == tag  # type: ignore[attr-defined]


# whether a store will do


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_store_that_ignores_a_condition_is_refused(s3: str, header: str) -> None:
    url = new_place(f"ignores-{header.lower()}")
    with ignoring(header.lower(), s3) as endpoint:
        use(endpoint)
        try:
            assert store_mistakes(url) == [
                f"out={url}: this store ignores {header} when it writes, so two runs could each think that they are "
                "alone; take another store"
            ]
        finally:
            use(s3)
        assert objects_under(url) == {}


def test_a_store_that_will_do_is_left_as_it_was(url: str) -> None:
    assert atlas_mistakes(url) == []
    assert objects_under(url) == {}
    write_bytes(path_of(url) / "thesis.pdf", b"")
    assert atlas_mistakes(url) == [
        f"out={url}: is no atlas, and not empty (it has thesis.pdf); name a new folder with out=FOLDER"
    ]


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("ftp://host/x", "no storage that is known; folders can be written, and s3://, gs://, az://"),
        ("s3://", "name a bucket and a prefix in it, as out=s3://bucket/atlases/mine"),
        ("s3://bucket", "name a bucket and a prefix in it"),
        ("s3:///x", "name a bucket and a prefix in it"),
    ],
)
def test_what_names_no_place_is_refused(out: str, reason: str) -> None:
    (mistake,) = store_mistakes(out)
    assert mistake.startswith(f"out={out}: {reason}")


def test_a_store_that_cannot_be_reached_is_named(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(objects, "RETRIES", {"max_retries": 0})
    url = "s3://unreachable/a"
    (mistake,) = store_mistakes(url)
    assert mistake.startswith(f"out={url}: cannot be written (")
    assert mistake.endswith("see to its address, its keys and the bucket")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atlas.store.store_probe.lacks", lambda name: True)
    assert store_mistakes("s3://b/a") == [
        "out=s3://b/a: needs obstore, which is not installed: pip install 'feature-atlas[s3]'"
    ]


def test_copies_of_a_process_that_was_killed_are_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, used, foreign = (tmp_path / f"atlas-copies-{name}" for name in ("999999999-x", f"{os.getpid()}-y", "notes"))
    for folder in (left, used, foreign):
        (folder / "inside").mkdir(parents=True)
    LocalFolder(path_of("s3://bucket/a"))
    assert not left.exists()
    assert used.exists() and foreign.exists()
