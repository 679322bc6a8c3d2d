"""atlas.json: what an atlas is, what was asked of it, and which variants (weights, recipes) it holds."""

import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from atlas.store.files import write_json
from atlas.version import __version__

FORMAT = 1
LIBRARIES = ("torch", "torchvision", "ray", "pyarrow", "numpy")


class NotAnAtlas(Exception):
    """A folder that was named as an atlas is none, or is one of another format."""


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest at `path`; NotAnAtlas when there is none, or none that this version reads."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotAnAtlas(f"{path.parent} is no atlas: it has no atlas.json") from None
    except (ValueError, OSError) as error:
        raise NotAnAtlas(f"{path} cannot be read: {error}") from None
    version = manifest.get("format") if isinstance(manifest, dict) else None
    if version != FORMAT:
        raise NotAnAtlas(f"{path} has format {version!r}; this version reads format {FORMAT}")
    return manifest


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
