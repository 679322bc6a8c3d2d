"""What killed runs leave in an atlas, known by its names and removed; whatever else lies there stays as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

from atlas.store.bucket_path import is_remote, remove_objects
from atlas.store.files import remove_tree
from atlas.store.paths import AtlasPaths

# as workers and the publisher name what they put into staging/; a comparison goes on from its bank, and removes it
STAGED = re.compile(r"[0-9a-f]{20}-[0-9a-f]{8}|(nonce|note|clock)-[0-9a-f]{32}|[0-9a-f]{20}\.pulse")
# as `write_whole` names a file until it is whole
HALF = re.compile(r"\..+\.[0-9a-f]{1,8}\.part")


def sweep(paths: AtlasPaths) -> None:
    """Remove what is staged, since none of it is finished work, and files that are half written."""
    if is_remote(paths.staging):
        staged = paths.staging.rglob("*")
        remove_objects([path for path in staged if STAGED.fullmatch(path.relative_to(paths.staging).parts[0])])
        return
    for entry in paths.staging.glob("*"):
        if STAGED.fullmatch(entry.name):
            _remove(entry)
    for half in half_files(paths):
        half.unlink(missing_ok=True)


def half_files(paths: AtlasPaths) -> Iterator[Path]:
    """Files of the atlas that a process began and did not finish. A folder of such a name is somebody's export.

    In an object store there are none.
    """
    if is_remote(paths.root):
        return iter(())
    folders = (folder.rglob(".*.part") for folder in paths.folders if not folder.is_symlink())
    files = (file for found in (paths.root.glob(".*.part"), *folders) for file in found)
    return (file for file in files if HALF.fullmatch(file.name) and file.is_file())


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        remove_tree(entry)
    else:
        entry.unlink(missing_ok=True)
