"""Views: each pixel looked up by hand; what is drawn is an image's own and within its bounds."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.optvis.params import GRAY
from atlas.optvis.schedule import Octave, Transforms
from atlas.optvis.transforms import Streams, Views, draw_moves, draw_views, gathered, sample
from tests.small_nets import images

DOUBLE = torch.float64
OCTAVE = Octave(steps=1, lr=(0.1, 0.1))
FEW = settings(max_examples=40, deadline=None)


def views_of(transforms: Transforms, octave: Octave, size: tuple[int, int], streams: Streams) -> Views:
    """The views of one step of RGB images, whose moves are drawn alone."""
    moves = draw_moves(transforms, octave, size, streams, steps=1)[:, 0]
    return draw_views(transforms, octave, (3, *size), streams, moves)


def move(scale: float = 1.0, degrees: float = 0.0, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    """Pixel from the middle of the view → pixel from the middle of the image, for a view that shows it `scale` times larger."""
    cos, sin = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    return torch.tensor([[cos, -sin, x], [sin, cos, y]], dtype=DOUBLE)


def looked_up(image: np.ndarray, turn: np.ndarray, size: tuple[int, int], wrap: bool = False) -> np.ndarray:
    """One view, pixel by pixel: the four neighbors weighted by how near they are; where there is none, 0 or the far side."""
    colours, height, width = image.shape
    view = np.zeros((colours, *size))
    for row in range(size[0]):
        for col in range(size[1]):
            here = np.array([col - (size[1] - 1) / 2, row - (size[0] - 1) / 2, 1])
            x, y = turn @ here + np.array([(width - 1) / 2, (height - 1) / 2])
            for j in (math.floor(y), math.floor(y) + 1):
                for i in (math.floor(x), math.floor(x) + 1):
                    if wrap or (0 <= j < height and 0 <= i < width):
                        view[:, row, col] += (1 - abs(x - i)) * (1 - abs(y - j)) * image[:, j % height, i % width]
    return view


def places(moves: torch.Tensor, size: tuple[int, int], image: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The pixels (x, y) of an image (height, width) that a view shows."""
    down, across = (torch.arange(n, dtype=moves.dtype) - (n - 1) / 2 for n in size)
    grid = torch.stack([across.expand(size), down[:, None].expand(size), torch.ones(size, dtype=moves.dtype)], -1)
    found = torch.einsum("hwk,bjk->bhwj", grid, moves)
    return found[..., 0] + (image[1] - 1) / 2, found[..., 1] + (image[0] - 1) / 2


MOVES = st.builds(
    move, st.floats(0.2, 4), st.floats(-180, 180), st.floats(-40, 40), st.floats(-40, 40) | st.just(1e6) | st.just(-300)
)
SIDES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@FEW
@given(st.builds(move, st.floats(0.2, 4), st.floats(-180, 180), st.floats(-40, 40), st.floats(-300, 300)), SIDES, SIDES)
def test_a_wrapped_image_goes_on_with_its_other_side(turn, image, size):
    picture = torch.randn(1, 3, *image, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    wanted = looked_up(picture[0].numpy(), turn.numpy(), size, wrap=True)
    seen = sample(picture, turn[None, None], size, wrap=True)
    np.testing.assert_allclose(seen[0].numpy(), wanted, rtol=0, atol=1e-8)


@FEW
@given(st.lists(MOVES, min_size=1, max_size=2), SIDES, SIDES)
def test_both_ways_of_sampling_look_up_each_pixel(moves, image, size):
    pictures = torch.randn(len(moves), 3, *image, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    turns = torch.stack(moves)
    wanted = np.stack([looked_up(p.numpy(), t.numpy(), size) for p, t in zip(pictures, turns, strict=True)])
    np.testing.assert_allclose(sample(pictures, turns[:, None], size).numpy(), wanted, rtol=0, atol=1e-8)
    np.testing.assert_allclose(gathered(pictures, *places(turns, size, image)).numpy(), wanted, rtol=0, atol=1e-8)


@FEW
@given(st.lists(MOVES, min_size=2, max_size=2), SIDES, SIDES)
def test_both_have_the_same_gradient(moves, image, size):
    """What a GPU uses, beside what a CPU does."""
    draw, turns = torch.Generator().manual_seed(0), torch.stack(moves)
    pictures = torch.randn(2, 3, *image, generator=draw, dtype=DOUBLE).requires_grad_()
    weights = torch.randn(2, 3, *size, generator=draw, dtype=DOUBLE)
    (theirs,) = torch.autograd.grad((sample(pictures, turns[:, None], size) * weights).sum(), pictures)
    (ours,) = torch.autograd.grad((gathered(pictures, *places(turns, size, image)) * weights).sum(), pictures)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-8)


def test_in_single_precision_both_agree():
    pictures = images(8, 40)
    drawn = torch.rand(8, 4, generator=torch.Generator().manual_seed(2)).tolist()
    turns = torch.stack([move(0.8 + a, 60 * b - 30, 20 * c - 10, 20 * d - 10) for a, b, c, d in drawn]).float()
    ours = gathered(pictures, *places(turns, (36, 36), (40, 40)))
    torch.testing.assert_close(ours, sample(pictures, turns[:, None], (36, 36)), rtol=0, atol=1e-5)
    assert ours.std() > 0.01


@pytest.mark.parametrize("size", [(8, 8), (7, 7), (5, 9)])
def test_no_move_is_the_image_itself(size):
    pictures = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    still = move().float().expand(2, 2, 3)
    assert torch.equal(gathered(pictures, *places(still, size, size)), pictures)
    torch.testing.assert_close(
        sample(pictures, still[:, None], size), pictures, rtol=0, atol=1e-6
    )  # places in parts of the width


@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 2), (-3, 1), (5, -5), (0, 0)])
def test_a_move_by_whole_pixels_is_a_shift(x, y):
    pictures = images(1, 11).double()
    framed = F.pad(pictures, (6,) * 4)
    wanted = framed[:, :, 6 + y : 17 + y, 6 + x : 17 + x]
    torch.testing.assert_close(sample(pictures, move(x=x, y=y)[None, None], (11, 11)), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_is_rot90(size, quarters):
    pictures = images(1, size).double()
    turned = sample(pictures, move(degrees=90 * quarters)[None, None], (size, size))
    torch.testing.assert_close(turned, torch.rot90(pictures, quarters, (2, 3)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", [0.9, 1.1, 2.0])
def test_a_slope_is_as_steep_as_the_scale_is_small(scale):
    """A linear picture is exact between its pixels, so a view of it is known wherever it does not look beyond."""
    size, view = 21, 8
    slope = (torch.arange(size, dtype=DOUBLE) - 10).expand(1, 3, size, size)
    wanted = ((torch.arange(view, dtype=DOUBLE) - 3.5) / scale).expand(1, 3, view, view)
    torch.testing.assert_close(sample(slope, move(scale)[None, None], (view, view)), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gray", [GRAY, torch.tensor([-0.5, 0.25, 2.0])[:, None, None]])
def test_what_is_out_of_sight_is_gray(gray):
    pictures = images(2, 8)
    far = Views(move(x=500).float().expand(2, 1, 2, 3), None, (6, 6))
    wanted = torch.as_tensor(gray).expand(2, 3, 6, 6)
    torch.testing.assert_close(far.show(pictures, gray), wanted)
    wide = Views(move().float().expand(2, 1, 2, 3), None, (12, 12)).show(pictures, gray)
    torch.testing.assert_close(wide[:, :, 2:-2, 2:-2], pictures, rtol=0, atol=1e-6)
    torch.testing.assert_close(wide[:, :, :2], torch.as_tensor(gray).expand(2, 3, 2, 12), msg="a frame around it")


LUCID = Transforms(pad=3, jitter=(4, 2), scale=(0.9, 1.1), rotate=10, noise=0.1, views=2)
MACO = Transforms(crop=(0.2, 0.5), noise=0.05, views=3)


@pytest.mark.parametrize("transforms", [LUCID, MACO], ids=["lucid", "maco"])
def test_what_is_drawn_is_an_images_own(transforms):
    """Alone, in a batch, and after others have left: step after step the same."""
    octave, seeds = Octave(steps=1, lr=(0.1, 0.1), shown=10), [5, 6, 7, 8]
    together, alone = Streams(seeds), [Streams([seed]) for seed in seeds]
    left = [0, 1, 2, 3]
    for step in range(6):
        if step == 3:
            together.keep(torch.tensor([True, False, False, True]))
            left = [0, 3]
        views = views_of(transforms, octave, (12, 12), together)
        for place, one in enumerate(left):
            own = views_of(transforms, octave, (12, 12), alone[one])
            assert torch.equal(views.moves[place], own.moves[0]) and torch.equal(views.noise[place], own.noise[0])
    flat = views.moves.flatten(1)
    assert (flat[0] - flat[1]).abs().max() > 0.01
    assert (views.moves[0, 0] - views.moves[0, 1]).abs().max() > 0.01, "views of one image differ"


@pytest.mark.parametrize("transforms", [replace(LUCID, noise=0.0), replace(MACO, noise=0.0)], ids=["lucid", "maco"])
def test_moves_of_many_steps_are_those_of_one_step_after_the_other(transforms):
    octave, ahead, behind = Octave(steps=9, lr=(0.1, 0.1), shown=10), Streams([5, 6]), Streams([5, 6])
    moves = draw_moves(transforms, octave, (12, 14), ahead, steps=9)
    for step in range(9):
        drawn = views_of(transforms, octave, (12, 14), behind)
        given = draw_views(transforms, octave, (3, 12, 14), ahead, moves[:, step])
        assert torch.equal(drawn.moves, given.moves) and drawn.size == given.size
    assert all(torch.equal(a, b) for a, b in zip(ahead.state(), behind.state(), strict=True))


@FEW
@given(
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.tuples(st.floats(0.1, 1), st.floats(1, 10)),
    st.floats(0, 180),
    st.integers(0, 2**40),
)
def test_moves_stay_within_what_was_asked(jitter, scale, rotate, seed):
    asked = Transforms(jitter=jitter, scale=scale, rotate=rotate, views=8)
    moves = views_of(asked, OCTAVE, (16, 16), Streams([seed])).moves[0].double()
    size = (moves[:, 0, 0] ** 2 + moves[:, 1, 0] ** 2).rsqrt()
    assert size.min() >= scale[0] * (1 - 1e-5) and size.max() <= scale[1] * (1 + 1e-5)
    angle = torch.rad2deg(torch.atan2(moves[:, 1, 0], moves[:, 0, 0]))
    assert angle.abs().max() <= rotate + 1e-3
    torch.testing.assert_close(moves[:, 0, 0], moves[:, 1, 1])
    torch.testing.assert_close(moves[:, 0, 1], -moves[:, 1, 0])
    most = jitter[0] / 2 + 2**0.5 * jitter[1] / 2 / size + sum(jitter) % 2 / 2  # whole pixels have no middle of two
    assert (moves[:, :, 2].abs().max(1).values <= most + 1e-4).all()


@pytest.mark.parametrize("jitter", [(8, 4), (3, 0), (0, 5)])
def test_jitter_is_by_whole_pixels_evenly_in_all_directions(jitter):
    """A view is as much smaller as it may be moved, so that all of it is within the image."""
    size, shown = 20, 20 - sum(jitter)
    moves = views_of(
        Transforms(jitter=jitter, views=4000), Octave(steps=1, lr=(0.1, 0.1), shown=shown), (size, size), Streams([1])
    ).moves[0]
    first = moves[:, :, 2] + (size - shown) / 2  # pixel of the image that a view's first one shows
    assert torch.equal(first, first.round())
    assert (first.min(), first.max()) == (0, sum(jitter))
    if 0 in jitter:
        counts = torch.bincount(first.long().flatten())
        assert counts.min() > 0.8 * counts.float().mean()


@pytest.mark.parametrize("jitter", [(3, 0), (4, 1), (8, 4)])
@pytest.mark.parametrize("size", [12, 13])
def test_jitter_is_by_whole_pixels_where_the_view_is_as_large_as_the_image(jitter, size):
    """As for models that take one size only; half a pixel would blur every view."""
    moves = views_of(Transforms(jitter=jitter, views=50), OCTAVE, (size, size), Streams([1])).moves[0, :, :, 2]
    assert torch.equal(moves, moves.round())
    assert moves.min() < 0 < moves.max() <= (sum(jitter) + 1) / 2


@FEW
@given(SIDES, st.tuples(st.floats(0.05, 0.5), st.floats(0.5, 1)), st.integers(0, 2**40), st.integers(1, 30))
def test_crops_stay_inside_and_are_as_large_as_asked(image, parts, seed, shown):
    height, width = image
    asked = Transforms(crop=parts, views=8)
    views = views_of(asked, Octave(steps=1, lr=(0.1, 0.1), shown=shown), image, Streams([seed]))
    assert views.size == (shown, shown)
    (moves,) = views.moves.double()
    assert not moves[:, [0, 1], [1, 0]].any(), "crops are not turned"
    torch.testing.assert_close(moves[:, 0, 0], moves[:, 1, 1])
    side = moves[:, 0, 0] * shown
    assert side.min() >= parts[0] * min(image) * (1 - 1e-5) and side.max() <= parts[1] * min(image) * (1 + 1e-5)
    assert (moves[:, 0, 2].abs() + side / 2).max() <= width / 2 + 1e-4
    assert (moves[:, 1, 2].abs() + side / 2).max() <= height / 2 + 1e-4


def test_crops_are_around_the_middle_and_spread():
    """Fel et al.: middles normally distributed, 0.15 of the image in deviation."""
    asked = Transforms(crop=(0.2, 0.25), views=4000)
    middles = views_of(asked, Octave(steps=1, lr=(0.1, 0.1), shown=8), (100, 100), Streams([1])).moves[0, :, :, 2]
    assert middles.mean(0).abs().max() < 1
    assert middles.std(0).tolist() == pytest.approx([15, 15], abs=0.7)


def test_noise_on_views_has_its_deviation():
    views = views_of(Transforms(noise=0.05, views=3), OCTAVE, (32, 32), Streams([1, 2]))
    pictures = images(2, 32)
    added = views.show(pictures, GRAY) - pictures.repeat_interleave(3, 0)
    assert added.std().item() == pytest.approx(0.05, rel=0.02)
    assert added.mean().abs() < 1e-3
    assert (added[0] - added[1]).std() > 0.06, "each view has its own"


def test_a_picture_that_is_no_square_keeps_its_sides():
    views = views_of(Transforms(pad=2, jitter=(2, 0)), Octave(steps=1, lr=(0.1, 0.1), shown=22), (12, 20), Streams([1]))
    assert views.size == (14, 22)
    assert views.show(torch.rand(1, 3, 12, 20), GRAY).shape == (1, 3, 14, 22)


def test_a_shift_stays_within_its_part_of_the_image_and_reaches_both_sides():
    transforms = Transforms(edge="wrap", shift=0.25)
    drawn = [views_of(transforms, OCTAVE, (40, 80), Streams([seed])) for seed in range(200)]
    shifts = torch.cat([views.moves[0, :, :, 2] for views in drawn])
    assert all(views.wrap for views in drawn)
    assert shifts.abs().amax(0).tolist() == pytest.approx([20, 10], rel=0.05)
    assert (shifts > 0).any(0).all() and (shifts < 0).any(0).all()
