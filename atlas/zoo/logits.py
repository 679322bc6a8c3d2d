"""The class scores among all that a classifier may return: a tensor, a tuple, a dict or an object in; one tensor out."""

from collections.abc import Mapping

from torch import Tensor

NAMED = ("logits", "out")  # transformers' and torchvision's names for the main output of several


def logits_in(output: object) -> Tensor | None:
    """The output itself, what it calls `logits` or `out`, or the first tensor that it holds; None where it has none.

    A classifier that also trains helpers, or returns its features, puts its own scores first or names them so.
    """
    if isinstance(output, Tensor):
        return output
    for name in NAMED:
        value = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(value, Tensor):
            return value
    parts = output.values() if isinstance(output, Mapping) else output if isinstance(output, list | tuple) else ()
    return next((part for part in parts if isinstance(part, Tensor)), None)
