"""The truncated forward: images in, the maps of the wanted layers out; nothing runs after the last."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from atlas.config.mistakes import nearest
from atlas.records import REPEAT
from atlas.zoo.channel_dims import ChannelDims
from atlas.zoo.hooks import hooked
from atlas.zoo.layers import as_map, call_of, plain_attention


class _Reached(BaseException):
    """Every wanted layer was reached. Not an Exception, so that few models catch it."""


class Forward:
    """images (b, c, h, w) → {layer: maps (b, c, h, w)}, with gradients to the images, on the model's device.

    Images are cast to the dtype of the model's weights, and maps to float32. These are as `as_map` makes them, of a
    layer's first call; of its second where it is named `layer#2`. The model is run as it is: put it in eval mode.
    """

    def __init__(self, model: nn.Module, layers: Iterable[str]):
        """ValueError: the model has no such layer, with the nearest names, or no layer was asked for."""
        self.model = model
        self.layers = tuple(dict.fromkeys(layers))
        modules = {name: module for name, module in model.named_modules() if name}
        calls = {layer: call_of(layer, modules) for layer in self.layers}
        unknown = [layer for layer, (name, _) in calls.items() if name not in modules]
        if unknown or not self.layers:
            mistakes = [_unknown(layer, model, modules) for layer in unknown]
            raise ValueError("\n".join(mistakes) if unknown else "no layer was asked for")
        self._modules = {name: modules[name] for name, _ in calls.values()}
        self.wanted = {call: layer for layer, call in calls.items()}
        self.dims: dict[str, int | None] = {}  # of channels, by layer, as the first pass has shown them
        self.dtype = dtype_of(model)

    def __call__(self, images: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b _ _ _"]]:
        """Run the model. ValueError: a layer gives no map per image; RuntimeError: a layer is never reached."""
        images = images if self.dtype is None else images.to(self.dtype)
        following = None if len(self.dims) == len(self.layers) else ChannelDims(images)
        run = _Run(self.wanted, self.dims, following, len(images))
        try:
            with hooked(self._modules, run.keep), plain_attention(), following or nullcontext():
                self.model(images)
        except (_Reached, Exception):
            # What was found decides, not what came back: a model may catch ours and raise another.
            if not run.finished:
                raise
        if run.mistake is not None:
            raise run.mistake
        missed = ", ".join(layer for layer in self.layers if layer not in run.maps)
        if missed:
            raise RuntimeError(f"a forward pass of {type(self.model).__name__} never reaches {missed}")
        return {layer: run.maps[layer] for layer in self.layers}


class _Run:
    """One forward pass: the maps that it has given so far, or why one of them is none."""

    def __init__(
        self,
        wanted: Mapping[tuple[str, int], str],
        dims: dict[str, int | None],
        following: ChannelDims | None,
        batch: int,
    ) -> None:
        """wanted: layers by module and call. dims: of channels, by layer; those still unseen are added by `following`."""
        self.wanted, self.dims, self.following, self.batch = wanted, dims, following, batch
        self.maps: dict[str, Tensor] = {}
        self.mistake: ValueError | None = None
        self.calls: Counter[str] = Counter()

    @property
    def finished(self) -> bool:
        return self.mistake is not None or len(self.maps) == len(self.wanted)

    def keep(self, name: str, module: nn.Module, inputs: Any, output: object) -> None:
        self.calls[name] += 1
        layer = self.wanted.get((name, self.calls[name]))
        if layer is None or self.finished:
            return
        if layer not in self.dims and self.following is not None:
            self.dims[layer] = self.following.of(module, inputs, output)
        maps = as_map(output, self.dims[layer])
        if maps is None or len(maps) != self.batch:
            what = f"{_kind(output, self.dims[layer])}, not a map for each of {self.batch} images"
            self.mistake = ValueError(f"layer {layer!r} gives {what}")
            raise _Reached
        last = len(self.maps) + 1 == len(self.wanted)
        maps = maps.float()
        self.maps[layer] = maps if last else maps.clone()  # what runs next may write into it: F.relu(inplace=True)
        if last:
            raise _Reached


def _kind(output: object, dim: int | None) -> str:
    if not isinstance(output, Tensor):
        return type(output).__name__
    layout = " of unknown layout" if dim is None and output.is_floating_point() else ""
    return f"{tuple(output.shape)}{layout}"


def _unknown(layer: str, model: nn.Module, modules: Mapping[str, nn.Module]) -> str:
    """What to say of a layer that there is not, or that goes by another name."""
    others = dict(model.named_modules(remove_duplicate=False))
    own = next((name for name, module in modules.items() if module is others.get(layer)), None)
    if own is not None:
        what = f"layer {layer!r} of {type(model).__name__} is another name of {own!r}"
        return f"{what}: ask for that; its second call is '{own}{REPEAT}2'"
    return f"no layer {layer!r} in {type(model).__name__}; {nearest(layer, modules)}"


def dtype_of(model: nn.Module) -> torch.dtype | None:
    """The floating dtype of a model's weights, the first one's; None where it has none."""
    values = (value for part in (model.parameters(), model.buffers()) for value in part)
    return next((value.dtype for value in values if value.is_floating_point()), None)


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[nn.Module]:
    """The model in eval mode; afterwards every module is back in its own mode."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield model
    finally:
        for module, training in modes.items():
            module.training = training


def takes(forward: Callable[[Tensor], Any], size: int, image: Float[Tensor, "1 c _ _"]) -> bool:
    """Whether a model runs on images of some size: transformers and fixed classifiers often take only their own.

    image: any that it takes, for its channels, dtype and device.
    """
    return runs_on(forward, image.new_zeros(1, image.shape[1], size, size))


def runs_on(forward: Callable[[Tensor], Any], images: Float[Tensor, "b c h w"]) -> bool:
    """Whether a model takes some images."""
    try:
        with torch.no_grad():
            forward(images)
    except Exception:  # other people's code says no in its own way
        return False
    return True


def activation_bytes(forward: Forward, images: Float[Tensor, "b c h w"]) -> int:
    """Bytes that the modules within a model leave behind for each image, up to the last layer of a forward pass."""
    total = 0

    def count(name: str, module: nn.Module, inputs: Any, output: object) -> None:
        nonlocal total
        if isinstance(output, Tensor):
            total += output.numel() * output.element_size() // len(images)

    modules = forward.model.named_modules()
    leaves = {name: module for name, module in modules if next(module.children(), None) is None}
    with hooked(leaves, count), torch.no_grad():
        forward(images)
    return total
