"""Features by name: what a name means, what it is shown beside, and what is said where it means none or several."""

import pytest
from made_atlas import Made, make_atlas, write_names
from made_similarity import write_label_names, write_similarity

from atlas.query.atlas import Atlas
from atlas.query.html import atlas_html, feature_html
from atlas.query.names import UnknownName
from atlas.records import Address
from atlas.store.classes import CLASSES
from atlas.store.index import read_table, write_rows

NAMES = {
    "alpha/conv2:0": "tench, Tinca tinca",
    "alpha/conv2:1": "crane",
    "alpha/conv2:2": "Zebra",
    "alpha/conv2:3": "crane",
    "alpha/conv2:5": "failed bird",
    "beta net/block/0:4": "hen <b>",
    "beta net/block/0:19": "left over",
    # named, and never asked for
    "alpha/conv2:99": "ghost",
}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    paths = make_atlas(tmp_path_factory.mktemp("names") / "small")
    write_similarity(paths)
    write_names(paths, NAMES)
    with Atlas(paths.root) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("zebra", "alpha/conv2:2"),
        (" TINCA tinca ", "alpha/conv2:0"),
        ("tench, tinca tinca", "alpha/conv2:0"),
        ("failed bird", "alpha/conv2:5"),
        ("left over", "beta net/block/0:19"),
        ("conv1:3", "alpha/conv1:3"),
        ("conv2:zebra", "alpha/conv2:2"),
        (" alpha/conv2:TENCH", "alpha/conv2:0"),
        ("block/0:left over", "beta net/block/0:19"),
        ("alpha/conv2:2", "alpha/conv2:2"),
    ],
)
def test_a_name_or_a_layer_and_channel_means_the_one_feature_there_is(atlas, text, feature):
    assert str(atlas.feature(text)) == feature
    assert atlas.feature(text).name == NAMES.get(feature)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("crane", "'crane' is 2 features of .*: alpha/conv2:1, alpha/conv2:3; name one"),
        ("conv2:crane", "'conv2:crane' is 2 features of .*: alpha/conv2:1, alpha/conv2:3; name one"),
        ("alpha/conv2:zebr", "or a name of that layer: did you mean Zebra?"),
        ("conv1:zebra", "write model/layer:channel"),
        ("zebr", "or the name of a class: did you mean Zebra?"),
        ("ghost", "write model/layer:channel.*or the name of a class"),
        ("conv9:3", "write model/layer:channel.*allowed: alpha/conv1:0"),
    ],
)
def test_what_means_none_or_several_is_said_with_those_that_there_are(atlas, text, said):
    with pytest.raises(UnknownName, match=said):
        atlas.feature(text)


def test_a_layer_that_two_models_have_is_ambiguous(tmp_path):
    paths = make_atlas(tmp_path / "a", (Made("a", "conv", 2, 2), Made("b", "conv", 4, 4)))
    with Atlas(paths.root) as atlas:
        assert str(atlas.feature("conv:3")) == "b/conv:3"
        with pytest.raises(UnknownName, match=r"'conv:1' is 2 features of .*: a/conv:1, b/conv:1; name one"):
            atlas.feature("conv:1")


def test_views_have_the_names(atlas):
    names = "SELECT DISTINCT feature, name FROM {} WHERE name IS NOT NULL ORDER BY ALL"
    held = {feature: name for feature, name in NAMES.items() if not feature.endswith(":99")}
    tasks = atlas.sql(names.format("tasks")).to_pylist()
    assert {row["feature"]: row["name"] for row in tasks} == held
    features = atlas.sql(names.format("features")).to_pylist()
    unmade = ("alpha/conv2:5", "beta net/block/0:19")
    assert {row["feature"]: row["name"] for row in features} == {f: n for f, n in held.items() if f not in unmade}
    named = atlas.sql("SELECT DISTINCT dst_name FROM neighbors_named WHERE dst = 'alpha/conv2:2'")
    assert named["dst_name"].to_pylist() == ["Zebra"]


def test_a_name_that_stands_twice_doubles_no_row(tmp_path):
    paths = make_atlas(tmp_path / "a")
    with Atlas(paths.root) as atlas:
        before = [atlas.sql(f"FROM {view}").num_rows for view in ("features", "tasks")]
    write_names(paths, NAMES)
    rows = read_table(paths.classes).to_pylist()
    write_rows(paths.classes, [*rows, *rows], CLASSES)
    with Atlas(paths.root) as atlas:
        assert [atlas.sql(f"FROM {view}").num_rows for view in ("features", "tasks")] == before


def test_images_of_other_weights_have_no_names(tmp_path):
    paths = make_atlas(tmp_path / "a")
    write_names(paths, {"alpha/conv1:0": "cat"})
    with Atlas(paths.root) as atlas:
        assert atlas.feature("cat").name == "cat"
    write_names(paths, {"alpha/conv1:0": "cat"}, weights="default@def")
    with Atlas(paths.root) as atlas:
        assert atlas.feature("alpha/conv1:0").name is None


def test_neighbors_and_pages_for_notebooks_name_them(atlas):
    near = atlas.feature("alpha/conv2:0").similar(12).to_pylist()
    assert {row["dst"]: row["name"] for row in near if row["name"]}.items() <= NAMES.items()
    assert any(row["name"] == "Zebra" for row in near)
    page = feature_html(atlas, Address.parse("beta net/block/0:4"))
    assert "hen &lt;b&gt;" in page and "<b>hen" not in page
    assert "hen &lt;b&gt;<br>beta net/block/0:4" in atlas_html(atlas)


def test_a_class_goes_before_features_that_are_only_named_so(tmp_path):
    """Labels of pictures name many features alike."""
    paths = make_atlas(tmp_path / "a")
    write_similarity(paths)
    write_label_names(paths)
    with Atlas(paths.root) as atlas, pytest.raises(UnknownName, match=r"'zebra' is .* features of"):
        atlas.feature("zebra")
    write_names(paths, {"alpha/conv2:7": "zebra"})
    with Atlas(paths.root) as atlas:
        assert str(atlas.feature("zebra")) == "alpha/conv2:7"
