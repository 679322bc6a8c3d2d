"""`atlas.layers`: the same table for a model by name and for any network."""

import pytest
import torch

import atlas
from atlas.config.compose import compose_model
from atlas.config.mistakes import ConfigError
from atlas.zoo.load import load
from tests.small_nets import kinked


def test_a_model_by_name_and_the_network_itself_have_the_same_layers() -> None:
    named = atlas.layers("patternnet", every=True)
    network = load("patternnet", compose_model("patternnet")).model
    listed = atlas.layers(network, every=True, input_size=64)
    assert named.drop_columns(["zone", "default"]).equals(listed.drop_columns(["zone", "default"]))
    default = atlas.layers("patternnet")["layer"].to_pylist()
    assert default == [*(f"conv{n}" for n in range(1, 7)), "logits"]


def test_any_network_is_listed_and_left_as_it_was() -> None:
    net = kinked().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    rows = atlas.layers(net, input_size=32).to_pylist()
    assert [row["layer"] for row in rows] == ["0", "3", "6"] and all(row["default"] for row in rows)
    assert rows[0]["channels"] == 8 and (rows[0]["height"], rows[0]["width"]) == (32, 32)
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean patternnet"):
        atlas.layers("paternnet")
