"""How far a target's activations are from the large constant C: one loss per image, to be made small."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from atlas.config import choices

# of the sources' l2 loss
L2_FACTOR = 5.0

# activations of a target (b, n) -> loss (b,)
Metric = Callable[[Tensor], Tensor]


def l1(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """Σ (C − z), signed as in the source: its gradient is −Σ∂z whatever C is."""
    return (constant - z).sum(1)


def l2(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """5·√Σ (C − z)²: smaller activations weigh more."""
    return L2_FACTOR * (constant - z).square().sum(1).sqrt()


def linf(z: Float[Tensor, "b n"], constant: float) -> Float[Tensor, " b"]:
    """max |C − z|: only the smallest activation counts; ties share the gradient, as in torch.linalg.norm."""
    return (constant - z).abs().amax(1)


def mean(z: Float[Tensor, "b n"], constant: float = 0.0) -> Float[Tensor, " b"]:
    """−mean(z), the lab's loss; C plays no part."""
    return -torch.mean(z, 1)


def metric_named(name: str, constant: float | None) -> Metric:
    """The metric of a name in `config.choices.METRICS` with its constant C; None: 0, for `mean`, which has none."""
    return partial(METRICS[name], constant=0.0 if constant is None else constant)


METRICS: dict[str, Callable[..., Tensor]] = {name: globals()[name] for name in choices.METRICS}
