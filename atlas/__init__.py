"""Atlas: every channel of every layer of a vision network made visible, indexed and searchable.

`open` reads an atlas, `run` makes one and `plan` says what it would hold; `visualize` makes images of any network at
once, `layers` lists what there is to look at.
Importing this loads neither torch nor Ray: each name is looked up when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from atlas.version import __version__

if TYPE_CHECKING:
    from atlas.cli.call import plan, run
    from atlas.generate.visualize import visualize
    from atlas.query.atlas import Atlas as open
    from atlas.zoo.listing import layers

__all__ = ["__version__", "layers", "open", "plan", "run", "visualize"]

# name: module, and what it is called there
FRONT = {
    "layers": ("atlas.zoo.listing", "layers"),
    "open": ("atlas.query.atlas", "Atlas"),
    "plan": ("atlas.cli.call", "plan"),
    "run": ("atlas.cli.call", "run"),
    "visualize": ("atlas.generate.visualize", "visualize"),
}


def __getattr__(name: str) -> Any:
    if name not in FRONT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = FRONT[name]
    try:
        globals()[name] = value = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise _named(error) from error
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _named(error: ModuleNotFoundError) -> ModuleNotFoundError:
    """The error itself, or, where it lacks what an extra of Atlas brings, one that says which to install."""
    from atlas.config.extras import missing  # only where something is wrong

    return ModuleNotFoundError(missing(error) or str(error), name=error.name)
