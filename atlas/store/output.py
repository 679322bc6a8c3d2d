"""Checks before any work that the folder of an atlas, or of pictures, can be written, and is nobody else's."""

import os
import re
import tempfile
from pathlib import Path

from atlas.store.bucket_path import MARK, is_remote
from atlas.store.lock import is_lock
from atlas.store.manifest import DamagedManifest, NotAnAtlas, read_manifest
from atlas.store.paths import AtlasPaths
from atlas.store.saved_manifest import saved_manifests
from atlas.store.store_probe import store_mistakes

LOCK = r"lock(-\d+-of-\d+)?"  # the name of a lock: of an atlas, or of a part of it
LONGEST_PART = 255  # bytes of one name in a path: what Linux's file systems take
# what file managers and file systems put into a folder that is empty for its owner, beside hidden files
NOTHING = ("lost+found", "Thumbs.db", "desktop.ini", "Icon\r")


def output_mistakes(out: str) -> list[str]:
    """The mistake in `out=`, if there is one: no folder, or one that cannot be written. Makes nothing that is missing."""
    if not out:
        return ["out is empty: name a folder, as out=outputs/mine"]
    if MARK in out:
        return [f"out={out}: only an atlas can lie in an object store; name a folder"]
    if any(len(os.fsencode(part)) > LONGEST_PART for part in Path(out).parts):
        return [f"out={out}: a name in it is longer than {LONGEST_PART} bytes, which no file system takes"]
    folder = os.path.abspath(os.path.expanduser(out))
    if os.path.exists(folder) and not os.path.isdir(folder):
        return [f"out={out}: is a file; name a folder"]
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        return [f"out={out}: cannot be written ({error.strerror}: {folder}); name another folder with out=FOLDER"]


def atlas_mistakes(out: str) -> list[str]:
    """The same for the folder of an atlas that is to be made or gone on with: one that holds something else is refused."""
    return place_mistakes(out) or _others(AtlasPaths(out))


def place_mistakes(out: str) -> list[str]:
    """The same for an atlas that is there, in a folder or in an object store."""
    return store_mistakes(out) if MARK in out else output_mistakes(out)


def _others(paths: AtlasPaths) -> list[str]:
    """Why a folder that exists is neither empty nor an atlas that this version can go on with."""
    try:
        read_manifest(paths.manifest)
        return []
    except DamagedManifest as error:
        return [] if saved_manifests(paths) else [f"out={paths.root}: {error}, but config/ holds no copy of it"]
    except NotAnAtlas as error:
        if paths.manifest.exists():
            return [f"out={paths.root}: {error}"]
    if saved_manifests(paths) or not (names := _names(paths.root)):
        return []
    if any(folder.is_dir() for folder in (paths.index, paths.images)) and paths.config.is_dir():
        lost = "holds images of an atlas, but its atlas.json is lost, and config/ has no copy of it"
        return [f"out={paths.root}: {lost}; put it back, or name another folder"]
    return [
        f"out={paths.root}: is no atlas, and not empty (it has {_listed(names)}); name a new folder with out=FOLDER"
    ]


def _names(folder: Path) -> list[str]:
    """The names in a folder that are somebody's."""
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    # a run that was stopped at once leaves no more than its lock
    own = ["staging"] if is_remote(folder) else []  # what a run tried whether the store can be written to with
    own += [name for name in names if re.fullmatch(LOCK, name) and is_lock(folder / name)]
    return [name for name in names if not name.startswith(".") and name not in (*NOTHING, *own)]


def _listed(names: list[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
