"""A card of a feature, as SVG and as PNG."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from made_atlas import make_atlas, write_names
from made_similarity import write_similarity
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.card import HEIGHT, SHARP, WIDTH, write_card

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paths = make_atlas(tmp_path_factory.mktemp("card") / "a")
    write_similarity(paths)
    write_names(paths, {"alpha/conv2:3": "<b>zebra & co</b>"})
    return paths.root


def test_an_svg_holds_its_images_and_what_it_says(root: Path, tmp_path: Path) -> None:
    with Atlas(root) as atlas:
        write_card(atlas, atlas.feature("alpha/conv2:3"), tmp_path / "card.svg")
        near = [row for row in atlas.feature("alpha/conv2:3").similar(6).to_pylist() if row["excess"] > 0]
    card = ElementTree.parse(tmp_path / "card.svg").getroot()
    images = card.findall(f"{SVG}image")
    assert len(images) == 1 + len(near) > 2
    assert all(image.get("href", "").startswith("data:image/png;base64,") for image in images)
    words = [text.text for text in card.findall(f"{SVG}text")]
    assert words[:2] == ["<b>zebra & co</b>", "conv2:3 of alpha"]
    assert "its image drives it most" in (words[2] or "")


def test_a_png_shows_the_same(root: Path, tmp_path: Path) -> None:
    with Atlas(root) as atlas:
        write_card(atlas, atlas.feature("alpha/conv2:3"), tmp_path / "card.png")
        write_card(atlas, atlas.feature("alpha/conv2:5"), tmp_path / "failed.png")
        with pytest.raises(ValueError, match=r"neither \.svg nor \.png"):
            write_card(atlas, atlas.feature("alpha/conv2:3"), tmp_path / "card.pdf")
    with Image.open(tmp_path / "card.png") as card:
        assert card.size == (SHARP * WIDTH, SHARP * HEIGHT)
        assert np.asarray(card)[100:500, 100:500].std() > 5
    assert (tmp_path / "failed.png").is_file() and not (tmp_path / "card.pdf").exists()
