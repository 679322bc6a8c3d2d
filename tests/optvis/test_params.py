"""An image's noise is its seed's, whatever else is drawn beside it."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from atlas.optvis.params import noise

SEEDS = st.integers(0, 2**63 - 1)


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
