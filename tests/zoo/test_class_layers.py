"""Which layers give the scores of a classifier's classes: those that give what the model gives."""

import pytest
import torch
from small_nets import seeded
from torch import Tensor, nn

from atlas.zoo.class_layers import class_layers
from atlas.zoo.layers import walk


def named(model: nn.Module) -> tuple[int, list[str]]:
    layers = walk(model.eval(), torch.zeros(2, 3, 16, 16)).layers
    count, names = class_layers(model, 16, layers)
    return count, sorted(names)


def trunk(*head: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 5, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head)


class WithHead(nn.Module):
    """A trunk and a head, with something computed by a function at the end."""

    def __init__(self, head: nn.Module, last=lambda scores: scores) -> None:
        super().__init__()
        self.trunk, self.head, self.last = trunk(), head, last

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.head(self.trunk(images)))


class AllConvolutional(nn.Module):
    """As SqueezeNet: the classes are channels of a convolution, averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1)

    def forward(self, images: Tensor) -> Tensor:
        return torch.flatten(self.pool(self.conv(images)), 1)


@pytest.mark.parametrize(
    ("build", "count", "layers"),
    [
        (lambda: trunk(nn.Linear(5, 4)), 4, ["4"]),
        # as wide as the classes, and before them: those are other channels
        (lambda: trunk(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5)), 5, ["6"]),
        (lambda: trunk(nn.Linear(5, 4, bias=False), nn.Dropout()), 4, ["4", "5"]),
        (lambda: trunk(nn.Linear(5, 4), nn.Softmax(1)), 4, ["4", "5"]),
        (lambda: WithHead(nn.Linear(5, 4)), 4, ["head"]),
        (lambda: WithHead(nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 4))), 4, ["head", "head.1"]),
        (lambda: WithHead(nn.Linear(5, 4), lambda scores: scores.log_softmax(1)), 4, ["head"]),
        (AllConvolutional, 5, ["pool"]),
    ],
)
def test_the_layers_that_give_what_the_model_gives(build, count: int, layers: list[str]) -> None:
    assert named(seeded(build)) == (count, layers)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3)),
        lambda: trunk(nn.Linear(5, 1)),
        lambda: WithHead(nn.Linear(5, 4), lambda scores: {"out": scores}),
    ],
)
def test_what_gives_no_row_of_scores_has_no_classes(build) -> None:
    assert named(seeded(build)) == (0, [])


def test_no_hook_is_left() -> None:
    model = seeded(lambda: trunk(nn.Linear(5, 4)))
    named(model)
    assert not any(module._forward_hooks for module in model.modules())
