"""Which dimension holds the channels: followed through functions, and unknown rather than guessed."""

import pytest
import torch
from torch import Tensor, nn

from atlas.config.schema import ModelConfig
from atlas.zoo.forward import Forward
from atlas.zoo.layers import walk
from atlas.zoo.sources import architecture

pytestmark = pytest.mark.job


def widths(name: str, size: int = 224) -> tuple[dict[str, int], nn.Module]:
    with torch.device("meta"):
        model = architecture(name, ModelConfig(source="any")).bare().eval()
        return {layer.name: layer.channels for layer in walk(model, torch.empty(2, 3, size, size)).layers}, model


def of_weights(module: nn.Module) -> int | None:
    """How many channels a module's weights give."""
    if isinstance(module, nn.Conv2d):
        return module.out_channels
    if isinstance(module, nn.Linear):
        return module.out_features
    if isinstance(module, nn.LayerNorm):
        return module.normalized_shape[-1]
    return module.num_features if isinstance(module, nn.BatchNorm2d) else None


@pytest.mark.parametrize(
    "name",
    [
        *("shufflenet_v2_x0_5", "test_vit", "convnext_atto"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                *("swin_t", "mixer_s32_224", "convnext_tiny", "maxvit_t"),
                *("swin_tiny_patch4_window7_224", "efficientvit_m0"),
            )
        ),
    ],
)
def test_channels_are_as_the_weights_say(name: str) -> None:
    channels, model = widths(name)
    known = {layer: width for layer, module in model.named_modules() if (width := of_weights(module)) is not None}
    assert {layer: channels[layer] for layer in known.keys() & channels.keys()} == {
        layer: known[layer] for layer in known.keys() & channels.keys()
    }
    assert len(known.keys() & channels.keys()) > 20


def test_an_activation_keeps_the_layout_of_what_it_follows() -> None:
    channels, _ = widths("convnext_tiny")
    assert channels["features.1.0.block.3"] == channels["features.1.0.block.4"] == 384
    assert channels["features.1.0.block"] == 96


class Square(nn.Module):
    """Maps of (4, 4, 4), where no shape tells the channels; layers are named by what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.turned, self.back, self.lost = nn.Conv2d(3, 4, 1), nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = self.turned(x.permute(0, 2, 3, 1).roll(1, 1) * 2)
        x = self.back(
            torch.cat([x.transpose(1, 3), x.movedim(3, 1)], 1).view(2, 2, 4, 4, 4).transpose(1, 2).flatten(1, 2)
        )
        return self.lost(torch.einsum("bchw,bdhw->bcdh", x, x))


def test_moves_joins_and_shuffles_are_followed_and_mixtures_are_unknown() -> None:
    images = torch.rand(2, 3, 4, 4)
    model = Square().eval()
    walked = walk(model, images)
    assert {layer.name: layer.channels for layer in walked.layers} == {"conv": 4, "turned": 4, "back": 8}
    assert walked.unknown == ("lost",)
    turned = Forward(model, ["turned"])(images)["turned"]
    torch.testing.assert_close(turned, model.conv(images).roll(1, 2) * 2)
    with pytest.raises(ValueError, match=r"layer 'lost' gives \(2, 8, 8, 4\) of unknown layout"):
        Forward(model, ["lost"])(images)
