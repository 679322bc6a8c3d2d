"""The cut graph: a model and its wanted layers in; out the operations from the image to the last of them, as torch.fx has them.

What comes after the last layer is not traced, and what does not lead to a layer is left out.
"""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any, no_type_check

import torch
from torch import Tensor, fx, nn

ROOT = "model"  # of the traced names: `model.layer1.0.conv1`
FRESH = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
IN_PLACE = ("setitem", "iadd", "isub", "imul", "itruediv")  # of the module operator


class NotTraced(Exception):
    """A model's forward pass depends on more than its operations show: it is run as it is."""


def cut_graph(model: nn.Module, wanted: Mapping[tuple[str, int], str]) -> fx.GraphModule:
    """images (b, c, h, w) → what the modules of the wanted layers give, in the order of `wanted`; NotTraced if it cannot be.

    wanted: layers by module and call. The graph shares the model's modules and weights, and the model stays as it was.
    """
    if any(_watched(module) for module in model.modules()):
        raise NotTraced(f"{type(model).__name__} has hooks, which a graph would pass by")
    tracer = _Tracer(model, wanted)
    root = _Root(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a model does where it is only looked at
        try:
            tracer.trace(root)
        except _Reached:
            pass
        except Exception as error:  # other people's code
            raise NotTraced(f"{type(error).__name__}: {error}") from error
    missed = [layer for layer in wanted.values() if layer not in tracer.maps]
    if missed:
        raise NotTraced(f"{', '.join(missed)}: not reached while the model was traced")
    graph = tracer.graph
    for node in [node for node in graph.nodes if node.op == "output"]:
        graph.erase_node(node)
    graph.output(tuple(tracer.maps[layer] for layer in wanted.values()))
    return fx.GraphModule(root, _pruned(graph, root))


class _Root(nn.Module):
    """Holds the model, takes images alone, and gets the constants that tracing sets on its root."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @no_type_check  # what is traced only stands for a tensor
    def forward(self, images: Tensor) -> Any:
        return self.model(images)


class _Reached(BaseException):
    """Every wanted layer was traced. Not an Exception, so that few models catch it."""


class _Tracer(fx.Tracer):
    """Follows a model to its last wanted layer. A module that cannot be looked into is called as a whole."""

    def __init__(self, model: nn.Module, wanted: Mapping[tuple[str, int], str]) -> None:
        super().__init__(autowrap_modules=(math,))
        self.wanted, self.maps = wanted, dict[str, fx.Node]()
        self.calls: Counter[str] = Counter()
        self.owners = {model.get_submodule(name) for name, _ in wanted}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not self._holds_wanted(m) and super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        path = self.path_of_module(m)
        output = self._called(m, path, forward, args, kwargs)
        name = path.removeprefix(f"{ROOT}.")
        self.calls[name] += 1
        layer = self.wanted.get((name, self.calls[name]))
        if layer is not None:
            if not isinstance(output, fx.Proxy):
                raise NotTraced(f"layer {layer!r} gives no tensor")
            last = len(self.maps) + 1 == len(self.wanted)
            # what runs next may write into it: F.relu(inplace=True)
            self.maps[layer] = (output if last else output.clone()).node
            if last:
                raise _Reached
        return output

    def _called(self, m: nn.Module, path: str, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        before, calls = next(reversed(self.graph.nodes), None), self.calls.copy()
        try:
            return forward(*args, **kwargs)
        except Exception:
            # a size worked out in Python, as padding is by TensorFlow's rules
            if path == ROOT or self._holds_wanted(m):
                raise
            self.calls = calls
            self._forget(before)
            return self.create_proxy("call_module", path, args, kwargs)

    def _forget(self, before: fx.Node | None) -> None:
        """Take back what was traced since a node."""
        for node in list(takewhile(lambda node: node is not before, reversed(self.graph.nodes))):
            if node.op != "get_attr":  # the tracer keeps these for the next who asks
                self.graph.erase_node(node)

    def _holds_wanted(self, module: nn.Module) -> bool:
        return any(part in self.owners for part in module.modules() if part is not module)


def _watched(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks)


def _pruned(graph: fx.Graph, root: nn.Module) -> fx.Graph:
    """The graph without its assertions, which the model itself has kept, and without what leads to no layer."""
    for node in reversed(graph.nodes):
        idle = not node.users and node.op not in ("placeholder", "output") and not _writes(node, root)
        if idle or node.target is torch._assert:
            graph.erase_node(node)
    graph.lint()
    return graph


def _writes(node: fx.Node, root: nn.Module) -> bool:
    """Whether an operation may change what others see: one in place, unless on a result that only it uses, or one not torch's."""
    if node.op == "get_attr":
        return False
    source = node.args[0] if node.args else None
    if isinstance(source, fx.Node) and _fresh(source, root) and len(source.users) == 1:
        return False
    if node.op == "call_module":
        module = root.get_submodule(str(node.target))
        return bool(getattr(module, "inplace", False)) or not type(module).__module__.startswith("torch.nn")
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "_")
    # by position, as F.relu(x, True)
    flagged = any(value is True for value in (*node.args, *node.kwargs.values()))
    return flagged or name.endswith("_") or name in IN_PLACE


def _fresh(node: fx.Node, root: nn.Module) -> bool:
    """Whether an operation gives new memory, surely."""
    return node.op == "call_module" and type(root.get_submodule(str(node.target))) in FRESH
