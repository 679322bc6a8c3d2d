"""Saliency's other methods against slow, obvious versions, and Grad-CAM against captum's own."""

from collections.abc import Callable

import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from atlas.config.mistakes import ConfigError
from atlas.saliency.cam_layer import cam_layer
from atlas.saliency.methods import METHODS, SEED, Settings, capped, grad_cam, integrated_gradients, smoothgrad
from atlas.zoo.architecture import Preprocessing
from atlas.zoo.load import Loaded
from tests.small_nets import Tokens, kinked, seeded

SIZE = 24
SETTINGS = Settings(layer="6", samples=6, noise=0.2, at_once=4)
CATEGORIES = torch.tensor([2, 0, 3])


def loaded(net: nn.Module, size: int = SIZE) -> Loaded:
    scale = Preprocessing((0.4, 0.5, 0.6), (0.2, 0.3, 0.25), size, size, "bilinear")
    return Loaded("net", net.requires_grad_(False), scale, "", "", torch.device("cpu"))


def images(count: int = 3, size: int = SIZE) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(5))


def gradient(net: Callable[[Tensor], Tensor], image: Tensor, category: int) -> Tensor:
    leaf = image.clone().requires_grad_()
    net(leaf[None].clone())[0, category].backward()
    assert leaf.grad is not None
    return leaf.grad


def slow_smoothgrad(net: nn.Module, image: Tensor, category: int) -> Tensor:
    draw = torch.Generator().manual_seed(SEED)
    deviation = SETTINGS.noise * (image.max() - image.min())
    total = torch.zeros_like(image)
    for _ in range(SETTINGS.samples):
        noise = torch.randn(image.shape, generator=draw) * deviation
        total += gradient(net, image + noise, category)
    return (total / SETTINGS.samples).abs().amax(0)


def slow_integral(net: nn.Module, image: Tensor, category: int, steps: int) -> Tensor:
    """The mean of the gradient on the straight way from black, at the middles of many short parts of it."""
    black = loaded(net).preprocess(torch.zeros(1, 3, SIZE, SIZE))[0]
    total = torch.zeros_like(image)
    for step in range(steps):
        total += gradient(net, black + (step + 0.5) / steps * (image - black), category)
    return ((image - black) * total / steps).sum(0)


def test_smoothgrad_is_the_mean_gradient_of_noisy_copies() -> None:
    net, pictures = kinked(), images()
    maps = smoothgrad(loaded(net), pictures, CATEGORIES, SETTINGS)
    slow = torch.stack([slow_smoothgrad(net, *pair) for pair in zip(pictures, CATEGORIES.tolist(), strict=True)])
    torch.testing.assert_close(maps, capped(slow), rtol=1e-4, atol=1e-6)


def test_integrated_gradients_are_the_integral_and_add_up_to_the_difference_from_black() -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, 5), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    model, pictures = loaded(net), images()
    slow = torch.stack([slow_integral(net, *pair, 400) for pair in zip(pictures, CATEGORIES.tolist(), strict=True)])
    maps = integrated_gradients(model, pictures, CATEGORIES, SETTINGS)
    torch.testing.assert_close(maps, capped(slow.abs()), rtol=1e-2, atol=1e-5)
    black = model.preprocess(torch.zeros_like(pictures[:1]))
    with torch.no_grad():
        difference = (net(pictures) - net(black)).gather(1, CATEGORIES[:, None])[:, 0]
    torch.testing.assert_close(slow.sum((1, 2)), difference, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("layer", ["0", "1", "3", "6", "8"])
def test_grad_cam_is_captums_on_maps_also_where_relus_write_in_place(layer: str) -> None:
    net, pictures = kinked(), images()
    settings = Settings(layer, samples=1, noise=0.1, at_once=1)
    maps = grad_cam(loaded(net), pictures, CATEGORIES, settings)
    theirs = LayerGradCam(net, net.get_submodule(layer)).attribute(pictures, target=CATEGORIES, relu_attributions=True)
    theirs = nn.functional.interpolate(theirs.detach(), size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    torch.testing.assert_close(maps, theirs[:, 0], rtol=1e-5, atol=1e-7)
    assert maps.amax() > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_the_same_alone_and_in_a_batch_and_torchs_random_numbers_go_on(method: str) -> None:
    model, pictures = loaded(kinked()), images()
    before = torch.get_rng_state()
    together = METHODS[method](model, pictures, CATEGORIES, SETTINGS)
    assert torch.equal(torch.get_rng_state(), before)
    assert together.shape == (3, SIZE, SIZE) and not together.requires_grad
    alone = METHODS[method](model, pictures[1:2], CATEGORIES[1:2], SETTINGS)
    torch.testing.assert_close(alone[0], together[1], rtol=1e-4, atol=1e-7)
    assert all(parameter.grad is None for parameter in model.model.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_begins_by_writing_into_its_input_leaves_the_image_alone(method: str) -> None:
    net = nn.Sequential(nn.ReLU(inplace=True), *kinked())
    pictures = images()
    before = pictures.clone()
    METHODS[method](loaded(net), pictures, CATEGORIES, SETTINGS)
    assert torch.equal(pictures, before)


def test_the_largest_values_are_cut_down_unless_they_are_all_there_is() -> None:
    many = torch.arange(400.0).reshape(1, 20, 20)
    assert capped(many).amax() == 395 and torch.equal(capped(many).clamp(max=390), many.clamp(max=390))
    single = torch.zeros(1, 20, 20)
    single[0, 3, 4] = 7
    assert torch.equal(capped(single), single)


def test_by_itself_grad_cam_reads_the_last_layer_with_positions() -> None:
    assert cam_layer(loaded(kinked()), None) == "8"
    assert cam_layer(loaded(kinked()), "3") == "3"


class ClassToken(Tokens):
    """Its scores hang on one token alone."""

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return self.head(self.block(torch.cat([tokens.mean(1, keepdim=True), tokens], 1))[:, 0])


def test_of_a_transformer_it_is_a_stage_where_more_than_the_class_token_matters() -> None:
    model = loaded(seeded(ClassToken), 32)
    layer = cam_layer(model, None)
    assert layer == "patches"
    model = loaded(seeded(Tokens), 32)
    assert cam_layer(model, None) == "block.linear2"
    maps = grad_cam(model, images(size=32), CATEGORIES, Settings("block", samples=1, noise=0.1, at_once=1))
    tokens = model.model.block(model.model.patches(images(size=32)).flatten(2).transpose(1, 2)).unflatten(1, (4, 4))
    weights = model.model.head.weight[CATEGORIES] / 16  # of the mean over tokens
    coarse = torch.einsum("bhwc,bc->bhw", tokens, weights).relu()
    slow = nn.functional.interpolate(coarse[:, None], size=(32, 32), mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(maps, slow, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("layer", "said"), [("33", "layer=33: net has no such layer"), ("9", "layer=9: its maps of net are 1 x 1")]
)
def test_a_layer_that_grad_cam_cannot_read_is_refused(layer: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        cam_layer(loaded(kinked()), layer)


def test_a_model_without_positions_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), seeded(lambda: nn.Linear(3 * SIZE * SIZE, 4)))
    with pytest.raises(ConfigError, match=r"method=grad_cam: net has no layer with maps larger than 1 x 1$"):
        cam_layer(loaded(net), None)
