"""PatternNet as shipped, and the job that trains it."""

import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from atlas.zoo.drawings import CLASSES
from atlas.zoo.patternnet import WEIGHTS, PatternNet, patternnet

pytestmark = pytest.mark.job

JOB = runpy.run_path(str(Path(__file__).parents[2] / "jobs" / "train_patternnet.py"))
LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "logits"]


@pytest.fixture(scope="module")
def shipped() -> PatternNet:
    net = patternnet()
    net.load_state_dict(load_file(WEIGHTS))
    return net.eval()


def test_layers_and_size():
    net = patternnet()
    assert [name for name, _ in net.named_children()] == LAYERS
    assert 280_000 < sum(p.numel() for p in net.parameters()) < 300_000
    assert WEIGHTS.stat().st_size < 2_000_000


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (47, 101)])
def test_any_size_from_32_pixels(shipped, size):
    assert shipped(torch.zeros(2, 3, *size)).shape == (2, len(CLASSES))


def test_an_untrained_net_follows_the_global_seed():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = patternnet()
        torch.manual_seed(3)
        second = patternnet()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_shipped_weights_name_at_least_99_percent_of_fresh_pictures(shipped):
    assert JOB["accuracy"](shipped, seed=123456789, count=1000) >= 0.99


def test_no_channel_of_a_block_is_dead(shipped):
    """Every channel answers to pictures, and its gradient reaches the picture whatever its sign."""
    pictures = JOB["normalised"](JOB["sample"](32, torch.Generator().manual_seed(1))[0]).requires_grad_()
    x = pictures
    for name in LAYERS[:-1]:
        x = getattr(shipped, name)(x)
        assert (x.detach().std((0, 2, 3)) > 1e-3).all(), name
        (gradient,) = torch.autograd.grad(x[0].mean((1, 2)).min(), pictures, retain_graph=True)
        assert gradient[0].abs().max() > 0, name


@pytest.mark.slow
def test_a_short_training_is_reproducible_and_lowers_the_loss(tmp_path, capsys):
    def run(seed: int, name: str) -> tuple[list[float], bytes]:
        out = tmp_path / name
        options = {"--seed": seed, "--steps": 12, "--batch": 16, "--held-out": 50, "--out": out}
        losses = JOB["main"]([str(word) for option in options.items() for word in option])
        return losses, out.read_bytes()

    (losses, first), (_, again), (_, other) = run(0, "a"), run(0, "b"), run(1, "c")
    assert first == again != other
    assert sum(losses[-4:]) < sum(losses[:4])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c"], "a temporary file was left"
    assert "held-out accuracy" in capsys.readouterr().out
