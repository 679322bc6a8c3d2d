"""Receptive fields: closed forms of plain chains, of networks with pools, ReLUs and padding, and whole pictures."""

import pytest
import torch
from torch import Tensor, nn

from atlas.zoo.forward import Forward
from atlas.zoo.receptive_field import Box, receptive_fields
from tests.small_nets import Tokens, kinked, seeded

SIZE = 40
CHAIN = [(5, 2, 2), (3, 1, 0), (3, 2, 1), (4, 1, 2)]  # kernel, stride, padding


def chain() -> nn.Sequential:
    """Convolutions of CHAIN, a ReLU after each."""
    channels = [3, *[8] * len(CHAIN)]
    return seeded(
        lambda: nn.Sequential(
            *(
                module
                for i, (kernel, stride, padding) in enumerate(CHAIN)
                for module in (nn.Conv2d(channels[i], channels[i + 1], kernel, stride, padding), nn.ReLU())
            )
        )
    )


def closed_form(links: list[tuple[int, int, int]], position: int) -> tuple[int, int]:
    """First pixel and one past the last of a position after some links, going back from it link by link."""
    first, last = position, position
    for kernel, stride, padding in reversed(links):
        first, last = first * stride - padding, last * stride - padding + kernel - 1
    return max(0, first), min(SIZE, last + 1)


def test_a_chain_of_convolutions_has_the_fields_of_its_closed_form() -> None:
    names = [f"{2 * i + 1}" for i in range(len(CHAIN))]
    fields = receptive_fields(Forward(chain(), names), SIZE)
    for i, name in enumerate(names):
        spans = tuple(closed_form(CHAIN[: i + 1], position) for position in range(len(fields[name].rows)))
        assert fields[name].rows == fields[name].columns == spans
    (x0, x1), (y0, y1) = closed_form(CHAIN, 3), closed_form(CHAIN, 7)
    assert fields[names[-1]].box(7, 3) == Box(x0, y0, x1, y1)


def test_fields_wider_than_half_the_picture_have_the_stride_of_their_open_side() -> None:
    links = [(3, 2, 1), (13, 1, 6), (5, 1, 2)]
    net = seeded(lambda: nn.Sequential(*(nn.Conv2d(3 if not i else 6, 6, *link) for i, link in enumerate(links))))
    fields = receptive_fields(Forward(net, ["2"]), SIZE)["2"]
    assert fields.rows == tuple(closed_form(links, position) for position in range(20))
    assert fields.rows[0] == (0, 18) and fields.rows[10] == (3, 38)


def test_maximum_pools_and_blocked_relus_hide_no_pixel() -> None:
    links = [(7, 2, 3), (3, 2, 1), (3, 1, 1)]
    net = seeded(
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 16, *links[0]), nn.ReLU(), nn.MaxPool2d(*links[1])),
            *(nn.Conv2d(16, 16, *links[2]), nn.ReLU()),
        )
    )
    fields = receptive_fields(Forward(net, ["4"]), SIZE)["4"]
    assert fields.rows == tuple(closed_form(links, position) for position in range(10))


def test_a_map_may_be_wider_than_high() -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 4, (5, 3), stride=(4, 1))))
    fields = receptive_fields(Forward(net, ["0"]), SIZE)["0"]
    assert fields.rows == tuple((4 * i, 4 * i + 5) for i in range(9))
    assert fields.columns == tuple((i, i + 3) for i in range(38))


@pytest.mark.parametrize(
    ("net", "layer"), [(kinked(), "9"), (seeded(Tokens), "block"), (seeded(Tokens), "head")], ids=str
)
def test_after_pooling_or_attention_every_position_sees_the_whole_picture(net: nn.Module, layer: str) -> None:
    field = receptive_fields(Forward(net, [layer]), SIZE)[layer]
    assert {field.box(y, 0) for y in range(len(field.rows))} == {Box(0, 0, SIZE, SIZE)}


class Windows(nn.Module):
    """Every position takes the mean of its window of 3 × 3 patches, as windowed attention does."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 4, stride=4)
        self.mix = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        pooled = nn.functional.avg_pool2d(self.patches(images), 3, ceil_mode=True)
        return self.mix(nn.functional.interpolate(pooled, scale_factor=3)[:, :, :10, :10])


def test_windows_are_measured_position_by_position() -> None:
    fields = receptive_fields(Forward(seeded(Windows), ["mix"]), SIZE)["mix"]
    assert fields.rows == fields.columns
    assert fields.rows == tuple((12 * (i // 3), min(SIZE, 12 * (i // 3) + 12)) for i in range(10))


def test_a_position_that_no_gradient_leaves_has_the_whole_picture() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3))
    nn.init.zeros_(net[0].weight)
    assert receptive_fields(Forward(net, ["0"]), SIZE)["0"].box(1, 2) == Box(0, 0, SIZE, SIZE)


def test_a_bright_square_lies_in_the_box_of_the_position_that_it_drives_most() -> None:
    net = chain()
    picture = torch.zeros(1, 3, SIZE, SIZE)
    picture[:, :, 22:25, 9:12] = 1
    forward = Forward(net, ["7"])
    with torch.no_grad():
        change = (forward(picture)["7"] - forward(0 * picture)["7"])[0].abs().sum(0)
    y, x = divmod(int(change.argmax()), change.shape[1])
    box = receptive_fields(forward, SIZE)["7"].box(y, x)
    assert box.x0 <= 9 and box.x1 >= 12 and box.y0 <= 22 and box.y1 >= 25


def test_the_same_fields_every_time_and_nothing_random_is_spent() -> None:
    state = torch.get_rng_state()
    first, again = (receptive_fields(Forward(kinked(), ["2", "5"]), 31) for _ in range(2))
    assert first == again
    assert torch.equal(state, torch.get_rng_state())
