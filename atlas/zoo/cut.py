"""The truncated forward for many steps: a graph of its own where the model traces, checked against hooks; else the hooks."""

from collections.abc import Callable, Iterable
from functools import cached_property, partial

import torch
from jaxtyping import Float
from torch import Tensor, fx
from torch.autograd.function import BackwardCFunction

from atlas.zoo.fold import fold_batch_norms
from atlas.zoo.forward import Forward
from atlas.zoo.layers import as_map, plain_attention
from atlas.zoo.shortage import is_shortage
from atlas.zoo.trace import NotTraced, cut_graph

Maps = dict[str, Float[Tensor, "b _ _ _"]]


Way = Callable[[Tensor], Maps]


class CutForward:
    """What a `Forward` gives, at less cost: no hooks, nothing beside the way to its layers, batch norms folded.

    For every shape of images the graphs are tried against the hooks, with images drawn for that: the fastest is taken whose
    maps and gradients are the same. So which it is depends on the network, its layers and the shape alone. A network
    whose forward pass depends on more than a graph can hold is run by hooks, as ever.
    """

    def __init__(self, forward: Forward, *, folded: bool):
        """folded: whether results may differ by rounding; else they are those of the hooks, to the bit."""
        self.layers = forward.layers
        self._hooked, self._folded = forward, folded
        self._ways: dict[tuple[int, ...], Way] = {}

    @cached_property
    def graphs(self) -> list[fx.GraphModule]:
        """Those that may be used, the fastest first; none where the network does not trace."""
        try:
            traced = cut_graph(self._hooked.model, self._hooked.wanted)
        except NotTraced:
            return []
        return [fold_batch_norms(traced), traced] if self._folded else [traced]

    @property
    def traced(self) -> bool:
        """Whether a graph was taken for all images so far."""
        return self._hooked not in self._ways.values()

    def __call__(self, images: Float[Tensor, "b c h w"]) -> Maps:
        """Run the model, with the errors of `Forward`."""
        shape = tuple(images.shape)
        if shape not in self._ways:
            self._ways[shape] = self._way(images)
        return self._ways[shape](images)

    def _way(self, images: Tensor) -> Way:
        ways = [partial(self._run, graph) for graph in self.graphs]
        example = torch.empty_like(images, requires_grad=False)
        example.copy_(torch.randn(images.shape, generator=torch.Generator().manual_seed(0)))
        return next((way for way in ways if _same(self._hooked, way, example)), self._hooked)

    def _run(self, graph: fx.GraphModule, images: Tensor) -> Maps:
        dtype, dims = self._hooked.dtype, self._hooked.dims
        with plain_attention():
            outputs = graph(images if dtype is None else images.to(dtype))
        return {layer: _mapped(output, dims[layer]) for layer, output in zip(self.layers, outputs, strict=True)}


def _mapped(output: object, dim: int | None) -> Tensor:
    maps = as_map(output, dim)
    if maps is None:
        raise NotTraced(f"{type(output).__name__} is no map")
    return maps.float()


def _same(hooked: Forward, other: Way, images: Tensor) -> bool:
    """Whether two forward passes give the same maps of some images, and the same gradients."""
    with torch.autocast(images.device.type, enabled=False), torch.enable_grad():
        try:
            wanted, gradient = _results(hooked, images)
        except NotTraced:
            return False
        try:
            maps, other_gradient = _results(other, images)
        except Exception as error:  # other people's code, traced
            if is_shortage(error):
                raise
            return False
    eps = torch.finfo(hooked.dtype or torch.float32).eps
    # a unit of a ReLU that rounding turns off moves the gradient further than the map
    alike = all(_near(maps[layer], wanted[layer], eps**0.5) for layer in hooked.layers)
    if gradient is None or other_gradient is None:
        return alike and gradient is other_gradient
    return alike and _near(other_gradient, gradient, eps**0.25)


def _results(forward: Way, images: Tensor) -> tuple[Maps, Tensor | None]:
    """The maps, and the gradient of a sum of them that weighs each place differently; None where no path leads back."""
    leaf = images.clone().requires_grad_()
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
    value, wanted = (torch.nan_to_num(each.cpu().double(), 0.0, 0.0, 0.0) for each in (value, wanted))
    return bool((value - wanted).norm() <= bound * wanted.norm())
