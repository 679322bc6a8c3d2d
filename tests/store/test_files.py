"""A file is whole or it is the old one, and nothing is left lying."""

import json
import os

import pytest

from atlas.store.files import publish, write_bytes, write_json, write_whole


def test_what_is_written_is_read_and_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "c.bin"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    write_bytes(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", [OSError("disk full"), ValueError("bad row"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_no_leftovers(tmp_path, failure):
    path = tmp_path / "x.json"
    write_bytes(path, b"old")

    def half(file):
        file.write(b"half of the ne")
        raise failure

    with pytest.raises(type(failure)):
        write_whole(path, half)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(type(failure)):
        write_whole(tmp_path / "never", half)
    assert list(tmp_path.iterdir()) == [path]


def test_readers_never_see_half_a_file(tmp_path):
    path = tmp_path / "x"
    write_bytes(path, b"old")

    def slow(file):
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        (part,) = (other for other in tmp_path.iterdir() if other != path)
        assert part.name.startswith("."), "a glob would find it"

    write_whole(path, slow)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("durable", [True, False])
def test_only_a_durable_write_waits_for_the_disk(tmp_path, monkeypatch, durable):
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(descriptor) or sync(descriptor))
    write_bytes(tmp_path / "x", b"new", durable=durable)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert len(synced) == (2 if durable else 0), "the file and its folder"


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("x" * 255)
    write_bytes(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_read_back_as_it_was(tmp_path):
    value = {"name": "é", "list": [1, 2.5, None], "nested": {"b": True}}
    write_json(tmp_path / "x.json", value)
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == value
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"path": tmp_path})
    assert json.loads((tmp_path / "x.json").read_text()) == value


def test_publishing_moves_and_replaces(tmp_path):
    source, target = tmp_path / "staging" / "x", tmp_path / "index" / "deep" / "x"
    for content in (b"first", b"second"):
        write_bytes(source, content)
        publish(source, target)
        assert target.read_bytes() == content
        assert not source.exists()
