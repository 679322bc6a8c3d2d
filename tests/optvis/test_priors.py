"""Blur and resize are torchvision's to the bit; the RMS of a gradient is each image's own."""

import pytest
import torch

from atlas.optvis.priors import blur, layout, resize, unit_rms
from atlas.zoo.torchvision_ops import torchvision
from tests.small_nets import images

TRANSFORMS = torchvision().transforms


@pytest.mark.parametrize("sigma", [2.4, 0.8, 0.3, 0.05, 100.0])
@pytest.mark.parametrize("size", [(2, 2), (17, 17), (9, 14)])
def test_blur_is_torchvisions_to_the_bit(sigma, size):
    pictures = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(blur(pictures, sigma), TRANSFORMS.functional.gaussian_blur(pictures, 3, sigma=sigma))


@pytest.mark.parametrize(("before", "after"), [(48, 56), (56, 64), (30, 17), (299, 340)])
def test_resize_is_torchvisions_to_the_bit(before, after):
    pictures = images(2, before)
    assert torch.equal(resize(pictures, after), TRANSFORMS.Resize([after, after])(pictures))


def test_resize_to_the_same_size_changes_nothing():
    pictures = images(1, 9)
    assert resize(pictures, 9) is pictures


def test_images_keep_their_place_in_memory_and_their_values():
    pictures = images(2, 20)
    for lying in (torch.contiguous_format, torch.channels_last):
        there = pictures.to(memory_format=lying)
        assert layout(there) == lying
        assert resize(there, 24).is_contiguous(memory_format=lying)
        torch.testing.assert_close(resize(there, 24), resize(pictures, 24))
        torch.testing.assert_close(blur(there, 1.5), blur(pictures, 1.5))


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-30, 1e-3, 1.0, 1e20, 1e38])
def test_any_gradient_has_an_rms_of_one(scale):
    gradient = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-3, 3) * scale
    torch.testing.assert_close(unit_rms(gradient).square().mean((1, 2, 3)).sqrt(), torch.ones(2))


def test_ordinary_gradients_are_divided_by_their_rms_image_by_image():
    gradient = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    gradient[1] *= 1e-30
    gradient[2] = 0
    whole = unit_rms(gradient)
    torch.testing.assert_close(whole[0], gradient[0] / gradient[0].square().mean().sqrt())
    assert not whole[2].any()
    for place in range(3):
        assert torch.equal(whole[place], unit_rms(gradient[place : place + 1])[0])


def test_the_rms_is_over_all_values_of_an_image_whatever_their_shape():
    """Fourier coefficients have a real and an imaginary part."""
    gradient = torch.randn(2, 3, 4, 3, 2, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 9.0])
    wanted = gradient / gradient.square().mean((1, 2, 3, 4), keepdim=True).sqrt()
    torch.testing.assert_close(unit_rms(gradient), wanted)
