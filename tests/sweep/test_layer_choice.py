"""`layers=`: default, all, and globs, in order of execution."""

import pytest
from made_cards import card

from atlas.sweep.layer_choice import layer_mistakes, select_layers, wanted_globs

ALL = ["stem", "block1", "block1.conv", "block2", "head"]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("default", ["stem", "block2"]),
        ("all", ALL),
        (["block*"], ["block1", "block2"]),
        ("block1.*", ["block1.conv"]),
        (["**"], ALL),
        (["head", "stem", "st*"], ["stem", "head"]),
        (("default", "head"), ["stem", "block2", "head"]),
        (["nothing"], []),
    ],
)
def test_layers_come_in_order_of_execution_each_once(value, names):
    assert [layer.name for layer in select_layers(wanted_globs(value), card())] == names


def test_a_glob_that_matches_nowhere_is_named_with_the_nearest():
    cards = {"alpha": card("alpha"), "beta": card("beta")}
    assert layer_mistakes(["blok1", "default", "zz*"], cards) == [
        "layers=blok1: matches no layer of alpha, beta; did you mean block1 or block2 or block1.conv? "
        "(`atlas layers MODEL` lists them)",
        "layers=zz*: matches no layer of alpha, beta; allowed: stem, block1, block1.conv, block2, head "
        "(`atlas layers MODEL` lists them)",
    ]


def test_a_model_in_which_nothing_matches_is_named():
    other = card("beta")
    bare = type(other)("beta", "none", "d", 64, other.layers[:1], ("stem",), 0)
    assert layer_mistakes(["block*", "stem"], {"alpha": card(), "beta": bare}) == []
    (mistake,) = layer_mistakes(["block*"], {"alpha": card(), "beta": bare})
    assert "matches no layer of beta; leave beta out" in mistake
