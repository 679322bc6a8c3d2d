"""One step against a gradient: as the sources write it, or as torch.optim has it, for a batch whose images may leave."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from atlas.config.choices import OPTIMIZERS

Values = Float[Tensor, "b ..."]


class Descent:
    """values − rate · gradient, in these two operations: the sources' images are equal to the bit."""

    def step(self, values: Values, gradient: Values, rate: float) -> Values:
        return values - rate * gradient

    def keep(self, kept: Bool[Tensor, " b"]) -> None:
        pass

    def state(self) -> dict[int, Any]:
        return {}

    def restore(self, state: dict[int, Any], values: Values) -> None:
        pass


class Optimizer:
    """A torch.optim whose every number belongs to one value, so that an image does not know its batch."""

    def __init__(self, make: Callable[..., torch.optim.Optimizer], weight_decay: float) -> None:
        self.make = partial(make, weight_decay=weight_decay)
        self.inner: torch.optim.Optimizer | None = None
        self.leaf = torch.empty(0)

    def step(self, values: Values, gradient: Values, rate: float) -> Values:
        if self.inner is None:
            self.leaf = values.clone()
            self.inner = self.make([self.leaf], lr=rate)
        self.inner.param_groups[0]["lr"] = rate
        self.leaf.copy_(values)  # blurred or clamped since the last step
        self.leaf.grad = gradient
        self.inner.step()
        return self.leaf.clone()

    def keep(self, kept: Bool[Tensor, " b"]) -> None:
        if self.inner is None:
            return
        state = self.inner.state.pop(self.leaf, {})  # SGD has none
        self.leaf = self.leaf[kept]
        self.inner.param_groups[0]["params"] = [self.leaf]
        self.inner.state[self.leaf] = {
            name: value[kept] if isinstance(value, Tensor) and value.shape[:1] == kept.shape else value
            for name, value in state.items()
        }

    def state(self) -> dict[int, Any]:
        """What the optimizer remembers of the steps so far."""
        return {} if self.inner is None else self.inner.state_dict()["state"]

    def restore(self, state: dict[int, Any], values: Values) -> None:
        """Go on from there; values: as they are now."""
        self.leaf = values.clone()
        self.inner = self.make([self.leaf], lr=0.0)  # each step brings its rate
        self.inner.load_state_dict({**self.inner.state_dict(), "state": state})


Stepper = Descent | Optimizer


def stepper(name: str, weight_decay: float = 0.0) -> Stepper:
    """The stepper of a recipe's `optimizer`; it begins anew in each octave."""
    return Descent() if name == "descent" else Optimizer(getattr(torch.optim, OPTIMIZERS[name]), weight_decay)
