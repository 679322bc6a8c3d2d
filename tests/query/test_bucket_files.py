"""What DuckDB asks of an object store: patterns, and parts of large objects."""

import pytest
from object_store import new_place

from atlas.query import bucket_files as module
from atlas.query.bucket_files import BucketFiles
from atlas.store.bucket_path import is_remote, path_of
from atlas.store.files import write_bytes

pytestmark = pytest.mark.job


def test_patterns_and_parts(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = path_of(new_place())
    assert is_remote(root)
    for name in ("index/model=m/layer=l%2F1/x.parquet", "index/y.parquet", "index/z.txt", "layers.parquet"):
        write_bytes(root / name, name.encode() * 1000)
    files = BucketFiles(root.bucket)
    assert {url.removeprefix(f"{root}/") for url in files.glob(f"{root}/index/**/*.parquet")} == {
        "index/model=m/layer=l%2F1/x.parquet",
        "index/y.parquet",
    }
    assert files.glob(f"{root}/layers.parquet") == [f"{root}/layers.parquet"]
    assert files.glob(f"{root}/matches.parquet") == []
    for small in (module.SMALL, 100):
        monkeypatch.setattr(module, "SMALL", small)
        with files.open(f"{root}/layers.parquet", "rb") as file:
            file.seek(14)
            assert file.read(14) == b"layers.parquet"
            file.seek(-7, 2)
            assert file.read() == b"parquet"
    assert files.size(f"{root}/layers.parquet") == 14_000
    assert files.modified(f"{root}/layers.parquet").timestamp() == (root / "layers.parquet").stat().st_mtime


def test_a_listing_holds_for_a_statement_and_no_longer(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = path_of(new_place())
    assert is_remote(root)
    write_bytes(root / "index/1.parquet", b"1")
    files = BucketFiles(root.bucket)
    assert len(files.glob(f"{root}/index/**/*.parquet")) == 1
    write_bytes(root / "index/2.parquet", b"2")
    assert len(files.glob(f"{root}/index/**/*.parquet")) == 1
    now = module.monotonic()
    monkeypatch.setattr(module, "monotonic", lambda: now + module.FRESH + 1)
    assert len(files.glob(f"{root}/index/**/*.parquet")) == 2
    # the same name, another content
    write_bytes(root / "index/2.parquet", b"3")
    monkeypatch.setattr(module, "monotonic", lambda: now + 2 * module.FRESH + 2)
    files.glob(f"{root}/index/**/*.parquet")
    with files.open(f"{root}/index/2.parquet", "rb") as file:
        assert file.read() == b"3"
