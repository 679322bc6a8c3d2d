"""The truncated forward: what the whole forward gives at a layer, and nothing after it."""

import pytest
import torch
from torch import Tensor, nn

from atlas.config.schema import ModelConfig
from atlas.zoo.forward import Forward
from atlas.zoo.load import load
from atlas.zoo.sources import architecture
from tests.zoo.test_layers import hooks


class Net(nn.Module):
    """Four layers that write into each other's outputs; counts how often each runs."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.act = nn.ReLU(inplace=True)
        self.deep = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1))
        self.never = nn.Conv2d(3, 3, 1)
        self.head = nn.Linear(4, 2)
        self.ran: list[str] = []
        for name, module in self.named_children():
            module.register_forward_pre_hook(lambda m, i, name=name: self.ran.append(name))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.deep(self.act(self.conv(x)))).mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


IMAGES = torch.linspace(-1, 1, 2 * 3 * 10 * 10).reshape(2, 3, 10, 10).sin()


def test_it_gives_what_the_whole_forward_gives_there(net: Net) -> None:
    assert torch.equal(Forward(net, ["head"])(IMAGES)["head"][:, :, 0, 0], net(IMAGES))
    assert torch.equal(Forward(net, ["conv"])(IMAGES)["conv"], net.conv(IMAGES))


def test_nothing_after_the_last_layer_runs(net: Net) -> None:
    Forward(net, ["conv", "act"])(IMAGES)
    assert net.ran == ["conv", "act"]


def test_later_writes_do_not_reach_earlier_layers(net: Net) -> None:
    both = Forward(net, ["deep.2", "conv", "deep.0", "act"])(IMAGES)
    assert list(both) == ["deep.2", "conv", "deep.0", "act"]
    for name, maps in both.items():
        assert torch.equal(maps, Forward(net, [name])(IMAGES)[name])
    assert both["conv"].min() < 0 <= both["act"].min()


def test_vgg_convolutions_are_kept_from_their_relus() -> None:
    vgg = architecture("vgg11", ModelConfig(source="torchvision", kwargs={"num_classes": 2})).bare().eval()
    images = torch.rand(1, 3, 32, 32)
    both = Forward(vgg, ["features.0", "features.3"])(images)
    assert torch.equal(both["features.0"], vgg.features[0](images))
    assert torch.equal(both["features.3"], vgg.features[:4](images))


def test_googlenet_is_cut_after_its_own_renormalisation() -> None:
    loaded = load("googlenet", ModelConfig(source="torchvision", weights="none"))
    images = loaded.preprocess(torch.rand(1, 3, 64, 64))
    for layer in ("conv2", "inception3a", "inception3a.branch3"):
        kept: list[Tensor] = []
        module = loaded.model.get_submodule(layer)
        handle = module.register_forward_hook(lambda m, i, out, kept=kept: kept.append(out.clone()))
        loaded.model(images)
        handle.remove()
        assert torch.equal(loaded.forward([layer])(images)[layer], kept[0])


def test_gradients_reach_the_images_and_an_image_is_the_same_alone(net: Net) -> None:
    images = IMAGES.clone().requires_grad_()
    maps = Forward(net, ["conv", "deep"])(images)
    (maps["conv"].sum() + maps["deep"].square().sum()).backward()
    alone = IMAGES[:1].clone().requires_grad_()
    maps = Forward(net, ["conv", "deep"])(alone)
    (maps["conv"].sum() + maps["deep"].square().sum()).backward()
    torch.testing.assert_close(images.grad[:1], alone.grad)
    assert alone.grad.abs().min() > 0


def test_no_hook_stays_whatever_happens(net: Net) -> None:
    before = len(list(hooks(net)))
    Forward(net, ["conv", "deep.0"])(IMAGES)
    with pytest.raises(RuntimeError, match=r"a forward pass of Net never reaches never"):
        Forward(net, ["conv", "never"])(IMAGES)
    with pytest.raises(RuntimeError):
        Forward(net, ["head"])(torch.zeros(1, 3, 1, 1))
    assert len(list(hooks(net))) == before


def test_unknown_layers_are_refused_with_the_nearest(net: Net) -> None:
    with pytest.raises(ValueError, match="no layer 'deap' in Net; did you mean deep"):
        Forward(net, ["conv", "deap"])
    with pytest.raises(ValueError, match="no layer was asked for"):
        Forward(net, [])


class Shifty(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.windows, self.pair = nn.Linear(3, 3), nn.GRU(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.pair(self.windows(x.reshape(-1, 5, 3)))[0]


@pytest.mark.parametrize(("layer", "what"), [("windows", r"\(40, 5, 3\)"), ("pair", "tuple")])
def test_what_is_no_map_per_image_is_refused(layer: str, what: str) -> None:
    with pytest.raises(ValueError, match=rf"layer '{layer}' gives {what}, not a map for each of 2 images"):
        Forward(Shifty(), [layer])(IMAGES)


def test_a_transformer_block_gives_its_tokens() -> None:
    loaded = load("vit", ModelConfig(source="timm", entry="test_vit", weights="none"))
    size = loaded.input_size
    maps = loaded.forward(["blocks.0", "head"])(torch.rand(3, 3, size, size))
    assert maps["blocks.0"].shape[0] == 3
    assert maps["blocks.0"].shape[3] == 1 < maps["blocks.0"].shape[2]
    assert maps["head"].shape == (3, 1000, 1, 1)
