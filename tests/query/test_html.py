"""What a notebook shows of an atlas and of a feature: the counts, the images, small, and no name as markup."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from made_atlas import WHOLE, Made, make_atlas
from made_similarity import write_similarity

from atlas.query.atlas import Atlas
from atlas.store.images import to_pil, write_pixels

HOSTILE = '<script src="x">', "a'b\"<img src=x onerror=y>&amp;"
TAGS = {"div", "b", "code", "table", "tr", "th", "td", "img", "br"}


class Page(HTMLParser):
    """The tags and the text of a page, and the attributes of its images."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.images, self.text = set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data):
        self.text += f" {data}"


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    paths = make_atlas(tmp_path_factory.mktemp("html") / "small")
    write_similarity(paths)
    with Atlas(paths.root) as opened:
        yield opened


def test_an_atlas_shows_its_models_counts_and_images(atlas):
    page = Page(atlas._repr_html_())
    assert "Atlas small" in page.text
    assert re.search(
        r"model\s+layers\s+done\s+dead\s+failed\s+left\s+alpha\s+2\s+38\s+2\s+2\s+0\s+beta net\s+1\s+32", page.text
    )
    assert len(page.images) == 12
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.images)
    assert "alpha/conv1:0" in page.text and "beta net/block/0:" in page.text


def test_a_feature_shows_its_images_and_its_nearest_beside_the_baseline(atlas):
    feature = atlas.feature("beta net/block/0:4")
    page = Page(feature._repr_html_())
    assert "beta net/block/0:4" in page.text
    assert "score 4.5" in page.text and "self_rank 1" in page.text
    assert len(page.images) == 2 + 8, "its own under two metrics, and its nearest"
    for row in feature.similar(8).to_pylist():
        assert f"{row['dst']} {row['score']:.2f} ({row['baseline']:.2f})" in page.text


def test_names_are_never_markup(tmp_path):
    model, layer = HOSTILE
    paths = make_atlas(tmp_path / "<b>x", [Made(model, layer, 4, 4, metrics=("l1<u>",))])
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        for html in (atlas._repr_html_(), atlas.feature(f"{model}/{layer}:1")._repr_html_()):
            page = Page(html)
            assert page.tags <= TAGS
            assert all(image.keys() == {"src"} for image in page.images)
            assert model in page.text, "it is there, as text"


def test_a_page_stays_small_whatever_the_images_show(tmp_path):
    metrics = tuple("abcdefgh")
    paths = make_atlas(tmp_path / "noise", [Made("m", "l", 16, 16, metrics=metrics)])
    write_similarity(paths)
    noise = np.random.default_rng(0).uniform(size=(3, 224, 224)).astype(np.float32)
    for path in paths.images.rglob("*.png"):
        write_pixels(path, to_pil(noise))
    with Atlas(paths.root) as atlas:
        assert len(atlas._repr_html_()) < 100_000
        feature = atlas.feature("m/l:3")._repr_html_()
    assert len(feature) < 120_000
    assert "5 more images" in feature


def test_before_similarity_without_an_image_or_with_a_damaged_one(tmp_path):
    paths = make_atlas(tmp_path / "a", [*WHOLE, Made("later", "l", 3, 0)])
    (paths.root / "images/alpha/conv1/l1/0.png").write_bytes(b"no picture")
    with Atlas(paths.root) as atlas:
        page = Page(atlas.feature("alpha/conv1:0")._repr_html_())
        assert len(page.images) == 1, "that of the other metric"
        assert "nearest" not in page.text
        assert "dead" in Page(atlas.feature("alpha/conv1:2")._repr_html_()).text
        assert "no image yet" in Page(atlas.feature("later/l:0")._repr_html_()).text
        assert "later" in Page(atlas._repr_html_()).text


LIGHT = """
import sys, atlas
with atlas.open(sys.argv[1]) as opened:
    assert opened.feature("beta net/block/0:4").similar().num_rows
    assert opened.models and opened.layers.num_rows
assert not {"PIL", "torch", "ray", "pandas", "matplotlib", "hydra"} & set(sys.modules)
"""


def test_a_query_loads_nothing_that_only_pictures_need(atlas):
    done = subprocess.run([sys.executable, "-c", LIGHT, str(atlas.path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
