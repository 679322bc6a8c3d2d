"""The loop: each image as if it were alone, whatever becomes of its neighbors."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from atlas.config.recipe_files import read_recipe
from atlas.config.schema import TransformsConfig
from atlas.optvis.batch import Keep, Moment
from atlas.optvis.optimize import PATIENCE, Judge, between, optimize
from atlas.optvis.params import GRAY, pixels
from atlas.optvis.schedule import Schedule, schedule_of
from atlas.optvis.transforms import Streams, draw_moves, draw_views, sample
from tests.small_nets import images, judging, seeded, smooth
from tests.small_nets import recipe as recipe_of

pytestmark = pytest.mark.job

CHANNELS = [0, 3, 1, 6]


def recipe(*octaves: tuple[int | None, int], **changes) -> Schedule:
    """The schedule of a recipe of octaves (size, steps)."""
    return schedule_of(recipe_of(*octaves, **changes))


BLURRED = recipe((16, 12), (20, 8), sigma=[2.4, 0.8])


def driving(net: nn.Module, channels: list[int], **options) -> Judge:
    """Drive channels of what a whole network gives."""
    return judging(lambda pictures: {"out": net(pictures)}, "out", torch.tensor(channels), **options)


def half_dead() -> nn.Sequential:
    """A smooth net whose channel 3 no pixel reaches."""
    net = smooth()[:3]
    with torch.no_grad():
        net[2].weight[3] = 0
    return net


@pytest.mark.parametrize("metric", ["l1", "l2", "linf", "mean"])
@pytest.mark.parametrize("gradient", ["raw", "rms"])
def test_an_image_alone_is_the_image_in_a_batch(metric, gradient):
    settings = replace(BLURRED, gradient=gradient)
    start, net = images(4, 16), smooth()[:3]
    together = optimize(driving(net, CHANNELS, metric=metric, constant=200.0), pixels(start), settings)
    assert (together.images - torch.nn.functional.interpolate(start, 20)).abs().amax((1, 2, 3)).min() > 1e-3
    for place, channel in enumerate(CHANNELS):
        alone = optimize(
            driving(net, [channel], metric=metric, constant=200.0), pixels(start[place : place + 1]), settings
        )
        torch.testing.assert_close(alone.images[0], together.images[place], rtol=0, atol=1e-4)
        torch.testing.assert_close(alone.trace[0], together.trace[place], rtol=0, atol=1e-4)


def test_descent_raises_the_score():
    trace = optimize(driving(smooth()[:3], CHANNELS), pixels(images(4, 16)), BLURRED).trace
    assert all(scores[-1] > scores[0] for scores in trace)


def test_a_dead_feature_is_marked_gray_and_soon_left_alone():
    seen = []
    net = half_dead()
    objective = driving(nn.Sequential(Noting(seen), net), [0, 3, 6])
    result = optimize(objective, pixels(images(3, 16)), recipe((16, 30), (20, 10)))
    assert result.status == ["ok", "dead", "ok"]
    assert result.steps == [40, PATIENCE + 1, 40]
    assert seen == [3] * (PATIENCE + 1) + [2] * (40 - PATIENCE - 1), "the dead one was still being computed"
    assert result.images.shape == (3, 3, 20, 20)
    assert torch.equal(result.images[1], torch.full((3, 20, 20), GRAY))


def test_a_dead_feature_does_not_disturb_the_others():
    settings = recipe((16, 30), (20, 10), sigma=[2.4, 0.8])
    start, net = images(3, 16), half_dead()
    with_dead = optimize(driving(net, [0, 3, 6]), pixels(start), settings)
    without = optimize(driving(net, [0, 6]), pixels(start[[0, 2]]), settings)
    torch.testing.assert_close(with_dead.images[[0, 2]], without.images, rtol=0, atol=1e-4)


def test_a_short_recipe_knows_the_dead_too_and_all_may_be_dead():
    result = optimize(driving(half_dead(), [3, 3]), pixels(images(2, 16)), recipe((16, 5)))
    assert (result.status, result.steps) == (["dead", "dead"], [5, 5])
    assert optimize(driving(half_dead(), [3, 3]), pixels(images(2, 16)), recipe((16, 50))).steps == [PATIENCE + 1] * 2


def test_a_layer_that_does_not_look_at_the_image_is_dead():
    constant = nn.Parameter(torch.ones(1, 2, 4, 4))
    for maps in (constant, constant.detach()):  # with a gradient that ends elsewhere, and without any
        objective = judging(
            lambda pictures, maps=maps: {"out": maps.expand(len(pictures), -1, -1, -1) + 0 * pictures.sum()},
            *("out", torch.tensor([0, 1])),
        )
        assert optimize(objective, pixels(images(2, 8)), recipe((8, 3))).status == ["dead", "dead"]


@pytest.mark.parametrize("harm", [float("nan"), float("inf")])
def test_an_image_that_is_no_longer_finite_is_marked_and_the_others_go_on(harm):
    start, net = images(3, 16), smooth()[:3]
    start[1, 0, 2, 2] = harm
    result = optimize(driving(net, [0, 3, 6]), pixels(start), BLURRED)
    assert result.status == ["ok", "nonfinite", "ok"]
    assert result.steps == [20, 12, 20]
    assert torch.equal(result.images[1], torch.full((3, 20, 20), GRAY))
    others = optimize(driving(net, [0, 6]), pixels(start[[0, 2]]), BLURRED)
    torch.testing.assert_close(result.images[[0, 2]], others.images, rtol=0, atol=1e-4)


@pytest.mark.parametrize("clamp", [False, True])
def test_the_start_is_not_changed(clamp):
    start = images(2, 16)
    before = start.clone()
    optimize(driving(smooth()[:3], [0, 3]), pixels(start), replace(BLURRED, clamp=clamp))
    assert torch.equal(start, before)


@pytest.mark.parametrize(("every", "length"), [(1, 20), (10, 2), (7, 3), (50, 1)])
def test_the_trace_has_the_start_and_every_so_many_steps(every, length):
    start, net = images(1, 16), smooth()[:3]
    (trace,) = optimize(driving(net, [2]), pixels(start), replace(BLURRED, trace_every=every)).trace
    assert len(trace) == length
    assert trace[0] == pytest.approx(net(start)[0, 2].mean().item(), abs=1e-6)


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(1, 500))
def test_a_schedule_begins_at_its_start_and_never_reaches_its_end(start, end, steps):
    values = [between((start, end), place, steps) for place in range(steps)]
    assert values[0] == pytest.approx(start)
    assert values[-1] == pytest.approx(end + (start - end) / steps)
    for a, b, c in zip(values, values[1:], values[2:], strict=False):
        assert b - a == pytest.approx(c - b, abs=1e-12)


def test_a_linear_layer_in_closed_form():
    """METHODS §5.10: the gradient is the layer's own weights, so the image is start + Σ rates · weights."""
    net = seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4), nn.Unflatten(1, (4, 1, 1))))
    settings = schedule_of(read_recipe("plain", octaves=[{"size": 8, "steps": 100, "lr": [0.4, 0.3]}]))
    start = images(2, 8)
    result = optimize(driving(net, [1, 3], constant=200.0), pixels(start), settings)
    rates = sum((0.4 * (100 - i) + 0.3 * i) / 100 for i in range(100))
    wanted = start.double() + rates * net[1].weight[[1, 3]].reshape(2, 3, 8, 8).double()
    rounding = 100 * torch.finfo(torch.float32).eps * wanted.abs().max()  # of a hundred additions
    assert (result.images.double() - wanted).abs().max() < rounding
    assert (wanted - start).abs().max() > 1, "nothing to be wrong about"


def test_clamped_images_stay_in_range_and_others_leave_it():
    net, start = smooth()[:3], images(4, 16)
    free = optimize(driving(net, CHANNELS), pixels(start), recipe((16, 20))).images
    held = optimize(driving(net, CHANNELS), pixels(start), recipe((16, 20), clamp=True)).images
    assert free.min() < 0 or free.max() > 1
    assert held.min() >= 0
    assert held.max() <= 1


def test_images_without_a_size_in_the_recipe_keep_theirs():
    assert optimize(driving(smooth()[:3], [0]), pixels(images(1, 13)), recipe((None, 3))).images.shape == (1, 3, 13, 13)


MOVED = TransformsConfig(jitter=[2, 2], scale=[0.9, 1.1], rotate=10, noise=0.01, views=3)


def test_several_views_of_an_image_are_the_mean_of_their_losses():
    """One step, against each view shown by itself."""
    net, start = smooth()[:3], images(2, 12)
    settings = recipe((12, 1), lr=[1.0, 1.0], transforms=MOVED)
    objective = driving(net, [2, 5], metric="l2", constant=200.0)
    result = optimize(objective, pixels(start), settings, Streams([7, 8]))
    streams = Streams([7, 8])
    moves = draw_moves(settings.transforms, settings.octaves[0], (12, 12), streams, steps=1)[:, 0]
    views = draw_views(settings.transforms, settings.octaves[0], (3, 12, 12), streams, moves)
    for place, channel in enumerate([2, 5]):
        image = start[place : place + 1].clone().requires_grad_()
        losses, scores = [], []
        for move, noise in zip(views.moves[place], views.noise[place], strict=True):
            seen = sample(image - GRAY, move[None, None], (12, 12)) + GRAY + noise
            maps = net(seen)[:, channel].flatten(1)
            losses.append(5 * (200 - maps).square().sum().sqrt())
            scores.append(maps.mean().item())
        (gradient,) = torch.autograd.grad(sum(losses) / 3, image)
        torch.testing.assert_close(result.images[place], (start[place] - gradient[0]), rtol=0, atol=1e-5)
        assert result.trace[place] == pytest.approx([sum(scores) / 3], abs=1e-5)


def test_the_network_sees_all_views_of_all_images_at_once():
    seen = []
    objective = driving(nn.Sequential(Noting(seen), smooth()[:3]), [0, 3])
    optimize(objective, pixels(images(2, 12)), recipe((12, 2), transforms=MOVED), Streams([7, 8]))
    assert seen == [6, 6]


def test_every_step_draws_anew_and_a_start_without_streams_is_shown_as_it_is():
    seen = []
    net = smooth()[:3]
    objective = judging(
        lambda pictures: seen.append(pictures.detach().clone()) or {"out": net(pictures)},
        *("out", torch.tensor([0])),
    )
    still = recipe((12, 3), lr=[0.0, 0.0], transforms=TransformsConfig(jitter=[4, 0]))
    optimize(objective, pixels(images(1, 12)), still, Streams([7]))
    assert not torch.equal(seen[0], seen[1])
    seen.clear()
    optimize(objective, pixels(images(1, 12)), still)
    assert torch.equal(seen[0], seen[2])


class Noting(nn.Module):
    """Writes down how many images it is given."""

    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(pictures))
        return pictures


@pytest.mark.parametrize("optimizer", ["descent", "sgd", "adam", "nadam"])
@pytest.mark.parametrize(
    "at", [1, 5, 9, 18, *(pytest.param(step, marks=pytest.mark.slow) for step in (3, 6, 8, 17, 20))]
)
def test_a_loop_that_was_stopped_anywhere_goes_on_as_if_it_had_not_been(
    optimizer: str, at: int, tmp_path: Path
) -> None:
    net, start, seeds = half_dead(), images(4, 12), [7, 8, 9, 10]
    moved = {"transforms": MOVED, "sigma": [0.6, 0.3], "trace_every": 2, "rescue": 2}
    settings = recipe((None, 5), (16, 3), (20, 12), optimizer=optimizer, weight_decay=0.01, gradient="rms", **moved)
    judge = driving(net, [0, 3, 6, 1])
    frames: dict[int, Tensor] = {}

    def watch(moment: Moment) -> None:
        if moment.frame is not None:
            frames[moment.step] = moment.frame.clone()
        if moment.step == at:
            torch.save(moment.state(), tmp_path / "state.pt")

    whole = optimize(judge, pixels(start), settings, Streams(seeds), keep=Keep(frames=4, watch=watch))
    undisturbed = dict(frames)
    assert list(undisturbed) == [4, 8, 12, 16, 20] and whole.status.count("dead") == 1
    frames.clear()
    begun = torch.load(tmp_path / "state.pt", weights_only=True)
    rest = optimize(judge, pixels(start), settings, Streams(seeds), keep=Keep(frames=4, watch=watch, begun=begun))
    assert torch.equal(rest.images, whole.images)
    assert (rest.trace, rest.steps, rest.status) == (whole.trace, whole.steps, whole.status)
    assert list(frames) == [step for step in undisturbed if step > at]
    assert all(torch.equal(frame, undisturbed[step]) for step, frame in frames.items())


@pytest.mark.parametrize("optimizer", ["descent", "adam"])
@pytest.mark.parametrize("harm", [None, float("nan")])
def test_a_fixed_batch_shows_as_many_throughout_and_gives_the_same(optimizer: str, harm: float | None):
    start, seen = images(4, 16), []
    if harm is not None:
        start[0, 0, 2, 2] = harm
    net = nn.Sequential(Noting(seen), half_dead())
    settings = recipe((16, 24), (20, 6), optimizer=optimizer, rescue=3, gradient="rms", trace_every=5, transforms=MOVED)
    leaving, staying = (
        optimize(
            driving(net, CHANNELS), pixels(start), settings, Streams([7, 8, 9, 10]), keep=Keep(means=True), fixed=fixed
        )
        for fixed in (False, True)
    )
    views = len(CHANNELS) * MOVED.views
    assert seen[-30:] == [views] * 30, "a pass for each step, all alike"
    assert leaving.status == staying.status == ["ok" if harm is None else "nonfinite", "dead", "ok", "ok"]
    assert leaving.steps == staying.steps
    torch.testing.assert_close(staying.images, leaving.images, rtol=0, atol=1e-4)
    for some, all_of in zip(leaving.trace, staying.trace, strict=True):
        assert all_of == pytest.approx(some, abs=1e-4, nan_ok=True)
    assert [len(moments) for moments in leaving.means] == [len(moments) for moments in staying.means]


def test_a_fixed_batch_rescues_as_any():
    blocked = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU())
    with torch.no_grad():
        blocked[0].weight.fill_(0.1)
        blocked[0].bias.copy_(torch.tensor([0.0, -1.6]))
    settings = recipe((12, 20), gradient="rms", lr=[0.05, 0.05], rescue=16)
    results = [
        optimize(driving(blocked, [0, 1]), pixels(images(2, 12)), settings, fixed=fixed) for fixed in (False, True)
    ]
    assert results[0].status == results[1].status == ["ok", "ok"]
    torch.testing.assert_close(results[1].images, results[0].images, rtol=0, atol=1e-5)
