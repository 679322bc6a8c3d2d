"""Batch norms folded into the convolutions before them: a cut graph in; out the same in fewer and cheaper steps.

Only where nothing else looks at what the convolution gives. Equal to rounding: (w·x + b − μ)/σ = (w/σ)·x + (b − μ)/σ.
"""

from copy import deepcopy
from inspect import signature
from operator import attrgetter
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

SIGNATURE = signature(F.batch_norm)
NUMBERS = ("running_mean", "running_var", "weight", "bias", "eps")  # of it, in the order of _Norm


class _Norm(NamedTuple):
    """A batch norm that looks at no batch: what it takes, and its numbers."""

    source: fx.Node
    mean: Tensor
    variance: Tensor
    weight: Tensor | None
    bias: Tensor | None
    eps: float


def fold_batch_norms(cut: fx.GraphModule) -> fx.GraphModule:
    """The graph with every batch norm folded that can be; convolutions are copied, the rest is shared."""
    folded = fx.GraphModule(cut, deepcopy(cut.graph))
    for number, node in enumerate(list(folded.graph.nodes)):
        norm = _norm(node, folded)
        convolution = None if norm is None else _convolution(norm.source, folded)
        if norm is None or convolution is None:
            continue
        norm.source.target = f"folded_{number}"
        folded.add_module(norm.source.target, _merged(convolution, norm))
        node.replace_all_uses_with(norm.source)
        folded.graph.erase_node(node)
    _tidy(folded)
    return folded


def _tidy(graph_module: fx.GraphModule) -> None:
    """Leave out what nobody uses any more, and what does nothing."""
    for node in reversed(graph_module.graph.nodes):
        if node.op == "call_module" and type(graph_module.get_submodule(str(node.target))) is nn.Identity:
            node.replace_all_uses_with(node.args[0])
        if not node.users and node.op in ("get_attr", "call_module"):
            graph_module.graph.erase_node(node)
    graph_module.delete_all_unused_submodules()
    graph_module.recompile()


def _norm(node: fx.Node, cut: fx.GraphModule) -> _Norm | None:
    """A batch norm with statistics of its own, called as a module in eval mode or as a function."""
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node):
        return None
    if node.op == "call_module":
        module = cut.get_submodule(str(node.target))
        if type(module) is not nn.BatchNorm2d or module.training or module.running_mean is None:
            return None
        assert module.running_var is not None
        return _Norm(source, module.running_mean, module.running_var, module.weight, module.bias, module.eps)
    if node.target is not F.batch_norm:
        return None
    given = SIGNATURE.bind(*node.args, **node.kwargs)
    given.apply_defaults()
    values = {name: _value(value, cut) for name, value in given.arguments.items()}
    if values["training"] or any(isinstance(values[name], fx.Node) for name in NUMBERS):
        return None
    return _Norm(source, *(values[name] for name in NUMBERS))


def _value(value: Any, cut: fx.GraphModule) -> Any:
    """What a node stands for that reads a weight; anything else as it is."""
    if isinstance(value, fx.Node) and value.op == "get_attr":
        return attrgetter(str(value.target))(cut)
    return value


def _convolution(node: fx.Node, cut: fx.GraphModule) -> nn.Conv2d | None:
    """The convolution that a node calls, with weights that are simply there, and whose result one operation uses."""
    if node.op != "call_module" or len(node.users) != 1 or len(node.args) != 1:
        return None
    module = cut.get_submodule(str(node.target))
    if not isinstance(module, nn.Conv2d) or module._parameters.get("weight") is None:
        return None
    return module if module.weight.dtype in (torch.float32, torch.float64) else None


def _merged(convolution: nn.Conv2d, norm: _Norm) -> nn.Conv2d:
    """A copy with the norm in its weights, worked out in float64."""
    like = convolution.weight.detach()
    weight, mean, variance = (number.detach().cpu().double() for number in (like, norm.mean, norm.variance))
    bias, scale, shift = (
        None if number is None else number.detach().cpu().double()
        for number in (convolution.bias, norm.weight, norm.bias)
    )
    new_weight, new_bias = fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift)
    merged = deepcopy(convolution)
    merged.weight = nn.Parameter(torch.empty_like(like).copy_(new_weight.detach()), requires_grad=False)
    merged.bias = nn.Parameter(new_bias.detach().to(like), requires_grad=False)
    return merged
