"""`channels=` against Python's own slicing."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_cards import layer

from atlas.config.mistakes import ConfigError
from atlas.sweep.channels import channel_mistakes, parse_channels, select_channels

NUMBER = st.integers(0, 40)
EMPTY = st.just("")
SPELLED = st.tuples(NUMBER | EMPTY, NUMBER | EMPTY, st.integers(1, 9) | EMPTY)


def chosen(value, channels: int) -> tuple[int, ...]:
    return select_channels(parse_channels(value), layer("x", 0, channels))


def python(spelled, channels: int) -> list[int]:
    start, stop, step = (None if n == "" else n for n in spelled)
    assume(stop is None or stop > (start or 0))
    return list(range(channels))[start:stop:step]


@given(SPELLED, st.integers(1, 50))
def test_a_range_is_pythons(spelled, channels):
    wanted = python(spelled, channels)
    assert chosen(":".join(map(str, spelled)), channels) == tuple(wanted)
    if spelled[2] == "":
        assert chosen(f"{spelled[0]}:{spelled[1]}", channels) == tuple(wanted)


@given(st.lists(NUMBER | SPELLED, min_size=1, max_size=4), st.integers(41, 60))
def test_lists_and_commas_keep_their_order_and_name_each_channel_once(parts, channels):
    wanted = [n for part in parts for n in (python(part, channels) if isinstance(part, tuple) else [part])]
    written = [":".join(map(str, part)) if isinstance(part, tuple) else part for part in parts]
    assert chosen(written, channels) == chosen(tuple(written), channels) == tuple(dict.fromkeys(wanted))
    if len(written) > 1:
        assert chosen(", ".join(map(str, written)), channels) == chosen(written, channels)


def test_all_is_all():
    assert chosen("all", 7) == chosen(["all"], 7) == chosen("0:", 7) == chosen(":", 7) == tuple(range(7))


@pytest.mark.parametrize(
    "value",
    [
        *(3, 0, [], "", "a:b", "1.5", "-1", "-3:", "1:2:3:4", "0:8:0", ["a:b"], [0, -1], [None], None, True, 1.5),
        *("5:5", "9:3", ":0"),
    ],
)
def test_anything_else_is_refused_with_the_value(value):
    with pytest.raises(ConfigError) as caught:
        parse_channels(value)
    assert f"channels={value!r}" in str(caught.value)


def test_channels_that_a_layer_lacks_are_all_named():
    layers = [layer("narrow", 0, 8), layer("wide", 1, 16)]
    mistakes = channel_mistakes(parse_channels([3, 8, 20]), "m", layers)
    assert mistakes == [
        "channels=8: m/narrow has 8 channels (0 to 7)",
        "channels=20: m/narrow has 8 channels (0 to 7)",
        "channels=20: m/wide has 16 channels (0 to 15)",
    ]


@pytest.mark.parametrize(("value", "wrong"), [("0:16", 0), ("all", 0), ("10:", 0), ("0:17", 1), ("16:", 1)])
def test_a_range_may_reach_as_far_as_the_widest_layer(value, wrong):
    mistakes = channel_mistakes(parse_channels(value), "m", [layer("narrow", 0, 8), layer("wide", 1, 16)])
    assert len(mistakes) == wrong
    assert all("16 channels (0 to 15)" in mistake for mistake in mistakes)


CLASSES = ("tench, Tinca tinca", "crane", "Zebra", "crane", "hen")


def classifier(name: str = "head"):
    return replace(layer(name, 0, len(CLASSES), 1), classes=CLASSES)


@pytest.mark.parametrize(
    ("value", "channels"),
    [
        ("zebra", (2,)),
        ("zebra, 0", (2, 0)),
        (["tinca tinca", "HEN", 2, "zebra", "0:2"], (0, 4, 2, 1)),
        (["tench, Tinca tinca"], (0,)),
    ],
)
def test_classes_are_named_beside_numbers_and_ranges(value, channels):
    parts = parse_channels(value)
    assert channel_mistakes(parts, "m", [classifier()]) == []
    assert select_channels(parts, classifier()) == channels


def test_a_name_is_refused_where_it_means_no_class_or_several():
    assert channel_mistakes(parse_channels(["zebr", "crane", "hen"]), "m", [classifier()]) == [
        "channels='zebr': 'zebr' is no class of m/head; did you mean Zebra?",
        "channels='crane': 'crane' is several classes of m/head; give the number of one: 1 (crane), 3 (crane)",
    ]


def test_a_name_is_refused_where_channels_have_none():
    (mistake,) = channel_mistakes(parse_channels("x"), "m", [layer(f"conv{number}", number, 8) for number in range(5)])
    assert mistake == (
        "channels='x': 'x' is no channel of m/conv0, m/conv1, m/conv2 and 2 more layers; "
        "write all, a:b, a:b:step, or a list of numbers from 0"
    )
    (mistake,) = channel_mistakes(parse_channels("hen"), "m", [layer("conv", 0, 8), classifier()])
    assert mistake.startswith("channels='hen': 'hen' is no channel of m/conv; write all")
    assert "class names are those of m/head only: layers={LAYER: CHANNELS} asks by layer" in mistake
