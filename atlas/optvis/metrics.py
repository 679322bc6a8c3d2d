"""How far a target's activations are from the large constant C: one loss per image, to be made small."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

CONSTANT = 200.0  # C of the sources
L2_FACTOR = 5.0  # of the sources' l2 loss


def l1(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """Σ (C − z), signed as in the source: its gradient is −Σ∂z whatever C is."""
    return (constant - z).sum(1)


def l2(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """5·√Σ (C − z)²: smaller activations weigh more."""
    return L2_FACTOR * (constant - z).square().sum(1).sqrt()


def linf(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """max |C − z|: only the smallest activation counts; ties share the gradient, as in torch.linalg.norm."""
    return (constant - z).abs().amax(1)


def mean(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """−mean(z), the lab's loss; C plays no part."""
    return -torch.mean(z, 1)


Metric = Callable[[Tensor, float], Tensor]
METRICS: dict[str, Metric] = {"l1": l1, "l2": l2, "linf": linf, "mean": mean}
