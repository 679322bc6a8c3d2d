"""The one way to torchvision: `from atlas.zoo.torchvision_ops import torchvision`.

Linux wheels of torchvision are CUDA builds. Beside a CPU build of torch their compiled operators do not load,
and the import fails on two that are missing. Only Python parts are used, which need no more than their schemas.
"""

from importlib.machinery import PathFinder
from importlib.util import find_spec

from torch import library as registry
from torch import ops

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Whether torchvision's own `_C` can be loaded into this torch; loading it twice does no harm."""
    package = find_spec("torchvision")  # finds the package without importing it
    if package is None:
        return False
    library = PathFinder.find_spec("_C", package.submodule_search_locations)
    if library is None or library.origin is None:
        return False
    try:
        ops.load_library(library.origin)
    except (ImportError, OSError):
        return False
    return True


def _declare_missing() -> registry.Library | None:
    """Declare the schemas that nobody has; they live as long as the library that is returned."""
    if _compiled_operators_load():
        return None
    declared = registry.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        if not hasattr(ops.torchvision, name):
            declared.define(schema)
    return declared


DECLARED = _declare_missing()

import torchvision  # noqa: E402  (must come after the declarations above: that is what this module is for)

__all__ = ["DECLARED", "SCHEMAS", "torchvision"]
