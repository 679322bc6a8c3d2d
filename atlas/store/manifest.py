"""atlas.json: what an atlas is, what was asked of it, and which variants (weights, recipes) it holds."""

import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from atlas.store.bucket_path import is_remote
from atlas.store.files import read_json, write_json
from atlas.version import __version__

FORMAT = 1
REMEDY = "the job that made the atlas, run again, puts it back"
# the parts that readers rely on, with their types; new_manifest has them all
PARTS = {"name": str, "asked": list, "weights": dict, "variants": list}
ASKED_PARTS = {"plan": str}
VARIANT_PARTS = {"variant": str, "model": str, "metric": str, "recipe": str, "weights": str, "settings": dict}
LIBRARIES = ("torch", "torchvision", "ray", "pyarrow", "numpy")


class NotAnAtlas(Exception):
    """A folder that was named as an atlas is none, or is one of another format."""


class DamagedManifest(NotAnAtlas):
    """There is an atlas.json, but it is not whole."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest at `path`; NotAnAtlas when there is none, or none that this version reads.

    DamagedManifest: it cannot be read, or lacks a part.
    """
    try:
        manifest = read_json(path)
    except FileNotFoundError:
        raise NotAnAtlas(f"{path.parent} is no atlas: it has no atlas.json") from None
    except (ValueError, OSError) as error:
        if is_remote(path) and isinstance(error, OSError):
            # the store's answer, not the manifest's damage
            raise
        raise DamagedManifest(f"{path} cannot be read: {error}; {REMEDY}") from None
    if not isinstance(manifest, dict):
        raise DamagedManifest(f"{path} is damaged: it has no format; {REMEDY}")
    version = manifest.get("format")
    if version != FORMAT:
        other = NotAnAtlas if "format" in manifest else DamagedManifest
        raise other(f"{path} has format {version!r}; this version reads format {FORMAT}")
    if lacking := _lacking(manifest):
        raise DamagedManifest(f"{path} is damaged: it lacks {lacking}; {REMEDY}")
    return manifest


def _lacking(manifest: dict[str, Any]) -> str | None:
    """The first part that is not there, or is not of its type."""
    groups = [("", manifest, PARTS)]
    groups += [("an entry of asked", entry, ASKED_PARTS) for entry in _listed(manifest, "asked")]
    groups += [("an entry of variants", entry, VARIANT_PARTS) for entry in _listed(manifest, "variants")]
    for where, entry, parts in groups:
        if not isinstance(entry, dict):
            return where
        for part, kind in parts.items():
            if not isinstance(entry.get(part), kind):
                return f"{part} of {where}" if where else part
    return None


def _listed(manifest: dict[str, Any], part: str) -> list[Any]:
    entries = manifest.get(part)
    return entries if isinstance(entries, list) else []


def new_manifest(name: str) -> dict[str, Any]:
    """The manifest of an atlas of which nothing has been asked yet."""
    return {
        "format": FORMAT,
        "name": name,
        "created": now(),
        "asked": [],
        "weights": {},
        "variants": [],
        "versions": {},
    }


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest with the time and the libraries' versions of now. OSError: the disk."""
    write_json(path, {**manifest, "updated": now(), "versions": versions()})


def versions() -> dict[str, str]:
    """Versions of python, of the platform and of the installed libraries that reach a pixel or a file."""
    numbers = {"atlas": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for library in LIBRARIES:
        try:
            numbers[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return numbers


def now() -> str:
    """The time in UTC, to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
