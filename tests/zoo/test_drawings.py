"""The drawn pictures: reproducible, in range, told apart by what is drawn and not by who stands beside them."""

import pytest
import torch
from torch import Generator

from atlas.zoo.drawings import CLASSES, CONTRAST, colours, draw, sample


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_classes_and_their_order():
    stripes = ("stripes_0", "stripes_45", "stripes_90", "stripes_135")
    patterns = ("checks", "dots", "rings", "spokes", "spirals", "zigzags")
    assert (*stripes, *patterns, "crosses", "triangles", "squares", "discs", "stars", "clouds") == CLASSES


@pytest.mark.parametrize("size", [32, 64, 75])
def test_range_shape_type_and_both_colours(size):
    pictures = draw(torch.arange(16), seeded(), size)
    assert pictures.shape == (16, 3, size, size) and pictures.dtype == torch.float32
    assert pictures.min() >= 0 and pictures.max() <= 1
    assert (pictures.flatten(2).std(2).amax(1) > 0.05).all(), "a picture without a figure"


def test_same_seed_same_pictures_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    first, labels = sample(20, seeded(5))
    again, same = sample(20, seeded(5))
    other, _ = sample(20, seeded(6))
    assert torch.equal(first, again) and torch.equal(labels, same)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_a_picture_does_not_depend_on_the_labels_of_its_neighbours():
    one = draw(torch.tensor([3, 7, 7, 0]), seeded())
    two = draw(torch.tensor([9, 7, 15, 0]), seeded())
    assert torch.allclose(one[[1, 3]], two[[1, 3]], atol=1e-6)
    assert not torch.allclose(one[2], two[2], atol=0.1)


def test_one_pattern_gives_many_pictures():
    pictures = draw(torch.arange(16).repeat_interleave(2), seeded()).view(16, 2, -1)
    assert ((pictures[:, 0] - pictures[:, 1]).square().mean(1).sqrt() > 0.05).all()


def test_the_same_numbers_give_another_picture_for_every_class():
    pictures = torch.stack([draw(torch.tensor([label]), seeded(2))[0] for label in range(16)]).flatten(1)
    distances = torch.cdist(pictures, pictures) / pictures.shape[1] ** 0.5
    assert (distances + torch.eye(16) > 0.05).all()


@pytest.mark.parametrize(("label", "rising"), [(0, 90), (1, 135), (2, 0), (3, 45)])
def test_stripes_run_at_their_angle(label, rising):
    """The spectrum peaks across the stripes; angles counter-clockwise from horizontal, y up."""
    gray = draw(torch.full((16,), label), seeded()).mean(1)
    spectrum = torch.fft.fft2(gray - gray.mean((1, 2), keepdim=True)).abs().flatten(1)
    frequency = torch.fft.fftfreq(64)
    peak = spectrum.argmax(1)
    angle = torch.atan2(-frequency[peak // 64], frequency[peak % 64]).rad2deg() % 180
    assert ((angle - rising + 90) % 180 - 90).abs().max() < 20


def test_the_two_colours_are_clearly_different():
    ground, figure = colours(torch.rand(5000, 6, generator=seeded()))
    assert (ground - figure).flatten(1).norm(dim=1).min() >= CONTRAST
    assert figure.min() >= 0 and figure.max() <= 1


def test_every_class_is_drawn():
    _, labels = sample(1000, seeded())
    assert labels.bincount(minlength=16).min() > 30
