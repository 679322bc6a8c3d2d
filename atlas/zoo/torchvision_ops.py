"""The one way to torchvision: `from atlas.zoo.torchvision_ops import torchvision`.

Linux wheels of torchvision are CUDA builds. Beside a CPU build of torch their compiled operators do not load,
and the import fails on those that are missing. Only Python parts are used, which need no more than their schemas.
"""

import sys
from importlib import import_module
from types import ModuleType

from torch import library as registry
from torch import ops

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def import_torchvision() -> tuple[ModuleType, registry.Library | None]:
    """torchvision, and the declarations without which it does not import; None where it needs none.

    It is tried as it is first: a release whose operators load must find nothing declared before it, in whatever file
    it keeps them. ImportError, or torchvision's own error, where declarations do not help.
    """
    try:
        return import_module("torchvision"), None
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
    # what is half imported would be taken for whole
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    declared = _declare_missing()
    return import_module("torchvision"), declared


def _declare_missing() -> registry.Library:
    """Declare the schemas that nobody has; they live as long as the library that is returned."""
    declared = registry.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        if not hasattr(ops.torchvision, name):
            declared.define(schema)
    return declared


torchvision, DECLARED = import_torchvision()

__all__ = ["DECLARED", "SCHEMAS", "import_torchvision", "torchvision"]
