"""Each target against slicing written out."""

import pytest
import torch

from atlas.config import choices
from atlas.optvis.metrics import mean
from atlas.optvis.targets import target_objective
from atlas.records import Target

MAPS = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
CHANNELS = torch.tensor([2, 0])
OWN = [MAPS[0, 2], MAPS[1, 0]]


def select(target: Target, maps: torch.Tensor, channels: torch.Tensor) -> torch.Tensor:
    """The activations that the target drives, (b, n)."""
    atom = target_objective(target, "a", channels, mean).atoms[0]
    return atom.part(atom.unit(maps, torch.arange(len(channels)))).flatten(1)


def test_every_kind_of_the_config_is_told_of_here():
    assert set(choices.TARGETS) == {"channel", "joint", "row", "neuron", "cumulative"}


@pytest.mark.parametrize(
    ("target", "slicing"),
    [
        (Target(), lambda own: own),
        (Target("joint", partners=("m/a:0",)), lambda own: own),
        (Target("row", row=0), lambda own: own[0]),
        (Target("row", row=3), lambda own: own[3]),
        (Target("row"), lambda own: own[2]),
        (Target("neuron", row=1, col=4), lambda own: own[1, 4]),
        (Target("neuron", col=0), lambda own: own[2, 0]),
        (Target("neuron"), lambda own: own[2, 2]),
    ],
    ids=lambda value: value.label if isinstance(value, Target) else "",
)
def test_targets_are_slices_of_each_images_own_channel(target, slicing):
    assert torch.equal(select(target, MAPS, CHANNELS), torch.stack([slicing(own).flatten() for own in OWN]))


@pytest.mark.parametrize("count", range(1, 21))
def test_cumulative_is_the_sources_two_rectangles(count):
    """All rows before the current one, and the current row up to its column."""
    row, col = divmod(count - 1, 5)
    rectangles = [torch.cat([own[:row].flatten(), own[row, : col + 1]]) for own in OWN]
    assert torch.equal(select(Target("cumulative", count=count), MAPS, CHANNELS), torch.stack(rectangles))


def test_features_without_a_map_are_one_neuron():
    features = torch.randn(2, 3, 1, 1)
    for target in (Target(), Target("row"), Target("neuron"), Target("cumulative", count=1)):
        assert torch.equal(
            select(target, features, CHANNELS)[:, 0], torch.stack([features[0, 2], features[1, 0]])[:, 0, 0]
        )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target("row", row=4), r"target\.row=4: this map has 4 \(0 to 3\)"),
        (Target("neuron", row=0, col=5), r"target\.col=5: this map has 5 \(0 to 4\)"),
        (Target("cumulative", count=21), r"target\.count=21: this map has 20 neurons \(4 x 5\)"),
        (Target("cumulative", count=0), r"target\.count=0"),
        (Target("cumulative"), r"target\.count=None"),
    ],
)
def test_places_that_the_map_lacks_are_refused(target, message):
    with pytest.raises(ValueError, match=message):
        select(target, MAPS, CHANNELS)
