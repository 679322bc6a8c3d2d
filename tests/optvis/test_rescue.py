"""A feature that a ReLU blocks at the start comes alive with rescue, and only so; nobody else notices."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from atlas.optvis.optimize import Judge, optimize
from atlas.optvis.params import pixels
from atlas.optvis.rescue import OpenReLUs
from atlas.optvis.schedule import schedule_of
from tests.small_nets import images, judging, recipe


def statement(x: Tensor) -> Tensor:
    """Written in place, what it returns left lying."""
    F.relu(x, inplace=True)
    return x


RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "nn.ReLU": nn.ReLU(),
    "nn.ReLU(inplace)": nn.ReLU(inplace=True),
    "F.relu": F.relu,
    "F.relu_": F.relu_,
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "Tensor.relu": Tensor.relu,
    "x.relu_()": lambda x: x.relu_(),
    "in place, as a statement": statement,
    "nn.ReLU6": nn.ReLU6(),
    "nn.ReLU6(inplace)": nn.ReLU6(inplace=True),
    "F.relu6": F.relu6,
}
every_relu = pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)


def blocked(relu: Callable[[Tensor], Tensor]) -> Judge:
    """Channels 0, 1, 2 of a convolution and a ReLU: live, just below zero everywhere, and out of reach for good."""
    weight = torch.rand(3, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    weight[2] = 0
    bias = -0.6 * weight.sum((1, 2, 3)) * torch.tensor([0.5, 1, 1]) - torch.tensor([0, 0.05, 0.05])
    return judging(
        lambda pictures: {"out": relu(F.conv2d(pictures, weight, bias))},
        *("out", torch.tensor([0, 1, 2])),
    )


def made(relu: Callable[[Tensor], Tensor], rescue: int, steps: int = 24):
    return optimize(
        blocked(relu),
        pixels(images(3, 12)),
        schedule_of(recipe((12, steps), lr=[0.05, 0.05], gradient="rms", rescue=rescue)),
    )


@every_relu
def test_a_blocked_feature_comes_alive_with_rescue_and_not_without(relu):
    rescued, left = made(relu, rescue=16), made(relu, rescue=0)
    assert left.status == ["ok", "dead", "dead"]
    assert rescued.status == ["ok", "ok", "dead"]
    assert rescued.trace[1][0] == 0 < rescued.trace[1][-1]


@every_relu
def test_live_images_are_not_affected(relu):
    rescued, left = made(relu, rescue=16, steps=12), made(relu, rescue=0, steps=12)
    assert torch.equal(rescued.images[0], left.images[0])


@every_relu
def test_an_open_relu_is_the_same_function_forward(relu):
    x = torch.linspace(-3, 9, 24).reshape(2, 12)
    wanted = relu(x.clone())
    with OpenReLUs():
        assert torch.equal(relu(x.clone()), wanted)


def test_only_what_lifts_an_inactive_unit_passes_and_only_where_all_is_blocked():
    x = torch.tensor([[-1.0, -2.0], [-1.0, 2.0]], requires_grad=True)
    with OpenReLUs():
        y = torch.relu(x)
    (gradient,) = torch.autograd.grad(y, x, torch.tensor([[-3.0, 4.0], [-3.0, 4.0]]))
    assert gradient.tolist() == [[-3, 0], [0, 4]]


def test_other_clips_and_other_code_are_left_as_they_are():
    x = torch.linspace(-3, 3, 12).reshape(2, 6).requires_grad_()
    with OpenReLUs():
        y = F.hardtanh(x)
    assert torch.equal(y, x.clamp(-1, 1))
    assert torch.relu(x).grad_fn.name() == "ReluBackward0", "the context has ended"
