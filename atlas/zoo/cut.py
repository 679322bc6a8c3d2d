"""The truncated forward for many steps: a graph of its own where the model traces, checked against hooks; else the hooks."""

from collections.abc import Callable, Iterable
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, fx
from torch.autograd.function import BackwardCFunction

from atlas.zoo.fold import fold_batch_norms
from atlas.zoo.forward import Forward
from atlas.zoo.layers import as_map, plain_attention
from atlas.zoo.trace import NotTraced, cut_graph

Maps = dict[str, Float[Tensor, "b _ _ _"]]


class CutForward:
    """What a `Forward` gives, at less cost: no hooks, nothing beside the way to its layers, batch norms folded.

    The first images of every shape are shown to both, and the graph is used as long as maps and gradients are the
    same: a network whose forward pass depends on more than a graph can hold is run by hooks, as ever.
    """

    def __init__(self, forward: Forward, *, folded: bool):
        """folded: whether results may differ by rounding; else they are those of the hooks, to the bit."""
        self.layers = forward.layers
        self._hooked, self._folded = forward, folded
        self._checked: set[tuple[int, ...]] = set()

    @cached_property
    def _graphs(self) -> list[fx.GraphModule]:
        """Those that nothing speaks against so far, the fastest first; traced when images come."""
        try:
            traced = cut_graph(self._hooked.model, self._hooked.wanted)
        except NotTraced:
            return []
        return [fold_batch_norms(traced), traced] if self._folded else [traced]

    @property
    def traced(self) -> bool:
        """Whether a graph is used, as far as the images so far have shown."""
        return bool(self._graphs)

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Maps:
        """Run the model, with the errors of `Forward`."""
        shape = tuple(images.shape)
        while self._graphs and shape not in self._checked:
            if _same(self._hooked, self._run, images):
                self._checked.add(shape)
            else:
                del self._graphs[0]
        return self._run(images) if self._graphs else self._hooked(images)

    def _run(self, images: Tensor) -> Maps:
        dtype, dims = self._hooked.dtype, self._hooked.dims
        with plain_attention():
            outputs = self._graphs[0](images if dtype is None else images.to(dtype))
        return {layer: _mapped(output, dims[layer]) for layer, output in zip(self.layers, outputs, strict=True)}


def _mapped(output: object, dim: int | None) -> Tensor:
    maps = as_map(output, dim)
    if maps is None:
        raise NotTraced(f"{type(output).__name__} is no map")
    return maps.float()


def _same(hooked: Forward, other: Callable[[Tensor], Maps], images: Tensor) -> bool:
    """Whether two forward passes give the same maps of some images, and, where gradients are wanted, the same gradients."""
    with torch.autocast(images.device.type, enabled=False):
        try:
            wanted, gradient = _results(hooked, images)
        except NotTraced:
            return False
        try:
            maps, other_gradient = _results(other, images)
        except Exception:  # other people's code, traced
            return False
    eps = torch.finfo(hooked.dtype or torch.float32).eps
    # a unit of a ReLU that rounding turns off moves the gradient further than the map
    alike = all(_near(maps[layer], wanted[layer], eps**0.5) for layer in hooked.layers)
    if gradient is None or other_gradient is None:
        return alike and gradient is other_gradient
    return alike and _near(other_gradient, gradient, eps**0.25)


def _results(forward: Callable[[Tensor], Maps], images: Tensor) -> tuple[Maps, Tensor | None]:
    """The maps, and the gradient of a sum of them that weighs each place differently; None where no path leads back."""
    leaf = images.detach().clone().requires_grad_(torch.is_grad_enabled())
    # a model may write into what it is shown
    maps = forward(leaf.clone())
    if _has_own_backward(maps.values()):
        raise NotTraced("a backward pass of its own, which may mind what it is asked for")
    paths = [(values * _weights(values)).sum() for values in maps.values() if values.requires_grad]
    gradient = torch.autograd.grad(torch.stack(paths).sum(), leaf, allow_unused=True)[0] if paths else None
    return {layer: values.detach() for layer, values in maps.items()}, gradient


def _has_own_backward(maps: Iterable[Tensor]) -> bool:
    """Whether the gradients of some maps pass through a backward pass that is written in Python."""
    waiting, seen = [values.grad_fn for values in maps], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, BackwardCFunction):
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [before for before, _ in node.next_functions]
    return False


def _weights(values: Tensor) -> Tensor:
    return torch.arange(values.numel(), device=values.device).reshape(values.shape).to(values.dtype).cos()


def _near(value: Tensor, wanted: Tensor, bound: float) -> bool:
    """Whether two tensors differ by no more than a part of their size; what is not finite is left out."""
    if value.shape != wanted.shape:
        return False
    value, wanted = (torch.nan_to_num(each.double(), 0.0, 0.0, 0.0) for each in (value, wanted))
    return bool((value - wanted).norm() <= bound * wanted.norm())
