"""The truncated forward for many steps: a graph of its own where the model traces, checked against hooks; else the hooks."""

from collections.abc import Callable, Iterable
from functools import cache, cached_property, partial

import torch
from jaxtyping import Float
from torch import Tensor, fx
from torch.autograd.function import BackwardCFunction
from torch.overrides import _get_current_function_mode

from atlas.zoo.fold import fold_batch_norms
from atlas.zoo.forward import Forward
from atlas.zoo.layers import as_map, plain_attention
from atlas.zoo.shortage import is_shortage
from atlas.zoo.trace import NotTraced, cut_graph

Maps = dict[str, Float[Tensor, "b _ _ _"]]
Way = Callable[[Tensor], Maps]
Results = tuple[Maps, Tensor | None]  # and the gradient to the images


class CutForward:
    """What a `Forward` gives, at less cost: no hooks, nothing beside the way to its layers, batch norms folded.

    For every shape of images the graphs are tried against the hooks, with images drawn for that: the fastest is taken whose
    maps and gradients are the same. So which it is depends on the network, its layers and the shape alone. A network
    whose forward pass depends on more than a graph can hold is run by hooks, as ever.
    """

    def __init__(self, forward: Forward, *, folded: bool, compiled: bool = False):
        """folded: whether results may differ by rounding; else they are those of the hooks, to the bit.

        compiled: whether the graph is handed to torch's compiler, which takes up to a minute for each shape and
        rounds otherwise.
        """
        self.layers = forward.layers
        self._hooked, self._folded, self._compiled = forward, folded, compiled
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
        if not self.graphs:
            return self._hooked
        example = torch.empty_like(images, requires_grad=False)
        example.copy_(torch.randn(images.shape, generator=torch.Generator().manual_seed(0)))
        with torch.autocast(images.device.type, enabled=False):
            leaf, maps = _shown(self._hooked, example)
            if _has_own_backward(maps.values()):
                return self._hooked
            wanted = maps, _gradient(leaf, maps)
            dtype = self._hooked.dtype or torch.float32
            ways = ((graph, partial(self._run, graph)) for graph in self.graphs)
            graph, way = next((pair for pair in ways if _gives(pair[1], example, wanted, dtype)), (None, self._hooked))
        return way if graph is None or not self._compiled else self._fused(graph, way, example)

    def _fused(self, graph: fx.GraphModule, plain: Way, example: Tensor) -> Way:
        """A graph as torch's compiler makes it, for the arithmetic that is asked for just now; as it is where that fails."""
        # made at the first call, since some machines have no compiler
        compiled = cache(lambda: torch.compile(graph, dynamic=False, fullgraph=True))

        def fused(images: Tensor) -> Maps:
            return self._run(compiled(), images)

        device = example.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
        if not _gives(fused, example, _results(plain, example), dtype):
            return plain
        return FusedWay(fused, plain)

    def _run(self, graph: Callable[[Tensor], tuple[Tensor, ...]], images: Tensor) -> Maps:
        dtype, dims = self._hooked.dtype, self._hooked.dims
        with plain_attention():
            outputs = graph(images if dtype is None else images.to(dtype))
        return {layer: _mapped(output, dims[layer]) for layer, output in zip(self.layers, outputs, strict=True)}


class FusedWay:
    """A compiled graph for steps; the plain one where no gradient is wanted, and where dead images are rescued.

    Without gradients it would be compiled once more; the rescue puts other functions in the place of those that were compiled.
    """

    def __init__(self, fused: Way, plain: Way) -> None:
        self._fused, self._plain = fused, plain

    def __call__(self, images: Tensor) -> Maps:
        """Images to maps."""
        is_step = torch.is_grad_enabled() and _get_current_function_mode() is None
        return (self._fused if is_step else self._plain)(images)


def _mapped(output: object, dim: int | None) -> Tensor:
    maps = as_map(output, dim)
    if maps is None:
        raise NotTraced(f"{type(output).__name__} is no map")
    return maps.float()


def _gives(way: Way, images: Tensor, wanted: Results, dtype: torch.dtype) -> bool:
    """Whether a forward pass gives the maps that are wanted of some images, and the gradient, but for rounding in a dtype."""
    try:
        maps, gradient = _results(way, images)
    except Exception as error:  # other people's code, traced
        if is_shortage(error):
            raise
        return False
    eps = torch.finfo(dtype).eps
    # a unit of a ReLU that rounding turns off moves the gradient further than the map
    alike = all(_near(maps[layer], values, eps**0.5) for layer, values in wanted[0].items())
    if gradient is None or wanted[1] is None:
        return alike and gradient is wanted[1]
    return alike and _near(gradient, wanted[1], eps**0.25)


def _results(forward: Way, images: Tensor) -> Results:
    leaf, maps = _shown(forward, images)
    return maps, _gradient(leaf, maps)


def _shown(forward: Way, images: Tensor) -> tuple[Tensor, Maps]:
    """Images from which gradients can be taken, and their maps."""
    leaf = images.clone().requires_grad_()
    with torch.enable_grad():
        # a model may write into what it is shown
        return leaf, forward(leaf.clone())


def _gradient(leaf: Tensor, maps: Maps) -> Tensor | None:
    """The gradient of a sum of maps that weighs each place differently; None where no path leads back."""
    with torch.enable_grad():
        paths = [(values * _weights(values)).sum() for values in maps.values() if values.requires_grad]
        return torch.autograd.grad(torch.stack(paths).sum(), leaf, allow_unused=True)[0] if paths else None


def _has_own_backward(maps: Iterable[Tensor]) -> bool:
    """Whether the gradients of some maps pass through a backward pass written in Python, which may mind what it is asked for."""
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
    value, wanted = (torch.nan_to_num(each.detach().cpu().double(), 0.0, 0.0, 0.0) for each in (value, wanted))
    return bool((value - wanted).norm() <= bound * wanted.norm())
