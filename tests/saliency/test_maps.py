"""Saliency maps are the lab's, bit by bit, alone and in a batch, and say so where they show nothing."""

from hashlib import sha256

import numpy as np
import pytest
import torch
from small_nets import Tokens, kinked, seeded
from torch import Tensor, nn

from atlas.config.schema import ModelConfig
from atlas.saliency.maps import overlay, saliency, to_gray
from atlas.zoo.load import load


def lab(sample: Tensor, net: nn.Module, category: int | None = None) -> Tensor:
    """get_saliency_map as the lab has it: one image, gradients of all parameters too."""
    net.eval()
    net.zero_grad()
    sample.requires_grad = True
    y_hat = net(sample)
    if category is None:
        category = y_hat.argmax().item()
    category_onehot = torch.zeros(y_hat.shape)
    category_onehot[:, category] = 1
    y_hat.backward(gradient=category_onehot)
    saliency_map = sample.grad[0].abs().max(dim=0)[0]
    return (saliency_map - saliency_map.min()) / (saliency_map.max() - saliency_map.min())


def loaded(name: str) -> nn.Module:
    source, _, entry = name.partition("/")
    weights = "default" if source == "patternnet" else "none"
    return load(entry or source, ModelConfig(source=source, weights=weights)).model


def trained_like(model: nn.Module) -> nn.Module:
    """Batch norms with statistics of their own."""
    draw = torch.Generator().manual_seed(2)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_var.copy_(torch.rand(norm.num_features, generator=draw) + 0.5)
    return model


MODELS = {
    "patternnet": (lambda: loaded("patternnet"), 64),
    "torchvision": (lambda: trained_like(loaded("torchvision/resnet18")), 96),
    "timm": (lambda: trained_like(loaded("timm/test_resnet")), 96),
    "relu in place": (kinked, 24),
    "transformer": (lambda: seeded(Tokens), 32),
}


@pytest.fixture(params=MODELS)
def model_and_images(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    build, size = MODELS[request.param]
    return build().requires_grad_(False), torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("category", [None, 2])
def test_a_map_is_the_labs_to_the_last_bit(model_and_images: tuple[nn.Module, Tensor], category: int | None) -> None:
    model, images = model_and_images
    ours = saliency(model, images[:1], None if category is None else torch.tensor([category]))
    assert images.grad is None and not images.requires_grad
    model.requires_grad_(True)
    theirs = lab(images[:1].clone(), model, category)
    if isinstance(model, Tokens):  # frozen, a transformer takes other kernels
        torch.testing.assert_close(ours.maps[0], theirs, rtol=0, atol=1e-6)
    else:
        assert torch.equal(ours.maps[0], theirs)
    logits = model(images[:1])[0].detach()
    assert int(ours.categories[0]) == (int(logits.argmax()) if category is None else category)
    assert float(ours.scores[0]) == pytest.approx(float(logits[ours.categories[0]]), rel=1e-5)
    assert float(ours.probabilities[0]) == pytest.approx(float(logits.softmax(0)[ours.categories[0]]))
    assert bool(ours.predicted[0]) == (int(ours.categories[0]) == int(logits.argmax()))
    assert ours.status == ["ok"]
    assert (float(ours.maps.min()), float(ours.maps.max())) == (0, 1)


def test_alone_and_in_a_batch_a_map_is_the_same(model_and_images: tuple[nn.Module, Tensor]) -> None:
    model, images = model_and_images
    categories = torch.tensor([0, 3, 1])
    together = saliency(model, images, categories)
    for place in range(3):
        alone = saliency(model, images[place : place + 1], categories[place : place + 1])
        torch.testing.assert_close(together.maps[place], alone.maps[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(together.scores[place], alone.scores[0])


def test_a_batch_of_a_smooth_net_differs_by_rounding_only() -> None:
    model = seeded(lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    together = saliency(model, images)
    for place in range(4):
        alone = saliency(model, images[place : place + 1])
        torch.testing.assert_close(together.maps[place], alone.maps[0], rtol=0, atol=1e-6)


def test_it_works_where_gradients_are_switched_off_and_leaves_the_model_without_any() -> None:
    model = kinked()
    images = torch.randn(2, 3, 24, 24)
    with torch.no_grad():
        off = saliency(model, images)
    assert torch.equal(off.maps, saliency(model, images).maps)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_that_begins_by_writing_into_its_input_leaves_the_image_alone() -> None:
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), seeded(lambda: nn.Linear(48, 3)))
    images = torch.randn(1, 3, 4, 4)
    before = images.clone()
    found = saliency(model, images)
    assert torch.equal(images, before)
    assert (found.maps[0][(images[0] <= 0).all(0)] == 0).all()


def test_the_gradient_is_of_the_logit_and_each_colour_counts_by_itself() -> None:
    weight = torch.tensor([[[[0.0, 3]], [[-4, 0]], [[1, 1.0]]], [[[9.0, 9]], [[9, 9]], [[9, 9.0]]]])
    found = saliency(lambda x: torch.einsum("bchw,nchw->bn", x, weight), torch.ones(1, 3, 1, 2), torch.tensor([0]))
    assert found.maps.tolist() == [[[1, 0]]]  # |-4| and 3
    assert not found.predicted[0]


def test_where_no_pixel_matters_the_map_is_zero_and_said_to_be_flat() -> None:
    seen = torch.tensor([0.0, 1, 0])[:, None, None, None]  # the first and last image never reach the scores
    images = torch.randn(3, 3, 8, 8)
    found = saliency(lambda x: (x * seen).square().flatten(1)[:, :5], images)
    assert found.status == ["flat", "ok", "flat"]
    assert not found.maps[[0, 2]].any()
    assert found.maps.isfinite().all()


def test_scores_that_are_not_finite_are_said_to_be_so_and_the_others_stay() -> None:
    images = torch.rand(3, 3, 4, 4) + 1
    images[1] = -1
    found = saliency(lambda x: x.log().flatten(1)[:, :4], images)
    assert found.status == ["ok", "nonfinite", "ok"]


# sha256 of cv2.addWeighted(picture, a, map, b, 0) of OpenCV 5.0.0, for every pair of bytes: columns are the picture's
@pytest.mark.parametrize(
    ("shares", "known"),
    [((0.15, 0.85), "0dc032bfeee04fca"), ((0.3, 0.6), "c8a750bacae56256"), ((0.9, 0.7), "23ab37f3c0e4d62b")],
)
def test_an_overlay_is_opencvs_for_every_pair_of_bytes(shares: tuple[float, float], known: str) -> None:
    pictures, maps = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    mixed = overlay(np.repeat(pictures[:, :, None], 3, axis=2), maps, shares)
    assert (mixed == mixed[:, :, :1]).all()
    assert sha256(mixed[:, :, 0].tobytes()).hexdigest().startswith(known)


def test_a_map_becomes_bytes_by_cutting_off() -> None:
    values = torch.tensor([[0, 0.5, 0.9999, 1]])
    assert to_gray(values).tolist() == [[0, 127, 254, 255]]
