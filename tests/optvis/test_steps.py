"""A step of a batch is the step of each image by itself, in torch.optim's own arithmetic, whoever leaves."""

from copy import deepcopy

import pytest
import torch

from atlas.config.choices import OPTIMIZERS
from atlas.optvis.steps import Descent, stepper

RATES = [0.5, 0.4, 0.3, 0.2, 0.1, 0.3]
SHAPES = [(4, 3, 5, 6), (4, 3, 5, 3, 2)]  # pixels; Fourier coefficients
DECAY = 1e-2


def gradients(shape: tuple[int, ...]) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=draw) for _ in RATES]


def start(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def alone(name: str, values: torch.Tensor, given: list[torch.Tensor]) -> torch.Tensor:
    """One image, by torch.optim as anyone would use it; clamped after every step."""
    leaf = values.clone()
    optimizer = getattr(torch.optim, OPTIMIZERS[name])([leaf], lr=RATES[0], weight_decay=DECAY)
    for rate, gradient in zip(RATES, given, strict=False):
        optimizer.param_groups[0]["lr"] = rate
        leaf.grad = gradient.clone()
        optimizer.step()
        leaf.data.clamp_(0, 1)
    return leaf


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_is_torch_optim_on_each_image(name, shape):
    mover, values, given = stepper(name, DECAY), start(shape), gradients(shape)
    for rate, gradient in zip(RATES, given, strict=True):
        values = mover.step(values, gradient, rate).clamp(0, 1)
    for place in range(shape[0]):
        assert torch.equal(values[place], alone(name, start(shape)[place], [one[place] for one in given]))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kept", [[0, 1, 3], [2], [1, 2], []])
def test_those_that_stay_go_on_as_if_nobody_had_left(name, shape, kept):
    mover, values, given = stepper(name, DECAY), start(shape), gradients(shape)
    for rate, gradient in zip(RATES[:3], given, strict=False):
        values = mover.step(values, gradient, rate).clamp(0, 1)
    mask = torch.zeros(shape[0], dtype=torch.bool)
    mask[kept] = True
    mover.keep(mask)
    values = values[mask]
    for rate, gradient in zip(RATES[3:], given[3:], strict=True):
        values = mover.step(values, gradient[mask], rate).clamp(0, 1)
    assert len(values) == len(kept)
    for place, image in zip(kept, values, strict=True):
        assert torch.equal(image, alone(name, start(shape)[place], [one[place] for one in given]))


@pytest.mark.parametrize("name", ["descent", *OPTIMIZERS])
def test_neither_values_nor_gradient_are_changed_and_results_stay(name):
    mover, values, gradient = stepper(name), start(SHAPES[0]), gradients(SHAPES[0])[0]
    before = deepcopy((values, gradient))
    first = mover.step(values, gradient, 0.1)
    kept = first.clone()
    mover.step(first, gradient, 0.1)
    assert torch.equal(values, before[0]) and torch.equal(gradient, before[1])
    assert torch.equal(first, kept)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_someone_may_leave_before_the_first_step(name):
    mover, values, gradient = stepper(name), start(SHAPES[0]), gradients(SHAPES[0])[0]
    mover.keep(torch.tensor([True, False, True, True]))
    assert torch.equal(mover.step(values[1:], gradient[1:], 0.1), stepper(name).step(values, gradient, 0.1)[1:])


def test_descent_is_the_sources_line():
    values, gradient = start(SHAPES[0]), gradients(SHAPES[0])[0]
    assert isinstance(stepper("descent"), Descent)
    mover = stepper("descent")
    assert torch.equal(mover.step(values, gradient, 0.3), values - 0.3 * gradient)
    mover.keep(torch.tensor([True] * 4))
    assert torch.equal(mover.step(values, gradient, 0.3), values - 0.3 * gradient)


def test_sgd_with_weight_decay_is_the_labs_formula():
    values, gradient = start(SHAPES[0]), gradients(SHAPES[0])[0]
    torch.testing.assert_close(
        stepper("sgd", 1e-4).step(values, gradient, 12.0), values - 12 * (gradient + 1e-4 * values)
    )


def test_each_octave_begins_anew():
    assert stepper("adam") is not stepper("adam")
    values, gradient = start(SHAPES[0]), gradients(SHAPES[0])[0]
    first = stepper("adam").step(values, gradient, 0.1)
    torch.testing.assert_close(first, values - 0.1 * gradient.sign(), rtol=0, atol=1e-4)  # Adam's first step
