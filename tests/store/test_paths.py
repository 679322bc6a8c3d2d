"""Every name stays inside its folder, and no two share a path."""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.records import Address, Target
from atlas.store.paths import LONGEST_LABEL, AtlasPaths, image_path, safe

NASTY = [
    "..",
    ".",
    "../x",
    "/etc",
    "a/b",
    "a%2Fb",
    "%2E.",
    "%2E",
    ".hidden",
    "<b>",
    "a=b",
    "a b",
    "\\",
    "C:",
    "a\nb",
    "é",
]
NAME = st.text(min_size=1, max_size=20) | st.sampled_from(NASTY)
PATHS = AtlasPaths("outputs/demo")


@given(NAME)
def test_a_name_is_one_part_of_a_path_that_any_file_system_takes(name):
    kept = safe(name)
    assert len(PurePosixPath(kept).parts) == 1
    assert kept.isascii()
    assert not set(kept) & set('/\\<>:"|?*= \n\t')
    assert not kept.startswith(".")


@given(NAME, NAME)
def test_two_names_never_collide(one, other):
    assert (safe(one) == safe(other)) == (one == other)


@given(NAME, NAME, NAME)
def test_every_path_stays_below_its_folder(model, layer, metric):
    image = PurePosixPath(image_path(Address(model, layer, 3), metric, Target(), 0))
    assert image.parts[0] == "images"
    assert len(image.parts) == 5
    assert PATHS.shard_index(model, layer, "s").relative_to(PATHS.index).parts[2:] == ("s.parquet",)
    assert len(PATHS.sheet(model, layer, metric).relative_to(PATHS.sheets).parts) == 3
    assert ".." not in {*image.parts, *PATHS.shard_index(model, layer, "s").parts}


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((Address("googlenet", "inception4a", 12), "l1", Target(), 0), "images/googlenet/inception4a/l1/12.png"),
        ((Address("m", "layer3.0.conv2", 0), "mean", Target(), 7), "images/m/layer3.0.conv2/mean/0-s7.png"),
        ((Address("m", "a", 1), "l2", Target("row"), 0), "images/m/a/l2/1-rowmid.png"),
        ((Address("m", "a", 1), "l2", Target("neuron", row=3, col=0), 2), "images/m/a/l2/1-neuron3x0-s2.png"),
        ((Address("m", "a", 1), "l2", Target(), 0, "abc"), "images/m/a/l2/1-vabc.png"),
        ((Address("m", "a/b", 1), "l2", Target("cumulative", count=9), 0), "images/m/a%2Fb/l2/1-cumulative9.png"),
    ],
)
def test_the_contracts_image_paths(arguments, path):
    assert image_path(*arguments) == path


TARGETS = (
    st.just(Target())
    | st.builds(Target, st.just("row"), row=st.none() | st.integers(0, 9))
    | st.builds(Target, st.just("neuron"), row=st.integers(0, 9), col=st.integers(0, 9))
    | st.builds(Target, st.just("cumulative"), count=st.integers(1, 99))
    | st.lists(st.tuples(NAME, st.integers(0, 9)), min_size=1, max_size=4).map(
        lambda found: Target("joint", partners=tuple(f"m/{layer}:{channel}" for layer, channel in found))
    )
)
IMAGE = st.tuples(st.builds(Address, NAME, NAME, st.integers(0, 99)), NAME, TARGETS, st.integers(0, 9))


@given(IMAGE, IMAGE)
def test_two_images_never_share_a_file(one, other):
    assert (image_path(*one) == image_path(*other)) == (one == other)


@given(TARGETS, st.integers(0, 5), st.integers(0, 5))
def test_images_of_one_feature_never_share_a_file(target, seed, other):
    feature = Address("m", "a", 1)
    assert (image_path(feature, "l1", target, seed) == image_path(feature, "l1", target, other)) == (seed == other)
    assert image_path(feature, "l1", target, seed, "v1") != image_path(feature, "l1", target, seed)
    assert len(PurePosixPath(image_path(feature, "l1", target, seed)).name) < LONGEST_LABEL + 20


def test_paths_in_rows_are_relative():
    assert PATHS.relative(PATHS.shard_index("m", "a", "s")) == "index/model=m/layer=a/s.parquet"
    assert PATHS.relative(PATHS.shard_failures("s")) == "failures/s.parquet"


def test_an_atlas_is_called_like_its_folder_or_its_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    names = {root: AtlasPaths(root).name for root in (".", "outputs/demo", "s3://bucket", "s3://bucket/runs/a")}
    assert names == {".": "mine", "outputs/demo": "demo", "s3://bucket": "bucket", "s3://bucket/runs/a": "a"}
