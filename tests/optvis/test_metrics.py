"""Each metric by hand, and its gradient against the sources' loss written out."""

import pytest
import torch
from references import naive_loss

from atlas.config.choices import METRICS as CONFIGURED
from atlas.config.schema import CONSTANT
from atlas.optvis.metrics import METRICS

Z = torch.tensor([[1.0, 2.0, 3.0], [4.0, 0.0, -1.0]])
BY_HAND = {
    "l1": [9 + 8 + 7, 6 + 10 + 11],
    "l2": [5 * (81 + 64 + 49) ** 0.5, 5 * (36 + 100 + 121) ** 0.5],
    "linf": [9, 11],
    "mean": [-2, -1],
}


def test_every_metric_has_an_answer_here_and_a_name_in_the_config():
    assert list(METRICS) == list(BY_HAND) == list(CONFIGURED)


@pytest.mark.parametrize("name", METRICS)
def test_values_by_hand(name):
    torch.testing.assert_close(METRICS[name](Z, 10.0), torch.tensor(BY_HAND[name], dtype=torch.float32))


@pytest.mark.parametrize("name", METRICS)
def test_value_and_gradient_are_the_sources(name):
    z = torch.randn(3, 20, generator=torch.Generator().manual_seed(0), requires_grad=True)
    losses = METRICS[name](z, CONSTANT)
    (gradient,) = torch.autograd.grad(losses.sum(), z)
    for image in range(3):
        alone = z[image].detach().requires_grad_()
        naive_loss(alone, name).backward()
        torch.testing.assert_close(losses[image], naive_loss(alone, name), rtol=1e-6, atol=0)
        torch.testing.assert_close(gradient[image], alone.grad, rtol=1e-6, atol=0)


@pytest.mark.parametrize("constant", [0.0, 200.0, -1e6])
def test_gradient_of_l1_is_minus_one_everywhere(constant):
    z = Z.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(METRICS["l1"](z, constant).sum(), z)
    assert torch.equal(gradient, -torch.ones(2, 3))


def test_ties_of_linf_share_the_gradient_as_in_vector_norm():
    z = torch.tensor([[1.0, 0.0, 0.0, 5.0], [2.0, 2.0, 2.0, 2.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(METRICS["linf"](z, 200.0).sum(), z)
    assert gradient.tolist() == [[0, -0.5, -0.5, 0], [-0.25] * 4]


def test_linf_takes_whichever_side_is_farther():
    assert METRICS["linf"](torch.tensor([[0.0, 25.0]]), 10.0).tolist() == [15]
