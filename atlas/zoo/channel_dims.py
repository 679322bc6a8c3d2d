"""Which dimension of a tensor holds the channels, followed from a network's images through every function that it calls.

Shapes alone do not show it: (b, 7, 7, 7) may be anything. What no rule follows is unknown, and never guessed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

# Give channels along dimension 1, whatever they took.
FIRST = {f"{name}{axes}d" for name in ("conv", "conv_transpose") for axes in (1, 2, 3)}
FIRST |= {"batch_norm", "group_norm", "instance_norm"}
# Give channels along the last dimension: products with weights.
LAST = {"linear", "bilinear", "multi_head_attention_forward", "_transformer_encoder_layer_fwd", "embedding"}
# Norms of the last dimension, where nothing is known of what they take.
NORMS = {"layer_norm", "rms_norm"}
# Mix what they take: patches of pixels, distances.
MIXING = {"baddbmm", "einsum", "tensordot", "unfold", "fold", "cdist", "stack"}
# Sum over the last dimension of the first, and the last but one of the second.
PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm"}
# Cut the values, in reading order, into other dimensions.
RESHAPING = {"view", "reshape", "flatten", "unflatten", "view_as", "reshape_as", "ravel"}
# Move, pick or add dimensions, and copy nothing.
VIEWS = {
    *("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT", "squeeze", "unsqueeze"),
    *("select", "__getitem__", "unbind", "expand", "split", "chunk", "tensor_split", "narrow", "expand_as"),
}
# Leave dimensions where they are, and may change how many channels there are.
RESIZING = {
    *("cat", "concat", "concatenate", "glu", "pad", "_pad", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    *("index_select", "repeat", "repeat_interleave", "tile"),
}

MARK = 1_000_003  # a prime, so that no product of sizes is a multiple of it

# Dimensions of a tensor, rising: of channels that are cut into groups there are several. None: unknown.
Dims = tuple[int, ...] | None
Known = list[tuple[Tensor, tuple[int, ...]]]


class ChannelDims(TorchFunctionMode):
    """Within this context, the dimension of channels of each tensor that comes of some images."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self._dims: Any = WeakTensorKeyDictionary()
        self._dims[images] = (1,)

    def of(self, module: nn.Module, inputs: Any, output: object) -> int | None:
        """That of what a module gives; None: unknown, or several. Features (b, c) have theirs last."""
        if not isinstance(output, Tensor):
            return None
        if output.ndim == 2:
            return 1
        if output not in self._dims:
            # computed where no function is seen, in C++ or TorchScript: an activation leaves all where it is
            keeps = next(module.children(), None) is None and next(module.parameters(), None) is None
            before = [tensor for tensor in _tensors(inputs) if tensor.shape == output.shape and tensor in self._dims]
            self._dims[output] = self._dims[before[0]] if keeps and before else None
        dims = self._dims[output]
        return dims[0] if dims is not None and len(dims) == 1 else None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        known = [(tensor, dims) for tensor in _tensors((args, kwargs)) if (dims := self._dims.get(tensor)) is not None]
        shapes = [tensor.shape for tensor, _ in known[:1]]
        result = func(*args, **kwargs)
        outputs = list(_tensors(result))
        for output, dims in zip(outputs, _after(func, args, kwargs, known, outputs, shapes), strict=True):
            self._dims[output] = dims
        return result


def _after(
    func: Any, args: Any, kwargs: Any, known: Known, outputs: list[Tensor], shapes: list[torch.Size]
) -> list[Dims]:
    """The dimensions in each output of a function. known: its inputs whose own are known; shapes: the first one's, before."""
    name = _name(func)
    if name in FIRST:
        return [(1,)] * len(outputs)
    if name in LAST or (name in PRODUCTS and any(tensor.ndim == 2 for tensor in _tensors((args, kwargs)))):
        return [(output.ndim - 1,) for output in outputs]
    if name in NORMS and not known:
        return [(output.ndim - 1,) for output in outputs]
    if not known or name in MIXING:
        return [None] * len(outputs)
    if name in PRODUCTS:
        return [_multiplied(list(_tensors((args, kwargs))), dict(_by_id(known)))] * len(outputs)
    if name == "scaled_dot_product_attention":
        return [dict(_by_id(known)).get(id(list(_tensors((args, kwargs)))[2]))]
    if name in RESHAPING:
        return [_reshaped(shapes[0], known[0][1], output.shape) for output in outputs]
    if name in VIEWS:
        return _viewed(func, args, kwargs, known[0], outputs)
    return [_kept(known, output, resized=name in RESIZING) for output in outputs]


def _kept(known: Known, output: Tensor, *, resized: bool) -> Dims:
    """The dimensions that all inputs of as many agree on, where the output has as many channels as they."""
    if output.ndim == 2:
        return (1,)
    candidates = {
        dims
        for tensor, dims in known
        if tensor.ndim == output.ndim and (resized or all(tensor.shape[dim] in (output.shape[dim], 1) for dim in dims))
    }
    return candidates.pop() if len(candidates) == 1 else None


def _multiplied(factors: list[Tensor], dims: Mapping[int, tuple[int, ...]]) -> Dims:
    """Those of the second factor, as values weighted by attention; or of the first; where the sum is not over them."""
    first, second = factors[:2]
    for factor, summed in ((second, second.ndim - 2), (first, first.ndim - 1)):
        own = dims.get(id(factor))
        if own is not None and summed not in own and first.ndim == second.ndim:
            return own
    return None


def _by_id(known: Known) -> Iterator[tuple[int, tuple[int, ...]]]:
    return ((id(tensor), dims) for tensor, dims in known)


def _reshaped(before: Sequence[int], dims: tuple[int, ...], after: Sequence[int]) -> Dims:
    """Where all the channels, and they alone, lie in the same values cut otherwise."""
    if len(after) == 2:
        return (1,)
    first, last = dims[0], dims[-1]
    if dims != tuple(range(first, last + 1)):
        return None
    outside, count = prod(before[:first]), prod(before[first : last + 1])
    spans = ((start, stop) for start in range(len(after)) for stop in range(start + 1, len(after) + 1))
    fitting = (span for span in spans if prod(after[: span[0]]) == outside and prod(after[slice(*span)]) == count)
    return next(
        (tuple(dim for dim in range(*span) if after[dim] > 1 or span[1] - span[0] == 1) for span in fitting), None
    )


def _viewed(
    func: Callable[..., Any], args: Any, kwargs: Any, known: tuple[Tensor, tuple[int, ...]], outputs: list[Tensor]
) -> list[Dims]:
    """Follow dimensions through a view of a tensor without values in which they alone have strides."""
    tensor, dims = known
    strides = [MARK * (dim in dims) for dim in range(tensor.ndim)]
    marked = torch.empty_strided(tensor.shape, strides, device="meta")

    def mark(value: Any) -> Any:
        return marked if value is tensor else value

    try:
        views = list(_tensors(func(*map(mark, args), **{name: mark(value) for name, value in kwargs.items()})))
    except Exception:  # indices on another device, a tensor that is not the first: nothing is known of the result
        return [None] * len(outputs)
    if [view.shape for view in views] != [output.shape for output in outputs]:
        return [None] * len(outputs)
    return [_strided(view) for view in views]


def _strided(view: Tensor) -> Dims:
    if view.ndim == 2:
        return (1,)
    dims = tuple(dim for dim, stride in enumerate(view.stride()) if stride)
    # A stride that is no multiple is that of a copy.
    return dims if dims and all(view.stride(dim) % MARK == 0 for dim in dims) else None


def _name(func: Any) -> str:
    """A function's name; a property's for its getter, and without the mark of those that work in place."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return getattr(func.__self__, "__name__", "")
    return name if name.startswith("__") else name.rstrip("_")


def _tensors(value: Any) -> Iterator[Tensor]:
    """All tensors within lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)
