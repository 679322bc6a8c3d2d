"""Photographs that installed packages bring, so that there is something to look at without a download: names and files."""

from importlib.util import find_spec
from pathlib import Path

# Package, folder in it, and what of that are photographs: microscopy, drawings, and the second picture of a stereo pair
# are left out. scipy's only comes by download.
BROUGHT = (
    ("sklearn", "datasets/images", ("china.jpg", "flower.jpg")),
    (
        "skimage",
        "data",
        (
            *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png"),
            *("gravel.png", "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg"),
        ),
    ),
)


def photographs() -> dict[str, Path]:
    """The files, by names as `sklearn/china.jpg`, of those that are there; no package is imported."""
    files: dict[str, Path] = {}
    for package, folder, names in BROUGHT:
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec is not None else []:
            files |= {f"{package}/{name}": Path(root, folder, name) for name in names}
    return {name: path for name, path in files.items() if path.is_file()}
