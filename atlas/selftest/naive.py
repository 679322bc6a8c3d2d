"""The sources' loop as they describe it, slow and obvious: one image at a time, through the whole model,
nothing frozen.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from atlas.zoo.torchvision_ops import torchvision

OCTAVES = ((299, (0.4, 0.3), (2.4, 0.8)), (340, (0.3, 0.2), (1.5, 0.4)), (380, (0.2, 0.1), (1.1, 0.3)))

Stretch = tuple[int, int, Sequence[float], Sequence[float]]  # size, steps, rates and sigmas, each from start to end


def naive_loss(focus: Tensor, metric: str) -> Tensor:
    """The sources' losses for one target, C = 200."""
    aim = torch.ones(focus.shape) * 200
    if metric == "l1":
        return torch.sum(aim - focus)
    if metric == "l2":
        return 5 * torch.sqrt(torch.sum((aim - focus) ** 2))
    if metric == "linf":
        return vector_norm(aim - focus, ord=float("inf"))
    return -torch.mean(focus)


def naive_gradient(model: nn.Module, layer: str, image: Tensor, channel: int, metric: str) -> Tensor:
    """The gradient of one image (1, 3, h, w), through the whole model, parameters and all."""
    image = image.detach().requires_grad_(True)
    kept: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: kept.append(output))
    model(image)
    handle.remove()
    naive_loss(kept[0][0][channel], metric).backward()
    assert image.grad is not None
    return image.grad


def naive_octaves(
    model: nn.Module, layer: str, start: Tensor, channel: int, *, metric: str, octaves: Sequence[Stretch]
) -> Tensor:
    """The sources' loop: step, blur, resize between octaves; one image (1, 3, h, w)."""
    image = start
    for number, (size, steps, rates, sigmas) in enumerate(octaves):
        if number:
            image = torchvision().transforms.Resize([size, size])(image)
        for i in range(steps):
            gradient = naive_gradient(model, layer, image, channel, metric)
            image = image.detach() - (rates[0] * (steps - i) / steps + rates[1] * i / steps) * gradient
            sigma = sigmas[0] * (steps - i) / steps + sigmas[1] * i / steps
            image = torchvision().transforms.functional.gaussian_blur(image, [3, 3], sigma=[sigma, sigma])
    return image
