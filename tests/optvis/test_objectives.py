"""An objective is metric of target, image by image, summed over its joint parts."""

import pytest
import torch

from atlas.optvis.metrics import METRICS
from atlas.optvis.objectives import FeatureObjective
from atlas.records import Target
from tests.small_nets import images, smooth

NET = smooth()
CHANNELS = torch.tensor([3, 0, 5])
EVERYONE = torch.arange(3)


def forward(pictures):
    first = NET[:2](pictures)
    return {"first": first, "second": NET[2](first)}


def objective(**changes) -> FeatureObjective:
    return FeatureObjective(forward, "second", CHANNELS, **{"target": Target(), "constant": 200.0} | changes)


@pytest.mark.parametrize("metric", METRICS)
def test_loss_and_score_of_each_image_are_its_own_channels(metric):
    pictures = images(3, 12)
    loss, score, _ = objective(metric=metric)(pictures, EVERYONE)
    for place, channel in enumerate(CHANNELS):
        own = forward(pictures[place : place + 1])["second"][0, channel].flatten()
        torch.testing.assert_close(loss[place], METRICS[metric](own[None], 200.0)[0])
        torch.testing.assert_close(score[place], own.mean())


def test_joint_loss_is_the_sum_of_its_parts_and_the_score_their_mean():
    pictures = images(3, 12)
    parts = [
        objective()(pictures, EVERYONE),
        FeatureObjective(forward, "first", torch.tensor([1, 1, 1]), target=Target(), constant=200.0)(
            pictures, EVERYONE
        ),
        FeatureObjective(forward, "second", torch.tensor([7, 7, 7]), target=Target(), constant=200.0)(
            pictures, EVERYONE
        ),
    ]
    joint = objective(target=Target("joint", partners=("m/first:1", "m/second:7")))
    loss, score, _ = joint(pictures, EVERYONE)
    torch.testing.assert_close(loss, sum(part.loss for part in parts))
    torch.testing.assert_close(score, sum(part.score for part in parts) / 3)


def test_joint_makes_one_forward_pass():
    passes = []
    joint = FeatureObjective(
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
