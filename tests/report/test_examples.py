"""Examples in words and pictures: nine places, frames, crops, heat."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from made_atlas import make_atlas
from made_similarity import write_similarity
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.examples import Example, boxed, cropped, overlaid, place_words, read_examples
from atlas.store.index import read_table, write_table
from atlas.store.similarity_tables import EXAMPLES, PLACE

SIDE = 100


def example(**changes: object) -> Example:
    facts = {"probe": "natural", "channel": 3, "rank": 2, "mean": 3.14159, "max": 9.0, "image": "a.jpg"}
    facts |= {"name": "china.jpg", "place": "at the top left", "box": None, "heat": None}
    return Example(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("down", "across", "words"),
    [
        (0, 0, "at the top left"),
        (0.1, 0.5, "at the top"),
        (0.5, 0.99, "at the right"),
        (0.5, 0.5, "in the middle"),
        (1, 1, "at the bottom right"),
    ],
)
def test_a_place_is_one_of_nine(down: float, across: float, words: str) -> None:
    assert place_words(down, across) == words


def picture() -> Image.Image:
    """Black, with a white square from 20 to 40 across and from 60 to 80 down."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[60:80, 20:40] = 255
    return Image.fromarray(pixels)


def test_a_crop_is_the_box_alone_as_large_as_its_square() -> None:
    square = cropped(picture(), (0.2, 0.6, 0.4, 0.8), 50)
    assert square is not None and square.size == (50, 50) and np.asarray(square).min() == 255
    wide = cropped(picture(), (0.2, 0.6, 0.4, 0.7), 50)
    assert wide is not None
    assert np.asarray(wide)[13:37].min() == 255 and not np.asarray(wide)[[0, -1]].any(), "black above and below"
    assert cropped(picture(), None, 50) is None


def test_a_frame_lies_on_the_edge_of_the_box_and_nowhere_else() -> None:
    gray = Image.new("RGB", (SIDE, SIDE), (90, 90, 90))
    framed = np.asarray(boxed(gray, (0.2, 0.6, 0.4, 0.8)))[..., 0]
    assert (framed[60, 20:40] == 255).all() and (framed[79, 20:40] == 255).all()
    assert (framed[60:80, 20] == 255).all() and (framed[60:80, 39] == 255).all()
    assert (framed[62:78, 22:38] == 90).all() and (framed != 90).sum() == 4 * 19 + 4 * 17
    assert boxed(gray, None) is gray


def test_heat_is_brightest_where_the_map_is_highest() -> None:
    heat = np.zeros((5, 5), np.uint8)
    heat[3, 1] = 255
    drawn = np.asarray(overlaid(Image.new("RGB", (SIDE, SIDE), (90, 90, 90)), heat)).astype(int).sum(2)
    y, x = divmod(int(drawn.argmax()), SIDE)
    assert 60 <= y < 80 and 20 <= x < 40
    assert drawn[0, -1] == pytest.approx(3 * 90 * 0.6, abs=3), "dimmed where the map is low"


def test_examples_are_read_with_their_places_and_without_where_a_table_is_older(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a")
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        first, second, *_ = read_examples(atlas, "feature = 'alpha/conv1:2'")
    assert (first.name, first.rank, first.place, first.box) == ("1.png", 1, "at the bottom left", (0, 0.5, 0.5, 1))
    assert first.heat is not None and first.heat.tolist() == [[0, 85], [255, 170]]
    assert (second.rank, second.place, second.box, second.heat) == (2, None, None, None)
    older = pa.schema(list(EXAMPLES)[: -len(PLACE)])
    table = read_table(paths.probe_examples("natural"))
    write_table(paths.probe_examples("natural"), table.select(older.names))
    with Atlas(paths.root) as atlas:
        plain, *_ = read_examples(atlas, "feature = 'alpha/conv1:2'")
        assert atlas.sql("from examples").column_names == EXAMPLES.names
    assert (plain.name, plain.mean, plain.place, plain.heat) == (first.name, first.mean, None, None)
