"""What images are made of: noise of their own seed, lucid's Fourier coefficients, MACO's phases; each against numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.optvis.params import correlation, fourier, frequencies, noise, phases, pixels, read_off, standardized

SEEDS = st.integers(0, 2**63 - 1)
SIZES = [6, 7, 12, 15]
COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])  # lucid's color_correlation_svd_sqrt
NATURAL = [[0.2, 1.0, 0.5, 0.1], [0.1, 0.3, 0.2, 0.02], [0.05, 0.2, 0.1, 0.01]]  # three falling curves


@given(st.lists(SEEDS, min_size=1, max_size=4), st.integers(1, 9))
def test_a_start_does_not_know_its_batch(seeds, size):
    together = noise(seeds, size, 0.5, 0.6)
    assert together.shape == (len(seeds), 3, size, size)
    for place, seed in enumerate(seeds):
        assert torch.equal(together[place], noise([seed], size, 0.5, 0.6)[0])


@given(SEEDS, st.floats(-2, 2, width=32), st.floats(0, 2, width=32))
def test_noise_stays_within_its_bounds(seed, low, width):
    drawn = noise([seed], 8, low, low + width)
    assert drawn.min() >= low - 1e-6
    assert drawn.max() <= low + width + 1e-6


def test_noise_fills_its_bounds_and_seeds_differ():
    drawn = noise([1, 2], 64, 0.45, 0.55)
    assert drawn.min() < 0.4502
    assert drawn.max() > 0.5498
    assert abs(drawn.mean() - 0.5) < 1e-3
    assert (drawn[0] - drawn[1]).abs().mean() > 0.02


def test_the_global_generator_is_neither_read_nor_moved():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        before = torch.get_rng_state()
        first = noise([7], 8, 0.0, 1.0)
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(1)
        assert torch.equal(noise([7], 8, 0.0, 1.0), first)


def test_the_noise_of_a_seed_is_frozen():
    """Images of atlases that exist begin as these: another stream would be another METHOD."""
    drawn = noise([999, 2**63 - 1], 1, 0.0, 1.0).flatten(1)
    known = [[0.677577972, 0.653096914, 0.045706093], [0.993799388, 0.571306347, 0.570008039]]
    torch.testing.assert_close(drawn, torch.tensor(known), rtol=0, atol=1e-7)


def lucid(values: np.ndarray, size: int) -> np.ndarray:
    """fft_image and to_valid_rgb(decorrelate=True, sigmoid=True) of one image (3, size, half, 2), wave by wave."""
    x = np.arange(size)
    picture = np.zeros((3, size, size))
    for v in range(size):
        down = v if v < size - size // 2 else v - size  # numpy.fft.fftfreq · size
        for u in range(size // 2 + 1):
            frequency = max(np.hypot(down, u) / size, 1 / size)
            twins = 1 if u == 0 or 2 * u == size else 2  # the wave the other way round, which a real image has too
            wave = np.exp(2j * np.pi * (v * x[:, None] + u * x[None]) / size)
            for colour in range(3):
                coefficient = complex(*values[colour, v, u]) / frequency
                picture[colour] += twins * (coefficient * wave).real / size  # orthonormal: 1/√(size · size)
    return shown(picture / 4)


def shown(colours: np.ndarray) -> np.ndarray:
    """Uncorrelated colours (3, h, w) → RGB."""
    matrix = COLOURS / np.linalg.norm(COLOURS, axis=0).max()
    rgb = np.zeros_like(colours)
    for i in range(3):
        for j in range(3):
            rgb[i] += matrix[i, j] * colours[j]
    return 1 / (1 + np.exp(-rgb))


def hidden(rgb: np.ndarray) -> np.ndarray:
    """RGB → uncorrelated colours: `shown` undone."""
    matrix = COLOURS / np.linalg.norm(COLOURS, axis=0).max()
    return np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), np.log(rgb / (1 - rgb)))


@pytest.mark.parametrize("size", SIZES)
def test_fourier_images_are_lucids(size):
    param = fourier([1, 2], size, 0.0, 1.0)
    images = param.render(param.values)
    assert images.shape == (2, 3, *param.size)
    for values, image in zip(param.values, images, strict=True):
        np.testing.assert_allclose(image.numpy(), lucid(values.double().numpy(), size), rtol=0, atol=2e-6)
    assert images.std() > 0.05, "nothing to be wrong about"


def test_fourier_images_begin_near_to_gray_and_smooth():
    """lucid's deviation of 0.01; 1/frequency: neighbors are alike."""
    param = fourier([3], 64, 0.0, 0.01)
    image = param.render(param.values)
    assert (image - 0.5).abs().max() < 0.03
    spread, step = image.std(), (image[..., 1:] - image[..., :-1]).std()
    assert 0 < step < spread, "of white noise, step is √2 times spread"


@pytest.mark.parametrize("size", [16, 17])
@pytest.mark.parametrize("amplitudes", [None, NATURAL])
@pytest.mark.parametrize("spread", [0.1, 1.0, 30.0])
def test_the_magnitudes_stay_the_templates_whatever_the_phases(size, amplitudes, spread):
    param = phases([5], size, 0.0, 1.0, amplitudes=amplitudes)
    values = param.values.double() * spread + 7
    found = np.abs(np.fft.rfft2(hidden(param.render(values)[0].numpy())))
    down, across = np.fft.fftfreq(size), np.fft.rfftfreq(size)
    frequency = np.maximum(np.hypot(down[:, None], across[None]), 1 / size)
    curves = [1 / frequency] * 3 if amplitudes is None else [_read_off(curve, frequency) for curve in amplitudes]
    ratio = found / np.stack(curves)
    inner = ratio[:, :, 1 : (size + 1) // 2]  # waves whose twin lies in the half that is not stored
    np.testing.assert_allclose(inner, inner.mean(), rtol=1e-6)
    outer = np.delete(ratio, np.s_[1 : (size + 1) // 2], axis=2)
    outer[:, 0, 0] = 0  # the constant one: pictures are standardised
    assert outer.max() < inner.mean() * (1 + 1e-6), "a wave and its twin in the same half add up to no more"


def _read_off(curve: list[float], frequency: np.ndarray) -> np.ndarray:
    return np.interp(frequency / np.sqrt(0.5), np.linspace(0, 1, len(curve)), curve)


def test_what_is_kept_for_the_next_model_is_float32_whatever_the_default():
    torch.set_default_dtype(torch.float64)
    try:
        device, size = torch.device("cpu"), 61  # of no other test
        kept = frequencies(size, device), read_off(((1.0, 0.5),), size, device), correlation.__wrapped__(device)
    finally:
        torch.set_default_dtype(torch.float32)
    assert {values.dtype for values in kept} == {torch.float32}


@pytest.mark.parametrize("size", SIZES)
def test_curves_are_read_off_between_their_points(size):
    down, across = np.fft.fftfreq(size), np.fft.rfftfreq(size)
    frequency = np.maximum(np.hypot(down[:, None], across[None]), 1 / size)
    wanted = np.stack([_read_off(curve, frequency) for curve in NATURAL])
    np.testing.assert_allclose(
        read_off(tuple(map(tuple, NATURAL)), size, torch.device("cpu")).numpy(), wanted, rtol=1e-5
    )


@pytest.mark.parametrize("amplitudes", [None, NATURAL])
def test_phases_and_pictures_are_standardised(amplitudes):
    """So neither a shift nor a stretch of all phases, nor of the magnitudes, changes the picture."""
    param = phases([5, 6], 16, 0.0, 1.0, amplitudes=amplitudes)
    images = param.render(param.values)
    for image in images:
        colours = hidden(image.double().numpy())
        assert abs(colours.mean()) < 1e-4
        assert colours.std(ddof=1) == pytest.approx(1, abs=1e-2)
    torch.testing.assert_close(param.render(param.values * 5 - 2), images, rtol=0, atol=1e-3)
    if amplitudes is not None:
        louder = [[9 * value for value in curve] for curve in amplitudes]
        torch.testing.assert_close(
            phases([5, 6], 16, 0.0, 1.0, amplitudes=louder).render(param.values), images, rtol=0, atol=1e-3
        )


def test_standardised_values_are_each_images_own_and_finite():
    values = torch.stack([torch.arange(12.0), torch.arange(12.0) * 3 + 1, torch.full((12,), 4.0)]).view(3, 3, 2, 2)
    found = standardized(values)
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-3)
    assert not found[2].any()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(SEEDS, min_size=1, max_size=3),
    st.integers(8, 21),
    st.floats(0.01, 2),
    st.sampled_from(["fourier", "phases"]),
)
def test_images_are_rgb_and_an_image_alone_is_the_image_in_a_batch(seeds, size, deviation, kind):
    def make(some):
        return (
            fourier(some, size, 0.0, deviation)
            if kind == "fourier"
            else phases(some, size, 0.0, deviation, amplitudes=None)
        )

    together = make(seeds)
    images = together.render(together.values)
    assert images.shape == (len(seeds), 3, size, size)
    assert 0 < images.min() <= images.max() < 1
    for place, seed in enumerate(seeds):
        alone = make([seed])
        assert torch.equal(alone.values[0], together.values[place])
        torch.testing.assert_close(alone.render(alone.values)[0], images[place], rtol=0, atol=1e-5)  # sums in any order


def test_no_image_reaches_anothers_values():
    for param in (fourier([1, 2], 8, 0.0, 1.0), phases([1, 2], 8, 0.0, 1.0, amplitudes=None)):
        values = param.values.requires_grad_()
        (gradient,) = torch.autograd.grad(param.render(values)[1].square().sum(), values)
        assert gradient[1].abs().max() > 0
        assert not gradient[0].any()


def test_pixels_are_what_they_are():
    images = noise([1, 2], 5, 0.0, 1.0)[..., :4]
    param = pixels(images)
    assert param.size == (5, 4)
    assert torch.equal(param.render(param.values), images)
