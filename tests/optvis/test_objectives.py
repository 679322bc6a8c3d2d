"""An objective is metric of target, image by image, summed over its atoms."""

import pytest
import torch

from atlas.optvis import Objective, channel, direction, neuron, row
from atlas.optvis.metrics import METRICS, metric_named
from atlas.optvis.optimize import Judge, optimize
from atlas.optvis.params import pixels
from atlas.optvis.schedule import schedule_of
from atlas.records import Target
from tests.small_nets import images, judging, recipe, smooth

NET = smooth()
CHANNELS = torch.tensor([3, 0, 5])
EVERYONE = torch.arange(3)


def forward(pictures):
    first = NET[:2](pictures)
    return {"first": first, "second": NET[2](first)}


def objective(**changes) -> Judge:
    return judging(forward, "second", CHANNELS, **changes)


@pytest.mark.parametrize("metric", METRICS)
def test_loss_and_score_of_each_image_are_its_own_channels(metric):
    pictures = images(3, 12)
    loss, score, _ = objective(metric=metric)(pictures, EVERYONE)
    for place, number in enumerate(CHANNELS):
        own = forward(pictures[place : place + 1])["second"][0, number].flatten()
        torch.testing.assert_close(loss[place], METRICS[metric](own[None], 200.0)[0])
        torch.testing.assert_close(score[place], own.mean())


def test_joint_loss_is_the_sum_of_its_parts_and_the_score_their_mean():
    pictures = images(3, 12)
    parts = [
        objective()(pictures, EVERYONE),
        judging(forward, "first", torch.tensor([1, 1, 1]))(pictures, EVERYONE),
        judging(forward, "second", torch.tensor([7, 7, 7]))(pictures, EVERYONE),
    ]
    joint = objective(target=Target("joint", partners=("m/first:1", "m/second:7")))
    loss, score, _ = joint(pictures, EVERYONE)
    torch.testing.assert_close(loss, sum(part.loss for part in parts))
    torch.testing.assert_close(score, sum(part.score for part in parts) / 3)


def test_joint_makes_one_forward_pass():
    passes = []
    joint = judging(
        lambda pictures: passes.append(len(pictures)) or forward(pictures),
        "second",
        CHANNELS,
        target=Target("joint", partners=("m/first:1",)),
    )
    joint(images(3, 12), EVERYONE)
    assert passes == [3]


@pytest.mark.parametrize("which", [[0], [2], [2, 0], [0, 1, 2]])
def test_which_says_whose_images_are_left(which):
    pictures, which = images(3, 12), torch.tensor(which)
    whole, part = objective()(pictures, EVERYONE), objective()(pictures[which], which)
    torch.testing.assert_close(part.loss, whole.loss[which])
    torch.testing.assert_close(part.score, whole.score[which])


def test_no_image_reaches_anothers_loss():
    pictures = images(3, 12).requires_grad_()
    (gradient,) = torch.autograd.grad(objective()(pictures, EVERYONE).loss[1], pictures)
    assert gradient[1].abs().max() > 0
    assert not gradient[[0, 2]].any()


def test_an_unknown_metric_is_refused():
    with pytest.raises(KeyError, match="l7"):
        objective(metric="l7")


# ---- the algebra ----


def read(objective: Objective, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    loss, score, _ = objective.read(forward(pictures), torch.arange(len(pictures)))
    return loss, score


def test_objectives_add_subtract_and_scale():
    pictures = images(3, 12)
    a, b = channel("first:1"), channel("second", 7)
    (loss_a, score_a), (loss_b, score_b) = read(a, pictures), read(b, pictures)
    loss, score = read(0.5 * a - b / 4, pictures)
    torch.testing.assert_close(loss, 0.5 * loss_a - 0.25 * loss_b)
    torch.testing.assert_close(score, (0.5 * score_a - 0.25 * score_b) / 0.75)
    assert (0.5 * a - b / 4).label == "0.5 first:1 - 0.25 second:7"
    assert (-a).label == "- first:1" and (a + b).layers == ("first", "second")


def test_atoms_are_slices_of_their_channels_map():
    pictures = images(2, 12)
    maps = forward(pictures)["second"][:, 4]
    for atom, slices in (
        (channel("second:4"), maps.flatten(1)),
        (row("second:4", at=1), maps[:, 1]),
        (neuron("second:4", at=(1, 2)), maps[:, 1, 2, None]),
    ):
        loss, score = read(atom, pictures)
        torch.testing.assert_close(score, slices.mean(1))
        torch.testing.assert_close(loss, -slices.mean(1))


def test_a_metric_may_be_given_to_all_atoms():
    pictures = images(2, 12)
    both = (channel("first:1") + channel("second:4")).under(metric_named("l2", 200.0))
    parts = [
        METRICS["l2"](forward(pictures)[layer][:, n].flatten(1), 200.0) for layer, n in (("first", 1), ("second", 4))
    ]
    torch.testing.assert_close(read(both, pictures)[0], parts[0] + parts[1])


def test_a_direction_along_one_channel_makes_that_channels_image_to_the_bit():
    start, unit = images(2, 16), torch.eye(8)[5]
    settings = schedule_of(recipe((16, 12), (20, 8), sigma=[2.4, 0.8], gradient="rms"))
    made = [
        optimize(lambda pictures, which, o=o: o.read(forward(pictures), which), pixels(start), settings)
        for o in (channel("second:5"), direction("second", unit))
    ]
    assert torch.equal(made[0].images, made[1].images)
    assert made[0].trace == made[1].trace


def test_a_direction_is_a_weighted_sum_with_bias_and_relu():
    pictures, weight = images(2, 12), torch.linspace(-1, 1, 8)
    along = torch.einsum("bchw,c->bhw", forward(pictures)["second"], weight) + 0.25
    torch.testing.assert_close(read(direction("second", weight, 0.25), pictures)[1], along.mean((1, 2)))
    torch.testing.assert_close(
        read(direction("second", weight, 0.25, relu=True), pictures)[1], along.relu().mean((1, 2))
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: channel("second"), "names no channel: write layer:channel"),
        (lambda: direction("second", torch.ones(1, 1)), r"weight has shape \(1, 1\)"),
        (lambda: channel("second:1") * 0, "a number other than 0"),
        (lambda: read(direction("second", [1.0, 2.0]), images(1, 12)), "2 numbers, and this layer has 8 channels"),
    ],
)
def test_what_is_no_objective_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_only_objectives_add():
    with pytest.raises(TypeError):
        channel("second:1") + 1
