"""A way out for dead images: for some steps the gradient passes ReLUs that would block it wholly (lucid's redirection)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

RELUS = (torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.relu, F.relu_)
RELU6S = (F.relu6, F.hardtanh)  # nn.ReLU6 calls hardtanh, always with names


class _OpenReLU(torch.autograd.Function):
    """ReLU forward; backward, an image whose gradient it would block wholly gets the part that raises inactive units."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        (gradient,) = gradients
        passed = torch.where(x > 0, gradient, 0.0)
        blocked = passed.flatten(1).abs().amax(1) == 0
        # the loss falls where its gradient is negative: let through what lifts a unit, never what pushes it further down
        opened = torch.where((x <= 0) & (gradient > 0), 0.0, gradient)
        return torch.where(blocked.view(-1, *[1] * (x.dim() - 1)), opened, passed)


class OpenReLUs(TorchFunctionMode):
    """Within this context every ReLU, called as a module or as a function, lets a wholly blocked gradient through."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        x: Any = args[0] if args else given.get("input")
        if func not in (*RELUS, *RELU6S) or x.dim() < 2 or given.get("min_val", 0.0) != 0.0:
            return func(*args, **given)
        opened = _OpenReLU.apply(x.clone())  # what is kept for the way back must not be written into
        if func in RELU6S:
            opened = opened.clamp(max=given.get("max_val", 6.0))
        inplace = given.get("inplace", False) or func.__name__.endswith("_")
        return x.copy_(opened) if inplace else opened
