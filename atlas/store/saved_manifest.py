"""Copies of atlas.json in config/, one for each time that something new was asked: what a lost one is put back from."""

from pathlib import Path
from typing import Any

from atlas.store.files import write_json
from atlas.store.manifest import DamagedManifest, NotAnAtlas, read_manifest, write_manifest
from atlas.store.paths import AtlasPaths

Manifest = dict[str, Any]
COPY = "atlas.json"  # in the folder of an invocation


def save_manifest(paths: AtlasPaths, invocation: Path, manifest: Manifest) -> None:
    """Write a manifest, first as a copy into the folder of the invocation that asks for something. OSError: the disk."""
    write_json(invocation / COPY, manifest)
    write_manifest(paths.manifest, manifest)


def saved_manifests(paths: AtlasPaths) -> list[Manifest]:
    """The copies that are whole, the newest first; folders of invocations are named by time."""
    manifests = []
    for path in sorted(paths.config.glob(f"*/{COPY}"), reverse=True):
        try:
            manifests.append(read_manifest(path))
        except NotAnAtlas:
            continue
    return manifests


def whole_manifest(paths: AtlasPaths) -> tuple[Manifest | None, str | None]:
    """The manifest, and a note where it was lost or damaged and is put back from its newest copy.

    None where there neither is nor was one. NotAnAtlas: of another format. DamagedManifest: there is no copy.
    """
    try:
        return read_manifest(paths.manifest), None
    except NotAnAtlas as error:
        copies = saved_manifests(paths)
        if paths.manifest.exists() and (not isinstance(error, DamagedManifest) or not copies):
            raise
        if not copies:
            return None, None
        write_manifest(paths.manifest, copies[0])
        harm = "damaged" if isinstance(error, DamagedManifest) else "lost"
        return copies[0], f"atlas.json was {harm}, and is put back"
