"""The one way to torchvision: `torchvision()`, which imports it at the first call, since that takes longer than torch itself.

Linux wheels of torchvision are CUDA builds. Beside a CPU build of torch their compiled operators do not load,
and the import fails on those that are missing. Only Python parts are used, which need no more than their schemas.
"""

import sys
from functools import cache
from importlib import import_module
from typing import Any

from torch import library as registry
from torch import ops

from atlas.zoo.compiler_later import compiler_later

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def torchvision() -> Any:
    """The module torchvision; ImportError, or its own error, where it is not there or broken."""
    return _imported()[0]


@cache
def _imported() -> tuple[Any, registry.Library | None]:
    """torchvision, and the declarations without which it does not import; None where it needs none.

    It is tried as it is first: a release whose operators load must find nothing declared before it, in whatever file
    it keeps them.
    """
    try:
        with compiler_later():
            return import_module("torchvision"), None
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
    # what is half imported would be taken for whole
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    declared = _declare_missing()
    with compiler_later():
        return import_module("torchvision"), declared


def _declare_missing() -> registry.Library:
    """Declare the schemas that nobody has; they live as long as the library that is returned."""
    declared = registry.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        if not hasattr(ops.torchvision, name):
            declared.define(schema)
    return declared


def declared_operators() -> registry.Library | None:
    """What was declared for torchvision's sake; None: it has all that it needs."""
    return _imported()[1]
