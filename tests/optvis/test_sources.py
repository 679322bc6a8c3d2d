"""METHODS §5.11: the sources' loop, written naively, one image at a time, gives the same image as ours."""

import pytest
import torch
from references import OCTAVES, naive_octaves
from torch import Tensor, nn

import atlas
from atlas.config.schema import ModelConfig
from atlas.zoo.load import load
from atlas.zoo.torchvision_ops import torchvision
from tests.small_nets import images, kinked

pytestmark = pytest.mark.job

SHORT, SHORTER = (
    [(size, steps, lr, sigma) for size, (_, lr, sigma) in zip((48, 56, 64), OCTAVES, strict=True)] for steps in (12, 8)
)
GAIN = {"l1": 1, "l2": 30, "linf": 300, "mean": 300}  # of the layer, so that a few steps drive the image far
LARGE = {**GAIN, "mean": 10_000}  # a mean over fifty times as many activations
WHOLE = [(size, 100, lr, sigma) for size, lr, sigma in OCTAVES]


def difference(
    model: nn.Module, layer: str, channels: list[int], metric: str, octaves: list, start: Tensor, gain: dict = GAIN
) -> float:
    """The largest difference of any pixel."""
    given = [{"size": size, "steps": steps, "lr": lr, "sigma": sigma} for size, steps, lr, sigma in octaves]
    louder = model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: output * gain[metric])
    ours = atlas.visualize(model, layer, channels, metric=metric, recipe="octaves", octaves=given, start=start)
    theirs = [
        naive_octaves(model, layer, start[i : i + 1], channel, metric=metric, octaves=octaves)
        for i, channel in enumerate(channels)
    ]
    louder.remove()
    assert ours.status == ["ok"] * len(channels)
    assert ours.images.std((1, 2, 3)).min() > 0.01, "nothing was driven: undriven noise ends at 0.002"
    assert len({image.sum().item() for image in ours.images}) == len(channels)
    return (ours.images - torch.cat(theirs)).abs().max().item()


@pytest.fixture(scope="module")
def patternnet() -> nn.Module:
    return load("patternnet", ModelConfig(source="patternnet")).model


@pytest.mark.parametrize(
    "metric", ["l1", "linf", *(pytest.param(name, marks=pytest.mark.slow) for name in ("l2", "mean"))]
)
@pytest.mark.parametrize("layer", [pytest.param("conv2", marks=pytest.mark.slow), "conv5"])
def test_octaves_on_the_trained_patternnet(patternnet, layer, metric):
    assert difference(patternnet, layer, [0, 5, 11], metric, SHORTER, images(3, 48)) <= 1e-4


@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
def test_octaves_through_relus_in_place_and_batch_norms(metric):
    assert difference(kinked(), "6", [0, 3, 5], metric, SHORT, images(3, 48)) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
def test_all_three_hundred_steps_at_full_size(metric):
    assert difference(kinked(), "6", [2], metric, WHOLE, images(1, 299), LARGE) <= 1e-4


# Several neurons, several layers: the sources' layer_gradient(…, index) and double_layer_gradient, on models cut by hand.

STEPS = [(32, 8, (0.4, 0.3), (2.4, 0.8)), (36, 6, (0.3, 0.2), (1.5, 0.4))]
CUT = {"kinked": {"0": 1, "1": 2, "3": 4, "6": 7}, "patternnet": {"conv1": 1, "conv2": 2, "conv3": 3, "conv5": 5}}


class Part(nn.Module):
    """The sources' NewModel: the first modules of another, one after the other, with its weights."""

    def __init__(self, model: nn.Module, count: int) -> None:
        super().__init__()
        self.model, self.count = model, count

    def forward(self, x: Tensor) -> Tensor:
        for module in list(self.model.children())[: self.count]:
            x = module(x)
        return x


def rectangles(output: Tensor, channel: int, index: int) -> Tensor:
    """The loss of all neurons up to one: those of the rows before it, and those of its row."""
    row, col = index // output.shape[3], index % output.shape[3]
    if row == 0:
        return summed(output[0, channel, 0, : col + 1])
    return summed(output[0, channel, :row, :]) + summed(output[0, channel, row, : col + 1])


def summed(focus: Tensor) -> Tensor:
    return torch.sum(torch.ones(focus.shape) * 200 - focus)


def gradient_of(loss, image: Tensor) -> Tensor:
    image = image.detach().requires_grad_(True)
    loss(image).backward()
    return image.grad


def stepped(loss, image: Tensor, octaves: list) -> Tensor:
    """The sources' octaves with a loss of one's own."""
    for size, steps, lr, sigma in octaves:
        image = torchvision().transforms.Resize([size, size])(image) if image.shape[-1] != size else image
        for i in range(steps):
            gradient = gradient_of(loss, image)
            image = image.detach() - (lr[0] * (steps - i) / steps + lr[1] * i / steps) * gradient
            width = sigma[0] * (steps - i) / steps + sigma[1] * i / steps
            image = torchvision().transforms.functional.gaussian_blur(image, [3, 3], sigma=[width, width])
    return image


def ours(model: nn.Module, layer: str, channel: int, target: dict, start: Tensor, octaves: list):
    given = [{"size": size, "steps": steps, "lr": lr, "sigma": sigma} for size, steps, lr, sigma in octaves]
    return atlas.visualize(model, layer, channel, target=target, recipe="octaves", octaves=given, start=start)


def one_gradient(model: nn.Module, layer: str, channel: int, target: dict, start: Tensor) -> Tensor:
    """Ours, read off one step of rate 1."""
    step = [{"size": start.shape[-1], "steps": 1, "lr": (1.0, 1.0)}]
    return (
        start
        - atlas.visualize(model, layer, channel, target=target, recipe="octaves", octaves=step, start=start).images
    )


@pytest.fixture(params=["kinked", "patternnet"])
def network(request, patternnet) -> tuple[nn.Module, dict[str, int]]:
    return (kinked() if request.param == "kinked" else patternnet), CUT[request.param]


@pytest.mark.parametrize("index", [0, 5, 40, 130])
def test_cumulative_is_two_rectangles_with_their_losses_added(network, index):
    model, parts = network
    layer, start = list(parts)[-2], images(1, 32)
    part, target = Part(model, parts[layer]), {"kind": "cumulative", "count": index + 1}

    def loss(image: Tensor) -> Tensor:
        return rectangles(part(image), 3, index)

    gradient = gradient_of(loss, start)
    torch.testing.assert_close(one_gradient(model, layer, 3, target, start), gradient, rtol=1e-4, atol=1e-5)
    v = ours(model, layer, 3, target, start, STEPS)
    assert (v.images - stepped(loss, start, STEPS)).abs().max() <= 1e-5
    assert v.scores[0] > v.trace[0][0]
    assert gradient.abs().max() > 1e-3, "nothing was driven"


@pytest.mark.parametrize("first", [0, 1, 2])
def test_joint_is_two_models_with_their_losses_added(network, first):
    """In one forward pass where the source makes two; also of a layer that an in-place ReLU writes over."""
    model, parts = network
    names, start = list(parts), images(1, 32)
    low, high = names[first], names[3]
    one, other = Part(model, parts[low]), Part(model, parts[high])

    def loss(image: Tensor) -> Tensor:
        return summed(one(image)[0, 2].clone()) + summed(other(image)[0, 5])

    target = {"kind": "joint", "with": [f"net/{low}:2"]}
    gradient = gradient_of(loss, start)
    theirs = one_gradient(model, high, 5, target, start)
    torch.testing.assert_close(theirs, gradient, rtol=1e-4, atol=1e-4)
    v = ours(model, high, 5, target, start, STEPS)
    assert (v.images - stepped(loss, start, STEPS)).abs().max() <= 1e-5 * max(1, v.images.abs().max())
    again = ours(model, low, 2, {"kind": "joint", "with": [f"net/{high}:5"]}, start, STEPS)
    torch.testing.assert_close(
        again.images, v.images, rtol=1e-4, atol=1e-4, msg="which of the two is driven is the same"
    )


@pytest.mark.parametrize("partners", [1, 2, 3])
def test_joint_across_layers_is_one_forward_pass(network, partners):
    model, parts = network
    names = list(parts)
    passes: list[str] = []
    watched = [
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: passes.append(name)) for name in names
    ]
    target = {"kind": "joint", "with": [f"net/{name}:1" for name in names[:partners]]}
    ours(model, names[3], 0, target, images(1, 32), STEPS)
    for handle in watched:
        handle.remove()
    steps = sum(count for _, count, *_ in STEPS)
    assert passes == names * (2 + steps + 1), "size and channels looked up, every step, and the finished image"
