"""An open atlas: features by address, their images, names that do not exist, threads, and the newest of several."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from made_atlas import make_atlas, picture

from atlas.query.atlas import Atlas, newest
from atlas.query.guard import Damaged
from atlas.query.names import UnknownName
from atlas.store.images import to_pil
from atlas.store.manifest import NotAnAtlas


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    with Atlas(make_atlas(tmp_path_factory.mktemp("atlas") / "small").root) as opened:
        yield opened


def test_a_feature_has_its_rows_and_images(atlas):
    feature = atlas.feature("beta net/block/0:7")
    rows = feature.rows()
    assert rows["metric"].to_pylist() == ["l1", "l2"]
    assert set(rows["feature"].to_pylist()) == {"beta net/block/0:7"}
    assert len(feature.images()) == 2
    assert np.array_equal(feature.image(), to_pil(picture(7, 16)))
    assert feature.image("l2", seed=0, target="channel").size == (16, 16)


def test_an_atlas_lists_its_models_and_layers(atlas):
    assert atlas.models == ["alpha", "beta net"]
    assert atlas.layers.to_pylist() == [
        {"model": "alpha", "layer": "conv1", "features": 8},
        {"model": "alpha", "layer": "conv2", "features": 12},
        {"model": "beta net", "layer": "block/0", "features": 20},
    ]


def test_an_image_that_is_not_there_is_told_with_those_that_are(atlas):
    with pytest.raises(UnknownName, match=r"linf.*it has metric=l1 target=channel seed=0"):
        atlas.feature("alpha/conv1:0").image("linf")
    with pytest.raises(UnknownName, match="none yet"):
        atlas.feature("beta net/block/0:19").image()


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("alpah/conv1:0", "no model 'alpah'.*did you mean alpha?"),
        ("alpha/conv3:0", "no layer 'alpha/conv3'.*did you mean alpha/conv"),
        ("conv1:8", "no feature 'alpha/conv1:8'.*nearest are alpha/conv1:5"),
        ("alpha/conv1:8", "channels 0 to 7; the nearest are alpha/conv1:5, alpha/conv1:6, alpha/conv1:7"),
        ("alpha/conv1", "write model/layer:channel.*did you mean alpha/conv1:"),
    ],
)
def test_unknown_names_come_with_the_nearest(atlas, address, hint):
    with pytest.raises(LookupError, match=hint):
        atlas.feature(address)


def test_a_damaged_image_is_named(tmp_path):
    with Atlas(make_atlas(tmp_path / "a").root) as atlas:
        feature = atlas.feature("alpha/conv1:0")
        (atlas.path / "images/alpha/conv1/l1/0.png").write_bytes(b"no picture")
        with pytest.raises(Damaged, match=r"0\.png"):
            feature.image("l1")


def test_threads_share_an_atlas(atlas):
    with ThreadPoolExecutor(8) as pool:
        counts = pool.map(lambda n: atlas.sql(f"select count(*) + {n} c from features")["c"].to_pylist(), range(24))
        assert list(counts) == [[70 + n] for n in range(24)]


def test_no_atlas(tmp_path):
    with pytest.raises(NotAnAtlas, match=r"no atlas\.json"):
        Atlas(tmp_path)


def test_the_newest_is_the_one_written_last(tmp_path):
    with pytest.raises(NotAnAtlas, match="atlas run"):
        newest(tmp_path)
    for moment, name in enumerate(("b", "c", "a")):
        manifest = make_atlas(tmp_path / name, ()).manifest
        os.utime(manifest, (moment, moment))
    assert newest(tmp_path) == tmp_path / "a"
