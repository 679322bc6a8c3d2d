"""atlas.json says what an atlas is, and what is none is refused."""

import json
import platform
from datetime import datetime

import pytest

import atlas
from atlas.store.manifest import (
    FORMAT,
    DamagedManifest,
    NotAnAtlas,
    new_manifest,
    now,
    read_manifest,
    versions,
    write_manifest,
)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "atlas.json"
    manifest = new_manifest("demo") | {"asked": [{"plan": "p0"}], "weights": {"a": "default@d0"}}
    write_manifest(path, manifest)
    read = read_manifest(path)
    assert {key: read[key] for key in manifest if key != "versions"} == {
        key: value for key, value in manifest.items() if key != "versions"
    }
    assert read["format"] == FORMAT
    assert read["versions"] == versions()
    assert datetime.fromisoformat(read["updated"]) >= datetime.fromisoformat(read["created"])


def test_writing_does_not_change_what_was_given(tmp_path):
    manifest = new_manifest("demo")
    before = json.dumps(manifest)
    write_manifest(tmp_path / "atlas.json", manifest)
    assert json.dumps(manifest) == before


def test_versions_name_what_reaches_a_pixel():
    numbers = versions()
    assert numbers["python"] == platform.python_version()
    assert numbers["atlas"] == atlas.__version__
    assert {"platform", "torch", "torchvision", "numpy"} <= set(numbers)


def test_times_say_their_zone():
    assert datetime.fromisoformat(now()).utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is no atlas: it has no atlas.json"),
        ("{", "cannot be read"),
        ("\xff\xfe", "cannot be read"),
        ("[]", "format"),
        ("{}", "format None; this version reads format 1"),
        ('{"format": 99}', "format 99"),
    ],
)
def test_what_is_no_atlas_is_refused(tmp_path, text, message):
    path = tmp_path / "atlas.json"
    if text is not None:
        path.write_bytes(text.encode("latin1"))
    with pytest.raises(NotAnAtlas, match=message):
        read_manifest(path)


WHOLE = {"format": FORMAT, "name": "x", "asked": [], "weights": {}, "variants": []}


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"name": None}, "name"),
        ({"asked": {}}, "asked"),
        ({"asked": [12]}, "an entry of asked"),
        ({"asked": [{"plan": 1}]}, "plan of an entry of asked"),
        ({"variants": None}, "variants"),
        ({"variants": [{"model": "m"}]}, "variant of an entry of variants"),
        ({"weights": []}, "weights"),
    ],
)
def test_one_that_lacks_a_part_is_damaged(tmp_path, changes, lacking):
    path = tmp_path / "atlas.json"
    path.write_text(json.dumps(WHOLE))
    assert read_manifest(path) == WHOLE
    path.write_text(json.dumps(WHOLE | changes))
    with pytest.raises(DamagedManifest, match=f"lacks {lacking};"):
        read_manifest(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "\xff", '{"name": "x"}'])
def test_what_is_no_manifest_at_all_is_damaged_too(tmp_path, text):
    (tmp_path / "atlas.json").write_bytes(text.encode("latin1"))
    with pytest.raises(DamagedManifest):
        read_manifest(tmp_path / "atlas.json")


def test_a_folder_in_its_place_is_refused(tmp_path):
    (tmp_path / "atlas.json").mkdir()
    with pytest.raises(NotAnAtlas, match="cannot be read"):
        read_manifest(tmp_path / "atlas.json")
