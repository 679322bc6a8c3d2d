"""Layers: in order of execution, with the maps and the costs that are known, and no hook left behind."""

from collections.abc import Iterator
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from atlas.config.globs import matches
from atlas.config.schema import ModelConfig
from atlas.records import Layer
from atlas.zoo.layers import as_map, choose, walk
from atlas.zoo.sources import architecture

pytestmark = pytest.mark.job


@cache
def _walk(name: str, size: int = 224) -> dict[str, Layer]:
    with torch.device("meta"):
        model = architecture(name, ModelConfig(source="any")).bare().eval()
        return {layer.name: layer for layer in walk(model, torch.empty(2, 3, size, size)).layers}


def hooks(model: nn.Module) -> Iterator[object]:
    """Every hook that any module has."""
    return (hook for m in model.modules() for hook in (*m._forward_hooks.values(), *m._forward_pre_hooks.values()))


class Backwards(nn.Module):
    """Registers its layers in another order than it runs them, runs one twice and one never."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Conv2d(4, 5, 1)
        self.never = nn.Conv2d(3, 3, 1)
        self.act = nn.ReLU(inplace=True)
        self.pair = nn.LSTM(2, 2)
        self.first = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.last(self.act(self.first(x))))


def test_the_order_is_that_of_execution_and_the_first_call_counts() -> None:
    layers = walk(Backwards(), torch.zeros(2, 3, 8, 8)).layers
    assert [(layer.name, layer.index, layer.channels, layer.height) for layer in layers] == [
        ("first", 0, 4, 6),
        ("act", 1, 4, 6),
        ("last", 2, 5, 6),
    ]
    macs, numbers = 4 * 36 * 27, 4 * 36
    assert [layer.macs for layer in layers] == [macs, macs, macs + 5 * 36 * 4]
    assert [layer.bytes for layer in layers] == [4 * numbers, 8 * numbers, 8 * numbers + 4 * 5 * 36]


def test_inception_branches_come_before_what_joins_them() -> None:
    names = list(_walk("googlenet"))
    assert names.index("conv1.conv") < names.index("conv1.bn") < names.index("conv1") < names.index("inception3a")
    assert names.index("inception3a.branch4") < names.index("inception3a")


@pytest.mark.parametrize(
    ("name", "size", "gmacs"),  # of torchvision's own tables
    [
        ("resnet50", 224, 4.089),
        pytest.param("googlenet", 224, 1.498, marks=pytest.mark.slow),
        pytest.param("inception_v3", 299, 5.713, marks=pytest.mark.slow),
        pytest.param("vit_b_16", 224, 17.564, marks=pytest.mark.slow),
    ],
)
def test_multiply_adds_are_the_known_ones(name: str, size: int, gmacs: float) -> None:
    *_, last = _walk(name, size).values()
    assert last.macs / 1e9 == pytest.approx(gmacs, rel=1e-3)
    assert (last.channels, last.height, last.width) == (1000, 1, 1)


def test_groups_and_transposed_convolutions_are_counted_by_what_each_value_meets() -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2))
    grouped, transposed = walk(model, torch.zeros(2, 3, 4, 4)).layers
    assert grouped.macs == 6 * 2 * 2 * 9
    assert transposed.macs - grouped.macs == 6 * 2 * 2 * (4 // 2) * 4


def test_tokens_lie_along_the_height() -> None:
    vit = _walk("vit_tiny_patch16_224")
    shape = vit["blocks.3"].channels, vit["blocks.3"].height, vit["blocks.3"].width
    assert shape == (192, 14 * 14 + 1, 1)
    assert vit["patch_embed.proj"].width == 14


@pytest.mark.parametrize(
    ("name", "stage", "block"),
    [
        ("swin_t", "features.3", "features.3.0.mlp.1"),
        pytest.param("swin_tiny_patch4_window7_224", "layers.1", "layers.1.blocks.0", marks=pytest.mark.slow),
    ],
)
def test_swin_keeps_its_channels_last_and_windows_are_no_layers(name: str, stage: str, block: str) -> None:
    swin = _walk(name)
    for layer, channels in ((stage, 192), (block, 768 if "mlp" in block else 192)):
        assert (swin[layer].channels, swin[layer].height, swin[layer].width) == (channels, 28, 28)
    assert "layers.0.blocks.0.attn.qkv" not in swin


def test_outputs_become_maps() -> None:
    x = torch.arange(24.0)
    assert as_map(x.view(2, 3, 2, 2), 1).shape == (2, 3, 2, 2)
    assert as_map(x.view(2, 2, 2, 3), 3).shape == (2, 3, 2, 2)
    assert as_map(x.view(2, 12), 1).shape == (2, 12, 1, 1)
    tokens = x.view(2, 4, 3)
    assert torch.equal(as_map(tokens, 2)[1, 2, 3, 0], tokens[1, 3, 2])
    assert torch.equal(as_map(tokens, 1)[1, 2, 1, 0], tokens[1, 2, 1])
    assert as_map(tokens, None) is None, "of an unknown layout"
    for other in (x, x.long().view(2, 12), (x,), {"x": x}, None):
        assert as_map(other, 1) is None


class Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        raise ArithmeticError(str(self.conv(x).shape))


@pytest.mark.parametrize("model", [Backwards(), Failing()], ids=["whole", "raising"])
def test_no_hook_stays(model: nn.Module) -> None:
    try:
        walk(model, torch.zeros(1, 3, 8, 8))
    except ArithmeticError:
        assert isinstance(model, Failing)
    assert not list(hooks(model))


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("inception4*", ["inception4a", "inception4b"]),
        ("*", ["conv1", "inception4a", "inception4b"]),
        ("**", ["conv1", "inception4a", "inception4a.branch1", "inception4a.branch1.conv", "inception4b"]),
        ("inception4a.**", ["inception4a", "inception4a.branch1", "inception4a.branch1.conv"]),
        ("**.conv", ["inception4a.branch1.conv"]),
        ("inception4?.branch[12]", ["inception4a.branch1"]),
        ("Conv1", []),
    ],
)
def test_globs_are_those_of_paths(glob: str, names: list[str]) -> None:
    every = ["conv1", "inception4a", "inception4a.branch1", "inception4a.branch1.conv", "inception4b"]
    assert [name for name in every if matches(name, glob)] == names


def test_chosen_layers_come_in_order_of_execution_with_the_globs_that_matched_nothing() -> None:
    layers = walk(Backwards(), torch.zeros(1, 3, 8, 8)).layers
    assert choose(layers, ["last", "fir*", "never", "act"]) == (("first", "act", "last"), ("never",))
    assert choose(layers, []) == ((), ())
