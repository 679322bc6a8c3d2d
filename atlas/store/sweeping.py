"""What killed runs leave in an atlas, known by its names and removed; whatever else lies there stays as it is."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from atlas.store.paths import AtlasPaths

# as workers and the publisher name what they put into staging/; a comparison goes on from its bank, and removes it
STAGED = re.compile(r"[0-9a-f]{20}-[0-9a-f]{8}|(nonce|note)-[0-9a-f]{32}|[0-9a-f]{20}\.pulse")
# as `write_whole` names a file until it is whole
HALF = re.compile(r"\..+\.[0-9a-f]{1,8}\.part")


def sweep(paths: AtlasPaths) -> None:
    """Remove what is staged, since none of it is finished work, and files that are half written."""
    for entry in paths.staging.glob("*"):
        if STAGED.fullmatch(entry.name):
            _remove(entry)
    for half in half_files(paths):
        half.unlink(missing_ok=True)


def half_files(paths: AtlasPaths) -> Iterator[Path]:
    """Files of the atlas that a process began and did not finish. A folder of such a name is somebody's export."""
    folders = (folder.rglob(".*.part") for folder in paths.folders if not folder.is_symlink())
    files = (file for found in (paths.root.glob(".*.part"), *folders) for file in found)
    return (file for file in files if HALF.fullmatch(file.name) and file.is_file())


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
