"""What a machine works with, of all that reaches a pixel: a node that differs from the driver's machine makes other images."""

import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from atlas.version import __version__

DRIVER = Path("/proc/driver/nvidia/version")  # where NVIDIA's kernel module says which it is
LIBRARIES = ("torch", "torchvision", "timm")
Environment = Mapping[str, str]  # versions, by what they are of


@cache
def environment() -> Environment:
    """Of this machine, without the libraries that it lacks."""
    versions = {"atlas": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for library in LIBRARIES:
        try:
            # a build for another CUDA is the same library
            versions[library] = metadata.version(library).partition("+")[0]
        except metadata.PackageNotFoundError:
            continue
    return versions


def difference(there: Environment, here: Environment) -> str | None:
    """What another machine has otherwise, in a few words; None where nothing is."""
    differing = [name for name in here if there.get(name) != here[name]]
    return ", ".join(f"{name} {there.get(name, 'is missing')} ({here[name]} here)" for name in differing) or None


def report(versions: Environment) -> str:
    """The versions of this machine in words, with that of its cards' driver, which no image depends on."""
    words = [f"{name} {version}" for name, version in versions.items()]
    with suppress(OSError):
        if driver := re.search(r"Module\s+([\d.]+)", DRIVER.read_text()):
            words.append(f"driver {driver[1]}")
    return ", ".join(words)
