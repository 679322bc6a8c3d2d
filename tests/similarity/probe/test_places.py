"""Where pictures drive channels most: as a slow loop finds it, in whatever batches, and at a peak that was planted."""

import numpy as np
import pytest
import torch
from torch import nn

from atlas.similarity.probe.places import HEAT_SIDE, Places, merged, place_columns, places_of
from atlas.store.similarity_tables import PLACE
from atlas.zoo.forward import Forward
from atlas.zoo.receptive_field import ReceptiveField, receptive_fields


def of(maps: torch.Tensor, *, first: int = 0, k: int = 3) -> Places:
    means = maps.mean((2, 3)).numpy()
    return places_of(maps, means, np.arange(first, first + len(maps)), k=k)


def random_maps(count: int = 7, height: int = 20, width: int = 9) -> torch.Tensor:
    return torch.randn(count, 4, height, width, generator=torch.Generator().manual_seed(0))


def test_places_are_those_that_a_loop_finds() -> None:
    maps = random_maps()
    places = of(maps)
    for channel in range(4):
        best = sorted(range(7), key=lambda number: -float(maps[number, channel].mean()))[:3]
        assert places.picture[:, channel].tolist() == best
        for rank, number in enumerate(best):
            one = maps[number, channel].numpy()
            assert places.peak[rank, channel] == int(one.argmax())
            heat = places.heat[rank, channel]
            assert heat.shape == (HEAT_SIDE, 9) and heat.max() == 255 and heat.min() == 0
            y, x = divmod(int(one.argmax()), 9)
            top, left = (int(at[0]) for at in np.nonzero(heat == 255))
            assert int(top * 20 / HEAT_SIDE) <= y <= (top + 1) * 20 / HEAT_SIDE and left == x


def test_batches_change_no_place() -> None:
    maps = random_maps()
    whole, parts = of(maps), of(maps[:2])
    for start, stop in ((2, 3), (3, 7)):
        parts = merged(parts, of(maps[start:stop], first=start), 3)
    for name in ("picture", "mean", "peak", "heat"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def test_of_equal_pictures_the_first_is_kept_and_none_that_is_no_number() -> None:
    maps = torch.ones(4, 1, 2, 2)
    maps[0] = torch.nan
    assert of(maps, k=2).picture.ravel().tolist() == [1, 2]
    assert not of(maps, k=2).heat.any(), "a flat map is strongest nowhere"


def test_a_map_of_one_position_and_tokens_have_no_place() -> None:
    for height in (1, 12):
        field = ReceptiveField(((0, 8),) * height, ((0, 8),))
        columns = place_columns(of(random_maps(height=height, width=1)), field, 8)
        assert list(columns) == [name for name, _ in PLACE]
        assert {column.null_count for column in columns.values()} == {3 * 4}


@pytest.mark.parametrize(("y", "x"), [(0, 0), (3, 21), (17, 30), (31, 31)])
def test_a_bright_pixel_is_found_by_a_network_that_passes_red_on(y: int, x: int) -> None:
    """A 3 × 3 convolution of stride 1 that passes the pixel in its middle: the peak is the pixel, its box 3 × 3."""
    net = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1, bias=False))
    nn.init.constant_(net[0].weight, 1e-3)
    net[0].weight.data[0, 0, 1, 1] = 1
    picture = torch.zeros(1, 3, 32, 32)
    picture[0, 0, y, x] = 1
    forward = Forward(net, ["0"])
    with torch.no_grad():
        places = of(forward(picture)["0"], k=1)
    columns = place_columns(places, receptive_fields(forward, 32)["0"], 32)
    told = {name: columns[name][0].as_py() for name in ("y", "x", "height", "width", "side", "x0", "y0", "x1", "y1")}
    box = {"x0": max(0, x - 1), "y0": max(0, y - 1), "x1": min(32, x + 2), "y1": min(32, y + 2)}
    assert told == {"y": y, "x": x, "height": 32, "width": 32, "side": 32, **box}
