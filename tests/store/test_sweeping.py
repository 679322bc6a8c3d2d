"""What killed runs left goes; what anybody else has put into the folder of an atlas stays."""

import uuid
from pathlib import Path

from atlas.store.paths import AtlasPaths
from atlas.store.sweeping import half_files, sweep

HASH = "0123456789abcdef0123"
OURS = (
    f"staging/{HASH}-{uuid.uuid4().hex[:8]}/index/x.parquet",
    f"staging/nonce-{uuid.uuid4().hex}",
    ".atlas.json.01234567.part",
    "index/model=m/layer=l/.s.parquet.01234567.part",
    "images/m/l/l1/.3.png.89abcdef.part",
)
THEIRS = (
    f"staging/bank-{HASH}/bank.json",
    "staging/precious.txt",
    "staging/notes/x.txt",
    "thesis/.download.part",
    "thesis/.x.01234567.part",
    ".download.part",
    "index/.download.part",
    ".export.01234567.part/x.csv",
)


def test_only_what_is_ours_is_swept(tmp_path: Path) -> None:
    paths = AtlasPaths(tmp_path)
    for name in (*OURS, *THEIRS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert len(list(half_files(paths))) == 3
    sweep(paths)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(THEIRS)
    sweep(AtlasPaths(tmp_path / "nothing"))
