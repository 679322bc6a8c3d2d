"""Atlas: every channel of every layer of a vision network made visible, indexed and searchable.

`open` reads an atlas, `visualize` makes images of any network at once. Importing this loads neither torch nor Ray.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from pathlib import Path

    from torch import Tensor, nn

    from atlas.generate.visualize import Visualization
    from atlas.query.atlas import Atlas

__all__ = ["__version__", "open", "visualize"]


def __getattr__(name: str) -> str:
    """The version, looked up when it is asked for: importlib.metadata takes a tenth of a query's time to import."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import metadata

    try:
        return metadata.version("atlas")
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        return "0"


def open(path: "str | Path") -> "Atlas":
    """Open an atlas for reading, as `atlas.open("outputs/demo")`. NotAnAtlas when there is none."""
    from atlas.query.atlas import Atlas

    return Atlas(path)


def visualize(
    model: "nn.Module", layer: str, channels: "int | list[int]", *, start: "Tensor | None" = None, **options: Any
) -> "Visualization":
    """Images of some channels of a layer of any network, at once: no Ray, no files.

    Options: recipe ("normalized"), metric (the recipe's own: l1, or mean), octaves (a list of dicts: size, steps, lr,
    sigma, instead of the recipe's), target ("channel", or a dict with kind, row, col, count), seed (0), device (the
    model's own), mean and std (of the model's input, (3,), for recipes whose images live in [0, 1]; none: fed as is).
    `start` (b, 3, h, w) takes the place of the noise. Returns images (b, 3, h, w) as optimised, unclamped.
    """
    from atlas.generate.visualize import visualize as make

    return make(model, layer, channels, start=start, **options)
